"""The public names of a package, imported when they are used."""


def exports(package: str, file: str) -> tuple[object, object, list[str]]:
    """Return the ``__getattr__``, ``__dir__`` and ``__all__`` of a package (PEP 562).

    Importing the package imports none of its modules: a name is imported when it is
    used. Type checkers and this function read each name in ``__init__.pyi``, in a line
    ``from MODULE import NAME as NAME``.

    :param package: The ``__name__`` of the package.
    :param file: Its ``__file__``.
    """
    with open(f"{file}i", encoding="utf-8") as stub:  # noqa: PTH123 (pathlib is slow)
        modules = {words[-1]: words[1] for words in map(str.split, stub) if words}

    def load(name: str) -> object:
        from importlib import import_module

        if name not in modules:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        return getattr(import_module(modules[name], package), name)

    return load, lambda: sorted(modules), sorted(modules)
