"""What notes every request, and drops the connections of those that must have none."""

import time
from http import HTTPStatus
from typing import Literal

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from local_cloud.web.request_log import Request, RequestLog

# Asks to break the connection off; sent like any other message.
DROP = "local_cloud.drop"
_ENDS_ENTRY = {
    "http.response.body",
    "websocket.http.response.body",
    "websocket.accept",
    "websocket.close",
    DROP,
}


def is_outside(scope: Scope) -> bool:
    """Return whether this is not a request, or the administrator's."""
    return scope["type"] == "lifespan" or str(scope["path"]).startswith("/_local/")


def method_of(scope: Scope) -> str:
    """Return the HTTP method; ``WEBSOCKET`` for a websocket."""
    return str(scope.get("method", "WEBSOCKET"))


class Logged:
    """Notes every request but the administrator's, and drops connections.

    :param app: What answers.
    :param log: Where they are noted.
    """

    def __init__(self, app: ASGIApp, log: RequestLog) -> None:
        self._app = app
        self._log = log

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on and note it."""
        if is_outside(scope):
            await self._app(scope, receive, send)
            return
        came, began = time.time(), time.perf_counter()
        status: int | Literal["dropped"] | None = None
        noted = False

        def note() -> None:
            nonlocal noted
            noted = True
            entry = Request(
                method=method_of(scope),
                path=scope["path"],
                query=scope["query_string"].decode("latin-1"),
                status=status or "dropped",
                time=came,
                duration=time.perf_counter() - began,
                faults=tuple(scope["state"]["faults"]),
            )
            self._log.add(entry)

        async def look(message: Message) -> None:
            nonlocal status
            status = status or _status_of(message)
            # Noted before it is sent: who has the answer finds it in the log.
            ends = message["type"] in _ENDS_ENTRY and not message.get("more_body")
            if ends and not noted:
                note()
            if message["type"] == DROP:
                await scope["state"]["connection"].drop()
            else:
                await send(message)

        scope["state"]["faults"] = []
        await self._app(scope, receive, look)
        if not noted:
            note()


def _status_of(message: Message) -> int | Literal["dropped"] | None:
    match message["type"]:
        case "http.response.start" | "websocket.http.response.start":
            return int(message["status"])
        case "websocket.accept":
            return HTTPStatus.SWITCHING_PROTOCOLS.value
        case "websocket.close":
            return HTTPStatus.FORBIDDEN.value
        case "local_cloud.drop":
            return "dropped"
    return None
