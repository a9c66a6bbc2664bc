"""Import modules that most tasks do not use only when something first uses them.

Clients of clouds import pandas to print tables, and scipy and sympy for functions that
no job calls: more than half of the time until a task begins. Python 3.15 has lazy
imports (PEP 810). For earlier versions, a finder that runs before Python's own defers
the few modules that a cloud lists, as long as only certain of their names are used.
Other packages mention those in annotations and in the bodies of functions. Any other
name imports the module at once, so a package that starts to need more is slower, not
broken.

Only programs defer imports, because they decide what their process imports. Importing
this library does not change the imports of other code.
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
from tkr_runtime.settings.switches import defer_switch, is_on

_names: dict[str, frozenset[str]] = {}

# A module has them from the start, if at all; the import system asks for them.
_FILE_ATTRIBUTES = frozenset({"__cached__", "__file__", "__path__"})

# What ``typing`` asks each argument of a generic type for; no class has them.
_TYPE_VARIABLES = ("__typing_", "__parameters__")

_deferred: set[str] = set()
_lock = Lock()


def defer_imports(cloud: Cloud) -> None:
    """Defer the imports that a cloud lists, unless that is switched off.

    :param cloud: The cloud.
    """
    if is_on(defer_switch(cloud.env_prefix)) and not _is_deferring():
        _names.update(cloud.deferred_imports)
        _deferred.update(_names.keys() - sys.modules.keys())
        sys.meta_path.insert(0, _Finder())


@contextmanager
def restart_without_deferring(cloud: Cloud) -> Generator[None]:
    """Start this program again with all imports if those of the body fail.

    A later version of a package may use a name in a way that cannot be deferred.

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


def _import_now(module: str) -> ModuleType:
    """Import a module that may have been deferred."""
    with _lock:
        if module in _deferred:
            _deferred.remove(module)
            sys.modules.pop(module, None)
    return import_module(module)


class _Finder:
    """Finds the deferred modules, and their submodules."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, _: ModuleType | None = None
    ) -> ModuleSpec | None:
        parent = fullname.rpartition(".")[0]
        if parent in _deferred and fullname not in _deferred:
            _import_now(parent)
            return _spec_of_imported(import_module(fullname))
        found = PathFinder.find_spec(fullname, path) if fullname in _deferred else None
        if found is None:
            return None
        spec = ModuleSpec(fullname, _PlaceholderLoader(), origin=found.origin)  # type: ignore[arg-type]
        spec.submodule_search_locations = found.submodule_search_locations
        spec.has_location = found.has_location
        return spec


def _spec_of_imported(module: ModuleType) -> ModuleSpec:
    """Return a spec that lets the current import end with a module that now exists.

    The import system would otherwise load the module a second time.
    """
    spec = ModuleSpec(module.__name__, _AlreadyImported(module))  # type: ignore[arg-type]
    module.__spec__ = spec
    return spec


class _PlaceholderLoader:
    """Loads a placeholder for a module."""

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        return _DeferredModule(spec.name)

    def exec_module(self, module: ModuleType) -> None:
        pass


class _AlreadyImported:
    """Loads a module that the import of its parent has loaded, by doing nothing."""

    def __init__(self, module: ModuleType) -> None:
        self._module = module
        self._spec = module.__spec__

    def create_module(self, _: ModuleSpec) -> ModuleType:
        return self._module

    def exec_module(self, module: ModuleType) -> None:
        module.__spec__ = self._spec


class _DeferredModule(ModuleType):
    """A placeholder for a module, which others may keep after the import."""

    def __getattr__(self, name: str) -> Any:
        if name in _FILE_ATTRIBUTES:
            raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")
        if self.__name__ in _deferred and name in _names[self.__name__]:
            return DeferredName(self.__name__, name)
        return getattr(_import_now(self.__name__), name)


class DeferredName:
    """A class or function of a module that may not be imported yet.

    Using it in an annotation, in a union, or in a check for an instance that is not one
    of it does not import the module. Any other use does.

    :param module: The name of the module.
    :param name: The name in it.
    """

    def __init__(self, module: str, name: str) -> None:
        self._module = module
        self._name = name
        # Descriptions of a task name its types without using them.
        self.__module__ = module
        self.__name__ = self.__qualname__ = name

    def __repr__(self) -> str:
        return f"<deferred {self._module}.{self._name}>"

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Make an instance of the class, or call the function."""
        return self._resolved()(*args, **kwargs)

    def __getattr__(self, name: str) -> Any:
        if name.startswith(_TYPE_VARIABLES):
            raise AttributeError(f"{self!r} is not a type variable")
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
        # An instance can only exist if its module was imported.
        return self._module not in _deferred and isinstance(instance, self._resolved())

    def __subclasscheck__(self, subclass: type) -> bool:
        return self._module not in _deferred and issubclass(subclass, self._resolved())

    def _resolved(self) -> Any:
        return getattr(_import_now(self._module), self._name)
