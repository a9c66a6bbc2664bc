"""Make something on Nexus once, even if the answer to a request is lost.

Nexus has no field for an idempotency key, so a request whose answer was lost may or may
not have been carried out. What the worker makes therefore carries a key in its
description: the one free text that Nexus keeps, returns in lists, and lets a client set
without a definition in the project (properties need one) and without changing the name
that the user chose. Before anything is made again, the key is looked up and what is
found is used.

A request can also arrive after that look-up, for example from a gateway that held it.
Where this is possible, the key is *in doubt*: :class:`Doubt` tells later tasks of the
workflow to look for duplicates.
"""

import hashlib
import json
import logging
import re
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from http import HTTPStatus
from pathlib import Path
from typing import Any, Literal
from uuid import uuid4

import httpx
import qnexus.exceptions as qnx

from tkr_nexus_worker.nexus.client import call, limits, was_not_carried_out
from tkr_runtime.requests import TransientResponseError
from tkr_runtime.tasks import context

logger = logging.getLogger(__name__)

_MARKER_PREFIX = "_making_"
_DOUBT_PREFIX = "_doubt_"
_DIGEST = re.compile(r"\[tkr-nexus-worker ([0-9a-f]{32})\]")
# Local times without a zone differ by up to 26 hours, and clocks are set by a day.
_CLOCKS_DIFFER_BY = timedelta(days=3)
# What nobody answered in time may be held by a gateway, longer than a lost connection.
_TIMED_OUT_SETTLES_LONGER = 6
_GATEWAY_TIMEOUT = 504


@dataclass(frozen=True)
class Key:
    """Identifies one thing that one task of one run of a workflow makes.

    :param digest: A digest of the task's place and inputs.
    :param origin: Where it comes from, for a person.
    :param since: It was made after this moment, even if clocks differ by days; None
        where that is not known.
    :param marker: A file that says that the task has begun to make it; None where the
        workflow has no folder.
    :param former_digest: The digest that earlier versions gave it.
    """

    digest: str
    origin: str
    since: datetime | None = None
    marker: Path | None = None
    former_digest: str | None = None

    @property
    def description(self) -> str:
        """The description that carries the key on Nexus."""
        return f"{self.origin} [tkr-nexus-worker {self.digest}]"

    def is_in(self, description: str | None) -> bool:
        """Return whether a description carries this key.

        :param description: The description of something on Nexus.
        """
        found = digest_in(description)
        return found is not None and found in (self.digest, self.former_digest)


def key_of(*inputs: Any) -> Key:
    """Return the key of what the current task makes from its inputs.

    Outside a workflow every call makes something new, so each has a key of its own.

    :param inputs: JSON values that tell it from anything else that the task makes.
    :returns: The key.
    """
    task = context.current()
    if task is None:
        return Key(uuid4().hex, "Made by tkr-nexus-worker")
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
    place = [task.workflow_id, start, task.location]
    content = json.dumps([place, inputs], sort_keys=True).encode()
    return hashlib.sha256(content).hexdigest()[:32]


def digest_in(description: str | None) -> str | None:
    """Return the digest of the key in a description; None if there is none.

    :param description: The description of something on Nexus.
    """
    found = _DIGEST.search(description or "")
    return None if found is None else found[1]


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

    @classmethod
    def about(cls, description: str | None) -> "Doubt | None":
        """Return the doubt about something; None if there is none.

        :param description: Its description on Nexus.
        """
        digest = digest_in(description)
        if digest is None:
            return None
        doubt = cls(digest)
        file = doubt._file()
        exists = digest in _doubts_in_memory or (file is not None and file.exists())
        return doubt if exists else None

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
                logger.warning("nexus: %s cannot be written (%s)", file, error.strerror)
            else:
                return
        _doubts_in_memory.setdefault(self.digest, []).append(line)

    def _file(self) -> Path | None:
        task = context.current()
        if task is None or task.folder is None:
            return None
        return task.folder.parent / f"{_DOUBT_PREFIX}{self.digest}"


def billed_duplicates(description: str | None) -> list[str]:
    """Return the ids of duplicates that have run beside a job and may be billed.

    :param description: The description of the job on Nexus.
    """
    doubt = Doubt.about(description)
    return [] if doubt is None else doubt.noted("billed")


def make_once[T](
    action: str,
    find: Callable[[], T | None],
    make: Callable[[], T],
    *,
    marker: Path | None = None,
    on_doubt: Callable[[], None] = lambda: None,
    look_first: bool = False,
) -> T:
    """Make something, or use what an earlier try has made.

    :param action: What is done, for messages.
    :param find: Looks for the thing on Nexus.
    :param make: Makes it.
    :param marker: A file that outlives the process and says that a try was begun.
    :param on_doubt: Called when a try may have been carried out without an answer.
    :param look_first: Whether to look before the very first try, too.
    :returns: What was found or made.
    :raises NexusWorkerError: If it could be neither found nor made.
    """
    settled = _settled_after_restart(marker)
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
            if was_not_carried_out(error) or _was_refused(error):
                tries -= 1
                if settled is None and marker is not None:
                    marker.unlink()
            else:
                settled = time.monotonic() + _settle_time(error)
                on_doubt()
            raise

    if settled is not None:
        on_doubt()
    made = call(action, find_or_make)
    if tries > 1:
        # Should an earlier try have arrived after all, all processes take the same one.
        made = call(action, find) or made
    return made


def _settled_after_restart(marker: Path | None) -> float | None:
    """Return when a request of an earlier process has settled; None if there was none.

    That process had ended when this task began, so that no clock but that of this
    process counts.
    """
    if marker is None or not marker.exists():
        return None
    task = context.current()
    began = time.monotonic() if task is None else task.entered
    return began + limits().settle_time


def _settle_time(error: Exception) -> float:
    """Return for how long a request that failed may still be on its way, in seconds."""
    timed_out = isinstance(error, httpx.TimeoutException) or (
        isinstance(error, TransientResponseError)
        and error.status_code == _GATEWAY_TIMEOUT
    )
    return limits().settle_time * (_TIMED_OUT_SETTLES_LONGER if timed_out else 1)


def _was_refused(error: Exception) -> bool:
    """Return whether Nexus has answered that it makes nothing."""
    if isinstance(error, qnx.AuthenticationError):
        return True
    status = getattr(error, "status_code", None)
    return (
        isinstance(error, qnx.ResourceCreateFailed)
        and status is not None
        and HTTPStatus.BAD_REQUEST <= status < HTTPStatus.INTERNAL_SERVER_ERROR
    )
