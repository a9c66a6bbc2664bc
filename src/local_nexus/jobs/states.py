"""The rules of the states of jobs and of their items, all of them.

The names are those of the API. An item moves along ``QUEUED``, ``SUBMITTED`` and
``RUNNING`` to a final state, and the state of a job follows from those of its items.
"""

from collections import Counter
from typing import Literal, get_args

from local_cloud.progress.rule import Stage
from local_cloud.store import Row

# States that end an item, the one that decides for the whole job first.
type _Final = Literal["ERROR", "DEPLETED", "TERMINATED", "CANCELLED", "COMPLETED"]
# States on the way, again the deciding one first.
type _Waiting = Literal["CANCELLING", "RETRYING", "RUNNING", "SUBMITTED", "QUEUED"]
type JobState = _Final | _Waiting

FINAL: tuple[str, ...] = get_args(_Final.__value__)
WAITING: tuple[str, ...] = get_args(_Waiting.__value__)

_TIMES = {
    "QUEUED": "queued_time",
    "SUBMITTED": "submitted_time",
    "RUNNING": "running_time",
    "COMPLETED": "completed_time",
    "CANCELLED": "cancelled_time",
    "ERROR": "error_time",
}


def is_final(status: str) -> bool:
    """Return whether nothing follows this state by itself."""
    return status in FINAL


def derive(items: Counter[str]) -> str:
    """Return the state of a job whose items are in these states.

    A state that Nexus does not have today, set by a test, decides before all others.
    A job of which some items ended and others wait is running.

    :param items: How many items are in which state.
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


def queued(now: int) -> Row:
    """Return the columns of a job or item that enters the queue for the first time."""
    return {"status": "QUEUED", "message": "", "times": entered({}, "QUEUED", now)}


def queued_again(now: int) -> Row:
    """Return the columns of an item that enters the queue again, all results gone."""
    return {
        **queued(now),
        "error_detail": None,
        "queued_at": now,
        "outcome": None,
        "held": False,
        "cost": None,
        "cost_confidence": None,
        "result_id": None,
        "result_type": None,
        "compilation_id": None,
        "traces_id": None,
    }


def held(
    item: Row, status: str, message: str, error_detail: str | None, now: int
) -> Row:
    """Return the changes of an item that is put into a state, to stay there."""
    return {
        "status": status,
        "message": message,
        "error_detail": error_detail,
        "times": entered(item["times"], status, now),
        "held": True,
    }


def is_settled(item: Row) -> bool:
    """Return whether no simulator moves an item any more."""
    return bool(item["held"]) or is_final(item["status"])


def advanced(item: Row, stage: Stage, outcome: Row | None, now: int) -> Row:
    """Return the changes of an item that may move up to a stage.

    :param outcome: The columns of its final state; without them it goes to ``RUNNING``
        at most.
    """
    changes: Row = {}
    times = item["times"]
    for status in _passed(item["status"], min(stage, Stage.RUNNING)):
        times = entered(times, status, now)
        changes = {"status": status}
    if stage is Stage.DONE and outcome is not None:
        changes = outcome
        times = entered(times, changes["status"], now)
    return changes and changes | {"times": times}


def entered(times: dict[str, int], status: str, now: int) -> dict[str, int]:
    """Return the times of an item or job that enters a state now."""
    name = _TIMES.get(status)
    return times if name is None else times | {name: now}


def job_times(job: Row, status: str, now: int) -> dict[str, int]:
    """Return the times of a job that is found in a state now, through those between."""
    times: dict[str, int] = job["times"]
    if status == job["status"]:
        return times
    for step in [*_between(job["status"], status), status]:
        times = entered(times, step, now)
    return times


def _passed(status: str, stage: Stage) -> list[str]:
    """Return the states that lie after this one up to a stage before ``DONE``."""
    path = [step.name for step in Stage if step < Stage.DONE]
    start = path.index(status) + 1 if status in path else 0
    return path[start : stage + 1]


def _between(old: str, new: str) -> list[str]:
    """Return the states that a job went through between two that were seen."""
    if new in Stage.__members__:
        return _passed(old, Stage[new])[:-1]
    return _passed(old, Stage.RUNNING) if new == "COMPLETED" else []
