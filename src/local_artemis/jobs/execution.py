"""Running jobs: from the queue through the engines to their final state."""

import threading
from collections.abc import Iterable
from dataclasses import dataclass

from local_artemis.engines import Outcome, SampleRequest
from local_artemis.engines.pool import EnginePool
from local_artemis.jobs import queries, states
from local_artemis.jobs.checks import matrix_of
from local_artemis.qpus.service import Qpus
from local_cloud.clock import MICROSECONDS
from local_cloud.errors import ApiError
from local_cloud.pool import RunHandle
from local_cloud.progress.rule import Stage
from local_cloud.store import Row, Store
from local_cloud.web.state import ServerState

# Seconds that a read which is due to show the end waits for the engine.
_PATIENCE = 30.0
# Seconds from its submission on for which reads of a job wait for the engine.
_MOMENT = 0.2


@dataclass
class _Run:
    """A job in the hands of the pool."""

    began: bool = False
    handle: RunHandle | None = None


class Execution:
    """Gives jobs to the engines and moves them as the progress allows.

    :param store: Where jobs are kept.
    :param state: With the clock and the progress.
    :param pool: The engines.
    :param qpus: What imitates them, and whether they are online.
    """

    def __init__(
        self, store: Store, state: ServerState, pool: EnginePool, qpus: Qpus
    ) -> None:
        self._store = store
        self._clock = state.clock
        self._progress = state.progress
        self._pool = pool
        self._qpus = qpus
        self._runs: dict[int, _Run] = {}
        self._ended = threading.Condition()

    def start(self, job: Row) -> None:
        """Follow a job, and give it to its engine unless that has ended.

        :param job: With its payload.
        """
        self._progress.follow(str(job["id"]), job["name"], job["qpu"])
        if job["outcome"] is None:
            self._submit(job)

    def resume(self) -> None:
        """Run again what was waiting or running when the server stopped."""
        with self._store.read() as tx:
            keys = [job["id"] for job in queries.waiting(tx) if not job["held"]]
        for key in keys:
            with self._store.read() as tx:
                job = tx.get("jobs", key)
            if job is not None:
                self.start(job)

    def read(self, job: Row) -> Row:
        """Count one read of a job, and return it moved as far as it may go now.

        A read that is due to show the end waits for the engine, and so does one of a
        new job about which the engine alone decides.
        """
        if states.is_settled(job):
            return job
        self._progress.read(str(job["id"]))
        progress = self._progress.progress(str(job["id"]))
        if progress.is_immediate:
            self._await_end(job["id"], _MOMENT - self._waited(job))
        elif progress.reads and self._stage(job) is Stage.DONE:
            self._await_end(job["id"], _PATIENCE)
        return self._advance(job)

    def settle(self) -> None:
        """Move all jobs as far as they may go now."""
        with self._store.read() as tx:
            waiting = queries.waiting(tx)
        for job in waiting:
            if not job["held"]:
                self._advance(job)

    def reset(self) -> None:
        """Forget all jobs."""
        self.drop(list(self._runs))
        self._progress.reset()

    def ahead(self, job: Row) -> int:
        """Return how many jobs of others a scheduled job has ahead."""
        key, waited = str(job["id"]), self._waited(job)
        return self._progress.ahead(key, waited, Stage.SUBMITTED)

    def drop(self, job_ids: Iterable[int]) -> None:
        """Take jobs back from the engines, running or not."""
        for job_id in job_ids:
            self._progress.forget(str(job_id))
            with self._ended:
                run = self._runs.pop(job_id, None)
                self._ended.notify_all()
            if run is not None and run.handle is not None:
                run.handle.cancel()

    def _submit(self, job: Row) -> None:
        job_id, run = job["id"], _Run()

        def start() -> None:
            run.began = True

        def done(outcome: Outcome) -> None:
            self._on_done(job_id, run, outcome)

        self._runs[job_id] = run
        try:
            request = self._request(job)
        except ApiError as error:
            # The file with the QPUs has changed since the job was submitted.
            done(Outcome("Failed", error.message))
            return
        run.handle = self._pool.submit(request, start, done)
        if self._runs.get(job_id) is not run and not run.began:
            # It was taken back before there was a handle to do that with.
            run.handle.cancel()

    def _request(self, job: Row) -> SampleRequest:
        payload, qpu = job["payload"], self._qpus.find(job["qpu"])
        wished = (payload["job_data"] or {}).get("random_seed")
        seed: tuple[int, ...] | None = None
        if isinstance(wished, int) and wished >= 0:
            seed = (wished,)
        elif qpu.seed is not None:
            seed = (qpu.seed, job["id"])
        return SampleRequest.of(
            matrix_of(payload["unitary"]),
            payload["input"],
            payload["n_samples"],
            payload["min_detection"],
            engine=qpu.engine,
            noise=qpu.noise,
            seed=seed,
        )

    def _on_done(self, job_id: int, run: _Run, outcome: Outcome) -> None:
        with self._store.write() as tx:
            if self._runs.get(job_id) is run:
                changes = {"outcome": outcome.status, "outcome_notes": outcome.notes}
                tx.update("jobs", job_id, changes)
                if outcome.status in states.WITH_RESULTS:
                    tx.insert("results", {"id": job_id, "counts": outcome.counts})
        with self._ended:
            if self._runs.get(job_id) is run:
                del self._runs[job_id]
            self._ended.notify_all()

    def _advance(self, job: Row) -> Row:
        """Return a job with what its progress allows to show of it now.

        :param job: As it was read, perhaps before its engine ended.
        """
        key, stage = str(job["id"]), self._stage(job)
        is_up_to_date = job["outcome"] is not None or job["id"] in self._runs
        if is_up_to_date and not self._changes(job, stage):
            return job
        with self._store.write() as tx:
            current = queries.find(tx, job["id"])
            if current is None:
                return job
            if not states.is_settled(current):
                changes = self._changes(current, stage)
                if changes:
                    tx.update("jobs", job["id"], changes)
                current |= changes
        if states.is_settled(current):
            self._progress.forget(key)
        return current

    def _changes(self, job: Row, stage: Stage) -> Row:
        key = str(job["id"])
        return states.advanced(
            job,
            stage,
            self._clock.now(),
            compiling=self._progress.compiles(key, self._waited(job)),
            shown=self._progress.progress(key).compiling,
        )

    def _stage(self, job: Row) -> Stage:
        """Return how far a job may have moved."""
        key = str(job["id"])
        if self._progress.progress(key).is_immediate:
            run = self._runs.get(job["id"])
            queued = run is not None and not run.began
            stage = Stage.SUBMITTED if queued else Stage.DONE
        else:
            stage = self._progress.stage(key, self._waited(job))
        if stage > Stage.SUBMITTED and self._qpus.is_offline(job["qpu"]):
            return Stage.SUBMITTED
        return stage

    def _waited(self, job: Row) -> float:
        """Return the seconds since a job was accepted."""
        return float(self._clock.now() - job["created"]) / MICROSECONDS

    def _await_end(self, job_id: int, seconds: float) -> None:
        with self._ended:
            self._ended.wait_for(lambda: job_id not in self._runs, max(seconds, 0))
