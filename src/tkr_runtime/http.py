"""What the clients of all clouds share on httpx: limits of time, and what passes.

The hooks are for ``event_hooks["response"]`` of a client.
"""

import json
import time
from collections.abc import Callable, Iterator

import httpx

from tkr_runtime import patience
from tkr_runtime.requests import (
    TRANSIENT_STATUSES,
    TransientResponseError,
    read_retry_after,
    sentence_in,
)
from tkr_runtime.settings.limits import Limits

UNREADABLE = (httpx.DecodingError, UnicodeDecodeError, json.JSONDecodeError)
"""What an answer raises that is not compressed as it says, no UTF-8, or no JSON."""

_TOO_MANY_REQUESTS = 429
_GATEWAY_TIMEOUT = 504


def raise_if_transient(response: httpx.Response) -> None:
    """Raise an error for a status that a later try may not get; a hook.

    :param response: The answer.
    :raises TransientResponseError: If a later try may get another one.
    """
    if response.status_code not in TRANSIENT_STATUSES:
        return
    response.read()
    raise TransientResponseError(
        response.status_code,
        read_retry_after(response.headers.get("retry-after")),
        sentence_in(response.text),
    )


class _LimitedStream(httpx.SyncByteStream):
    """The body of an answer, which must have arrived at a certain moment."""

    def __init__(self, stream: httpx.SyncByteStream, limit: float) -> None:
        self._stream = stream
        self._limit = limit
        self._deadline = time.monotonic() + limit

    def __iter__(self) -> Iterator[bytes]:
        for piece in self._stream:
            if time.monotonic() > self._deadline:
                raise httpx.ReadTimeout(f"the answer took more than {self._limit:g} s")
            yield piece

    def close(self) -> None:
        self._stream.close()


def total_time_limit(limits: Callable[[], Limits]) -> Callable[[httpx.Response], None]:
    """Return a hook that limits the time of one whole answer.

    :param limits: Returns the limits of time.
    """

    def limit_total_time(response: httpx.Response) -> None:
        if isinstance(response.stream, httpx.SyncByteStream):
            limit = limits().total_timeout
            response.stream = _LimitedStream(response.stream, limit)

    return limit_total_time


def timeout_of(limits: Limits, read_timeout: float | None = None) -> httpx.Timeout:
    """Return the time-outs of a request.

    :param limits: The limits of time.
    :param read_timeout: For each piece of an answer, in seconds, if the limits of time
        allow more.
    """
    read, connect = limits.read_timeout, limits.connect_timeout
    if read_timeout is not None:
        read = min(read, read_timeout)
    if patience.is_first_answer_due():
        connect = min(connect, patience.CONNECT_TIMEOUT)
    return httpx.Timeout(read, connect=connect)


def was_not_carried_out(error: Exception) -> bool:
    """Return whether a request that failed has certainly changed nothing.

    :param error: What the client or httpx raised.
    :returns: True if it never arrived, or the cloud turned it away with 429.
    """
    return isinstance(
        error, httpx.ConnectError | httpx.ConnectTimeout | httpx.PoolTimeout
    ) or (
        isinstance(error, TransientResponseError)
        and error.status_code == _TOO_MANY_REQUESTS
    )


def is_timed_out(error: Exception) -> bool:
    """Return whether nobody answered a request in time.

    :param error: What the client or httpx raised.
    """
    return isinstance(error, httpx.TimeoutException) or (
        isinstance(error, TransientResponseError)
        and error.status_code == _GATEWAY_TIMEOUT
    )
