"""The mark of a running server in its directory: where it is, and that it is alone."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import signal
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO

from local_nexus.errors import StartError

_FILE = "running.json"
# Seconds to wait for a server to end, and between two looks.
_STOP_LIMIT = 15.0
_LOOK = 0.02


@dataclass(frozen=True)
class Presence:
    """A running server.

    :param url: where it answers.
    :param pid: the id of its process.
    """

    url: str
    pid: int


@contextlib.contextmanager
def hold(directory: Path, url: str) -> Iterator[None]:
    """Mark a directory as that of this process, for as long as the body runs.

    The mark is a locked file, so it goes with the process however that ends.

    :raises StartError: if another server is running there.
    """
    with (directory / _FILE).open("a") as file:
        if not _lock(file):
            raise StartError(
                f"A server is running in {directory} already: stop it first, or take "
                "another directory."
            )
        file.truncate(0)
        file.write(json.dumps(asdict(Presence(url, os.getpid()))))
        file.flush()
        yield


def find(directory: Path) -> Presence | None:
    """Return the server that is running in a directory; None if there is none."""
    with contextlib.suppress(FileNotFoundError), (directory / _FILE).open() as file:
        if not _lock(file):
            # Empty while a server is starting.
            text = file.read()
            return Presence(**json.loads(text)) if text else None
    return None


def end(directory: Path) -> bool:
    """End the server that is running in a directory, and wait for that.

    :returns: whether there was one.
    :raises TimeoutError: if it does not end.
    """
    server = find(directory)
    if server is None:
        return False
    with contextlib.suppress(FileNotFoundError), (directory / _FILE).open() as file:
        # The lock is held, so this is no other process that was given its id.
        os.kill(server.pid, signal.SIGTERM)
        limit = time.monotonic() + _STOP_LIMIT
        while not _lock(file):
            if time.monotonic() > limit:
                raise TimeoutError(
                    f"The server with the process id {server.pid} does not end: "
                    "kill that process."
                )
            time.sleep(_LOOK)
    return True


def _lock(file: IO[str]) -> bool:
    """Take the lock of the file; return whether nobody else has it."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
