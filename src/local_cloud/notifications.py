"""Notifications from the threads that change something to who waits for that."""

import asyncio
import contextlib
from collections import defaultdict
from collections.abc import Iterator


class Notifications:
    """Wakes waiters, which live in the event loop, when threads change something."""

    def __init__(self) -> None:
        # How many changes waiters were told of, for those who keep what they saw.
        self.changes = 0
        self._waiting: dict[str, set[asyncio.Event]] = defaultdict(set)
        self._loop: asyncio.AbstractEventLoop | None = None

    def notify(self, key: str) -> None:
        """Wake all who wait for something; may be called from any thread.

        :param key: The id of what changed.
        """
        if self._loop is not None and key in self._waiting:
            with contextlib.suppress(RuntimeError):  # the loop may be closed
                self._loop.call_soon_threadsafe(self._wake, key)

    @contextlib.contextmanager
    def subscribe(self, key: str) -> Iterator[asyncio.Event]:
        """Give an event that is set whenever what has this id changes."""
        self._loop = asyncio.get_running_loop()
        event = asyncio.Event()
        self._waiting[key].add(event)
        try:
            yield event
        finally:
            self._waiting[key].discard(event)
            if not self._waiting[key]:
                del self._waiting[key]

    def _wake(self, key: str) -> None:
        self.changes += 1
        for event in self._waiting.get(key, ()):
            event.set()
