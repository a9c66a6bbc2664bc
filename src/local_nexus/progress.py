"""How jobs move through their states: at once, with every read, or with time."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from enum import IntEnum
from typing import Any


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

    :param reads: reads of the job that each stage lasts; 0 if reads do not count.
    :param queued: seconds that a job stays ``QUEUED``.
    :param submitted: seconds that it then stays ``SUBMITTED``.
    :param running: seconds that it then stays ``RUNNING``, at least.
    """

    reads: int = 0
    queued: float = 0.0
    submitted: float = 0.0
    running: float = 0.0

    def __post_init__(self) -> None:
        if min(asdict(self).values()) < 0:
            raise ValueError(f"Progress takes no negative numbers: {self}.")

    @classmethod
    def immediate(cls) -> Progress:
        """Show every state as soon as the simulator reaches it."""
        return cls()

    @classmethod
    def after_reads(cls, reads: int) -> Progress:
        """Show each of ``QUEUED``, ``SUBMITTED`` and ``RUNNING`` for so many reads.

        The read that is due to show the end waits for the simulator.

        :param reads: reads of the job or of its status, at least 1.
        """
        if reads < 1:
            raise ValueError(f"Progress.after_reads takes at least 1, not {reads}.")
        return cls(reads=reads)

    @classmethod
    def seconds(
        cls, *, queued: float = 0.0, submitted: float = 0.0, running: float = 0.0
    ) -> Progress:
        """Let each stage last so many seconds of the server's clock."""
        return cls(queued=queued, submitted=submitted, running=running)

    @property
    def is_immediate(self) -> bool:
        """Whether nothing but the simulator decides."""
        return self == Progress()

    def stage(self, reads: int, waited: float) -> Stage:
        """Return the furthest stage that a job may show.

        :param reads: how often the job has been read, this time included.
        :param waited: seconds since it was queued.
        """
        by_time = Stage(sum(waited >= end for end in self._ends()))
        if not self.reads:
            return by_time
        return min(by_time, Stage(min((max(reads, 1) - 1) // self.reads, Stage.DONE)))

    def _ends(self) -> tuple[float, float, float]:
        submitted = self.queued + self.submitted
        return self.queued, submitted, submitted + self.running

    def to_dict(self) -> dict[str, Any]:
        """Return the rule as JSON values."""
        return asdict(self)
