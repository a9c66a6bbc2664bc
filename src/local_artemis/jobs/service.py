"""Jobs: submitting, cancelling, listing, results, and setting states by hand."""

import re
from collections.abc import Collection
from typing import Literal

import sqlalchemy as sa

from local_artemis.api.errors import FieldsError
from local_artemis.jobs import checks, states
from local_artemis.jobs.execution import Execution
from local_artemis.jobs.models import NewJob
from local_artemis.jobs.tables import jobs
from local_artemis.qpus.service import Qpus
from local_cloud.clock import Clock
from local_cloud.errors import ApiError, not_found
from local_cloud.store import Row, Store, Transaction


class Jobs:
    """The life of jobs, from submission on.

    :param store: Where they are kept.
    :param clock: The time of changes.
    :param execution: What runs them.
    :param qpus: What they run on.
    :param lenient: Whether the limits of QPUs do not matter.
    """

    def __init__(
        self,
        store: Store,
        clock: Clock,
        execution: Execution,
        qpus: Qpus,
        *,
        lenient: bool,
    ) -> None:
        self._store = store
        self._clock = clock
        self._execution = execution
        self._qpus = qpus
        self._lenient = lenient
        self.listing: Literal["names", "ids"] = "names"

    def submit(self, user_id: str, job: NewJob) -> int:
        """Add a job, put it in the queue, and return its id.

        :raises FieldsError: If fields of it are wrong.
        """
        try:
            qpu = self._qpus.find(job.qpu)
        except ApiError as error:
            raise FieldsError([("qpu", error.message)]) from error
        wrong = list(checks.faults_of(job, qpu, lenient=self._lenient))
        if wrong:
            raise FieldsError(wrong)
        row = {
            **states.accepted(self._clock.now()),
            "user_id": user_id,
            "name": job.job_name,
            "qpu": qpu.name,
            "payload": job.model_dump(mode="json"),
        }
        with self._store.write() as tx:
            row["id"] = 1 + tx.value(sa.select(sa.func.coalesce(sa.func.max(_ID), 0)))
            tx.insert("jobs", row)
        self._execution.start(row)
        return int(row["id"])

    def read(self, user_id: str, key: str) -> tuple[Row, int | None]:
        """Return a job and its queue position, and count that as a read of it.

        :raises ApiError: 404 if there is none, 403 if it is somebody else's.
        """
        job = self._execution.read(self._own(user_id, key))
        if job["status"] != states.SCHEDULED:
            return job, None
        with self._store.read() as tx:
            return job, self._queue_position(tx, job)

    def cancel(self, user_id: str, key: str) -> None:
        """End a job that has not ended.

        :raises ApiError: 404, 403, or 409 if it has ended.
        """
        self._own(user_id, key)
        with self._store.write() as tx:
            job = self._require(tx, key)
            if job["status"] in states.FINAL:
                raise ApiError(
                    409, f"Job {key} is {job['status']} and cannot be cancelled."
                )
            changes = states.held(job, states.CANCELLED, None, {}, self._clock.now())
            tx.update("jobs", key, changes)
        self._execution.drop([job["id"]])

    def results(self, user_id: str, key: str) -> tuple[str | None, Row | None]:
        """Return the counts of a job, as JSON text, and the data to go with them.

        :raises ApiError: 404 if it has not ended, or its results are gone; 400 if it
            has none; 403 if it is somebody else's.
        """
        self._own(user_id, key)
        with self._store.read() as tx:
            job = self._require(tx, key)
            found = tx.get("results", key)
        status = job["status"]
        if status in (states.FAILED, states.CANCELLED):
            raise ApiError(400, f"Job {key} is {status} and has no results.")
        if status not in states.WITH_RESULTS:
            raise ApiError(404, f"Job {key} is {status} and has no results yet.")
        if found is None and status == states.COMPLETED:
            raise ApiError(404, f"The results of job {key} are not there.")
        counts: str | None = None if found is None else found["counts"]
        return counts, job["payload"]["job_data"]

    def latest(self, user_id: str, statuses: Collection[str], most: int) -> list[Row]:
        """Return the jobs of a user, the newest first.

        :param statuses: Of which they are; any if there are none.
        :param most: How many at most.
        """
        self._execution.settle()
        wanted = [jobs.c.user_id == user_id]
        if statuses:
            wanted.append(jobs.c.status.in_(statuses))
        query = sa.select(*_LISTED).where(*wanted).order_by(_ID.desc()).limit(most)
        with self._store.read() as tx:
            return tx.rows(query)

    def everything(self, most: int, user_id: str | None = None) -> list[Row]:
        """Return the jobs of all users, or of one, with queue positions, oldest first.

        :param most: How many of the latest.
        """
        self._execution.settle()
        query = sa.select(jobs).order_by(_ID.desc()).limit(most)
        if user_id is not None:
            query = query.where(jobs.c.user_id == user_id)
        with self._store.read() as tx:
            users = {user["id"]: user["name"] for user in tx.find("users")}
            return [
                job
                | {
                    "user": users[job["user_id"]],
                    "position": self._queue_position(tx, job),
                }
                for job in reversed(tx.rows(query))
            ]

    def payload(self, key: str) -> Row:
        """Return what was submitted."""
        with self._store.read() as tx:
            payload: Row = self._require(tx, key)["payload"]
        return payload

    def set_status(
        self,
        key: str,
        status: str,
        notes: str | None,
        compilation_errors: Collection[tuple[int, str]],
    ) -> None:
        """Put a job into any state, and keep it there."""
        errors = [{"Code": code, "Message": text} for code, text in compilation_errors]
        meta = {"CompilationErrors": errors} if errors else {}
        with self._store.write() as tx:
            job = self._require(tx, key)
            tx.update(
                "jobs", key, states.held(job, status, notes, meta, self._clock.now())
            )
        if status in states.FINAL and status != states.COMPLETED:
            self._execution.drop([job["id"]])

    def expire_results(self, key: str) -> None:
        """Throw away the results of a job."""
        with self._store.write() as tx:
            tx.delete("results", id=self._require(tx, key)["id"])

    def _own(self, user_id: str, key: str) -> Row:
        with self._store.read() as tx:
            job = self._require(tx, key)
        if job["user_id"] != user_id:
            raise ApiError(403, f"Job {key} is somebody else's.")
        return job

    def _require(self, tx: Transaction, key: str) -> Row:
        job = tx.get("jobs", key) if _ID_TEXT.fullmatch(key) else None
        if job is None:
            raise not_found("job", key)
        return job

    def _queue_position(self, tx: Transaction, job: Row) -> int | None:
        """Return how many scheduled jobs come first, plus one; None elsewhere."""
        if job["status"] != states.SCHEDULED:
            return None
        before = sa.select(sa.func.count()).where(
            jobs.c.status == states.SCHEDULED,
            jobs.c.qpu == job["qpu"],
            job["id"] > _ID,
        )
        return int(tx.value(before)) + self._execution.ahead(job) + 1


_ID = jobs.c.id
_ID_TEXT = re.compile("[0-9]{1,18}")
_LISTED = (_ID, jobs.c.name, jobs.c.status, jobs.c.created, jobs.c.updated)
