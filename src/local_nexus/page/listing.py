"""Programs that are not drawn, as text: functions of HUGR, LLVM assembly of QIR.

Bitcode and packages are read in a process of their own, which is as isolated as that of
a simulator: a damaged one may crash it, or worse.
"""

import subprocess
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from local_cloud.pool.child import environment
from local_cloud.pool.isolation import isolate
from local_cloud.pool.worker import limit_memory

_SECONDS = 20.0
_MOST_BYTES = 5_000_000
_MOST_CHARACTERS = 100_000
_MOST_MEMORY = 2 * 1024**3
_BITCODE = (b"BC", b"\xde\xc0\x17\x0b")
# What holds other operations together, and is no step of the program itself.
_STRUCTURE = frozenset(
    {"Case", "CFG", "Const", "DataflowBlock", "DFG", "ExitBlock", "FuncDefn", "Input"}
    | {"LoadConst", "LoadFunc", "MakeTuple", "Output", "Tag", "UnpackTuple"}
)


class ListingError(Exception):
    """A program cannot be shown; the text says why."""


def list_program(kind: str, contents: bytes, private: Iterable[Path] = ()) -> str:
    """Return a program as text for a person.

    :param kind: ``hugr`` or ``qir``.
    :param contents: The program as it was uploaded.
    :param private: Files and folders that no program may read.
    :returns: The text; the rest of a long one is left out.
    :raises ListingError: If it cannot be read.
    """
    if len(contents) > _MOST_BYTES:
        raise ListingError(
            f"The program has {len(contents) / 1e6:.0f} MB; programs of more than "
            f"{_MOST_BYTES / 1e6:.0f} MB are not shown."
        )
    if kind == "qir" and not contents.startswith(_BITCODE):
        return _cut(contents.decode(errors="replace"))
    command = [sys.executable, "-m", __name__, kind]
    try:
        with TemporaryDirectory(prefix="local-nexus-listing-") as folder:
            found = subprocess.run(
                [*command, folder, *map(str, private)],
                input=contents,
                capture_output=True,
                timeout=_SECONDS,
                env=environment(),
            )
    except subprocess.TimeoutExpired as error:
        raise ListingError(
            f"The program could not be read in {_SECONDS:.0f} seconds."
        ) from error
    if found.returncode:
        raise ListingError(f"The {kind.upper()} program cannot be read.")
    return found.stdout.decode(errors="replace")


def _main() -> None:
    """Read a program from standard input, and print its text."""
    kind, folder, *private = sys.argv[1:]
    limit_memory(_MOST_MEMORY)
    isolate(Path(folder), "local_nexus", [], map(Path, private))
    contents = sys.stdin.buffer.read()
    text = _assembly(contents) if kind == "qir" else _functions(contents)
    sys.stdout.buffer.write(_cut(text).encode())


def _cut(text: str) -> str:
    if len(text) <= _MOST_CHARACTERS:
        return text
    return f"{text[:_MOST_CHARACTERS]}\n… ({len(text)} characters in all)"


def _assembly(bitcode: bytes) -> str:
    try:
        import llvmlite.binding as llvm  # type: ignore[import-untyped]
    except ImportError:
        return "Bitcode of LLVM; the extra selene shows it as text."
    return str(llvm.parse_bitcode(bitcode))


def _functions(package: bytes) -> str:
    from hugr.package import Package

    sections = []
    for module in Package.from_bytes(package).modules:
        for node in module.children(module.module_root):
            operation: Any = module[node].op
            if hasattr(operation, "f_name"):
                sections.append("\n".join(_function(module, node, operation)))
    return "\n\n".join(sections)


def _function(module: Any, node: Any, operation: Any) -> Iterator[str]:
    """Describe a function by its signature and how often it has each operation."""
    body = operation.signature.body
    inputs, outputs = (", ".join(map(str, row)) for row in (body.input, body.output))
    yield f"{operation.f_name}({inputs}) -> ({outputs})"
    names = [_name(module, it) for it in module.descendants(node) if it != node]
    for name, count in Counter(filter(None, names)).most_common():
        yield f"{count:6} {name}"


def _name(module: Any, node: Any) -> str:
    operation = module[node].op
    kind = type(operation).__name__
    if kind == "Call":
        # The function comes after the arguments.
        sources = (it for _, ports in module.incoming_links(node) for it in ports)
        called = [getattr(module[it.node].op, "f_name", "") for it in sources]
        return f"call of {next(filter(None, called), 'a function')}"
    return "" if kind in _STRUCTURE else str(operation.name())


if __name__ == "__main__":
    _main()
