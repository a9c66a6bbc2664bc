"""What refuses requests from other places, and slows those who guess passwords."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Collection
from http import HTTPStatus
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from local_cloud.errors import ApiError

_CHANGE_NOTHING = {"GET", "HEAD", "OPTIONS"}


class Guarded:
    """Refuses requests that a web page of somebody else makes a browser send.

    :param app: What answers.
    :param names: The names and addresses by which programs may call the server.
    """

    def __init__(self, app: ASGIApp, names: Collection[str]) -> None:
        self._app = app
        self._names = {name.lower() for name in names}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        host, origin = headers.get("host", ""), headers.get("origin")
        changes = scope.get("method", "WEBSOCKET") not in _CHANGE_NOTHING
        if host_name(host) not in self._names:
            # A name of somebody else that leads here (DNS rebinding).
            known = ", ".join(sorted(self._names))
            status = HTTPStatus.MISDIRECTED_REQUEST
            message = f"This server is not {host!r}: call it by one of {known}."
        elif changes and origin is not None and origin.lower() != f"https://{host}":
            status = HTTPStatus.FORBIDDEN
            message = f"Pages of {origin!r} cannot use this server."
        else:
            await self._app(scope, receive, send)
            return
        if scope["type"] == "websocket":
            await send({"type": "websocket.close"})
            return
        refusal = JSONResponse(
            {"message": message}, status, headers={"connection": "close"}
        )
        await refusal(scope, receive, send)


def host_name(host: str) -> str:
    """Return the name in a Host header, without the port; empty if there is none."""
    try:
        return (urlsplit(f"//{host}").hostname or "").lower()
    except ValueError:
        return ""


class WrongLogins:
    """Slows those who guess passwords: some wrong ones are free, the others wait.

    They wait in one line for all, so that many connections help nobody.

    :param clock: Returns the time, in seconds.
    :param sleep: Waits for some seconds.
    """

    FREE = 20
    """Wrong logins that are answered at once; each :attr:`PAUSE` brings another."""
    PAUSE = 0.25
    """Seconds between two others."""
    MOST = 20
    """Wrong logins that wait for their answer; meanwhile no other is looked at."""

    def __init__(
        self,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        self._clock, self._sleep = clock, sleep
        self._line = asyncio.Lock()
        self._waiting = 0
        self._free, self._counted = float(self.FREE), clock()

    def check(self) -> None:
        """Refuse a login while many wrong ones wait for their answer.

        :raises ApiError: 429.
        """
        if self._waiting >= self.MOST:
            raise ApiError(429, "Too many logins were wrong: try again in a minute.")

    async def slow_down(self) -> None:
        """Wait before a wrong login is answered."""
        now = self._clock()
        earned = (now - self._counted) / self.PAUSE
        self._free, self._counted = min(self.FREE, self._free + earned), now
        if self._free >= 1:
            self._free -= 1
            return
        self._waiting += 1
        try:
            async with self._line:
                await self._sleep(self.PAUSE)
        finally:
            self._waiting -= 1
