"""What is asked of the tables of jobs."""

from collections import Counter
from collections.abc import Sequence
from functools import cache
from typing import Any

import sqlalchemy as sa

from local_cloud.store import Row, Transaction
from local_nexus.jobs.tables import job_items, jobs

_ITEMS = job_items.c


def item_states(tx: Transaction, job_id: str) -> list[str]:
    """Return the states of the items of a job, in the order of the items."""
    return tx.values(_item_states(), {"job": job_id})


def state_counts(tx: Transaction, job_id: str) -> Counter[str]:
    """Return how many items of a job are in which state."""
    found = tx.rows(_state_counts(), {"job": job_id})
    return Counter({row["status"]: row["number"] for row in found})


def first_item(tx: Transaction, job_id: str, status: str) -> Row | None:
    """Return the first item of a job that is in this state."""
    return next(iter(tx.rows(_first_item(), {"job": job_id, "status": status})), None)


def item_cost(tx: Transaction, job_id: str) -> float | None:
    """Return what the items of a job cost together, in HQC, if any is charged."""
    cost: float | None = tx.value(_item_cost(), {"job": job_id})
    return cost


def queued_before(tx: Transaction, job: Row) -> int:
    """Return how many jobs were queued before this one and still are."""
    place = {"created": job["created"], "seq": job["seq"]}
    return int(tx.value(_queued_before(), place))


def queue_places(tx: Transaction, queued: Sequence[Row]) -> dict[str, int]:
    """Return how many jobs were queued before each of these queued ones and still are.

    To count them for one job after the other takes a time that grows with the product
    of the page and the queue.

    :returns: By the ids of these jobs and of all between them.
    """
    if not queued:
        return {}
    ordered = sorted(queued, key=lambda job: (job["created"], job["seq"]))
    oldest, newest = ordered[0], ordered[-1]
    place = {
        "created": oldest["created"],
        "seq": oldest["seq"],
        "last_created": newest["created"],
        "last_seq": newest["seq"],
    }
    first = queued_before(tx, oldest)
    return {key: first + i for i, key in enumerate(tx.values(_queued_between(), place))}


def items_in_project(tx: Transaction, project_id: str) -> list[str]:
    """Return the ids of all job items in a project."""
    query = (
        sa.select(_ITEMS.id)
        .join(jobs, jobs.c.id == _ITEMS.job_id)
        .where(jobs.c.project_id == project_id)
    )
    return tx.values(query)


def time_taken(tx: Transaction, user_id: str, job_type: str) -> float:
    """Return the seconds that all jobs of a user and type took."""
    query = (
        sa.select(sa.func.coalesce(sa.func.sum(_ITEMS.duration), 0.0))
        .join(jobs, jobs.c.id == _ITEMS.job_id)
        .where(jobs.c.creator_id == user_id, jobs.c.job_type == job_type)
    )
    return float(tx.value(query))


# Statements are built once: building one takes longer than running it.


@cache
def _item_states() -> sa.Select[Any]:
    return (
        sa.select(_ITEMS.status)
        .where(_ITEMS.job_id == sa.bindparam("job"))
        .order_by(_ITEMS.item_id)
    )


@cache
def _state_counts() -> sa.Select[Any]:
    return (
        sa.select(_ITEMS.status, sa.func.count().label("number"))
        .where(_ITEMS.job_id == sa.bindparam("job"))
        .group_by(_ITEMS.status)
    )


@cache
def _first_item() -> sa.Select[Any]:
    return (
        sa.select(job_items)
        .where(
            _ITEMS.job_id == sa.bindparam("job"),
            _ITEMS.status == sa.bindparam("status"),
        )
        .order_by(_ITEMS.item_id)
        .limit(1)
    )


@cache
def _item_cost() -> sa.Select[Any]:
    return sa.select(sa.func.sum(_ITEMS.cost)).where(
        _ITEMS.job_id == sa.bindparam("job")
    )


@cache
def _queued_between() -> sa.Select[Any]:
    place = sa.tuple_(jobs.c.created, jobs.c.seq)
    return (
        sa.select(jobs.c.id)
        .where(
            jobs.c.status == "QUEUED",
            place >= sa.tuple_(sa.bindparam("created"), sa.bindparam("seq")),
            place <= sa.tuple_(sa.bindparam("last_created"), sa.bindparam("last_seq")),
        )
        .order_by(jobs.c.created, jobs.c.seq)
    )


@cache
def _queued_before() -> sa.Select[Any]:
    return sa.select(sa.func.count()).where(
        jobs.c.status == "QUEUED",
        sa.tuple_(jobs.c.created, jobs.c.seq)
        < sa.tuple_(sa.bindparam("created"), sa.bindparam("seq")),
    )
