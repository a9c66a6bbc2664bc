"""Make something in a cloud once, even if the answer to a request is lost.

Where a cloud has no field for an idempotency key, a request whose answer was lost may
or may not have been carried out. What a worker makes therefore carries a key in some
text that the cloud keeps. Before anything is made again, the key is looked up and what
is found is used.

A request can also arrive after that look-up, for example from a gateway that held it.
Where this is possible, the key is *in doubt*: :class:`Doubt` tells later tasks of the
workflow to look for duplicates.
"""

import hashlib
import json
import logging
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Literal, Protocol
from uuid import uuid4

from tkr_runtime.http import is_timed_out, was_not_carried_out
from tkr_runtime.tasks import context

logger = logging.getLogger(__name__)

LOOK_AFTER = (60.0, 300.0, 1800.0)
"""When to look for duplicates while nothing changes, in seconds; the last repeats."""

_MARKER_PREFIX = "_making_"
_DOUBT_PREFIX = "_doubt_"
# Local times without a zone differ by up to 26 hours, and clocks are set by a day.
_CLOCKS_DIFFER_BY = timedelta(days=3)
# What nobody answered in time may be held by a gateway, longer than a lost connection.
_TIMED_OUT_SETTLES_LONGER = 6


@dataclass(frozen=True)
class Key:
    """Identifies one thing that one task of one run of a workflow makes.

    :param digest: A digest of the task's place and inputs.
    :param origin: Where it comes from, for a person; empty outside a workflow.
    :param since: It was made after this moment, even if clocks differ by days; None
        where that is not known.
    :param marker: A file that says that the task has begun to make it; None where the
        workflow has no folder.
    :param former_digest: The digest that earlier versions gave it.
    """

    digest: str
    origin: str = ""
    since: datetime | None = None
    marker: Path | None = None
    former_digest: str | None = None


def key_of(*inputs: Any) -> Key:
    """Return the key of what the current task makes from its inputs.

    Outside a workflow every call makes something new, so each has a key of its own.

    :param inputs: JSON values that tell it from anything else that the task makes.
    :returns: The key.
    """
    task = context.current()
    if task is None:
        return Key(uuid4().hex)
    digest = _digest(task, task.start_text, inputs)
    return Key(
        digest=digest,
        origin=f"Tierkreis workflow {task.workflow_id}, task {task.location}",
        since=task.started - _CLOCKS_DIFFER_BY,
        marker=task.folder and task.folder / f"{_MARKER_PREFIX}{digest}",
        # It depends on the time zone of the process, so it is found in the same alone.
        former_digest=_digest(task, str(task.started), inputs),
    )


def _digest(task: context.TaskContext, start: str, inputs: Any) -> str:
    return digest_of([task.workflow_id, start, task.location], inputs)


def digest_of(place: list[str], inputs: Any) -> str:
    """Return a digest of a place and of what is made there.

    :param place: What tells the place from all others.
    :param inputs: JSON values.
    """
    content = json.dumps([place, inputs], sort_keys=True).encode()
    return hashlib.sha256(content).hexdigest()[:32]


type Finding = Literal["cancelled", "billed"]

_doubts_in_memory: dict[str, list[str]] = {}


@dataclass(frozen=True)
class Doubt:
    """Says that requests to make one thing may have arrived more than once.

    It is kept in the folder of the workflow, where all its tasks find it, and in this
    process where there is no such folder.

    :param digest: The digest of the key.
    """

    digest: str

    @property
    def exists(self) -> bool:
        """Whether the doubt was recorded."""
        file = self._file()
        return self.digest in _doubts_in_memory or (file is not None and file.exists())

    def record(self) -> None:
        """Tell the later tasks of the workflow to look for duplicates."""
        self._add("")

    def note(self, finding: Finding, thing_id: str) -> None:
        """Note what was found out about a duplicate.

        :param finding: Whether it was cancelled, or has run and may be billed.
        :param thing_id: The id of the duplicate.
        """
        self._add(f"{finding} {thing_id}\n")

    def noted(self, finding: Finding) -> list[str]:
        """Return the ids of the duplicates of which something was found out.

        :param finding: What.
        """
        lines = list(_doubts_in_memory.get(self.digest, []))
        file = self._file()
        if file is not None:
            with suppress(OSError):
                lines += file.read_text().splitlines()
        pairs = [line.split(maxsplit=1) for line in lines if line.strip()]
        return list(dict.fromkeys(pair[1] for pair in pairs if pair[0] == finding))

    def _add(self, line: str) -> None:
        file = self._file()
        if file is not None:
            try:
                with file.open("a") as opened:
                    opened.write(line)
            except OSError as error:
                logger.warning("task: %s cannot be written (%s)", file, error.strerror)
            else:
                return
        _doubts_in_memory.setdefault(self.digest, []).append(line)

    def _file(self) -> Path | None:
        task = context.current()
        if task is None or task.folder is None:
            return None
        return task.folder.parent / f"{_DOUBT_PREFIX}{self.digest}"


@dataclass
class _Looks:
    """When this process has looked for duplicates of a job."""

    state: str
    began: float
    next_after: float = LOOK_AFTER[0]


_looks: dict[str, _Looks] = {}


def is_look_due(job_id: str, state: str, *, is_final: bool = False) -> bool:
    """Return whether to look for duplicates of a job whose submission is in doubt.

    Call it with each status that is seen: a look is due when the state has changed,
    when the job has ended, and after the times in :data:`LOOK_AFTER`.

    :param job_id: The id of the job.
    :param state: Its state; empty if not known.
    :param is_final: Whether the job has ended.
    """
    now = time.monotonic()
    looks = _looks.get(job_id)
    if looks is None or looks.state != state:
        _looks[job_id] = _Looks(state, now if looks is None else looks.began)
        if is_final:
            del _looks[job_id]
        return True
    if now - looks.began < looks.next_after:
        return False
    later = (after for after in LOOK_AFTER if after > looks.next_after)
    looks.next_after = next(later, looks.next_after + LOOK_AFTER[-1])
    return True


class Marker(Protocol):
    """Says, for longer than a process lives, that a try was begun."""

    def exists(self) -> bool:
        """Return whether a try was begun and not withdrawn."""

    def touch(self) -> None:
        """Say that a try begins."""

    def unlink(self) -> None:
        """Say that nothing was made."""


class InMemoryMarker:
    """A marker of this process, where the workflow has no folder."""

    def __init__(self) -> None:
        self._begun = False

    def exists(self) -> bool:
        """Return whether a try was begun and not withdrawn."""
        return self._begun

    def touch(self) -> None:
        """Say that a try begins."""
        self._begun = True

    def unlink(self) -> None:
        """Say that nothing was made."""
        self._begun = False


def make_once[T](
    action: str,
    find: Callable[[], T | None],
    make: Callable[[], T],
    *,
    call: Callable[[str, Callable[[], T | None]], T | None],
    was_refused: Callable[[Exception], bool],
    settle_time: float,
    marker: Marker | None = None,
    on_doubt: Callable[[], None] = lambda: None,
    look_first: bool = False,
) -> T:
    """Make something, or use what an earlier try has made.

    :param action: What is done, for messages.
    :param find: Looks for the thing in the cloud.
    :param make: Makes it.
    :param call: Sends a request with retries, given its action.
    :param was_refused: Returns whether an error is the answer that nothing is made.
    :param settle_time: How long a request that was cut off may still be on its way, in
        seconds.
    :param marker: Outlives the process and says that a try was begun; a path is one.
    :param on_doubt: Called when a try may have been carried out without an answer.
    :param look_first: Whether to look before the very first try, too.
    :returns: What was found or made.
    :raises WorkerError: If it could be neither found nor made.
    """
    settled = _settled_after_restart(marker, settle_time)
    tries = 0

    def find_or_make() -> T:
        nonlocal settled, tries
        if settled is not None:
            time.sleep(max(0.0, settled - time.monotonic()))
        if settled is not None or look_first:
            found = find()
            if found is not None:
                return found
        tries += 1
        if marker is not None:
            marker.touch()
        try:
            return make()
        except Exception as error:
            if was_not_carried_out(error) or was_refused(error):
                tries -= 1
                if settled is None and marker is not None:
                    marker.unlink()
            else:
                longer = _TIMED_OUT_SETTLES_LONGER if is_timed_out(error) else 1
                settled = time.monotonic() + settle_time * longer
                on_doubt()
            raise

    if settled is not None:
        on_doubt()
    made = call(action, find_or_make)
    if tries > 1:
        # Should an earlier try have arrived after all, all processes take the same one.
        made = call(action, find) or made
    assert made is not None  # noqa: S101 (find_or_make returns or raises)
    return made


def _settled_after_restart(marker: Marker | None, settle_time: float) -> float | None:
    """Return when a request of an earlier process has settled; None if there was none.

    That process had ended when this task began, so that no clock but that of this
    process counts.
    """
    if marker is None or not marker.exists():
        return None
    task = context.current()
    began = time.monotonic() if task is None else task.entered
    return began + settle_time
