"""The web application: routes, access and errors."""

import contextlib
import hmac
from collections.abc import AsyncIterator, Callable
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

from local_cloud.admin import routes as admin_routes
from local_cloud.cloud import Cloud
from local_cloud.errors import ApiError
from local_cloud.faults.middleware import Faulty
from local_cloud.web import openapi
from local_cloud.web.application import Application
from local_cloud.web.endpoint import Call, Endpoint, Reply
from local_cloud.web.middleware import Logged
from local_cloud.web.state import ServerState

# The largest body taken, in bytes: a circuit of 100,000 gates has about 10 MB.
MAX_BODY = 64 * 2**20
# What the log of requests notes for a client that went away while it still sent.
_CLIENT_LEFT = 499


def create_app(cloud: Cloud, application: Application, state: ServerState) -> ASGIApp:
    """Return the ASGI application, which closes what it is made of at its end."""

    @contextlib.asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        await run_in_threadpool(application.start)
        yield
        await run_in_threadpool(application.close)

    endpoints = [*application.endpoints, *admin_routes.ENDPOINTS]
    described = openapi.document(cloud, endpoints, application.security)
    refuse = _Refusal(cloud.title, application.api)
    app = Starlette(
        routes=[
            *(_route(endpoint, application, state) for endpoint in endpoints),
            Route("/openapi.json", lambda _request: _response(Reply(200, described))),
            *(
                WebSocketRoute(path, handle)
                for path, handle in application.websockets.items()
            ),
        ],
        exception_handlers=dict.fromkeys((ApiError, HTTPException, Exception), refuse),
        lifespan=lifespan,
    )
    faulty = Faulty(app, state.faults, application.hooks.expire_tokens)
    return Logged(faulty, state.request_log)


class _Route(Route):
    """A route that says quickly of most paths that it is not about them."""

    def __init__(self, path: str, endpoint: Callable[..., Any], method: str) -> None:
        super().__init__(path, endpoint, methods=[method])
        self._beginning = path.partition("{")[0]

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        if not scope["path"].startswith(self._beginning):
            return Match.NONE, {}
        return super().matches(scope)


def _route(
    endpoint: Endpoint[Any], application: Application, state: ServerState
) -> Route:
    def answer(request: HttpRequest, body: bytes) -> Response:
        call = Call(
            services=application.services,
            state=state,
            hooks=application.hooks,
            user_id=_authorise(endpoint, application, state, request),
            path=request.path_params,
            query=request.query_params,
            body=body,
            cookies=request.cookies,
            host=request.headers.get("host", ""),
        )
        return _response(endpoint.handle(call))

    async def respond(request: HttpRequest) -> Response:
        try:
            body = await _body(request)
        except ClientDisconnect:
            return Response(status_code=_CLIENT_LEFT)  # nobody reads it
        if endpoint.waits:
            return await run_in_threadpool(answer, request, body)
        # Threads would only fight over the interpreter: it takes three times as long.
        return answer(request, body)

    return _Route(endpoint.path, respond, endpoint.method)


def _authorise(
    endpoint: Endpoint[Any],
    application: Application,
    state: ServerState,
    request: HttpRequest,
) -> str:
    """Return who asks.

    :raises ApiError: 401 if the route is not open to them.
    """
    if endpoint.access == "user":
        return application.authenticate(request)
    if endpoint.access == "admin":
        given = request.headers.get("authorization", "").encode()
        expected = f"Bearer {state.instance.admin_token}".encode()
        if not hmac.compare_digest(given, expected):
            raise ApiError(401, "This route takes the administrator's token.")
    return ""


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


class _Refusal:
    """Answers what failed: the one place where bodies of errors are made.

    :param title: What the server is called.
    :param api: What the paths of the API begin with.
    """

    def __init__(self, title: str, api: tuple[str, ...]) -> None:
        self._title = title
        self._api = api

    async def __call__(self, request: HttpRequest, error: Exception) -> Response:
        asked = f"{request.method} {request.url.path}"
        match error:
            case ApiError():
                reply = Reply(error.status, error.to_dict())
            case HTTPException(status_code=404) if self._is_api(request):
                reply = Reply(
                    501, {"message": f"The {self._title} does not have {asked}."}
                )
            case HTTPException():
                message = f"{error.detail}: {asked}."
                reply = Reply(error.status_code, {"message": message})
            case _:
                reply = Reply(
                    500, {"message": f"{asked} failed; the log of the server says why."}
                )
        response = _response(reply)
        if reply.status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
            # The rest of the body is not read, so nothing else can follow it.
            response.headers["connection"] = "close"
        return response

    def _is_api(self, request: HttpRequest) -> bool:
        return bool(self._api) and request.url.path.startswith(self._api)
