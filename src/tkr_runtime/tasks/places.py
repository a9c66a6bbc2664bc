"""The place of a task among those that run at once in one process or its forks.

A task that only waits, perhaps for days, gives its place back, so that others can run.
Where there are no places, nothing happens.
"""

from collections.abc import Callable
from contextvars import ContextVar

_release: ContextVar[Callable[[], object] | None] = ContextVar("release", default=None)


def release_by(release: Callable[[], object]) -> None:
    """Say how the running task gives its place back.

    :param release: Called once, when it does.
    """
    _release.set(release)


def release() -> None:
    """Give the place of the running task back, if it has one."""
    give_back = _release.get()
    _release.set(None)
    if give_back is not None:
        give_back()
