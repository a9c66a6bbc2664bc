"""The rules of the states of jobs, all of them.

The words are those of the API. A job moves along ``Accepted``, ``Compiling``,
``Scheduled`` and ``Running`` to a final state. The client has no word for ``Compiling``
and fails when it meets it, so jobs pass it by unless their progress asks for it.
"""

from typing import Any

from local_artemis.api.dates import date
from local_cloud.progress.rule import Stage
from local_cloud.store import Row

ACCEPTED, COMPILING = "Accepted", "Compiling"
SCHEDULED, RUNNING = "Scheduled", "Running"
COMPLETED, TIMED_OUT = "Completed", "TimedOut"
FAILED, CANCELLED = "Failed", "Cancelled"

WAITING = (ACCEPTED, COMPILING, SCHEDULED, RUNNING)
FINAL = (COMPLETED, TIMED_OUT, FAILED, CANCELLED)
WITH_RESULTS = (COMPLETED, TIMED_OUT)

_MESSAGES = {
    ACCEPTED: "The job was accepted.",
    COMPILING: "The job is being compiled.",
    SCHEDULED: "The job is in the queue.",
    RUNNING: "The job is running.",
    COMPLETED: "The job has completed.",
    TIMED_OUT: "The job has timed out.",
    FAILED: "The job has failed.",
    CANCELLED: "The job was cancelled.",
}


def accepted(now: int) -> Row:
    """Return the columns of a new job."""
    return {
        "status": ACCEPTED,
        "notes": None,
        "logs": [entry(ACCEPTED, now)],
        "created": now,
        "updated": now,
        "outcome": None,
        "outcome_notes": None,
        "held": False,
    }


def entry(status: str, now: int, meta: dict[str, Any] | None = None) -> Row:
    """Return an entry of a job's log; its ``meta`` is never null for the client."""
    return {
        "message": _MESSAGES.get(status, f"The job is {status}."),
        "createdDate": date(now),
        "status": status,
        "meta": meta or {},
    }


def is_settled(job: Row) -> bool:
    """Return whether no engine and no time moves a job any more."""
    return bool(job["held"]) or job["status"] in FINAL


def held(
    job: Row, status: str, notes: str | None, meta: dict[str, Any], now: int
) -> Row:
    """Return the changes of a job that is put into a state, to stay there."""
    return {
        "status": status,
        "notes": notes,
        "logs": [*job["logs"], entry(status, now, meta)],
        "updated": now,
        "held": True,
    }


def advanced(job: Row, stage: Stage, now: int, *, compiling: bool, shown: bool) -> Row:
    """Return the changes of a job that may move up to a stage.

    Without an outcome it goes to ``Running`` at most.

    :param compiling: Whether a job that may not leave the first stage compiles.
    :param shown: Whether ``Compiling`` is one of the states on the way.
    """
    path = [it for it in WAITING if shown or it != COMPILING]
    last = {
        Stage.QUEUED: COMPILING if compiling else ACCEPTED,
        Stage.SUBMITTED: SCHEDULED,
    }.get(stage, RUNNING)
    start = path.index(job["status"]) + 1 if job["status"] in path else 0
    words = path[start : path.index(last) + 1]
    notes = job["notes"]
    if stage is Stage.DONE and job["outcome"] is not None:
        words.append(job["outcome"])
        notes = job["outcome_notes"]
    if not words:
        return {}
    return {
        "status": words[-1],
        "notes": notes,
        "logs": [*job["logs"], *(entry(word, now) for word in words)],
        "updated": now,
    }
