"""Which test covers which public function of qnexus, and proof that it does.

A test says what it covers by the marker ``covers``; while it runs, the calls that it
makes are watched without touching qnexus, so that no claim goes unproved.
"""

import inspect
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from types import CodeType, FrameType, FunctionType, ModuleType
from typing import Any, Self

import pytest
import qnexus
from qnexus import models
from qnexus.client import jobs, nexus_iterator
from qnexus.models import references
from qnexus.models.references import projects as project_references

# Modules whose classes have methods that read from the server or show what was read.
_CLASS_MODULES = (
    jobs,
    models,
    nexus_iterator,
    project_references,
    references,
)
# Decorators that qnexus puts on its own functions: every call goes through them.
_DECORATORS = "merge_"

_TOOL = 4
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


def public_functions() -> dict[str, FunctionType]:
    """Return the functions that users call, and the methods of what they return."""
    return dict(sorted([*_module_functions(), *_methods()]))


def arguments_of(function: FunctionType) -> list[str]:
    return [name for name in inspect.signature(function).parameters if name != "self"]


def _module_functions() -> Iterator[tuple[str, FunctionType]]:
    for module_name in (*qnexus.__all__, ""):
        module = getattr(qnexus, module_name) if module_name else qnexus
        if not isinstance(module, ModuleType) or module is models:
            continue
        for name, function in inspect.getmembers(module, inspect.isfunction):
            # What another module defines has its row there, if it is public there.
            home = function.__module__
            submitting = module is qnexus and home.rpartition(".")[2].startswith("_")
            if home != module.__name__ and not submitting:
                continue
            if not name.startswith(("_", _DECORATORS)):
                yield f"{module_name}.{name}".lstrip("."), _innermost(function)


def _methods() -> Iterator[tuple[str, FunctionType]]:
    for module in _CLASS_MODULES:
        for owner in vars(module).values():
            if not inspect.isclass(owner) or owner.__module__ != module.__name__:
                continue
            for name, member in vars(owner).items():
                function = member.fget if isinstance(member, property) else member
                if _is_method(name, function, owner):
                    yield f"{owner.__name__}.{name}", _innermost(function)


def _is_method(name: str, function: object, owner: type) -> bool:
    decorators = getattr(owner, "__pydantic_decorators__", None)
    return (
        isinstance(function, FunctionType)
        and function.__module__ == owner.__module__
        and not name.startswith("_")
        and not getattr(function, "__isabstractmethod__", False)
        and name not in getattr(decorators, "field_serializers", ())
    )


def _innermost(function: Callable[..., Any]) -> FunctionType:
    unwrapped = inspect.unwrap(function)
    assert isinstance(unwrapped, FunctionType)
    return unwrapped


class Watch:
    """Notes the calls of public functions, but not those that qnexus itself makes."""

    def __init__(self, functions: dict[str, FunctionType]) -> None:
        self.calls: list[Call] = []
        self._functions = {
            function.__code__: (name, function) for name, function in functions.items()
        }

    @classmethod
    @contextmanager
    def on(cls, functions: dict[str, FunctionType]) -> Iterator[Self]:
        watch = cls(functions)
        monitoring = sys.monitoring
        monitoring.use_tool_id(_TOOL, "contract")
        monitoring.register_callback(_TOOL, _EVENTS.PY_START, watch._started)
        monitoring.register_callback(_TOOL, _EVENTS.PY_UNWIND, watch._failed)
        monitoring.set_events(_TOOL, _EVENTS.PY_UNWIND)
        for code in watch._functions:
            monitoring.set_local_events(_TOOL, code, _EVENTS.PY_START)
        try:
            yield watch
        finally:
            for code in watch._functions:
                monitoring.set_local_events(_TOOL, code, _EVENTS.NO_EVENTS)
            monitoring.set_events(_TOOL, _EVENTS.NO_EVENTS)
            monitoring.free_tool_id(_TOOL)

    def _started(self, code: CodeType, _offset: int) -> None:
        frame = sys._getframe(1)
        if not self._is_nested(frame):
            name, function = self._functions[code]
            self.calls.append(Call(name, _given(function, frame)))

    def _failed(self, code: CodeType, _offset: int, error: BaseException) -> None:
        if code in self._functions and not self._is_nested(sys._getframe(1)):
            self.calls[-1].error = type(error).__name__

    def _is_nested(self, frame: FrameType) -> bool:
        """Return whether qnexus itself calls the function of this frame."""
        caller = frame.f_back
        if _is_decorators(caller) and frame.f_code.co_name.startswith("get_active_"):
            # The wrapper of a decorator reads the context before its function starts.
            return True
        while caller is not None:
            if caller.f_code in self._functions:
                return True
            caller = caller.f_back
        return False


def _is_decorators(frame: FrameType | None) -> bool:
    return (
        frame is not None
        and "<locals>" in frame.f_code.co_qualname
        and frame.f_globals["__name__"] == qnexus.context.__name__
    )


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
