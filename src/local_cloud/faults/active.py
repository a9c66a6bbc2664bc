"""The faults in force: which of them hit a request, and what they hold back."""

import asyncio
import contextlib
import itertools
import random
import threading

from local_cloud.clock import MICROSECONDS, Clock
from local_cloud.faults.rule import ActiveFault, Fault
from local_cloud.notifications import Notifications


class Armed:
    """A fault with its counts.

    :param key: Its id.
    :param fault: The rule.
    :param since: When it was added, in microseconds.
    """

    def __init__(self, key: str, fault: Fault, since: int) -> None:
        self.key = key
        self.fault = fault
        self.seen = 0
        self.fired = 0
        self._since = since
        self._random = random.Random(fault.seed)  # noqa: S311 - tests are to be repeatable

    def fires(self, now: int) -> bool:
        """Count one request and return whether it is hit.

        :param now: The time, in microseconds.
        """
        rule = self.fault
        passed = (now - self._since) / MICROSECONDS - rule.start
        if passed < 0 or (rule.duration is not None and passed >= rule.duration):
            return False
        self.seen += 1
        if self.seen <= rule.skip or (
            rule.times is not None and self.fired >= rule.times
        ):
            return False
        hit = self._random.random() < rule.probability
        self.fired += hit
        return hit


class ActiveFaults:
    """The faults in force, in the order in which they were added.

    :param clock: The time that they live by.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._armed: dict[str, Armed] = {}
        self._ids = itertools.count(1)
        self._notifications = Notifications()
        # Requests are hit in the event loop, and rules are changed in threads.
        self._lock = threading.Lock()

    def add(self, fault: Fault) -> str:
        """Put a fault in force and return its id."""
        with self._lock:
            key = str(next(self._ids))
            self._armed[key] = Armed(key, fault, self._clock.now())
        return key

    def remove(self, key: str) -> None:
        """Take a fault out of force, if it still is, and release what it holds."""
        with self._lock:
            self._armed.pop(key, None)
        self._notifications.notify(key)

    def clear(self) -> None:
        """Take all faults out of force."""
        for active in self.active():
            self.remove(active.id)

    def active(self) -> list[ActiveFault]:
        """Return the faults in force with their counts."""
        with self._lock:
            return [
                ActiveFault(it.key, it.fault, it.seen, it.fired)
                for it in self._armed.values()
            ]

    def matching(self, method: str, path: str) -> list[Armed]:
        """Return the faults that are about such requests."""
        with self._lock:
            return [it for it in self._armed.values() if it.fault.matches(method, path)]

    def fires(self, armed: Armed) -> bool:
        """Count one request that a fault is about and return whether it is hit."""
        with self._lock:
            return armed.key in self._armed and armed.fires(self._clock.now())

    async def hold(self, armed: Armed) -> None:
        """Wait as long as a fault asks for, or until it is out of force."""
        seconds = armed.fault.seconds
        began = self._clock.now()
        left = seconds
        with self._notifications.subscribe(armed.key) as changed:
            while armed.key in self._armed and (left is None or left > 0):
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(changed.wait(), left)
                changed.clear()
                if seconds is not None:
                    left = seconds - (self._clock.now() - began) / MICROSECONDS

    def clock_moved(self) -> None:
        """Let what is held back look at the clock again."""
        for active in self.active():
            self._notifications.notify(active.id)
