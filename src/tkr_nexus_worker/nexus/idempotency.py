"""Make something on Nexus once, whatever is lost on the way.

Nexus has no field for an idempotency key, so a request whose answer was lost may be
carried out or not. What the worker makes therefore carries a key in its description:
the one free text that Nexus keeps, returns in lists, and lets a client set without a
definition in the project (properties need one) and without changing the name that the
user chose. Before anything is made again, the key is looked up and what is found is
taken.
"""

import hashlib
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

from tkr_nexus_worker.nexus.client import call, limits, was_not_carried_out
from tkr_runtime.tasks import context

_MARKER_PREFIX = "_making_"
_CLOCKS_DIFFER_BY = timedelta(days=1)


@dataclass(frozen=True)
class Key:
    """Names one thing that one task of one run of a workflow makes.

    :param digest: A digest of the task's place and inputs.
    :param origin: Where it comes from, for a person.
    :param since: It was made after this moment, even if clocks differ by a day; None
        where that is not known.
    :param marker: A file that says that the task has begun to make it; None where the
        workflow has no folder.
    """

    digest: str
    origin: str
    since: datetime | None = None
    marker: Path | None = None

    @property
    def description(self) -> str:
        """The description that carries the key on Nexus."""
        return f"{self.origin} [tkr-nexus-worker {self.digest}]"

    def is_in(self, description: str | None) -> bool:
        """Tell whether a description carries this key.

        :param description: The description of something on Nexus.
        """
        return f"[tkr-nexus-worker {self.digest}]" in (description or "")


def key_of(*inputs: Any) -> Key:
    """Return the key of what the current task makes from its inputs.

    Outside a workflow every call makes something new, so each has a key of its own.

    :param inputs: JSON values that tell it from anything else that the task makes.
    :returns: The key.
    """
    task = context.current()
    if task is None:
        return Key(uuid4().hex, "Made by tkr-nexus-worker")
    place = [task.workflow_id, str(task.started), task.location]
    content = json.dumps([place, inputs], sort_keys=True).encode()
    digest = hashlib.sha256(content).hexdigest()[:32]
    return Key(
        digest=digest,
        origin=f"Tierkreis workflow {task.workflow_id}, task {task.location}",
        since=task.started - _CLOCKS_DIFFER_BY,
        marker=task.folder and task.folder / f"{_MARKER_PREFIX}{digest}",
    )


def make_once[T](
    action: str,
    find: Callable[[], T | None],
    make: Callable[[], T],
    *,
    marker: Path | None = None,
    look_first: bool = False,
) -> T:
    """Make something, or take what an earlier try has made.

    :param action: What is done, for messages.
    :param find: Looks for the thing on Nexus.
    :param make: Makes it.
    :param marker: A file that outlives the process and tells that a try was begun.
    :param look_first: Whether to look before the very first try, too.
    :returns: What was found or made.
    :raises NexusWorkerError: If it could be neither found nor made.
    """
    begun = _begun(marker)
    tries = 0

    def find_or_make() -> T:
        nonlocal begun, tries
        if begun is not None:
            _let_settle(begun)
        if begun is not None or look_first:
            found = find()
            if found is not None:
                return found
        earlier, begun = begun, time.time()
        tries += 1
        if marker is not None:
            marker.touch()
        try:
            return make()
        except Exception as error:
            if was_not_carried_out(error):
                begun = earlier
                tries -= 1
                if begun is None and marker is not None:
                    marker.unlink()
            raise

    made = call(action, find_or_make)
    if tries > 1:
        # Should an earlier try have arrived after all, all processes take the same one.
        made = call(action, find) or made
    return made


def _begun(marker: Path | None) -> float | None:
    if marker is None or not marker.exists():
        return None
    return marker.stat().st_mtime


def _let_settle(begun: float) -> None:
    """Wait until a request that was cut off can no longer be on its way."""
    settle_time = limits().settle_time
    time.sleep(min(settle_time, max(0.0, begun + settle_time - time.time())))
