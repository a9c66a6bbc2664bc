"""Waits for a job, whose pauses grow: a short job is seen soon, a long one is left."""

import logging
import math
import re
import time
from collections import deque
from collections.abc import Callable

from tkr_runtime.errors import InvalidInputError
from tkr_runtime.tasks import concurrency, context

A_WEEK = 7 * 24 * 3600.0
"""The default time to wait for a job, in seconds."""

_FIRST_PAUSE = 0.5
_PAUSES_GROW_BY = 1.5
_POSITIONS_KEPT = 50
_LONGEST_PASS = 3600.0
# After so many passes of a loop, a change of the queue position ends none any more.
_PASSES_WITH_POSITIONS = 50
_PASS_NUMBER = re.compile(r"\.L(\d+)(?!.*\.L\d)")


# What each task of this process has logged last of each job.
_logged: dict[tuple[str, str], str] = {}
_MOST_LOGGED = 1000


def log_change(logger: logging.Logger, job: str, status: str) -> None:
    """Log a status once in a task: a wait of hours must not fill a terminal.

    :param logger: Where to log it.
    :param job: What names the job, with its id.
    :param status: The status.
    """
    task = context.current()
    key = ("" if task is None else f"{task.workflow_id}{task.location}", job)
    level = logging.DEBUG if _logged.get(key) == status else logging.INFO
    if len(_logged) >= _MOST_LOGGED:
        _logged.clear()
    _logged[key] = status
    logger.log(level, "%s: %s", job, status)


def check_seconds(name: str, seconds: float) -> None:
    """Check a time that a person gave.

    :param name: What it is, to follow "The".
    :param seconds: The time, in seconds.
    :raises InvalidInputError: If it is not above 0, or infinite.
    """
    if not 0.0 < seconds < math.inf:
        raise InvalidInputError(
            f"The {name} is {seconds!r}; give a number of seconds above 0."
        )


def wait_for_change[S](
    look: Callable[[], S], is_end: Callable[[S], bool], polling_interval: float
) -> S:
    """Look at jobs until something has changed, an hour at most.

    The first looks follow each other quickly, so that a short job does not wait for
    the interval; then the pauses double up to it.

    :param look: Returns the status.
    :param is_end: Returns whether the status ends the wait.
    :param polling_interval: The longest time between two looks, in seconds.
    :returns: The last status.
    :raises InvalidInputError: If the interval is not above 0.
    """
    check_seconds("polling interval", polling_interval)
    concurrency.release_slot()
    deadline = time.monotonic() + _LONGEST_PASS
    pause = min(_FIRST_PAUSE, polling_interval)
    while True:
        status = look()
        if is_end(status) or time.monotonic() + pause > deadline:
            return status
        time.sleep(pause)
        pause = min(2 * pause, polling_interval)


def positions_count() -> bool:
    """Return whether a new queue position counts as a change for the current task.

    It does in the first 50 passes of a loop. Later it does not, so that a long queue
    does not fill the disk.
    """
    task = context.current()
    found = None if task is None else _PASS_NUMBER.search(task.location)
    return found is None or int(found[1]) < _PASSES_WITH_POSITIONS


class Pauses:
    """The pauses of a wait until a job has ended, which grow while nothing changes.

    :param poll_interval: The longest pause, in seconds.
    """

    def __init__(self, poll_interval: float) -> None:
        self._longest = poll_interval
        self._pause = 0.0
        self._state: str | None = None

    def sleep(self, state: str, left: float) -> None:
        """Sleep until the next look.

        :param state: The state of the job; after a change the pauses are short again.
        :param left: The longest time to sleep, in seconds.
        """
        if state != self._state:
            self._pause, self._state = _FIRST_PAUSE, state
        self._pause = min(self._pause * _PAUSES_GROW_BY, self._longest)
        time.sleep(max(0.0, min(self._pause, left)))


class QueueSpeed:
    """Estimates when a job leaves the queue, from the changes of its position."""

    def __init__(self) -> None:
        self._positions: deque[tuple[float, int]] = deque(maxlen=_POSITIONS_KEPT)

    def add(self, position: int | None, moment: float) -> None:
        """Record the position of the job.

        :param position: The position, from 1; None where the job is not in the queue.
        :param moment: When the job had that position, in seconds of any clock.
        """
        if position is None or (self._positions and position > self._positions[-1][1]):
            # Another job was put before it: the speed until then says nothing.
            self._positions.clear()
        if position is None:
            return
        if not self._positions or position != self._positions[-1][1]:
            self._positions.append((moment, position))

    def seconds_to_start(self, now: float) -> float | None:
        """Return the time until the job starts, in seconds; None without an estimate.

        :param now: The current time of the same clock, in seconds.
        """
        if len(self._positions) < 2:
            return None
        (first, before), (last, position) = self._positions[0], self._positions[-1]
        seconds_per_position = (last - first) / (before - position)
        return max(0.0, position * seconds_per_position - (now - last))
