"""The progress of every job under way: the rules, and how often each was read."""

import threading
from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase

from local_cloud.clock import MICROSECONDS
from local_cloud.progress.rule import AT_ONCE, Progress, ProgressRule, Stage


@dataclass
class _Followed:
    """A job under way."""

    names: tuple[str, str]
    project: str
    progress: Progress
    reads: int = 0
    rests_until: float = 0.0


class ProgressTracker:
    """Knows the progress of every job that is under way.

    :param usual: How jobs move where no rule says otherwise.
    """

    def __init__(self, usual: Progress = AT_ONCE) -> None:
        self._usual = usual
        self._default = usual
        self._rules: list[ProgressRule] = []
        self._jobs: dict[str, _Followed] = {}
        self._lock = threading.Lock()

    def rules(self) -> list[ProgressRule]:
        """Return the rules, the first that fits decides; the last is for all jobs."""
        with self._lock:
            return [*self._rules, ProgressRule(self._default)]

    def set(self, rule: ProgressRule) -> None:
        """Add a rule before the others, in place of one for the same jobs."""
        with self._lock:
            if rule.is_default:
                self._default = rule.progress
            else:
                others = [it for it in self._rules if not it.is_for_same_jobs(rule)]
                self._rules = [rule, *others]
            self._apply()

    def clear(self) -> None:
        """Let all jobs move again as if there had been no rules."""
        with self._lock:
            self._default = self._usual
            self._rules = []
            self._apply()

    def reset(self) -> None:
        """Forget the jobs under way and all rules."""
        with self._lock:
            self._jobs.clear()
        self.clear()

    def follow(self, job_id: str, name: str, project: str) -> None:
        """Begin, or begin afresh, to count the reads of a job."""
        with self._lock:
            names = (name, job_id)
            progress = self._find(names, project)
            self._jobs[job_id] = _Followed(names, project, progress)

    def forget(self, job_id: str) -> None:
        """Leave a job that has ended alone."""
        with self._lock:
            self._jobs.pop(job_id, None)

    def jobs(self) -> list[str]:
        """Return the ids of the jobs under way."""
        with self._lock:
            return list(self._jobs)

    def due(self, now: int) -> list[str]:
        """Return the ids of the held back jobs that reads or time may let go on.

        :param now: The time, in microseconds.
        """
        if all(rule.progress.is_immediate for rule in self.rules()):
            return []
        with self._lock:
            return [
                job_id
                for job_id, job in self._jobs.items()
                if job.rests_until <= now and not job.progress.is_immediate
            ]

    def rest(self, job_id: str, waited: Iterable[float], now: int) -> None:
        """Note that a job was moved as far as it may be for now.

        :param waited: Seconds since each of its items was queued, without ended ones.
        :param now: The time, in microseconds.
        """
        with self._lock:
            job = self._jobs.get(job_id)
            if job is not None:
                rests = (job.progress.rest(job.reads, seconds) for seconds in waited)
                job.rests_until = now + MICROSECONDS * min(rests, default=0.0)

    def progress(self, job_id: str) -> Progress:
        """Return the progress of a job; one that has ended is not held back."""
        with self._lock:
            job = self._jobs.get(job_id)
            return Progress.immediate() if job is None else job.progress

    def read(self, job_id: str) -> bool:
        """Count one read of a job.

        :returns: Whether reads or time decide about it.
        """
        with self._lock:
            job = self._jobs.get(job_id)
            if job is None or job.progress.is_immediate:
                return False
            job.reads += 1
            return True

    def stage(self, job_id: str, waited: float) -> Stage:
        """Return how far a job may have moved.

        :param waited: Seconds since it was queued.
        """
        with self._lock:
            job = self._jobs.get(job_id)
            return Stage.DONE if job is None else job.progress.stage(job.reads, waited)

    def ahead(self, job_id: str, waited: float, stage: Stage = Stage.QUEUED) -> int:
        """Return how many jobs of others are ahead in the queue.

        :param waited: Seconds since it was queued.
        :param stage: In which jobs wait for others.
        """
        with self._lock:
            job = self._jobs.get(job_id)
            return 0 if job is None else job.progress.ahead(job.reads, waited, stage)

    def compiles(self, job_id: str, waited: float) -> bool:
        """Return whether a queued job shows that it is being compiled.

        :param waited: Seconds since it was queued.
        """
        with self._lock:
            job = self._jobs.get(job_id)
            return job is not None and job.progress.compiles(job.reads, waited)

    def _apply(self) -> None:
        """Give the jobs under way the progress that the rules now say."""
        for job in self._jobs.values():
            progress = self._find(job.names, job.project)
            if progress != job.progress:
                job.progress, job.reads, job.rests_until = progress, 0, 0.0

    def _find(self, names: tuple[str, str], project: str) -> Progress:
        for rule in self._rules:
            named = any(fnmatchcase(name, rule.job) for name in names)
            if named and fnmatchcase(project, rule.project):
                return rule.progress
        return self._default
