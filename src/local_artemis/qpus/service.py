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
    :param file: A JSON file that describes them; one called Artemis by default.
    :raises OSError: If the file cannot be read.
    :raises ValueError: If it describes no QPUs.
    """

    def __init__(self, store: Store, clock: Clock, file: Path | None) -> None:
        self._store = store
        self._clock = clock
        self._began = clock.now()
        described = [_DEFAULT] if file is None else _read(file)
        self.described = described

    def all(self) -> list[tuple[Qpu, int]]:
        """Return the QPUs as they are now, and when they were changed."""
        with self._store.read() as tx:
            rows = {row["id"]: row for row in tx.find("qpus")}
        return [
            (_changed(it, row["changes"]), row["updated"])
            if (row := rows.get(it.id)) is not None
            else (it, self._began)
            for it in self.described
        ]

    def find(self, name: str) -> Qpu:
        """Return the QPU of this name.

        :raises ApiError: 404 if there is none, naming those that there are.
        """
        for qpu, _updated in self.all():
            if qpu.name == name:
                return qpu
        names = ", ".join(repr(it.name) for it in self.described)
        error = not_found("QPU", name)
        error.message += f" Take one of {names}."
        raise error

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


def _changed(qpu: Qpu, changes: dict[str, object]) -> Qpu:
    return Qpu.model_validate(qpu.model_dump() | changes)


def _read(file: Path) -> list[Qpu]:
    try:
        return QpuFile.model_validate_json(file.read_bytes()).root
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(map(str, first["loc"]))
        raise ValueError(
            f"Cannot use the file {file}: {place or 'the file'}: {first['msg']}."
        ) from error
