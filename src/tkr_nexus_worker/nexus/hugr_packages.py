"""HUGR packages: read them, and check their versions before they are uploaded.

A package says which version of guppylang made it, and which versions of extensions its
operations are from. hugr has the standard extensions itself, a package contains all
others. Which versions a system of Nexus runs is not published.
"""

import logging
import pkgutil
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import hugr.std
from hugr.envelope import MAGIC_NUMBERS
from hugr.ext import Extension
from hugr.package import Package

from tkr_nexus_worker.errors import InvalidInputError

logger = logging.getLogger(__name__)

# Version 1 changed the types of measurements.
_FIRST_GUPPYLANG = "1"


def is_package(content: bytes) -> bool:
    """Return whether bytes begin as a HUGR package does.

    :param content: The bytes.
    """
    return content.startswith(MAGIC_NUMBERS)


def read_package(content: bytes) -> Package:
    """Read a HUGR package.

    :param content: Bytes that begin as one does.
    :raises InvalidInputError: If the installed hugr cannot read it.
    """
    try:
        return Package.from_bytes(content)
    # hugr raises errors of many kinds for bytes that are not a package.
    except Exception as error:
        raise InvalidInputError(
            f"A HUGR package cannot be read by hugr {_installed('hugr')} ({error}): "
            "update hugr if a newer one made the package, or make it again with a "
            "version of guppylang that fits."
        ) from error


def check_package(package: Package, what: str) -> None:
    """Refuse a package that is too new for hugr; warn of one that may not run.

    :param package: The package.
    :param what: What it is, as the beginning of a sentence.
    :raises InvalidInputError: If it uses a standard extension of a later version than
        the installed hugr has, whose operations hugr would take for others.
    """
    for name, used in _used_extensions(package):
        known = _standard_extensions().get(name)
        if known is not None and _series(used) > _series(known):
            raise InvalidInputError(
                f"{what} uses version {used} of the HUGR extension {name}, and hugr "
                f"{_installed('hugr')} has {known}: update hugr, or make the program "
                "again with a version of guppylang that fits."
            )
    doubt = version_doubt(package)
    if doubt is not None:
        logger.warning("nexus: %s: %s", what, doubt)


def version_doubt(package: Package) -> str | None:
    """Return why a package may not run, as a sentence; None if nothing is known.

    :param package: The package.
    """
    made_by = _guppylang_of(package)
    if made_by is None:
        return None
    here = _installed("guppylang") or _FIRST_GUPPYLANG
    if _series(made_by)[0] == _series(here)[0]:
        return None
    return (
        f"guppylang {made_by} made this HUGR package, and systems for guppylang "
        f"{_series(here)[0]} may refuse it; make it again with guppylang "
        f"{_series(here)[0]} unless your system is one for {made_by}."
    )


def _guppylang_of(package: Package) -> str | None:
    for metadata in _metadata(package):
        generator = metadata.get("core.generator")
        if isinstance(generator, dict) and "guppylang" in str(generator.get("name")):
            made_by = generator.get("version")
            return None if made_by is None else str(made_by)
    return None


def _used_extensions(package: Package) -> Iterator[tuple[str, str]]:
    for metadata in _metadata(package):
        used = metadata.get("core.used_extensions")
        for one in used if isinstance(used, list) else []:
            if isinstance(one, dict) and {"name", "version"} <= one.keys():
                yield str(one["name"]), str(one["version"])


def _metadata(package: Package) -> Iterator[Any]:
    for module in package.modules:
        yield module[module.module_root].metadata


@cache
def _standard_extensions() -> dict[str, str]:
    """Return the versions of the extensions that hugr itself defines."""
    names = [it.name for it in pkgutil.walk_packages(hugr.std.__path__, "hugr.std.")]
    return {
        value.name: str(value.version)
        for name in names
        for value in vars(import_module(name)).values()
        if isinstance(value, Extension)
    }


def _series(text: str) -> tuple[int, int]:
    """Return what the versions that are compatible with one have in common."""
    numbers = [int(it) if it.isdecimal() else 0 for it in text.split(".")]
    major, minor = [*numbers, 0, 0][:2]
    return (major, 0 if major else minor)


def _installed(distribution: str) -> str:
    try:
        return version(distribution)
    except PackageNotFoundError:
        return ""
