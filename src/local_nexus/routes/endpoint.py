"""What a route is: a method, a path and a function from a call to a reply."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from pydantic import BaseModel

from local_nexus import bodies
from local_nexus.jsonapi import Query, last
from local_nexus.services import Services


@dataclass(frozen=True)
class Call:
    """One request.

    :param services: the rules of the server.
    :param user_id: who asks; empty on public and administrative routes.
    :param path: the variable parts of the path.
    :param query: the parameters.
    :param body: the body as it came.
    :param cookies: the cookies.
    :param host: how the client names the server, with the port.
    """

    services: Services
    user_id: str
    path: Mapping[str, str]
    query: Query
    body: bytes
    cookies: Mapping[str, str]
    host: str = ""

    @cached_property
    def reader(self) -> str | None:
        """Whose eyes the request looks with; None for those that see all.

        :raises ApiError: 403 or 422 if the scope asked for is not theirs or no scope.
        """
        scope = last(self.query, "scope", str, "user")
        return self.services.access.reader(self.user_id, scope)

    def parse[M: BaseModel](self, model: type[M]) -> M:
        """Read the body.

        :raises ApiError: 422, naming the field that is wrong.
        """
        return bodies.parse(model, self.body)


@dataclass(frozen=True)
class Reply:
    """The answer to a request.

    :param status: the HTTP status code.
    :param content: JSON values, the text of a page in HTML, or None for an empty body.
    :param cookies: cookies to set.
    :param headers: headers beside those that follow from the rest.
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
        return json.dumps(self.content, separators=(",", ":")).encode()


@dataclass(frozen=True)
class Endpoint:
    """One route.

    :param method: the HTTP method.
    :param path: the path, variable parts in braces.
    :param handle: what answers.
    :param access: who may call: a logged-in user, anybody, or the holder of the
        administrator's token.
    :param body: the model of the body, for the description of the API.
    :param query: the parameters that it reads, for the same.
    :param waits: whether it may take long, or wait for a simulator.
    """

    method: str
    path: str
    handle: Callable[[Call], Reply]
    access: str = "user"
    body: type[BaseModel] | None = None
    query: tuple[str, ...] = ()
    waits: bool = False
