"""The log of requests that a test can look at."""

from collections import deque
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Literal

_KEPT = 100_000


@dataclass(frozen=True)
class Request:
    """One request that the server dealt with.

    :param method: The HTTP method; ``WEBSOCKET`` for a websocket.
    :param path: The path.
    :param query: The query string, undecoded.
    :param status: The status code of the answer, 101 for an accepted websocket;
        ``dropped`` if the connection ended without one.
    :param time: When it came, in seconds since 1970.
    :param duration: Seconds until the answer or the handshake of a websocket was sent.
    :param faults: The ids of the faults that hit it.
    """

    method: str
    path: str
    query: str
    status: int | Literal["dropped"]
    time: float
    duration: float
    faults: tuple[str, ...]


class RequestLog:
    """Keeps the latest requests."""

    def __init__(self) -> None:
        self._entries: deque[Request] = deque(maxlen=_KEPT)

    def add(self, request: Request) -> None:
        """Note a request."""
        self._entries.append(request)

    def entries(self, method: str = "*", path: str = "*") -> list[Request]:
        """Return what is kept, in the order of the answers.

        :param method: A pattern for the method.
        :param path: A pattern for the path, in which ``*`` stands for any text.
        """
        return [
            entry
            for entry in list(self._entries)
            if fnmatchcase(entry.method, method.upper())
            and fnmatchcase(entry.path, path)
        ]

    def clear(self) -> None:
        """Forget all requests."""
        self._entries.clear()
