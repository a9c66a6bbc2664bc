"""The public functions of ``lightworks.remote``, which contract tests cover."""

import inspect
from collections.abc import Iterator
from types import FunctionType
from typing import Any

from tests.helpers.contract import innermost
from tests.helpers.lightworks import client

# Of the methods with such names these alone are for users.
_SPECIAL = {"QPU": ("__call__",)}


def public_functions() -> dict[str, FunctionType]:
    """Return the functions that users call, and the methods of what they return."""
    remote = client().remote
    functions = {
        name: innermost(function)
        for name in remote.__all__
        if inspect.isfunction(function := getattr(remote, name))
    }
    return dict(sorted([*functions.items(), *_methods(remote)]))


def heading(name: str) -> str:
    """Return under which heading a function stands."""
    owner, _, _function = name.rpartition(".")
    return f"`{owner}`" if owner else "`lightworks.remote`"


def _methods(remote: Any) -> Iterator[tuple[str, FunctionType]]:
    from lightworks_remote.http import Status
    from lightworks_remote.payloads import Payload
    from lightworks_remote.remote import BatchJob, Job
    from lightworks_remote.results import QPUSamplingResult

    token = type(remote.token)
    for owner in (remote.QPU, Job, BatchJob, QPUSamplingResult, Payload, Status, token):
        special = _SPECIAL.get(owner.__name__, ())
        for name, member in vars(owner).items():
            function = member.fget if isinstance(member, property) else member
            is_public = not name.startswith("_") or name in special
            if is_public and isinstance(function, FunctionType):
                yield f"{owner.__name__}.{name}", innermost(function)
