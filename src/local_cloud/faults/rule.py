"""What may go wrong on demand: rules that say which requests fail, when and how."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from fnmatch import fnmatchcase
from typing import Any, ClassVar, Literal

Action = Literal["answer", "drop", "delay", "hang", "malformed", "expire", "close"]

_TEN_YEARS = 10 * 365 * 86_400

# What each action needs, and what else it takes.
_PARAMETERS: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "answer": (
        ("status",),
        ("when", "body", "headers", "retry_after", "retry_after_form"),
    ),
    "drop": ((), ("when",)),
    "delay": (("seconds",), ("when",)),
    "hang": ((), ("seconds", "when")),
    "malformed": (("shape",), ("status",)),
    "expire": (("token",), ()),
    "close": ((), ("code", "when")),
}
_SELECTORS = (
    *("method", "path", "skip", "times"),
    *("start", "duration", "probability", "seed"),
)
_RANGES: Mapping[str, tuple[int, int]] = {
    "skip": (0, 2**31),
    "times": (1, 2**31),
    "start": (0, _TEN_YEARS),
    "duration": (0, _TEN_YEARS),
    "probability": (0, 1),
    "status": (200, 599),
    "retry_after": (0, _TEN_YEARS),
    "seconds": (0, _TEN_YEARS),
    "code": (1000, 4999),
}
# Codes that RFC 6455, section 7.4, does not let a close frame carry.
_UNSENDABLE = {1004, 1005, 1006, *range(1015, 3000)}
# RFC 9110, sections 5.1 and 5.5; a value may not begin or end with a space.
_HEADER_NAME = re.compile(r"[-!#$%&'*+.^_`|~0-9A-Za-z]+")
_HEADER_VALUE = re.compile(r"[!-~]([ -~]*[!-~])?")
# The server itself says how long a body is and when a connection ends.
_FRAMING = {"content-length", "transfer-encoding", "connection", "upgrade"}


@dataclass(frozen=True)
class Fault:
    """A rule that makes requests fail.

    Requests are chosen by ``method`` and ``path``, and counted from ``start`` on for
    ``duration`` seconds. Of those, the first ``skip`` pass untouched, and the others
    are hit with ``probability``, until ``times`` were hit. Routes below ``/_local/``
    are never hit.

    :param action: What happens to a request that is hit:

        - ``answer``: it is answered with ``status``;
        - ``drop``: the connection ends without an answer;
        - ``delay``: it is answered ``seconds`` later;
        - ``hang``: it is not answered before the fault is removed or, if given,
          ``seconds`` have passed;
        - ``malformed``: the body of the answer, or of every message of a websocket, is
          spoilt; the work is done;
        - ``expire``: all tokens of the kind ``token`` issued so far expire before the
          request is looked at;
        - ``close``: a websocket is closed with ``code``.
    :param method: A pattern for the HTTP method; a websocket has ``WEBSOCKET``.
    :param path: A pattern for the path, in which ``*`` stands for any text, ``/``
        included.
    :param skip: How many requests pass first.
    :param times: How many requests are hit; all by default.
    :param start: When the rule begins, in seconds of the server's clock after it was
        added.
    :param duration: For how long it holds, in the same seconds; for ever by default.
    :param probability: That a request is hit, 0 to 1.
    :param seed: Of the random numbers behind ``probability``.
    :param when: ``before`` the work of the request is done, or ``after``. Of a
        websocket, the work is the first message: ``before`` is the handshake, and for
        ``close`` the moment just after it. It cannot be refused by ``answer`` later.
    :param status: The status code; of a malformed answer its own by default.
    :param body: JSON values, or text that is sent as it is; by default a ``message``.
    :param headers: Further headers.
    :param retry_after: Seconds that the header ``Retry-After`` asks to wait.
    :param retry_after_form: Its form, a number of ``seconds`` or a ``date``.
    :param seconds: How long to wait, in seconds of the server's clock.
    :param shape: Of a malformed body: ``truncated`` in the middle, an ``html`` page, or
        JSON with ``detail`` in place of ``message``.
    :param token: ``access`` or ``refresh``.
    :param code: Of the close frame, normal (1000) by default.
    :raises ValueError: If a value is out of range, missing or not for this action.
    """

    # Bodies of requests and files are checked strictly against these fields.
    __pydantic_config__: ClassVar[Mapping[str, Any]] = {
        "extra": "forbid",
        "strict": True,
    }

    action: Action
    method: str = "*"
    path: str = "*"
    skip: int = 0
    times: int | None = None
    start: float = 0.0
    duration: float | None = None
    probability: float = 1.0
    seed: int = 0
    when: Literal["before", "after"] = "before"
    status: int | None = None
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    retry_after: int | None = None
    retry_after_form: Literal["seconds", "date"] = "seconds"
    seconds: float | None = None
    shape: Literal["truncated", "html", "detail"] | None = None
    token: Literal["access", "refresh"] | None = None
    code: int | None = None

    def __post_init__(self) -> None:
        if self.action not in _PARAMETERS:
            actions = ", ".join(_PARAMETERS)
            raise ValueError(
                f"there is no fault {self.action!r}; take one of {actions}"
            )
        self._check_parameters()
        for name, (low, high) in _RANGES.items():
            value = getattr(self, name)
            if value is not None and not low <= value <= high:
                raise ValueError(
                    f"{name} of a fault is {low} to {high}, and not {value}"
                )
        if self.code in _UNSENDABLE:
            raise ValueError(f"code {self.code} cannot be sent in a close frame")
        for name, text in self.headers.items():
            _check_header(name, text)

    def matches(self, method: str, path: str) -> bool:
        """Return whether the rule is about such requests."""
        return (
            fnmatchcase(method, self.method.upper())
            and fnmatchcase(path, self.path)
            and (self.action != "close" or method == "WEBSOCKET")
        )

    def to_dict(self) -> dict[str, Any]:
        """Return what differs from the defaults, as JSON values."""
        return {name: getattr(self, name) for name in ("action", *self._given())}

    def _check_parameters(self) -> None:
        required, optional = _PARAMETERS[self.action]
        given = [name for name in self._given() if name not in _SELECTORS]
        for name in given:
            if name not in required + optional:
                raise ValueError(f"a fault {self.action!r} takes no {name}")
        for name in required:
            if name not in given:
                raise ValueError(f"a fault {self.action!r} needs {name}")

    def _given(self) -> list[str]:
        blank: Mapping[str, Any] = {"headers": {}}
        return [
            it.name
            for it in fields(self)[1:]
            if getattr(self, it.name) != blank.get(it.name, it.default)
        ]


@dataclass(frozen=True)
class ActiveFault:
    """A fault in force.

    :param id: Its id.
    :param fault: The rule.
    :param seen: How many requests it was about.
    :param fired: How many of them it hit.
    """

    id: str
    fault: Fault
    seen: int
    fired: int


def _check_header(name: str, text: str) -> None:
    if not _HEADER_NAME.fullmatch(name) or not _HEADER_VALUE.fullmatch(text):
        raise ValueError(
            f"{name!r}: {text!r} is not a header of plain ASCII characters"
        )
    if name.lower() in _FRAMING:
        raise ValueError(f"the header {name!r} is the server's own")
