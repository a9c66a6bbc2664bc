"""Which version of guppylang made a HUGR package, and whether Selene runs it."""

from importlib.metadata import PackageNotFoundError, version

from hugr.package import Package

# Version 1 changed the types of measurements; Selene reads no older packages since.
_FIRST = 1


def guppy_version(package: Package) -> str | None:
    """Return the version of guppylang that made a package; None if it does not say."""
    for module in package.modules:
        generator = module[module.module_root].metadata.get("core.generator")
        if isinstance(generator, dict) and "guppylang" in generator.get("name", ""):
            return str(generator["version"])
    return None


def version_problem(package: Package) -> str | None:
    """Return why the installed simulator cannot run a package, and what helps.

    :returns: None if nothing is known against it.
    """
    made_by = guppy_version(package)
    if made_by is None or _major(made_by) >= _FIRST:
        return None
    return (
        f"guppylang {made_by} made the HUGR package, and the installed simulator runs "
        f"those of guppylang {_installed()}. Compile the program again after pip "
        f"install 'guppylang~={_installed()}', or run it with the emulator of its own "
        f"version: uv run --no-project --with guppylang=={made_by} python FILE."
    )


def _major(text: str) -> int:
    first = text.split(".", maxsplit=1)[0]
    return int(first) if first.isdecimal() else _FIRST


def _installed() -> str:
    try:
        found = version("guppylang")
    except PackageNotFoundError:
        found = ""
    return found if found and _major(found) >= _FIRST else f"{_FIRST}.2"
