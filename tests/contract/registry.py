"""The public functions of qnexus, which contract tests cover."""

import inspect
from collections.abc import Iterator
from types import FrameType, FunctionType, ModuleType

import qnexus
from qnexus import models
from qnexus.client import jobs, nexus_iterator
from qnexus.models import references
from qnexus.models.references import projects as project_references
from tests.helpers.contract import innermost

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


def public_functions() -> dict[str, FunctionType]:
    """Return the functions that users call, and the methods of what they return."""
    return dict(sorted([*_module_functions(), *_methods()]))


def heading(name: str) -> str:
    """Return under which heading a function stands."""
    owner, _, _function = name.rpartition(".")
    if owner[:1].isupper():
        return "References and listings"
    return f"`qnexus.{owner}`" if owner else "`qnexus`"


def is_part(frame: FrameType) -> bool:
    """Return whether a decorator of qnexus calls the function of this frame.

    Its wrapper reads the context before the function starts that it wraps.
    """
    caller = frame.f_back
    return (
        caller is not None
        and frame.f_code.co_name.startswith("get_active_")
        and "<locals>" in caller.f_code.co_qualname
        and caller.f_globals["__name__"] == qnexus.context.__name__
    )


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
                yield f"{module_name}.{name}".lstrip("."), innermost(function)


def _methods() -> Iterator[tuple[str, FunctionType]]:
    for module in _CLASS_MODULES:
        for owner in vars(module).values():
            if not inspect.isclass(owner) or owner.__module__ != module.__name__:
                continue
            for name, member in vars(owner).items():
                function = member.fget if isinstance(member, property) else member
                if _is_method(name, function, owner):
                    yield f"{owner.__name__}.{name}", innermost(function)


def _is_method(name: str, function: object, owner: type) -> bool:
    decorators = getattr(owner, "__pydantic_decorators__", None)
    return (
        isinstance(function, FunctionType)
        and function.__module__ == owner.__module__
        and not name.startswith("_")
        and not getattr(function, "__isabstractmethod__", False)
        and name not in getattr(decorators, "field_serializers", ())
    )
