"""Running jobs: from the queue through the simulators to their final state."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from typing import Any

from local_nexus.clock import Clock
from local_nexus.progress import Progress, Stage
from local_nexus.services import outcomes, statuses
from local_nexus.simulators import RunHandle, SimulatorPool
from local_nexus.store import Row, Store, Transaction

_MICROSECONDS = 1_000_000
# Seconds that a read which is due to show the end waits for the simulator.
_PATIENCE = 30.0


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
        self.progress = Progress.immediate()
        self._store = store
        self._clock = clock
        self._pool = pool
        self.changed = changed
        self._reads: dict[str, int] = {}
        # When items in the hands of the pool began, and what takes them back.
        self._running: dict[str, int] = {}
        self._handles: dict[str, RunHandle] = {}
        # Jobs whose outcome a progress rule still hides or that still run.
        self._active: set[str] = set()
        self._done = threading.Condition()

    def start(self, job_id: str) -> None:
        """Give every waiting item of a job to the simulators."""
        with self._store.read() as tx:
            job = tx.get("jobs", job_id)
            items = tx.find("job_items", job_id=job_id)
        if job is None:
            return
        self._active.add(job_id)
        for item in items:
            waiting = not statuses.is_final(item["status"]) and not item["held"]
            if waiting and item["outcome"] is None and item["id"] not in self._running:
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

    def note_read(self, job_id: str) -> None:
        """Count one read of a job, and move it if its progress asks for that."""
        if self.progress.is_immediate or job_id not in self._active:
            return
        self._reads[job_id] = self._reads.get(job_id, 0) + 1
        self._advance(job_id)

    def settle(self) -> None:
        """Move all jobs as far as the time allows."""
        if not self.progress.is_immediate:
            for job_id in list(self._active):
                self._advance(job_id)

    def set_progress(self, progress: Progress) -> None:
        """Change how jobs move, those under way included."""
        self.progress = progress
        self._reads.clear()
        for job_id in list(self._active):
            self._advance(job_id)

    def drop(self, item_ids: Iterable[str]) -> None:
        """Stop the simulation of those items that are simulated."""
        for item_id in item_ids:
            with self._done:
                self._running.pop(item_id, None)
                handle = self._handles.pop(item_id, None)
            if handle is not None:
                handle.cancel()

    def forget(self, job_id: str) -> None:
        """Start counting reads of a job afresh."""
        self._reads.pop(job_id, None)

    def _submit(self, job: Row, item: Row) -> None:
        with self._store.read() as tx:
            request = outcomes.request(tx, job, item)
        item_id = item["id"]
        attempt = item["queued_at"]

        def done(outcome: outcomes.AnyOutcome) -> None:
            self._on_done(job["id"], item_id, attempt, outcome)

        self._running[item_id] = self._clock.now()
        handle = self._pool.submit(
            request,
            lambda: self._on_start(job["id"], item_id, attempt),
            done,
        )
        with self._done:
            if item_id in self._running:
                self._handles[item_id] = handle

    def _on_start(self, job_id: str, item_id: str, attempt: int) -> None:
        with self._done:
            if item_id in self._running:
                self._running[item_id] = self._clock.now()
        if not self.progress.is_immediate:
            return
        with self._store.write() as tx:
            item = tx.get("job_items", item_id)
            if item is None or item["queued_at"] != attempt:
                return
            self._move(tx, item, Stage.RUNNING)
            refresh_job(tx, job_id, self._clock.now())
        self.changed(job_id)

    def _on_done(
        self, job_id: str, item_id: str, attempt: int, outcome: outcomes.AnyOutcome
    ) -> None:
        now = self._clock.now()
        with self._done:
            began = self._running.pop(item_id, now)
            self._handles.pop(item_id, None)
        with self._store.write() as tx:
            item = tx.get("job_items", item_id)
            if item is None or item["queued_at"] != attempt:
                return
            item["outcome"] = outcomes.keep(tx, item, outcome, now)
            changes = {
                "outcome": item["outcome"],
                "duration": (now - began) / _MICROSECONDS,
            }
            tx.update("job_items", item_id, changes)
            if self.progress.is_immediate:
                self._move(tx, item, Stage.DONE)
                self._settled(refresh_job(tx, job_id, self._clock.now()), job_id)
        with self._done:
            self._done.notify_all()
        self.changed(job_id)

    def _advance(self, job_id: str) -> None:
        """Show of a job what its progress allows now."""
        with self._store.read() as tx:
            items = tx.find("job_items", job_id=job_id)
        now = self._clock.now()
        reads = self._reads.get(job_id, 0)
        for item in items:
            waited = (now - item["queued_at"]) / _MICROSECONDS
            stage = self.progress.stage(reads, waited)
            if stage is Stage.DONE and self.progress.reads:
                self._await_outcome(item["id"])
            self._show(item["id"], stage)
        with self._store.write() as tx:
            if tx.get("jobs", job_id) is None:
                self._active.discard(job_id)
                return
            self._settled(refresh_job(tx, job_id, now), job_id)
        self.changed(job_id)

    def _show(self, item_id: str, stage: Stage) -> None:
        with self._store.write() as tx:
            item = tx.get("job_items", item_id)
            if item is not None:
                self._move(tx, item, stage)

    def _await_outcome(self, item_id: str) -> None:
        with self._done:
            self._done.wait_for(lambda: self._has_outcome(item_id), _PATIENCE)

    def _has_outcome(self, item_id: str) -> bool:
        with self._store.read() as tx:
            item = tx.get("job_items", item_id)
        return (
            item is None
            or item["held"]
            or item["outcome"] is not None
            or statuses.is_final(item["status"])
        )

    def _move(self, tx: Transaction, item: Row, stage: Stage) -> None:
        """Bring an item to a stage, through the states on the way."""
        if item["held"] or statuses.is_final(item["status"]):
            return
        now = self._clock.now()
        changes: Row = {}
        times = item["times"]
        for status in statuses.passed(item["status"], min(stage, Stage.RUNNING)):
            times = statuses.entered(times, status, now)
            changes = {"status": status}
        outcome = item["outcome"]
        if stage is Stage.DONE and outcome is not None:
            changes = {name: value for name, value in outcome.items() if name in item}
            times = statuses.entered(times, outcome["status"], now)
        if changes:
            tx.update("job_items", item["id"], changes | {"times": times})

    def _settled(self, status: str, job_id: str) -> None:
        if statuses.is_final(status):
            self._active.discard(job_id)
            self._reads.pop(job_id, None)


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
        "modified": now,
    }
    if status != job["status"]:
        times = job["times"]
        for step in [*_between(job["status"], status), status]:
            times = statuses.entered(times, step, now)
        changes["times"] = times
    tx.update("jobs", job_id, changes)
    return status


def _between(old: str, new: str) -> list[str]:
    """Return the states that a job went through between two that were seen."""
    if new in Stage.__members__:
        return statuses.passed(old, Stage[new])[:-1]
    return statuses.passed(old, Stage.RUNNING) if new == "COMPLETED" else []
