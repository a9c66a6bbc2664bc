"""Jobs: submitting, cancelling, listing, results, and setting states by hand."""

import re
from collections.abc import Collection
from typing import Literal

from local_artemis.api.errors import InvalidFieldsError
from local_artemis.jobs import checks, queries, states
from local_artemis.jobs.execution import Execution
from local_artemis.jobs.models import NewJob
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

        :raises InvalidFieldsError: If fields of it are wrong.
        """
        try:
            qpu = self._qpus.find(job.qpu)
        except ApiError as error:
            raise InvalidFieldsError([("qpu", error.message)]) from error
        wrong = list(checks.errors_of(job, qpu, lenient=self._lenient))
        if wrong:
            raise InvalidFieldsError(wrong)
        row = {
            **states.accepted(self._clock.now()),
            "user_id": user_id,
            "name": job.job_name,
            "qpu": qpu.name,
            "payload": job.model_dump(mode="json"),
            "n_samples": job.n_samples,
            "min_detection": job.min_detection,
        }
        with self._store.write() as tx:
            row["id"] = queries.next_id(tx)
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
            self._set(tx, job, states.CANCELLED)
        self._execution.drop([job["id"]])

    def results(self, user_id: str, key: str) -> tuple[str | None, Row | None]:
        """Return the counts of a job, as JSON text, and the data to go with them.

        :raises ApiError: 404 if it has not ended, or its results are gone; 400 if it
            has none; 403 if it is somebody else's.
        """
        self._own(user_id, key)
        with self._store.read() as tx:
            job = self._require(tx, key)
            found = tx.get("results", job["id"])
            data = self._payload(tx, job)["job_data"]
        status = job["status"]
        if status in (states.FAILED, states.CANCELLED):
            raise ApiError(400, f"Job {key} is {status} and has no results.")
        if status not in states.WITH_RESULTS:
            raise ApiError(404, f"Job {key} is {status} and has no results yet.")
        if found is None and status == states.COMPLETED:
            raise ApiError(404, f"The results of job {key} are not there.")
        counts: str | None = None if found is None else found["counts"]
        return counts, data

    def latest(self, user_id: str, statuses: Collection[str], most: int) -> list[Row]:
        """Return the jobs of a user, the newest first.

        :param statuses: Of which they are; any if there are none.
        :param most: How many at most.
        """
        self._execution.settle()
        with self._store.read() as tx:
            return queries.latest(tx, most, user_id, statuses)

    def everything(self, most: int, user_id: str | None = None) -> list[Row]:
        """Return the jobs of all users, or of one, with queue positions, oldest first.

        :param most: How many of the latest.
        """
        self._execution.settle()
        with self._store.read() as tx:
            users = {user["id"]: user["name"] for user in tx.find("users")}
            return [
                job
                | {
                    "user": users[job["user_id"]],
                    "position": self._queue_position(tx, job),
                }
                for job in reversed(queries.latest(tx, most, user_id))
            ]

    def whole(self, user_id: str, key: str) -> Row:
        """Return a job with its user and queue position, moved as far as it may.

        :raises ApiError: 404 if there is none, 403 if it is somebody else's.
        """
        self._execution.settle()
        job = self._own(user_id, key)
        with self._store.read() as tx:
            (user,) = tx.find("users", id=user_id)
            return job | {
                "user": user["name"],
                "position": self._queue_position(tx, job),
            }

    def payload(self, key: str) -> Row:
        """Return what was submitted."""
        with self._store.read() as tx:
            return self._payload(tx, self._require(tx, key))

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
            self._set(tx, job, status, notes, meta)
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
        job = queries.find(tx, int(key)) if _ID_TEXT.fullmatch(key) else None
        if job is None:
            raise not_found("job", key)
        return job

    def _payload(self, tx: Transaction, job: Row) -> Row:
        (whole,) = tx.find("jobs", id=job["id"])
        payload: Row = whole["payload"]
        return payload

    def _set(
        self,
        tx: Transaction,
        job: Row,
        status: str,
        notes: str | None = None,
        meta: Row | None = None,
    ) -> None:
        changes = states.held(job, status, notes, meta or {}, self._clock.now())
        tx.update("jobs", job["id"], changes)

    def _queue_position(self, tx: Transaction, job: Row) -> int | None:
        """Return how many scheduled jobs come first, plus one; None elsewhere."""
        if job["status"] != states.SCHEDULED:
            return None
        before = queries.scheduled_before(tx, job)
        return before + self._execution.ahead(job) + 1


_ID_TEXT = re.compile("[0-9]{1,18}")
