"""The parameters of a request, read and checked."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Protocol

from local_cloud.errors import ApiError


class Query(Protocol):
    """The parameters of a request; a name may come several times."""

    def getlist(self, key: Any) -> list[Any]:
        """Return all values of a parameter, in their order."""

    def __iter__(self) -> Iterator[Any]:
        """Iterate over the names."""


def flag(query: Query, name: str) -> bool | None:
    """Read a parameter that is true or false; None if it is not given."""
    return last(query, name, _boolean, None)


def _boolean(text: str) -> bool:
    return {"true": True, "false": False}[text.lower()]


def check_choices(query: Query, name: str, choices: Sequence[str]) -> None:
    """Check that a parameter has only values of which there is a choice.

    :raises ApiError: 422 if it has another.
    """
    for value in query.getlist(name):
        if value not in choices:
            raise ApiError(
                422,
                f"{name} cannot be {value!r}: take one of {', '.join(choices)}.",
                field=name,
            )


def whole(query: Query, name: str, default: int, *, least: int, most: int) -> int:
    """Read a parameter that is a whole number.

    :raises ApiError: 422 if it is none, or not within the limits.
    """
    number = last(query, name, int, default)
    if not least <= number <= most:
        raise ApiError(
            422, f"{name} is {number} and must be {least} to {most}.", field=name
        )
    return number


def last[T](query: Query, name: str, read: Callable[[str], T], default: T) -> T:
    """Read the last value of a parameter.

    :param read: Turns its text into a value.
    :param default: The value if it is not given.
    :raises ApiError: 422 if the text cannot be read.
    """
    values = query.getlist(name)
    if not values:
        return default
    try:
        return read(values[-1])
    except (ValueError, KeyError, OverflowError):
        raise ApiError(422, f"{name} cannot be {values[-1]!r}.", field=name) from None
