"""The slot of a task, where only some tasks run at once in a process or in its forks.

A task that only waits, perhaps for days, releases its slot, so that others can run.
Where the number of tasks has no limit, nothing happens.
"""

import threading
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

    :param seconds: The time after which the slot is released.
    """
    slot = _slot.get()
    if slot is None or not slot.is_held:
        yield
        return
    timer = threading.Timer(seconds, slot.release)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
