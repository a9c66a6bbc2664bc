"""The web application: routes, access and errors."""

from __future__ import annotations

import asyncio
import contextlib
import hmac
from collections.abc import AsyncIterator, Awaitable, Callable
from http import HTTPStatus
from typing import Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.requests import Request as HttpRequest
from starlette.responses import Response
from starlette.routing import Match, Route, WebSocketRoute
from starlette.types import ASGIApp, Scope
from starlette.websockets import WebSocket, WebSocketDisconnect

from local_nexus import openapi
from local_nexus.errors import ApiError
from local_nexus.middleware import Faulty, Logged
from local_nexus.routes import ENDPOINTS, Call, Endpoint, Reply
from local_nexus.routes.auth import ID_COOKIE
from local_nexus.routes.jobs import JOBS, job_status
from local_nexus.routes.page import SESSION, session_cookie
from local_nexus.services import Services, statuses

_API = ("/api/", "/auth/")
# The largest body taken, in bytes: a circuit of 100,000 gates has about 10 MB.
MAX_BODY = 64 * 2**20
# What the log of requests notes for a client that went away while it still sent.
_CLIENT_LEFT = 499
# Seconds between two looks at a job whose progress depends on reads or time.
_LOOK = 0.05


def create_app(services: Services) -> ASGIApp:
    """Return the application over these services, which it closes at its end."""

    @contextlib.asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        await run_in_threadpool(services.execution.resume)
        yield
        await run_in_threadpool(services.close)

    app = Starlette(
        routes=[
            *(_route(endpoint, services) for endpoint in ENDPOINTS),
            Route("/openapi.json", _describe),
            WebSocketRoute(
                f"{JOBS.one}/attributes/status/ws", _follow_status(services)
            ),
        ],
        exception_handlers=dict.fromkeys((ApiError, HTTPException, Exception), _refuse),
        lifespan=lifespan,
    )
    faulty = Faulty(app, services.faults, services.users.expire)
    return Logged(faulty, services.request_log)


class _Route(Route):
    """A route that says quickly of most paths that it is not about them."""

    def __init__(self, path: str, endpoint: Callable[..., Any], method: str) -> None:
        super().__init__(path, endpoint, methods=[method])
        self._beginning = path.partition("{")[0]

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        if not scope["path"].startswith(self._beginning):
            return Match.NONE, {}
        return super().matches(scope)


def _route(endpoint: Endpoint, services: Services) -> Route:
    async def respond(request: HttpRequest) -> Response:
        try:
            body = await _body(request)
        except ClientDisconnect:
            return Response(status_code=_CLIENT_LEFT)  # nobody reads it
        if endpoint.waits:
            return await run_in_threadpool(_answer, endpoint, services, request, body)
        # Threads would only fight over the interpreter: it takes three times as long.
        return _answer(endpoint, services, request, body)

    return _Route(endpoint.path, respond, endpoint.method)


def _answer(
    endpoint: Endpoint, services: Services, request: HttpRequest, body: bytes
) -> Response:
    call = Call(
        services=services,
        user_id=_authorise(endpoint, services, request),
        path=request.path_params,
        query=request.query_params,
        body=body,
        cookies=request.cookies,
        host=request.headers.get("host", ""),
    )
    return _response(endpoint.handle(call))


def _authorise(endpoint: Endpoint, services: Services, request: HttpRequest) -> str:
    """Return who asks.

    :raises ApiError: 401 if the route is not open to them.
    """
    if endpoint.access == "user":
        return _user(services, request)
    if endpoint.access == "admin":
        given = request.headers.get("authorization", "").encode()
        expected = f"Bearer {services.settings.admin_token}".encode()
        if not hmac.compare_digest(given, expected):
            raise ApiError(401, "This route takes the administrator's token.")
    return ""


def _user(services: Services, request: HttpRequest) -> str:
    """Return who is logged in, as a client of Nexus or, only to read, as a browser."""
    session = request.cookies.get(session_cookie(services))
    if session is not None and request.method == "GET":
        return services.users.check(session, SESSION)[0]
    return services.users.check(request.cookies.get(ID_COOKIE, ""), "id")[0]


async def _describe(_request: HttpRequest) -> Response:
    return _response(Reply(200, openapi.document()))


async def _body(request: HttpRequest) -> bytes:
    parts: list[bytes] = []
    _check_size(int(request.headers.get("content-length", 0)))
    size = 0
    async for part in request.stream():
        size += len(part)
        _check_size(size)
        parts.append(part)
    return b"".join(parts)


def _check_size(size: int) -> None:
    if size > MAX_BODY:
        raise ApiError(413, f"The body is larger than {MAX_BODY} bytes.")


def _response(reply: Reply) -> Response:
    response = Response(
        reply.encode(),
        reply.status,
        media_type=reply.media_type,
        headers=dict(reply.headers),
    )
    for name, value in reply.cookies.items():
        response.set_cookie(
            name, value, path="/", secure=True, httponly=True, samesite="strict"
        )
    return response


async def _refuse(request: HttpRequest, error: Exception) -> Response:
    """Answer what failed: the one place where bodies of errors are made."""
    asked = f"{request.method} {request.url.path}"
    match error:
        case ApiError():
            reply = Reply(error.status, error.to_dict())
        case HTTPException(status_code=404) if request.url.path.startswith(_API):
            reply = Reply(
                501, {"message": f"The embedded Nexus does not have {asked}."}
            )
        case HTTPException():
            reply = Reply(error.status_code, {"message": f"{error.detail}: {asked}."})
        case _:
            reply = Reply(
                500, {"message": f"{asked} failed; the log of the server says why."}
            )
    response = _response(reply)
    if reply.status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
        # The rest of the body is not read, so nothing else can follow it.
        response.headers["connection"] = "close"
    return response


def _follow_status(services: Services) -> Callable[[WebSocket], Awaitable[None]]:
    async def follow(websocket: WebSocket) -> None:
        job_id = websocket.path_params["id"]
        try:
            user_id, _ = services.users.check(
                websocket.cookies.get(ID_COOKIE, ""), "id"
            )
            status = await run_in_threadpool(job_status, services, user_id, job_id)
        except ApiError:
            await websocket.close()
            return
        await websocket.accept()
        with (
            services.changes.follow(job_id) as changed,
            contextlib.suppress(WebSocketDisconnect),
        ):
            gone = asyncio.create_task(_disconnected(websocket))
            await websocket.send_json(status)
            while not statuses.is_final(status["status"]) and not gone.done():
                await _until(changed, gone, services.execution.is_immediate(job_id))
                before = status
                try:
                    status = await run_in_threadpool(
                        job_status, services, user_id, job_id
                    )
                except ApiError:
                    # Without a normal close the client would ask for ever for a job
                    # that was deleted.
                    break
                if status != before:
                    await websocket.send_json(status)
            gone.cancel()
            await websocket.close()

    return follow


async def _disconnected(websocket: WebSocket) -> None:
    while (await websocket.receive())["type"] != "websocket.disconnect":
        pass


async def _until(
    changed: asyncio.Event, gone: asyncio.Task[None], patient: bool
) -> None:
    """Wait for a change, for the client to go, or for the next look."""
    waiter = asyncio.create_task(changed.wait())
    await asyncio.wait(
        {waiter, gone},
        timeout=1.0 if patient else _LOOK,
        return_when=asyncio.FIRST_COMPLETED,
    )
    waiter.cancel()
    changed.clear()
