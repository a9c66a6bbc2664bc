"""The log of requests that a test can look at."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

_KEPT = 100_000


@dataclass(frozen=True)
class Request:
    """One request that the server answered.

    :param method: the HTTP method; ``WEBSOCKET`` for a websocket.
    :param path: the path.
    :param query: the query string, undecoded.
    :param status: the status code of the answer; 101 for an accepted websocket.
    :param time: when it came, in seconds since 1970.
    """

    method: str
    path: str
    query: str
    status: int
    time: float


class RequestLog:
    """Keeps the latest requests."""

    def __init__(self) -> None:
        self._entries: deque[Request] = deque(maxlen=_KEPT)

    def add(self, request: Request) -> None:
        """Note a request."""
        self._entries.append(request)

    def entries(self) -> list[Request]:
        """Return what is kept, the oldest first."""
        return list(self._entries)

    def clear(self) -> None:
        """Forget all requests."""
        self._entries.clear()
