"""The slot of a task, where only some tasks run at once in a process or in its forks.

A task that only waits, perhaps for days, releases its slot, so that others can run.
Where the number of tasks has no limit, nothing happens.
"""

import threading
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from contextvars import ContextVar


class _Slot:
    """A slot, which is released at most once, by whichever thread is first."""

    def __init__(self, release: Callable[[], object]) -> None:
        self._release = release
        self._lock = threading.Lock()
        self.is_held = True

    def release(self) -> None:
        with self._lock:
            was_held, self.is_held = self.is_held, False
        if was_held:
            self._release()


_slot: ContextVar[_Slot | None] = ContextVar("slot", default=None)


def hold_slot(release: Callable[[], object]) -> None:
    """Give the running task a slot.

    :param release: Called once, when the task releases the slot.
    """
    _slot.set(_Slot(release))


def release_slot() -> None:
    """Release the slot of the running task, if it has one."""
    slot = _slot.get()
    if slot is not None:
        slot.release()


@contextmanager
def slot_released_after(seconds: float) -> Generator[None]:
    """Release the slot of the running task if the body takes long.

    :param seconds: The time after which the slot is released, at most half a second
        later.
    """
    slot = _slot.get()
    if slot is None or not slot.is_held:
        yield
        return
    body = object()
    _bodies[body] = (slot, time.monotonic() + seconds)
    _watch()
    try:
        yield
    finally:
        del _bodies[body]


# One thread for all: one for each would take longer than most of them.
_CHECK_SECONDS = 0.5
_bodies: dict[object, tuple[_Slot, float]] = {}
_lock = threading.Lock()
_watchers: list[threading.Thread] = []


def watchers() -> list[threading.Thread]:
    """Return the threads that release slots; they end by themselves."""
    return [*_watchers]


def _watch() -> None:
    """Start the thread that releases slots, unless it runs."""
    with _lock:
        # In a fork, a thread that was started before it does not run.
        if not any(thread.is_alive() for thread in _watchers):
            _watchers[:] = [threading.Thread(target=_release_slots, daemon=True)]
            _watchers[0].start()


def _release_slots() -> None:
    """Release the slots whose time has come, until no body runs."""
    while True:
        time.sleep(_CHECK_SECONDS)
        now = time.monotonic()
        for slot, deadline in [*_bodies.values()]:
            if now > deadline:
                slot.release()
        with _lock:
            if not _bodies:
                _watchers.clear()
                return
