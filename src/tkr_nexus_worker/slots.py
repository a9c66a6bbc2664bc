"""The place of a task among those that run at once in forks of a preloaded process.

A task that only waits, perhaps for days, gives its place back, so that others can run.
Outside such a fork there are no places, and nothing happens.
"""

from collections.abc import Callable

_releases: list[Callable[[], object]] = []


def release_by(release: Callable[[], object]) -> None:
    """Say how this process gives its place back.

    :param release: Called once, when it does.
    """
    _releases.append(release)


def release() -> None:
    """Give the place back, if this process has one."""
    while _releases:
        _releases.pop()()
