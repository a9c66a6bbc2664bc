"""The web application: routes, access and errors."""

import asyncio
import contextlib
import functools
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
from starlette.types import ASGIApp, Receive, Scope, Send

from local_cloud.admin import routes as admin_routes
from local_cloud.cloud import Cloud
from local_cloud.errors import ApiError
from local_cloud.faults.middleware import Faulty
from local_cloud.web import bodies, openapi
from local_cloud.web.application import Application
from local_cloud.web.endpoint import Call, Endpoint, Reply
from local_cloud.web.guard import Guarded, WrongLogins, host_name
from local_cloud.web.middleware import Logged, is_outside
from local_cloud.web.state import ServerState

# Large bodies that are read at once: each takes its size several times in memory.
_LARGE_AT_ONCE = 2
# What the log of requests notes for a client that went away while it still sent.
_CLIENT_LEFT = 499
# Answers after which the connection ends.
_LAST = {HTTPStatus.REQUEST_ENTITY_TOO_LARGE, HTTPStatus.INSUFFICIENT_STORAGE}


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
    make = _Routes(application, state)
    app = Starlette(
        routes=[
            *(make.route(endpoint) for endpoint in endpoints),
            Route("/openapi.json", lambda _request: _response(Reply(200, described))),
            *(
                WebSocketRoute(path, handle)
                for path, handle in application.websockets.items()
            ),
        ],
        exception_handlers=dict.fromkeys((ApiError, HTTPException, Exception), refuse),
        lifespan=lifespan,
    )
    answering = _ignoring_case(app) if application.ignores_case else app
    faulty = Faulty(answering, state.faults, application.hooks.expire_tokens)
    return Logged(Guarded(faulty, state.names), state.request_log)


def _ignoring_case(app: ASGIApp) -> ASGIApp:
    """Return an application that gets paths in small letters."""

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        if not is_outside(scope):
            scope = {**scope, "path": scope["path"].lower()}
        await app(scope, receive, send)

    return answer


class _Route(Route):
    """A route that says quickly of most paths that it is not about them."""

    def __init__(self, path: str, endpoint: Callable[..., Any], method: str) -> None:
        super().__init__(path, endpoint, methods=[method])
        self._beginning = path.partition("{")[0]

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        if not scope["path"].startswith(self._beginning):
            return Match.NONE, {}
        return super().matches(scope)


class _Routes:
    """Makes routes of endpoints.

    :param application: Whose endpoints they are.
    :param state: Of the server.
    """

    def __init__(self, application: Application, state: ServerState) -> None:
        self._application = application
        self._state = state
        self._wrong_logins = WrongLogins()
        self._large = asyncio.Semaphore(_LARGE_AT_ONCE)

    def route(self, endpoint: Endpoint[Any]) -> Route:
        """Return the route of an endpoint."""
        may_guess = endpoint.access == "public" and endpoint.method != "GET"

        async def respond(request: HttpRequest) -> Response:
            try:
                return await self._respond(endpoint, request)
            except ApiError as error:
                if may_guess and error.status == HTTPStatus.UNAUTHORIZED:
                    await self._wrong_logins.slow_down()
                raise

        return _Route(endpoint.path, respond, endpoint.method)

    async def _respond(self, endpoint: Endpoint[Any], request: HttpRequest) -> Response:
        user_id = _authorise(endpoint, self._application, self._state, request)
        is_public = endpoint.access == "public"
        if endpoint.body is not None and endpoint.access != "admin":
            bodies.check_type(request)
        try:
            body = await bodies.receive(request, bodies.limit_of(endpoint.access))
        except ClientDisconnect:
            return Response(status_code=_CLIENT_LEFT)  # nobody reads it
        if is_public and body:
            self._wrong_logins.check()
        answer = functools.partial(self._answer, endpoint, request, user_id, body)
        if len(body) > bodies.LARGE:
            async with self._large:
                return await run_in_threadpool(answer)
        if endpoint.waits or (is_public and body):
            return await run_in_threadpool(answer)
        # Threads would only fight over the interpreter: it takes three times as long.
        return answer()

    def _answer(
        self,
        endpoint: Endpoint[Any],
        request: HttpRequest,
        user_id: str,
        body: bytes,
    ) -> Response:
        call = Call(
            services=self._application.services,
            state=self._state,
            hooks=self._application.hooks,
            user_id=user_id,
            path=request.path_params,
            query=request.query_params,
            body=body,
            cookies=request.cookies,
            host=_host(request),
        )
        return _response(endpoint.handle(call))


def _host(request: HttpRequest) -> str:
    """Return how the client names the server, with the port that it listens on."""
    return f"{host_name(request.headers['host'])}:{request.scope['server'][1]}"


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
        if reply.status in _LAST or bodies.is_large(request):
            # The rest of the body is not read, so nothing else can follow it.
            response.headers["connection"] = "close"
        return response

    def _is_api(self, request: HttpRequest) -> bool:
        return bool(self._api) and request.url.path.startswith(self._api)
