"""Connections with limits, which the application can break off; ASGI has neither."""

import asyncio
import json
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.protocols.websockets.websockets_sansio_impl import (
    WebSocketsSansIOProtocol,
)

HEAD_LIMIT = 64 * 2**10
"""Bytes of the request line and the headers."""
REQUEST_LIMIT = 60.0
"""Seconds from the first byte of a request, or the connection, to its last byte."""
# Seconds to go on reading what nobody wants, so that the client sees its answer: a
# connection closed over unread data is reset, and the answer is lost with it.
_LINGER = 1.0
# Seconds in which a client can take what was sent last, when the server stops.
_FAREWELL = 0.05


class _HeadTooLargeError(Exception):
    """The request line and the headers have too many bytes."""


class Connection:
    """The connection that a request came by; in the scope as ``state["connection"]``.

    :param transport: Of the connection.
    """

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self.lost = asyncio.Event()

    @property
    def is_lost(self) -> bool:
        """Whether nothing can be sent any more."""
        return self._transport.is_closing()

    def abort(self) -> None:
        """Break the connection off."""
        self._transport.abort()

    async def drop(self) -> None:
        """Break the connection off and wait until it is gone."""
        self.abort()
        await self.lost.wait()


class _Droppable(asyncio.Protocol):
    """Puts the connection into the scope of every request."""

    app_state: dict[str, Any]

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - never a datagram
        self._connection = Connection(transport)
        self.app_state = self.app_state | {"connection": self._connection}
        super().connection_made(transport)

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._connection.lost.set()

    def shutdown(self) -> None:
        """End the connection when the server stops, unless a request is under way."""
        super().shutdown()  # type: ignore[misc]
        if self._connection.is_lost:
            # It would wait for the client to end TLS, and one that is idle does not.
            loop = asyncio.get_running_loop()
            loop.call_later(_FAREWELL, self._connection.abort)


class _Joined:
    """Sends the head of an answer together with its body.

    Each piece by itself would be encrypted, sent and read on its own, which takes half
    as long again.

    :param transport: Of the connection.
    :param is_unread: Returns whether the client still sends the request.
    """

    def __init__(
        self, transport: asyncio.Transport, is_unread: Callable[[], bool]
    ) -> None:
        self._transport = transport
        self._is_unread = is_unread
        self._head: bytes | None = None

    def write(self, data: bytes) -> None:
        """Send data after the head; the head waits for them until other tasks run."""
        if self._head is None:
            self._head = data
            asyncio.get_running_loop().call_soon(self.flush)
        else:
            self._head += data
            self.flush()

    def flush(self) -> None:
        """Send what waits."""
        head, self._head = self._head, None
        if head is not None and not self._transport.is_closing():
            self._transport.write(head)

    def close(self) -> None:
        """Send what waits and close the connection."""
        self.flush()
        if self._is_unread():
            loop = asyncio.get_running_loop()
            loop.call_later(_LINGER, self._transport.close)
        else:
            self._transport.close()

    def is_closing(self) -> bool:
        """Return whether nothing can be sent any more."""
        return self._transport.is_closing()


class _Joining(HttpToolsProtocol):
    """Sends every answer in one piece."""

    def connection_made(  # type: ignore[override]
        self, transport: asyncio.Transport
    ) -> None:
        super().connection_made(transport)
        self._joined = _Joined(self.transport, lambda: self.cycle.more_body)

    def on_headers_complete(self) -> None:
        super().on_headers_complete()
        # A handshake of a websocket has no cycle.
        if self.cycle is not None:
            self.cycle.transport = self._joined  # type: ignore[assignment]

    def shutdown(self) -> None:
        self._joined.flush()
        super().shutdown()


class _Limited(HttpToolsProtocol):
    """Refuses requests whose head is too long, or that do not come to their end."""

    def connection_made(  # type: ignore[override]
        self, transport: asyncio.Transport
    ) -> None:
        super().connection_made(transport)
        self._timer: asyncio.TimerHandle | None = None
        self._in_head, self._head_size = True, 0
        self._refused = False
        self._arm()

    def connection_lost(self, exc: Exception | None) -> None:
        self._disarm()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._refused:
            return
        super().data_received(data)
        if self._in_head:
            self._head_size += len(data)
            if self._head_size > HEAD_LIMIT:
                self.send_400_response("")

    def handle_websocket_upgrade(self) -> None:
        self._disarm()
        super().handle_websocket_upgrade()

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._in_head, self._head_size = True, 0
        self._arm()

    def on_headers_complete(self) -> None:
        self._in_head = False
        self._head_size = len(self.url) + sum(
            len(name) + len(value) for name, value in self.headers
        )
        if self._head_size > HEAD_LIMIT:
            # The parser stops, and uvicorn asks for the answer to a wrong request.
            raise _HeadTooLargeError
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        self._disarm()
        super().on_message_complete()

    def send_400_response(self, msg: str) -> None:
        if self._head_size > HEAD_LIMIT:
            self._refuse(
                HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE,
                f"The headers are larger than {HEAD_LIMIT} bytes.",
            )
        else:
            super().send_400_response(msg)

    def _refuse(self, status: HTTPStatus, message: str) -> None:
        """Answer in place of the application, and close the connection."""
        if self._refused or self.transport.is_closing():
            return
        self._refused = True
        self._disarm()
        body = json.dumps({"message": message}).encode()
        head = (
            f"HTTP/1.1 {status.value} {status.phrase}\r\n"
            "content-type: application/json\r\n"
            f"content-length: {len(body)}\r\n"
            "connection: close\r\n\r\n"
        )
        self.transport.write(head.encode() + body)
        self.loop.call_later(_LINGER, self.transport.close)

    def _arm(self) -> None:
        self._disarm()
        self._timer = self.loop.call_later(REQUEST_LIMIT, self._end_request)

    def _disarm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _end_request(self) -> None:
        if self.flow.read_paused:
            self._arm()  # it is the application that does not read
        elif self.cycle is None or not self._is_answering:
            self._refuse(
                HTTPStatus.REQUEST_TIMEOUT,
                f"The request did not come to its end in {REQUEST_LIMIT:g} s.",
            )
        else:
            self.transport.close()

    @property
    def _is_answering(self) -> bool:
        return self.cycle.response_started and not self.cycle.response_complete


class HttpProtocol(_Droppable, _Limited, _Joining):
    """HTTP over a connection that has limits and can be broken off."""


class WebSocketProtocol(_Droppable, WebSocketsSansIOProtocol):
    """Websockets over a connection that can be broken off."""
