"""The description of what a cloud answers, from which its application is made."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from starlette.requests import Request as HttpRequest
from starlette.websockets import WebSocket

from local_cloud.web.endpoint import Endpoint, Hooks


@dataclass(frozen=True)
class Application:
    """What a cloud answers.

    :param services: What its endpoints get as :attr:`Call.services`.
    :param endpoints: Its routes, tried in this order before those of all clouds.
    :param authenticate: Returns the id of the user who sent a request, and raises an
        :class:`ApiError` if nobody is logged in.
    :param hooks: What it does when a test asks its server for it.
    :param start: Called when the server begins to answer.
    :param close: Called when it has ended.
    :param websockets: Path to what answers there.
    :param api: What the paths of its API begin with: one that is unknown there is
        answered with 501, as it may exist in the cloud.
    :param ignores_case: Whether paths may be written in capitals and small letters.
    :param security: The OpenAPI security scheme of its users.
    """

    services: Any
    endpoints: Sequence[Endpoint[Any]]
    authenticate: Callable[[HttpRequest], str]
    hooks: Hooks
    start: Callable[[], None]
    close: Callable[[], None]
    websockets: Mapping[str, Callable[[WebSocket], Awaitable[None]]] = field(
        default_factory=dict
    )
    api: tuple[str, ...] = ()
    ignores_case: bool = False
    security: Mapping[str, str] = field(default_factory=dict)
