"""Connections that the application can break off, which ASGI does not provide for."""

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.protocols.websockets.websockets_sansio_impl import (
    WebSocketsSansIOProtocol,
)


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

    async def drop(self) -> None:
        """Break the connection off and wait until it is gone."""
        self._transport.abort()
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


class _Joined:
    """Sends the head of an answer together with its body.

    Each piece by itself would be encrypted, sent and read on its own, which takes half
    as long again.

    :param transport: Of the connection.
    """

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
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
        self._joined = _Joined(self.transport)

    def on_headers_complete(self) -> None:
        super().on_headers_complete()
        # A handshake of a websocket has no cycle.
        if self.cycle is not None:
            self.cycle.transport = self._joined  # type: ignore[assignment]

    def shutdown(self) -> None:
        self._joined.flush()
        super().shutdown()


class HttpProtocol(_Droppable, _Joining):
    """HTTP over a connection that can be broken off."""


class WebSocketProtocol(_Droppable, WebSocketsSansIOProtocol):
    """Websockets over a connection that can be broken off."""
