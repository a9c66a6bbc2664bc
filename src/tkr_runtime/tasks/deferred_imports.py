"""Modules that tasks do without are imported when something first does need them.

Clients of clouds import pandas to print tables, and scipy and sympy for what no job
uses: more than half of the time until a task begins. From Python 3.15 on, imports can
be lazy (PEP 810). Until then a finder in front of Python's own does so for the few
modules in the table of a cloud, as long as nothing but some of their names is asked
for, which their importers mention in annotations and use in the bodies of functions.
Any other name imports the module at once: a package that comes to need more is slower,
not wrong.

This is for programs, which decide what their process imports; the library leaves the
processes of others alone.
"""

import os
import sys
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from importlib import import_module
from importlib.machinery import ModuleSpec, PathFinder
from threading import Lock
from types import GenericAlias, ModuleType
from typing import Any, Union

from tkr_runtime.cloud import Cloud
from tkr_runtime.settings import defer_switch, is_on

_names: dict[str, frozenset[str]] = {}

# Where a module has them, they are set before it is asked; the import itself looks.
_OF_FILES = frozenset({"__cached__", "__file__", "__path__"})

_waiting: set[str] = set()
_lock = Lock()


def defer_imports(cloud: Cloud) -> None:
    """Defer those imports of a cloud that have not happened, unless switched off.

    :param cloud: The cloud.
    """
    if is_on(defer_switch(cloud.env_prefix)) and not _is_deferring():
        _names.update(cloud.deferred_imports)
        _waiting.update(_names.keys() - sys.modules.keys())
        sys.meta_path.insert(0, _Finder())


@contextmanager
def restarted_if_impossible(cloud: Cloud) -> Generator[None]:
    """Start this program again, with all imports, where those of the body fail.

    A later version of a package may do at its import what a deferred name cannot.

    :param cloud: The cloud whose imports were deferred.
    """
    try:
        yield
    except Exception:
        if not _is_deferring():
            raise
        os.environ[defer_switch(cloud.env_prefix)] = "0"
        os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])


def _is_deferring() -> bool:
    return any(isinstance(finder, _Finder) for finder in sys.meta_path)


def _imported(module: str) -> ModuleType:
    """Import a module for good."""
    with _lock:
        if module in _waiting:
            _waiting.remove(module)
            sys.modules.pop(module, None)
    return import_module(module)


class _Finder:
    """Finds the modules of the table, and the submodules of those that wait."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, _: ModuleType | None = None
    ) -> ModuleSpec | None:
        parent = fullname.rpartition(".")[0]
        if parent in _waiting:
            _imported(parent)
            return _present_spec(import_module(fullname))
        found = PathFinder.find_spec(fullname, path) if fullname in _waiting else None
        if found is None:
            return None
        spec = ModuleSpec(fullname, _Deferring(), origin=found.origin)  # type: ignore[arg-type]
        spec.submodule_search_locations = found.submodule_search_locations
        spec.has_location = found.has_location
        return spec


def _present_spec(module: ModuleType) -> ModuleSpec:
    """Let the import under way end with a module that is there by now.

    The import takes the spec from such a module, and would load it a second time.
    """
    spec = ModuleSpec(module.__name__, _Present(module))  # type: ignore[arg-type]
    module.__spec__ = spec
    return spec


class _Deferring:
    """Loads what stands for a module."""

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        return _DeferredModule(spec.name)

    def exec_module(self, module: ModuleType) -> None:
        pass


class _Present:
    """Loads a module that the import of its parent has brought, by doing nothing."""

    def __init__(self, module: ModuleType) -> None:
        self._module = module
        self._spec = module.__spec__

    def create_module(self, _: ModuleSpec) -> ModuleType:
        return self._module

    def exec_module(self, module: ModuleType) -> None:
        module.__spec__ = self._spec


class _DeferredModule(ModuleType):
    """Stands for a module, also with those who keep it after the import."""

    def __getattr__(self, name: str) -> Any:
        if name in _OF_FILES:
            raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")
        if self.__name__ in _waiting and name in _names[self.__name__]:
            return DeferredName(self.__name__, name)
        return getattr(_imported(self.__name__), name)


class DeferredName:
    """A class or function of a module that may not be imported yet.

    To mention it does not import the module: in an annotation, in a union, or as the
    class of which something else is no instance. To use it in any other way does.

    :param module: The name of the module.
    :param name: The name in it.
    """

    def __init__(self, module: str, name: str) -> None:
        self._module = module
        self._name = name

    def __repr__(self) -> str:
        return f"<deferred {self._module}.{self._name}>"

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Make an instance of the class, or call the function."""
        return self._resolved()(*args, **kwargs)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._resolved(), name)

    def __getitem__(self, parameters: Any) -> GenericAlias:
        return GenericAlias(self, parameters)  # type: ignore[arg-type]

    def __or__(self, other: Any) -> Any:
        return Union[self, other]  # noqa: UP007

    def __ror__(self, other: Any) -> Any:
        return Union[other, self]  # noqa: UP007

    def __mro_entries__(self, _: tuple[object, ...]) -> tuple[type]:
        return (self._resolved(),)

    def __instancecheck__(self, instance: object) -> bool:
        # Whatever made an instance of it has imported its module.
        return self._module not in _waiting and isinstance(instance, self._resolved())

    def __subclasscheck__(self, subclass: type) -> bool:
        return self._module not in _waiting and issubclass(subclass, self._resolved())

    def _resolved(self) -> Any:
        return getattr(_imported(self._module), self._name)
