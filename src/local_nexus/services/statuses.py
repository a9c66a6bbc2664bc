"""The states of jobs and items, and the one rule that derives a job's from its items'.

The names are those of the Nexus API, as its client lists them in
``qnexus.models.job_status``.
"""

from __future__ import annotations

from collections import Counter

from local_nexus.progress import Stage

# States that end an item, the one that decides for the whole job first.
FINAL = ("ERROR", "DEPLETED", "TERMINATED", "CANCELLED", "COMPLETED")
# States on the way, again the deciding one first.
WAITING = ("CANCELLING", "RETRYING", "RUNNING", "SUBMITTED", "QUEUED")

_TIMES = {
    "QUEUED": "queued_time",
    "SUBMITTED": "submitted_time",
    "RUNNING": "running_time",
    "COMPLETED": "completed_time",
    "CANCELLED": "cancelled_time",
    "ERROR": "error_time",
}


def derive(items: Counter[str]) -> str:
    """Return the state of a job whose items are in these states.

    A state that Nexus does not have today, set by a test, decides before all others.
    A job of which some items ended and others wait is running.

    :param items: how many items are in which state.
    """
    present = {status for status, number in items.items() if number}
    unknown = present.difference(FINAL, WAITING)
    if unknown:
        return min(unknown)
    if present.isdisjoint(WAITING):
        return next(status for status in FINAL if status in present)
    status = next(status for status in WAITING if status in present)
    started = not present.isdisjoint(FINAL)
    return "RUNNING" if started and status in ("QUEUED", "SUBMITTED") else status


def is_final(status: str) -> bool:
    """Return whether nothing follows this state by itself."""
    return status in FINAL


def passed(status: str, stage: Stage) -> list[str]:
    """Return the states that lie after this one up to a stage before ``DONE``."""
    path = [step.name for step in Stage if step < Stage.DONE]
    start = path.index(status) + 1 if status in path else 0
    return path[start : stage + 1]


def entered(times: dict[str, int], status: str, now: int) -> dict[str, int]:
    """Return the times of an item or job that enters a state now."""
    name = _TIMES.get(status)
    return times if name is None else times | {name: now}
