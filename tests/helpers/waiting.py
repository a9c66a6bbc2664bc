"""Waiting for what other processes do, and a clock for what waits itself."""

import time
from collections.abc import Callable


def wait_until(condition: Callable[[], object], seconds: float = 30) -> bool:
    """Look again and again; return whether the condition came true in time.

    What takes long to look at is looked at less often, which leaves the cores to what
    is waited for.
    """
    end = time.monotonic() + seconds
    while True:
        began = time.monotonic()
        if condition():
            return True
        if time.monotonic() > end:
            return False
        time.sleep(max(0.02, 4 * (time.monotonic() - began)))


def wait_for[T](look: Callable[[], T], seconds: float = 120) -> T:
    """Return the first thing seen that is true."""
    end = time.monotonic() + seconds
    while not (seen := look()):
        if time.monotonic() > end:
            raise TimeoutError
        time.sleep(0.02)
    return seen


class Clock:
    """In place of the module ``time``: time passes only while somebody sleeps."""

    def __init__(self) -> None:
        self.now = 0.0
        self.pauses: list[float] = []

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.now += seconds
