"""Errors: of a request, with a status code, and of a server that cannot start."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


class StartError(RuntimeError):
    """A server cannot start; the message is a sentence for a person."""


class ApiError(Exception):
    """A request that cannot be served.

    :param status: The HTTP status code.
    :param message: One sentence: what was wrong, which value, what to do.
    :param field: The field of the request that is to blame, if one is.
    """

    def __init__(self, status: int, message: str, *, field: str | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.field = field

    def to_dict(self) -> dict[str, Any]:
        """Return the body of the answer."""
        body: dict[str, Any] = {"message": self.message}
        if self.field is not None:
            body["errors"] = [{"field": self.field, "reason": self.message}]
        return body


class StorageFullError(ApiError, OSError):
    """The disk has no room for what a request, or a job, wants to write."""

    def __init__(self) -> None:
        super().__init__(
            507,
            "The disk of the server is full: make room, then try again. Nothing of "
            "this request was stored.",
        )
        self.errno = errno.ENOSPC


def not_found(noun: str, key: str, *, field: str | None = None) -> ApiError:
    """Return the error for something that is not there.

    :param noun: What was asked for, such as ``circuit``.
    :param key: Its id or name.
    :param field: The field of the request that names it.
    """
    return ApiError(404, f"There is no {noun} {key!r}.", field=field)


@contextmanager
def blaming(field: str) -> Iterator[None]:
    """Let errors raised meanwhile name a field of the request, if they name none."""
    try:
        yield
    except ApiError as error:
        error.field = error.field or field
        raise
