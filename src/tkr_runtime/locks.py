"""Locks on files, which the system frees when their process ends.

All are ``flock`` locks, so they exclude each other whichever function takes them. Some
file systems have no locks (``ENOSYS``, ``ENOLCK``, ``EOPNOTSUPP``): what a lock would
protect then happens without one, because a task that runs twice finds the job that it
submitted before, and a login that is renewed twice is still a login.

The executable that starts for each task uses this module, so it imports little.
"""

import fcntl
import os
import time
from contextlib import ExitStack, contextmanager, suppress

TYPE_CHECKING = False  # typing itself takes longer to import than all of this

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path
    from typing import TextIO

_POLL_SECONDS = 0.02


def open_lock(path: str) -> int:
    """Open a lock file, which is created if it does not exist.

    :param path: The file. A symbolic link is refused.
    :returns: A file descriptor.
    :raises OSError: If the file cannot be opened.
    """
    flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
    return os.open(path, flags, 0o600)


def try_lock(file: "TextIO | int") -> bool:
    """Take the lock of an open file unless another process holds it.

    :param file: The file.
    :returns: Whether the lock was taken.
    :raises OSError: If the file system has no locks.
    """
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def is_locked(file: "TextIO") -> bool:
    """Return whether another process holds the lock of an open file.

    The check takes a shared lock for a moment, so :func:`try_lock` may fail once while
    others check.

    :param file: The file.
    :returns: Whether it is held; False where the file system has no locks.
    """
    try:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    fcntl.flock(file, fcntl.LOCK_UN)
    return False


@contextmanager
def hold_lock(
    path: "Path", *, timeout: float, required: bool = True
) -> "Generator[None]":
    """Hold the lock of a file while the body runs.

    The body runs without a lock where the file system has none, or where the file
    cannot be created, as in a read-only folder.

    :param path: The lock file.
    :param timeout: How long to wait for another process, in seconds.
    :param required: Whether the body may not run without the lock, where another
        process, which may be suspended, holds it for longer.
    :raises TimeoutError: If the lock is required and not free after that time.
    """
    end = time.monotonic() + timeout
    is_held_elsewhere = False
    with ExitStack() as stack:
        with suppress(OSError):
            path.parent.mkdir(parents=True, exist_ok=True)
            file = open_lock(str(path))
            stack.callback(os.close, file)
            while (is_held_elsewhere := not try_lock(file)) and time.monotonic() < end:
                time.sleep(_POLL_SECONDS)
            # Forks that have the file open would hold the lock on.
            stack.callback(fcntl.flock, file, fcntl.LOCK_UN)
        if is_held_elsewhere and required:
            raise TimeoutError(f"Another process holds the lock {path}.")
        yield
