"""What is asked of the table of jobs.

Payloads are large, and what reads how a job is has no use for them.
"""

from collections.abc import Collection
from functools import cache
from typing import Any

import sqlalchemy as sa

from local_artemis.jobs import states
from local_artemis.jobs.tables import jobs
from local_cloud.store import Row, Transaction

_JOB = [column for column in jobs.c if column.name != "payload"]
_ID = jobs.c.id


def find(tx: Transaction, job_id: int) -> Row | None:
    """Return a job without its payload, None if there is none."""
    return next(iter(tx.rows(_one(), {"job": job_id})), None)


def waiting(tx: Transaction) -> list[Row]:
    """Return the jobs that have not ended, without their payloads."""
    return tx.rows(_waiting())


def latest(
    tx: Transaction, most: int, user_id: str | None, statuses: Collection[str] = ()
) -> list[Row]:
    """Return jobs without their payloads, the newest first.

    :param most: How many at most.
    :param user_id: Whose; anybody's if None.
    :param statuses: Of which they are; any if there are none.
    """
    query = sa.select(*_JOB).order_by(_ID.desc()).limit(most)
    if user_id is not None:
        query = query.where(jobs.c.user_id == user_id)
    if statuses:
        query = query.where(jobs.c.status.in_(statuses))
    return tx.rows(query)


def scheduled_before(tx: Transaction, job: Row) -> int:
    """Return how many jobs are in the queue of a job's QPU ahead of it."""
    return int(tx.value(_before(), {"qpu": job["qpu"], "job": job["id"]}))


def next_id(tx: Transaction) -> int:
    """Return the id of a new job."""
    return 1 + int(tx.value(sa.select(sa.func.coalesce(sa.func.max(_ID), 0))))


# Statements are built once: building one takes longer than running it.


@cache
def _one() -> sa.Select[Any]:
    return sa.select(*_JOB).where(sa.bindparam("job") == _ID)


@cache
def _waiting() -> sa.Select[Any]:
    return sa.select(*_JOB).where(jobs.c.status.in_(states.WAITING)).order_by(_ID)


@cache
def _before() -> sa.Select[Any]:
    return sa.select(sa.func.count()).where(
        jobs.c.status == states.SCHEDULED,
        jobs.c.qpu == sa.bindparam("qpu"),
        sa.bindparam("job") > _ID,
    )
