"""Running jobs: from the queue through the simulators to their final state."""

import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from local_cloud.clock import MICROSECONDS, Clock
from local_cloud.progress.rule import Stage
from local_cloud.progress.tracker import ProgressTracker
from local_cloud.store import Row, Store, Transaction
from local_nexus.jobs import queries, simulation, states
from local_nexus.simulators import RunHandle, SimulatorPool

# Seconds that a read which is due to show the end waits for the simulators.
_PATIENCE = 30.0
# Seconds from its submission on for which reads of a job wait for the simulators.
_MOMENT = 0.2


@dataclass
class _Run:
    """An item in the hands of the pool."""

    began: int | None = None
    handle: RunHandle | None = None


class Execution:
    """Gives job items to the simulators and moves them as the progress allows.

    :param store: Where jobs are kept.
    :param clock: The time of transitions.
    :param pool: The simulators.
    :param progress: How fast jobs may move.
    :param strict: Whether circuits with gates that their devices do not have fail.
    :param changed: Called with the id of a job after it changed, from any thread.
    """

    def __init__(
        self,
        store: Store,
        clock: Clock,
        pool: SimulatorPool,
        progress: ProgressTracker,
        *,
        strict: bool,
        changed: Callable[[str], None],
    ) -> None:
        self.changed = changed
        self._store = store
        self._clock = clock
        self._pool = pool
        self._strict = strict
        # Of the jobs that have not ended, or whose end the progress still hides.
        self._progress = progress
        self._runs: dict[str, _Run] = {}
        self._ended = threading.Condition()

    def start(self, job_id: str) -> None:
        """Give every item of a job that needs it to the simulators."""
        with self._store.read() as tx:
            job = tx.get("jobs", job_id)
            items = tx.find("job_items", job_id=job_id)
            project = tx.get("projects", job["project_id"]) if job else None
        if job is None or project is None:
            return
        self._progress.follow(job_id, job["name"], project["name"])
        moving = [item for item in items if not states.is_final(item["status"])]
        waited = [self._waited(item["queued_at"]) for item in moving]
        if all(self._progress.stage(job_id, it) is Stage.QUEUED for it in waited):
            # Who lists many jobs that are held back must not move each of them first.
            self._progress.rest(job_id, waited, self._clock.now())
        for item in items:
            done = states.is_settled(item) or item["outcome"] is not None
            if not (done or item["id"] in self._runs):
                self._submit(job, item)

    def resume(self) -> None:
        """Run again what was waiting or running when the server stopped."""
        with self._store.read() as tx:
            waiting = [
                job
                for status in states.WAITING
                for job in tx.find("jobs", status=status)
            ]
        for job in waiting:
            self.start(job["id"])
            self._advance(job["id"])

    def note_read(self, job_id: str) -> None:
        """Count one read of a job, and move it if its progress asks for that."""
        if self._progress.read(job_id):
            self._advance(job_id)

    def ends_soon(self, job_id: str) -> bool:
        """Wait for the simulators if a job is new and they alone decide about it.

        :returns: Whether they have ended.
        """
        if not self.is_immediate(job_id):
            return False
        with self._store.read() as tx:
            items = tx.find("job_items", job_id=job_id)
        age = min((self._waited(item["queued_at"]) for item in items), default=0.0)
        item_ids = [item["id"] for item in items]
        with self._ended:
            return self._ended.wait_for(
                lambda: self._runs.keys().isdisjoint(item_ids), max(0.0, _MOMENT - age)
            )

    def settle(self) -> None:
        """Move all jobs as far as the time allows."""
        for job_id in self._progress.due(self._clock.now()):
            self._advance(job_id)

    def move_all(self) -> None:
        """Move all jobs as far as they may now, whatever decided about that before."""
        for job_id in self._progress.jobs():
            self._advance(job_id)

    def reset(self) -> None:
        """Forget all jobs."""
        self.drop(list(self._runs))
        self._progress.reset()

    def is_immediate(self, job_id: str) -> bool:
        """Return whether neither reads nor time decide about a job."""
        return self._progress.progress(job_id).is_immediate

    def ahead(self, job: Row) -> int:
        """Return how many jobs of others a queued job has ahead."""
        return self._progress.ahead(
            job["id"], self._waited(job["times"]["queued_time"])
        )

    def drop(self, item_ids: Iterable[str]) -> None:
        """Take items back from the simulators, running or not."""
        for item_id in item_ids:
            with self._ended:
                run = self._runs.pop(item_id, None)
                self._ended.notify_all()
            if run is not None and run.handle is not None:
                run.handle.cancel()

    def _submit(self, job: Row, item: Row) -> None:
        with self._store.read() as tx:
            request = simulation.request(tx, job, item, strict=self._strict)
        run = _Run()

        def start() -> None:
            self._on_start(job["id"], item["id"], run)

        def done(outcome: Any) -> None:
            self._on_done(job["id"], item["id"], run, outcome)

        self._runs[item["id"]] = run
        run.handle = self._pool.submit(request, start, done)
        if self._runs.get(item["id"]) is not run and run.began is None:
            # It was taken back before there was a handle to do that with.
            run.handle.cancel()

    def _on_start(self, job_id: str, item_id: str, run: _Run) -> None:
        run.began = self._clock.now()
        if self.is_immediate(job_id):
            with self._store.write() as tx:
                item = self._current(tx, item_id, run)
                if item is None:
                    return
                self._move(tx, item, Stage.RUNNING)
                refresh_job(tx, job_id, run.began)
            self.changed(job_id)

    def _on_done(
        self, job_id: str, item_id: str, run: _Run, outcome: simulation.AnyOutcome
    ) -> None:
        now = self._clock.now()
        with self._store.write() as tx:
            item = self._current(tx, item_id, run)
            if item is None:
                return
            item["outcome"] = simulation.keep(tx, item, outcome, now)
            duration = (now - (run.began or now)) / MICROSECONDS
            changes = {"outcome": item["outcome"], "duration": duration}
            tx.update("job_items", item_id, changes)
            if self.is_immediate(job_id):
                self._move(tx, item, Stage.DONE)
                self._refresh(tx, job_id)
        with self._ended:
            if self._runs.get(item_id) is run:
                del self._runs[item_id]
            self._ended.notify_all()
        self.changed(job_id)

    def _current(self, tx: Transaction, item_id: str, run: _Run) -> Row | None:
        """Return the item of a run, unless it was taken back or removed meanwhile."""
        if self._runs.get(item_id) is not run:
            return None
        return tx.get("job_items", item_id)

    def _advance(self, job_id: str) -> None:
        """Show of a job what its progress allows now."""
        with self._store.read() as tx:
            job = tx.get("jobs", job_id)
            items = tx.find("job_items", job_id=job_id)
        if job is None:
            self._progress.forget(job_id)
            return
        moving = [item for item in items if not states.is_final(item["status"])]
        now = self._clock.now()
        waited = [(now - item["queued_at"]) / MICROSECONDS for item in moving]
        self._progress.rest(job_id, waited, now)
        stages = {item["id"]: self._stage(job_id, item) for item in items}
        if self._progress.progress(job_id).reads and Stage.DONE in stages.values():
            self._await_end(stages)
        with self._store.write() as tx:
            for item in tx.find("job_items", job_id=job_id):
                self._move(tx, item, stages[item["id"]])
            self._refresh(tx, job_id)
            is_changed = tx.get("jobs", job_id) != job
        if is_changed:
            # Who is told looks again, which must not be a change by itself.
            self.changed(job_id)

    def _stage(self, job_id: str, item: Row) -> Stage:
        """Return how far an item may have moved."""
        if self.is_immediate(job_id):
            run = self._runs.get(item["id"])
            queued = run is not None and run.began is None
            return Stage.QUEUED if queued else Stage.DONE
        return self._progress.stage(job_id, self._waited(item["queued_at"]))

    def _waited(self, since: int) -> float:
        """Return the seconds from a time until now."""
        return (self._clock.now() - since) / MICROSECONDS

    def _await_end(self, item_ids: Iterable[str]) -> None:
        with self._ended:
            self._ended.wait_for(
                lambda: self._runs.keys().isdisjoint(item_ids), _PATIENCE
            )

    def _move(self, tx: Transaction, item: Row, stage: Stage) -> None:
        """Bring an item to a stage, through the states on the way."""
        if states.is_settled(item):
            return
        now = self._clock.now()
        is_shown = stage is Stage.DONE and item["outcome"] is not None
        outcome = simulation.shown(tx, item, now) if is_shown else None
        changes = states.advanced(item, stage, outcome, now)
        if changes:
            tx.update("job_items", item["id"], changes)

    def _refresh(self, tx: Transaction, job_id: str) -> None:
        status = refresh_job(tx, job_id, self._clock.now())
        if states.is_final(status):
            self._progress.forget(job_id)


def refresh_job(tx: Transaction, job_id: str, now: int) -> str:
    """Derive state, message and cost of a job from its items.

    :param now: The time of the change, in microseconds.
    :returns: The state.
    """
    job = tx.get("jobs", job_id)
    if job is None:
        return "CANCELLED"
    status = states.derive(queries.state_counts(tx, job_id))
    decisive = queries.first_item(tx, job_id, status)
    changes: dict[str, Any] = {
        "status": status,
        "message": "" if decisive is None else decisive["message"],
        "error_detail": None if decisive is None else decisive["error_detail"],
        "cost": queries.item_cost(tx, job_id),
        "times": states.job_times(job, status, now),
    }
    # A look at a job must not show as a change of it.
    if any(job[name] != value for name, value in changes.items()):
        tx.update("jobs", job_id, changes | {"modified": now})
    return status
