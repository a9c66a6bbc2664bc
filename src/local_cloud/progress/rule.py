"""How jobs move through their states: at once, with every read, or with time."""

from dataclasses import asdict, dataclass
from enum import IntEnum
from math import ceil, inf
from typing import Any, Self


class Stage(IntEnum):
    """The stages of a job item, in order; ``DONE`` stands for every final state."""

    QUEUED = 0
    SUBMITTED = 1
    RUNNING = 2
    DONE = 3


@dataclass(frozen=True)
class Progress:
    """A rule that says how far a job may have moved.

    The result of the simulator stays hidden until the rule lets the job end.

    :param reads: Reads of the job that each stage lasts; 0 if reads do not count.
    :param queued: Seconds that a job stays ``QUEUED``.
    :param submitted: Seconds that it then stays ``SUBMITTED``.
    :param running: Seconds that it then stays ``RUNNING``, at least.
    :param queue: How many jobs of others are ahead of it in the stage in which the
        cloud has a queue; they leave one by one until its end.
    :param compiling: Whether a job shows, for the second half of the time or the reads
        that it stays ``QUEUED``, that it is being compiled, where the cloud has a word
        for that.
    :raises ValueError: If a number is negative, or there is a queue without a time or
        reads to wait in it.
    """

    reads: int = 0
    queued: float = 0.0
    submitted: float = 0.0
    running: float = 0.0
    queue: int = 0
    compiling: bool = False

    def __post_init__(self) -> None:
        if min(asdict(self).values()) < 0:
            raise ValueError(f"Progress takes no negative numbers: {self}")
        if self.queue and not (self.reads or self.queued or self.submitted):
            raise ValueError(
                f"a queue of {self.queue} takes reads, queued or submitted to get "
                "shorter in"
            )

    @classmethod
    def immediate(cls) -> Self:
        """Show every state as soon as the simulator reaches it."""
        return cls()

    @classmethod
    def after_reads(
        cls, reads: int, *, queue: int = 0, compiling: bool = False
    ) -> Self:
        """Show each of ``QUEUED``, ``SUBMITTED`` and ``RUNNING`` for so many reads.

        The read that is due to show the end waits for the simulator.

        :param reads: Reads of the job or of its status, at least 1.
        :param queue: How many jobs are ahead at first.
        :param compiling: Whether jobs show that they are being compiled.
        """
        if reads < 1:
            raise ValueError(f"Progress.after_reads takes at least 1, not {reads}")
        return cls(reads=reads, queue=queue, compiling=compiling)

    @classmethod
    def seconds(
        cls,
        *,
        queued: float = 0.0,
        submitted: float = 0.0,
        running: float = 0.0,
        queue: int = 0,
        compiling: bool = False,
    ) -> Self:
        """Let each stage last so many seconds of the server's clock.

        :param queue: How many jobs are ahead at first.
        :param compiling: Whether jobs show that they are being compiled.
        """
        return cls(
            queued=queued,
            submitted=submitted,
            running=running,
            queue=queue,
            compiling=compiling,
        )

    @property
    def is_immediate(self) -> bool:
        """Whether nothing but the simulator decides."""
        return self == Progress()

    def stage(self, reads: int, waited: float) -> Stage:
        """Return the furthest stage that a job may show.

        :param reads: How often the job has been read, this time included.
        :param waited: Seconds since it was queued.
        """
        by_time = Stage(sum(waited >= end for end in self._ends()))
        if not self.reads:
            return by_time
        return min(by_time, Stage(min((max(reads, 1) - 1) // self.reads, Stage.DONE)))

    def rest(self, reads: int, waited: float) -> float:
        """Return for how many seconds a job shows the same stage if nobody reads it.

        :param reads: How often the job has been read, this time included.
        :param waited: Seconds since it was queued.
        :returns: 0 for a job that may end, which is up to the simulator.
        """
        if self.stage(reads, waited) is Stage.DONE:
            return 0.0
        return min((end - waited for end in self._ends() if end > waited), default=inf)

    def ahead(self, reads: int, waited: float, stage: Stage = Stage.QUEUED) -> int:
        """Return how many jobs of others are still ahead.

        :param reads: How often the job has been read, this time included.
        :param waited: Seconds since it was queued.
        :param stage: In which jobs wait for others.
        """
        return ceil(self.queue * (1 - self._passed(stage, reads, waited)))

    def compiles(self, reads: int, waited: float) -> bool:
        """Return whether a queued job shows that it is being compiled.

        :param reads: How often the job has been read, this time included.
        :param waited: Seconds since it was queued.
        """
        half = 0.5
        return self.compiling and self._passed(Stage.QUEUED, reads, waited) >= half

    def _passed(self, stage: Stage, reads: int, waited: float) -> float:
        """Return how much of a stage lies behind a job, 0 to 1."""
        ends = (0.0, *self._ends())
        begin, end = ends[stage], ends[stage + 1]
        passed = []
        if self.reads:
            passed.append((max(reads, 1) - 1) / self.reads - stage)
        if end > begin:
            passed.append((waited - begin) / (end - begin))
        return min(max(min(passed, default=1.0), 0.0), 1.0)

    def _ends(self) -> tuple[float, float, float]:
        submitted = self.queued + self.submitted
        return self.queued, submitted, submitted + self.running

    def to_dict(self) -> dict[str, Any]:
        """Return the rule as JSON values."""
        return asdict(self)


AT_ONCE = Progress()
"""The progress of jobs that nothing but the simulator holds back."""


@dataclass(frozen=True)
class ProgressRule:
    """The progress of some jobs.

    :param progress: How they move.
    :param job: A pattern for their name or id, in which ``*`` stands for any text.
    :param project: A pattern for the name of their project.
    """

    progress: Progress
    job: str = "*"
    project: str = "*"

    @property
    def is_default(self) -> bool:
        """Whether it is for all jobs."""
        return self.is_for_same_jobs(type(self)(self.progress))

    def is_for_same_jobs(self, other: Self) -> bool:
        """Return whether another rule has the same patterns."""
        return (self.job, self.project) == (other.job, other.project)

    def to_dict(self) -> dict[str, Any]:
        """Return the rule as JSON values."""
        return {"job": self.job, "project": self.project, **self.progress.to_dict()}
