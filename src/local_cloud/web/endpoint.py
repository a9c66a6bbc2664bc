"""What a route is: a method, a path and a function from a call to a reply."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel

from local_cloud.web.models import parse
from local_cloud.web.query import Query
from local_cloud.web.state import ServerState


@dataclass(frozen=True)
class Hooks:
    """What a cloud does when a test asks its server for it.

    :param issue_tokens: Returns new tokens of the first user, by their name.
    :param expire_tokens: Lets all ``access`` or ``refresh`` tokens expire.
    :param move_jobs: Moves all jobs as far as the clock and the progress rules allow.
    :param reset: Forgets all data but who the first user is.
    """

    issue_tokens: Callable[[], dict[str, str]]
    expire_tokens: Callable[[str], None]
    move_jobs: Callable[[], None]
    reset: Callable[[], None]


@dataclass(frozen=True)
class Call[S]:
    """One request.

    :param services: The rules of the cloud.
    :param state: What every server keeps.
    :param hooks: What the cloud does when a test asks its server for it.
    :param user_id: Who asks; empty on public and administrative routes.
    :param path: The variable parts of the path.
    :param query: The parameters.
    :param body: The body as it came.
    :param cookies: The cookies.
    :param host: How the client names the server, with the port.
    """

    services: S
    state: ServerState
    hooks: Hooks
    user_id: str
    path: Mapping[str, str]
    query: Query
    body: bytes
    cookies: Mapping[str, str]
    host: str = ""

    def parse[M: BaseModel](self, model: type[M]) -> M:
        """Read the body.

        :raises ApiError: 422, naming the field that is wrong.
        """
        return parse(model, self.body)


@dataclass(frozen=True)
class Reply:
    """The answer to a request.

    :param status: The HTTP status code.
    :param content: JSON values, the bytes of JSON text, the text of a page in HTML, or
        None for an empty body.
    :param cookies: Cookies to set.
    :param headers: Headers beside those that follow from the rest.
    """

    status: int = 200
    content: Any = None
    cookies: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def media_type(self) -> str | None:
        """The type of the body."""
        if self.content is None:
            return None
        return "text/html" if isinstance(self.content, str) else "application/json"

    def encode(self) -> bytes:
        """Return the body."""
        if self.content is None:
            return b""
        if isinstance(self.content, str):
            return self.content.encode()
        if isinstance(self.content, bytes):
            return self.content
        return json.dumps(self.content, separators=(",", ":")).encode()


@dataclass(frozen=True)
class Endpoint[S]:
    """One route.

    :param method: The HTTP method.
    :param path: The path, variable parts in braces.
    :param handle: What answers.
    :param access: Who may call: a logged-in user, anybody, or the holder of the
        administrator's token.
    :param body: The model of the body, for the description of the API.
    :param query: The parameters that it reads, for the same.
    :param waits: Whether it may take long, or wait for a simulator.
    """

    method: str
    path: str
    handle: Callable[[Call[S]], Reply]
    access: str = "user"
    body: type[BaseModel] | None = None
    query: tuple[str, ...] = ()
    waits: bool = False


def admin[S](
    method: str,
    path: str,
    handle: Callable[[Call[S]], Reply],
    body: type[BaseModel] | None = None,
    query: tuple[str, ...] = (),
) -> Endpoint[S]:
    """Return a route below ``/_local/``, which takes the administrator's token."""
    return Endpoint(
        method,
        f"/_local/{path}",
        handle,
        access="admin",
        body=body,
        query=query,
        waits=True,
    )
