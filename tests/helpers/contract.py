"""Which test covers which public function of a client, and proof that it does.

A test says what it covers by the marker ``covers``; while it runs, the calls that it
makes are watched without touching the client, so that no claim goes unproved.
"""

import inspect
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from types import CodeType, FrameType, FunctionType
from typing import Any, Self

import pytest

_EVENTS = sys.monitoring.events


@dataclass(frozen=True)
class Claim:
    """What a test says that it covers.

    :param function: such as ``jobs.get_all`` or ``CircuitRef.df``.
    :param arguments: those that it gives another value than the default.
    :param error: the name of the error that the function raises in the test.
    """

    function: str
    arguments: frozenset[str] = frozenset()
    error: str | None = None

    def __str__(self) -> str:
        arguments = ", ".join(sorted(self.arguments))
        outcome = f" raising {self.error}" if self.error else ""
        return f"{self.function}({arguments}){outcome}"


@dataclass
class Call:
    """A call that a test made."""

    function: str
    given: frozenset[str]
    error: str | None = None

    def proves(self, claim: Claim) -> bool:
        return (
            self.function == claim.function
            and self.given >= claim.arguments
            and self.error == claim.error
        )


def covers(
    function: str, *arguments: str, raises: str | None = None
) -> pytest.MarkDecorator:
    """Mark a test as covering a public function; may be put on it several times.

    :param function: such as ``jobs.get_all`` or ``CircuitRef.df``.
    :param arguments: those that the test gives another value than the default.
    :param raises: the name of the error that the function raises in the test.
    """
    return pytest.mark.covers(Claim(function, frozenset(arguments), raises))


def for_each(
    argument: str,
    values: Mapping[str, Any],
    words: Callable[[Any], Mapping[str, str]],
    *claims: tuple[str, ...],
    raises: str | None = None,
) -> pytest.MarkDecorator:
    """Run a test for several values, each with claims of its own.

    :param argument: of the test.
    :param values: by the names that they have in the ids of the tests.
    :param words: what stands in the claims for each value, in place of names in braces.
    :param claims: the arguments of ``covers``.
    """

    def marks(value: Any) -> list[pytest.MarkDecorator]:
        return [
            covers(*(text.format(**words(value)) for text in claim), raises=raises)
            for claim in claims
        ]

    return pytest.mark.parametrize(
        argument,
        [
            pytest.param(value, marks=marks(value), id=name)
            for name, value in values.items()
        ],
    )


def claims_of(item: pytest.Item) -> list[Claim]:
    return [mark.args[0] for mark in item.iter_markers("covers")]


@contextmanager
def proved(item: pytest.Item, watch: "Watch") -> Iterator[None]:
    """Fail a test that does not do what its markers say."""
    watch.calls.clear()
    yield
    calls = list(watch.calls)
    unproved = [
        str(claim)
        for claim in claims_of(item)
        if not any(it.proves(claim) for it in calls)
    ]
    assert not unproved, f"claimed, but not done: {unproved}; done: {calls}"


def register(config: pytest.Config) -> None:
    """Register the marker."""
    config.addinivalue_line("markers", "covers(claim): what of a client a test covers")


def arguments_of(function: FunctionType) -> list[str]:
    return [name for name in inspect.signature(function).parameters if name != "self"]


def innermost(function: Callable[..., Any]) -> FunctionType:
    unwrapped = inspect.unwrap(function)
    assert isinstance(unwrapped, FunctionType)
    return unwrapped


class Watch:
    """Notes the calls of public functions, but not those that the client itself makes.

    :param functions: by their names.
    :param is_part: tells of frames that belong to a call that comes later.
    """

    def __init__(
        self,
        functions: dict[str, FunctionType],
        is_part: Callable[[FrameType], bool],
    ) -> None:
        self.calls: list[Call] = []
        self._is_part = is_part
        self._functions = {
            function.__code__: (name, function) for name, function in functions.items()
        }

    @classmethod
    @contextmanager
    def on(
        cls,
        functions: dict[str, FunctionType],
        tool: int,
        is_part: Callable[[FrameType], bool] = lambda _frame: False,
    ) -> Iterator[Self]:
        """Watch until the context ends.

        :param tool: a number for ``sys.monitoring`` that no other watch has.
        """
        watch = cls(functions, is_part)
        monitoring = sys.monitoring
        monitoring.use_tool_id(tool, "contract")
        monitoring.register_callback(tool, _EVENTS.PY_START, watch._started)
        monitoring.register_callback(tool, _EVENTS.PY_UNWIND, watch._failed)
        monitoring.set_events(tool, _EVENTS.PY_UNWIND)
        for code in watch._functions:
            monitoring.set_local_events(tool, code, _EVENTS.PY_START)
        try:
            yield watch
        finally:
            for code in watch._functions:
                monitoring.set_local_events(tool, code, _EVENTS.NO_EVENTS)
            monitoring.set_events(tool, _EVENTS.NO_EVENTS)
            monitoring.free_tool_id(tool)

    def _started(self, code: CodeType, _offset: int) -> None:
        frame = sys._getframe(1)
        if not self._is_nested(frame):
            name, function = self._functions[code]
            self.calls.append(Call(name, _given(function, frame)))

    def _failed(self, code: CodeType, _offset: int, error: BaseException) -> None:
        if code in self._functions and not self._is_nested(sys._getframe(1)):
            self.calls[-1].error = type(error).__name__

    def _is_nested(self, frame: FrameType) -> bool:
        """Return whether the client itself calls the function of this frame."""
        if self._is_part(frame):
            return True
        caller = frame.f_back
        while caller is not None:
            if caller.f_code in self._functions:
                return True
            caller = caller.f_back
        return False


def _given(function: FunctionType, frame: FrameType) -> frozenset[str]:
    """Return the arguments that differ from their defaults.

    An empty collection counts as not given: decorators put it in place of None.
    """
    parameters = inspect.signature(function).parameters
    return frozenset(
        name
        for name in arguments_of(function)
        if (value := frame.f_locals[name]) not in ({}, [])
        and value != parameters[name].default
    )
