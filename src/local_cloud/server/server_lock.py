"""The locked file in a server's directory that says where the server is, and alone."""

import contextlib
import fcntl
import json
import os
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO

from local_cloud.errors import StartError

_FILE = "running.json"
# Seconds between two looks at a lock, and how long a look of another process may take.
_LOOK = 0.02
_OTHERS_LOOK = 0.5


@dataclass(frozen=True)
class ServerMark:
    """What a running server writes about itself.

    :param url: Where it answers.
    :param pid: The id of its process.
    """

    url: str
    pid: int


@contextlib.contextmanager
def hold(directory: Path, url: str) -> Iterator[None]:
    """Mark a directory as that of this process, for as long as the body runs.

    The mark is a locked file, so it goes with the process however that ends.

    :raises StartError: If another server is running there.
    """
    with (directory / _FILE).open("a") as file:
        if not _lock(file, fcntl.LOCK_EX, _OTHERS_LOOK):
            raise StartError(
                f"A server is running in {directory} already: stop it first, or take "
                "another directory."
            )
        file.truncate(0)
        file.write(json.dumps(asdict(ServerMark(url, os.getpid()))))
        file.flush()
        yield


def find(directory: Path) -> ServerMark | None:
    """Return the server that is running in a directory; None if there is none."""
    with contextlib.suppress(FileNotFoundError), (directory / _FILE).open() as file:
        # Shared, so that nobody who looks at the same time takes this for a server.
        if not _lock(file, fcntl.LOCK_SH):
            # Empty while a server is starting.
            text = file.read()
            return ServerMark(**json.loads(text)) if text else None
    return None


def await_end(directory: Path, seconds: float) -> bool:
    """Wait until no server is running in a directory.

    :param seconds: How long to wait at most.
    :returns: Whether that is so.
    """
    with contextlib.suppress(FileNotFoundError), (directory / _FILE).open() as file:
        return _lock(file, fcntl.LOCK_SH, seconds)
    return True


def _lock(file: IO[str], kind: int, seconds: float = 0.0) -> bool:
    """Take the lock of a file; return whether that was possible in time."""
    limit = time.monotonic() + seconds
    while True:
        try:
            fcntl.flock(file, kind | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= limit:
                return False
            time.sleep(_LOOK)
        else:
            return True
