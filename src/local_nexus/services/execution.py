"""Running jobs: from the queue through the simulators to their final state."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from local_nexus.clock import MICROSECONDS, Clock
from local_nexus.progress import ProgressRule, Stage
from local_nexus.services import outcomes, statuses
from local_nexus.services.pace import Pace
from local_nexus.simulators import RunHandle, SimulatorPool
from local_nexus.store import Row, Store, Transaction

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

    :param store: where jobs are kept.
    :param clock: the time of transitions.
    :param pool: the simulators.
    :param changed: called with the id of a job after it changed, from any thread.
    """

    def __init__(
        self,
        store: Store,
        clock: Clock,
        pool: SimulatorPool,
        changed: Callable[[str], None],
    ) -> None:
        self.changed = changed
        self._store = store
        self._clock = clock
        self._pool = pool
        # Of the jobs that have not ended, or whose end the progress still hides.
        self._pace = Pace()
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
        self._pace.follow(job_id, job["name"], project["name"])
        for item in items:
            done = statuses.is_final(item["status"]) or item["outcome"] is not None
            if not (done or item["held"] or item["id"] in self._runs):
                self._submit(job, item)

    def resume(self) -> None:
        """Run again what was waiting or running when the server stopped."""
        with self._store.read() as tx:
            waiting = [
                job
                for status in statuses.WAITING
                for job in tx.find("jobs", status=status)
            ]
        for job in waiting:
            self.start(job["id"])
            self._advance(job["id"])

    def note_read(self, job_id: str) -> None:
        """Count one read of a job, and move it if its progress asks for that."""
        if self._pace.read(job_id):
            self._advance(job_id)

    def ends_soon(self, job_id: str) -> bool:
        """Wait for the simulators if a job is new and they alone decide about it.

        :returns: whether they have ended.
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
        for job_id in self._pace.due(self._clock.now()):
            self._advance(job_id)

    def progress_rules(self) -> list[ProgressRule]:
        """Return how jobs move, the first rule that fits a job decides."""
        return self._pace.rules()

    def set_progress(self, rule: ProgressRule) -> None:
        """Change how some jobs move, those under way included."""
        self._pace.set(rule)
        self._advance_all()

    def clear_progress(self) -> None:
        """Let all jobs move at once again."""
        self._pace.clear()
        self._advance_all()

    def reset(self) -> None:
        """Forget all jobs, and let new ones move at once."""
        self.drop(list(self._runs))
        for job_id in self._pace.jobs():
            self._pace.forget(job_id)
        self._pace.clear()

    def is_immediate(self, job_id: str) -> bool:
        """Return whether neither reads nor time decide about a job."""
        return self._pace.progress(job_id).is_immediate

    def ahead(self, job: Row) -> int:
        """Return how many jobs of others a queued job has ahead."""
        return self._pace.ahead(job["id"], self._waited(job["times"]["queued_time"]))

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
            request = outcomes.request(tx, job, item)
        run = _Run()

        def start() -> None:
            self._on_start(job["id"], item["id"], run)

        def done(outcome: outcomes.AnyOutcome) -> None:
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
        self, job_id: str, item_id: str, run: _Run, outcome: outcomes.AnyOutcome
    ) -> None:
        now = self._clock.now()
        with self._store.write() as tx:
            item = self._current(tx, item_id, run)
            if item is None:
                return
            item["outcome"] = outcomes.keep(tx, item, outcome, now)
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

    def _advance_all(self) -> None:
        for job_id in self._pace.jobs():
            self._advance(job_id)

    def _advance(self, job_id: str) -> None:
        """Show of a job what its progress allows now."""
        with self._store.read() as tx:
            job = tx.get("jobs", job_id)
            items = tx.find("job_items", job_id=job_id)
        if job is None:
            self._pace.forget(job_id)
            return
        moving = [item for item in items if not statuses.is_final(item["status"])]
        now = self._clock.now()
        waited = [(now - item["queued_at"]) / MICROSECONDS for item in moving]
        self._pace.rest(job_id, waited, now)
        stages = {item["id"]: self._stage(job_id, item) for item in items}
        if self._pace.progress(job_id).reads and Stage.DONE in stages.values():
            self._await_end(stages)
        with self._store.write() as tx:
            for item in tx.find("job_items", job_id=job_id):
                self._move(tx, item, stages[item["id"]])
            self._refresh(tx, job_id)
        self.changed(job_id)

    def _stage(self, job_id: str, item: Row) -> Stage:
        """Return how far an item may have moved."""
        if self.is_immediate(job_id):
            run = self._runs.get(item["id"])
            queued = run is not None and run.began is None
            return Stage.QUEUED if queued else Stage.DONE
        return self._pace.stage(job_id, self._waited(item["queued_at"]))

    def _waited(self, since: int) -> float:
        """Return the seconds from a time until now."""
        return (self._clock.now() - since) / MICROSECONDS

    def _await_end(self, item_ids: Iterable[str]) -> None:
        with self._ended:
            self._ended.wait_for(
                lambda: self._runs.keys().isdisjoint(item_ids), _PATIENCE
            )

    def _move(self, tx: Transaction, item: Row, stage: Stage) -> None:
        """Bring an item to a stage, through the states on the way.

        One without an outcome yet goes to ``RUNNING`` at most.
        """
        if item["held"] or statuses.is_final(item["status"]):
            return
        now = self._clock.now()
        changes: Row = {}
        times = item["times"]
        for status in statuses.passed(item["status"], min(stage, Stage.RUNNING)):
            times = statuses.entered(times, status, now)
            changes = {"status": status}
        if stage is Stage.DONE and item["outcome"] is not None:
            changes = outcomes.shown(tx, item, now)
            times = statuses.entered(times, changes["status"], now)
        if changes:
            tx.update("job_items", item["id"], changes | {"times": times})

    def _refresh(self, tx: Transaction, job_id: str) -> None:
        status = refresh_job(tx, job_id, self._clock.now())
        if statuses.is_final(status):
            self._pace.forget(job_id)


def refresh_job(tx: Transaction, job_id: str, now: int) -> str:
    """Derive state, message and cost of a job from its items.

    :param now: the time of the change, in microseconds.
    :returns: the state.
    """
    job = tx.get("jobs", job_id)
    if job is None:
        return "CANCELLED"
    status = statuses.derive(tx.item_statuses(job_id))
    decisive = tx.first_item(job_id, status) or {"message": "", "error_detail": None}
    changes: dict[str, Any] = {
        "status": status,
        "message": decisive["message"],
        "error_detail": decisive["error_detail"],
        "cost": tx.item_cost(job_id),
    }
    if status != job["status"]:
        times = job["times"]
        for step in [*_between(job["status"], status), status]:
            times = statuses.entered(times, step, now)
        changes["times"] = times
    # A look at a job must not show as a change of it.
    if any(job[name] != value for name, value in changes.items()):
        tx.update("jobs", job_id, changes | {"modified": now})
    return status


def _between(old: str, new: str) -> list[str]:
    """Return the states that a job went through between two that were seen."""
    if new in Stage.__members__:
        return statuses.passed(old, Stage[new])[:-1]
    return statuses.passed(old, Stage.RUNNING) if new == "COMPLETED" else []
