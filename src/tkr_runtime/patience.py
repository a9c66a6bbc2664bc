"""How long a person at a terminal waits until a cloud answers for the first time.

A task waits for minutes. A person wants to know soon that there is no server; once
the cloud has answered in this process, both wait equally long.

Every command imports this module, so it needs the standard library alone.
"""

import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass

CONNECT_TIMEOUT = 2.0
"""For opening the first connection while a person waits, in seconds."""

_RETRY_TIME = 1.5


@dataclass
class _State:
    person_waits: bool = False
    has_answered: bool = False


_state = _State()


@contextmanager
def interactive() -> Generator[None]:
    """Let the requests of this process say soon that there is no server."""
    _state.person_waits, _state.has_answered = True, False
    try:
        yield
    finally:
        _state.person_waits = False


def is_interactive() -> bool:
    """Return whether a person waits for the requests of this process."""
    return _state.person_waits


def note_answer(_response: object) -> None:
    """Note that the cloud has answered; an event hook of httpx."""
    _state.has_answered = True


def is_first_answer_due() -> bool:
    """Return whether a person waits, and the cloud has not answered here yet."""
    return _state.person_waits and not _state.has_answered


def is_over(began: float) -> bool:
    """Return whether a person has waited for long enough.

    :param began: When the request was first sent, in seconds of the monotonic clock.
    """
    return is_first_answer_due() and time.monotonic() - began > _RETRY_TIME
