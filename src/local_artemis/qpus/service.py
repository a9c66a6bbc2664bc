"""QPUs: found by their name, and changed."""

from pathlib import Path

from pydantic import ValidationError

from local_artemis.qpus.models import Qpu, QpuChange, QpuFile
from local_cloud.clock import Clock
from local_cloud.errors import not_found
from local_cloud.store import Store

_DEFAULT = Qpu(name="Artemis")


class Qpus:
    """The QPUs of a server.

    :param store: Where changes are kept.
    :param clock: The time of changes.
    :param described: What they are before any change.
    """

    def __init__(self, store: Store, clock: Clock, described: list[Qpu]) -> None:
        self._store = store
        self._clock = clock
        self._described = described
        # Every read of a job asks whether its QPU is online.
        self._qpus: dict[str, Qpu] = {}
        self._updated: dict[str, int] = {}
        self.load()

    def load(self) -> None:
        """Read from the store what was changed."""
        now = self._clock.now()
        with self._store.read() as tx:
            rows = {row["id"]: row for row in tx.find("qpus")}
        for qpu in self._described:
            row = rows.get(qpu.id, {"changes": {}, "updated": now})
            self._qpus[qpu.name] = _changed(qpu, row["changes"])
            self._updated[qpu.name] = row["updated"]

    def all(self) -> list[tuple[Qpu, int]]:
        """Return the QPUs as they are now, and when they were changed."""
        return [(qpu, self._updated[name]) for name, qpu in self._qpus.items()]

    def find(self, name: str) -> Qpu:
        """Return the QPU of this name.

        :raises ApiError: 404 if there is none, naming those that there are.
        """
        qpu = self._qpus.get(name)
        if qpu is None:
            error = not_found("QPU", name)
            error.message += f" Take one of {', '.join(map(repr, self._qpus))}."
            raise error
        return qpu

    def is_offline(self, name: str) -> bool:
        """Return whether there is a QPU of this name that is not available."""
        return name in self._qpus and not self._qpus[name].available

    def change(self, name: str, change: QpuChange) -> None:
        """Change a QPU for the jobs to come.

        :raises ApiError: 404 if there is none of this name.
        """
        key = self.find(name).id
        given = change.model_dump(mode="json", exclude_unset=True)
        with self._store.write() as tx:
            row = tx.get("qpus", key)
            if row is not None:
                given = row["changes"] | given
                tx.delete("qpus", id=key)
            row = {"id": key, "changes": given, "updated": self._clock.now()}
            tx.insert("qpus", row)
        self.load()


def read(file: Path | None) -> list[Qpu]:
    """Return the QPUs that a JSON file describes; Artemis if there is no file.

    :raises OSError: If the file cannot be read.
    :raises ValueError: If it describes no QPUs.
    """
    if file is None:
        return [_DEFAULT]
    try:
        return QpuFile.model_validate_json(file.read_bytes()).root
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(map(str, first["loc"]))
        raise ValueError(
            f"Cannot use the file {file}: {place or 'the file'}: {first['msg']}."
        ) from error


def _changed(qpu: Qpu, changes: dict[str, object]) -> Qpu:
    return Qpu.model_validate(qpu.model_dump() | changes)
