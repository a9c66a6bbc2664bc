"""Connections that the application can break off, which ASGI does not provide for."""

from __future__ import annotations

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.protocols.websockets.websockets_sansio_impl import (
    WebSocketsSansIOProtocol,
)


class Connection:
    """The connection that a request came by; in the scope as ``state["connection"]``.

    :param transport: of the connection.
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


class HttpProtocol(_Droppable, HttpToolsProtocol):
    """HTTP over a connection that can be broken off."""


class WebSocketProtocol(_Droppable, WebSocketsSansIOProtocol):
    """Websockets over a connection that can be broken off."""
