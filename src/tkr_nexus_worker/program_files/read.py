"""Programs in files: OpenQASM 2 and 3, pytket JSON, Guppy, HUGR and QIR."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from hugr.package import Package
from pytket.circuit import Circuit

from tkr_nexus_worker.errors import InvalidInputError
from tkr_nexus_worker.nexus.checks import check_qir
from tkr_nexus_worker.nexus.hugr_packages import is_package, read_package
from tkr_runtime.code_files import Reason, file_problem, run_code_file
from tkr_runtime.files import read_file

GUPPY_SECONDS = 300.0
"""How long a Guppy file may take to compile."""

_KINDS = (
    ".qasm (OpenQASM 2 or 3), .json (pytket), .py (Guppy), .hugr, or .ll or .bc (QIR)"
)
_COMPILER = "tkr_nexus_worker.program_files.guppy"


@dataclass(frozen=True)
class ProgramFile:
    """A program that was read from a file.

    :param path: The file.
    :param program: A circuit, a HUGR package, or the bytes of QIR.
    """

    path: Path
    program: Circuit | Package | bytes


def read_programs(paths: Sequence[Path | str | ProgramFile]) -> list[ProgramFile]:
    """Read programs from files.

    OpenQASM is told apart by its version, everything else by the end of the name. A
    circuit without a name takes that of its file. A Guppy file has a Guppy function
    ``main``; it is code, and runs in a process of its own.

    :param paths: The files, at least one; what was read already is taken as it is.
    :returns: The programs, in the same order.
    :raises InvalidInputError: If a file cannot be read or holds no program; it names
        the line where that is known.
    """
    if not paths:
        raise InvalidInputError("There are no files; give at least one.")
    return [
        path if isinstance(path, ProgramFile) else _read(Path(path)) for path in paths
    ]


def _read(path: Path) -> ProgramFile:
    match path.suffix.lower():
        case ".qasm":
            return ProgramFile(path, _named(_read_qasm(path), path))
        case ".json":
            return ProgramFile(path, _named(_read_json(path), path))
        case ".py":
            return ProgramFile(path, _read_guppy(path))
        case ".hugr":
            return ProgramFile(path, _read_hugr(path))
        case ".ll" | ".bc":
            return ProgramFile(path, _read_qir(path))
    raise InvalidInputError(
        f"{path} is not known as a program; give a file that ends in {_KINDS}."
    )


def _named(circuit: Circuit, path: Path) -> Circuit:
    circuit.name = circuit.name or path.stem
    return circuit


def _read_qasm(path: Path) -> Circuit:
    # The parser is slow to import.
    from tkr_nexus_worker.program_files.openqasm.program import circuit_from_openqasm
    from tkr_nexus_worker.program_files.openqasm.syntax import OpenQasmError, decode

    content = read_file(path)
    try:
        return circuit_from_openqasm(decode(content), path.parent)
    except OpenQasmError as error:
        source = path.parent / error.source if error.source else path
        raise _problem(source, error.line, error.reason) from error
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        reason = f"it is not text in {error.encoding}, as its first bytes claim"
        raise _problem(path, line, reason) from error


def _read_json(path: Path) -> Circuit:
    kind = "this is not a circuit as pytket writes it"
    try:
        content = json.loads(read_file(path))
    except json.JSONDecodeError as error:
        raise _problem(path, error.lineno, f"{kind}: {error.msg}") from error
    except UnicodeDecodeError as error:
        raise _problem(path, 1, f"{kind}: it is not text in UTF-8") from error
    except RecursionError as error:
        raise _problem(path, 1, f"{kind}: it is nested too deeply") from error
    try:
        return Circuit.from_dict(content)
    # pytket raises errors of many kinds for JSON that is not a circuit.
    except (RuntimeError, TypeError, ValueError, LookupError) as error:
        raise _problem(path, 1, f"{kind}: {_json_reason(error)}") from error


def _json_reason(error: Exception) -> str:
    text = str(error).split("] ")[-1].splitlines()[0]
    return "it is not a JSON object" if isinstance(error, TypeError) else text


def _read_hugr(path: Path) -> Package:
    content = read_file(path)
    if not is_package(content):
        raise _problem(path, None, "this is not a HUGR package")
    try:
        return read_package(content)
    except InvalidInputError as error:
        raise _problem(path, None, str(error)) from error


def _read_qir(path: Path) -> bytes:
    content = read_file(path)
    try:
        check_qir(content)
    except InvalidInputError as error:
        reason = "this is not QIR: it is neither LLVM bitcode nor LLVM text"
        raise _problem(path, None, reason) from error
    return content


def _read_guppy(path: Path) -> Package:
    """Compile a Guppy file in a process of its own, because it is code of the user."""
    content = run_code_file(
        path,
        _COMPILER,
        seconds=GUPPY_SECONDS,
        too_slow="to compile; do not run anything in it but the definition of main",
    )
    return Package.from_bytes(content)


def _problem(path: Path, line: int | None, reason: str) -> InvalidInputError:
    return file_problem(path, Reason(reason, line))
