"""Programs in files: OpenQASM 2 and 3, pytket JSON, Guppy and HUGR."""

import json
import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from contextlib import redirect_stderr
from dataclasses import dataclass
from io import StringIO
from os import killpg
from pathlib import Path

from hugr.package import Package
from pytket.circuit import Circuit
from pytket.qasm.qasm import circuit_from_qasm_str

from tkr_nexus_worker.errors import InvalidInputError
from tkr_runtime.files import read_file

GUPPY_SECONDS = 300.0
"""How long a Guppy file may take to compile."""

_KINDS = ".qasm (OpenQASM 2 or 3), .json (pytket), .py (Guppy) or .hugr"
_VERSION = re.compile(r"^\s*OPENQASM\s+(\d+)", re.MULTILINE)
_LINE = re.compile(r"\bline:?\s*(\d+)", re.IGNORECASE)
# qiskit-qasm3-import says "4,0: gate 'foo' is not defined."
_PLACE = re.compile(r'^"?(\d+),\d+: ')
_LONGEST_REASON = 200
_QASM3 = 3
_COMPILER = "tkr_nexus_worker.program_files.guppy"


@dataclass(frozen=True)
class ProgramFile:
    """A program that was read from a file.

    :param path: The file.
    :param program: A circuit, or a HUGR package.
    """

    path: Path
    program: Circuit | Package


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
    raise InvalidInputError(
        f"{path} is no program by its name; give a file that ends in {_KINDS}."
    )


def _named(circuit: Circuit, path: Path) -> Circuit:
    circuit.name = circuit.name or path.stem
    return circuit


def _read_text(path: Path) -> str:
    try:
        return read_file(path).decode()
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise _no_program(path, line, "circuit", "it is not text") from error


def _read_qasm(path: Path) -> Circuit:
    text = _read_text(path)
    version = _VERSION.search(text)
    if version is None:
        raise _no_program(path, 1, "circuit", "it has no line OPENQASM with a version")
    parse = circuit_from_qasm_str if int(version[1]) < _QASM3 else _parse_qasm3
    try:
        return parse(text)
    except InvalidInputError:
        raise
    # The parsers raise errors of many kinds, some of them of packages not imported.
    except Exception as error:
        reason = _reason(error)
        line = _line_of(error) or _first_bad_line(text, parse, error)
        raise _no_program(path, line, "circuit", reason) from error


def _parse_qasm3(text: str) -> Circuit:
    try:
        from pytket.extensions.qiskit.qiskit_convert import qiskit_to_tk
        from qiskit import qasm3
        from qiskit_qasm3_import import parse  # noqa: F401
    except ImportError as error:
        raise InvalidInputError(
            'OpenQASM 3 needs the extra "qasm3" (pip install "tkr-nexus-worker[qasm3]"'
            "); install it, or write the circuit in OpenQASM 2."
        ) from error
    # The parser tells where on standard error only.
    with redirect_stderr(StringIO()) as said:
        try:
            circuit: Circuit = qiskit_to_tk(qasm3.loads(text))
        except Exception as error:
            if said.getvalue():
                error.add_note(said.getvalue())
            raise
    # qiskit numbers the circuits of a process.
    circuit.name = ""
    return circuit


def _line_of(error: BaseException) -> int | None:
    """Find the line that an error of a parser names in one of many ways."""
    for one in (error, error.__cause__):
        line = getattr(one, "line", None)
        if isinstance(line, int | str) and str(line).isdigit():
            return int(line)
        for argument in getattr(one, "args", ()):
            token = getattr(argument, "offendingToken", None)
            if token is not None:
                return int(token.line)
    texts = [str(error), *getattr(error, "__notes__", ())]
    for text in texts:
        found = _PLACE.match(text) or _LINE.search(text)
        if found is not None:
            return int(found[1])
    return None


def _first_bad_line(
    text: str, parse: Callable[[str], Circuit], error: Exception
) -> int | None:
    """Find the line up to which a program gives the same error as all of it.

    pytket names no line where a program uses what it has not declared.
    """
    lines = text.splitlines(keepends=True)

    def is_bad(count: int) -> bool:
        try:
            parse("".join(lines[:count]))
        except Exception as other:  # noqa: BLE001
            return (type(other), str(other)) == (type(error), str(error))
        return False

    low, high = 0, len(lines)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if is_bad(middle) else (middle, high)
    return high or None


def _reason(error: Exception) -> str:
    notes = getattr(error, "__notes__", [])
    text = str(error) or next(iter(notes), "") or "it cannot be parsed"
    text = _PLACE.sub("", text.split("\nExpected one of")[0].split("\nLine:")[0])
    return text.strip('"')


def _read_json(path: Path) -> Circuit:
    try:
        content = json.loads(_read_text(path))
    except json.JSONDecodeError as error:
        raise _no_program(path, error.lineno, "circuit", error.msg) from error
    try:
        return Circuit.from_dict(content)
    # pytket raises errors of many kinds for JSON that is no circuit.
    except (RuntimeError, TypeError, ValueError, LookupError) as error:
        raise _no_program(path, 1, "circuit of pytket", _json_reason(error)) from error


def _json_reason(error: Exception) -> str:
    text = str(error).split("] ")[-1].splitlines()[0]
    return "it is no JSON object" if isinstance(error, TypeError) else text


def _read_hugr(path: Path) -> Package:
    content = read_file(path)
    try:
        return Package.from_bytes(content)
    # hugr raises errors of many kinds for bytes that are no package.
    except Exception as error:
        raise _no_program(path, None, "HUGR package", _reason(error)) from error


def _read_guppy(path: Path) -> Package:
    """Compile a Guppy file in a process of its own, because it is code of the user."""
    _read_text(path)
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "program.hugr"
        report = Path(folder) / "report.json"
        process = subprocess.Popen(
            [sys.executable, "-m", _COMPILER, path.absolute(), target, report],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        try:
            _, said = process.communicate(timeout=GUPPY_SECONDS)
        except BaseException as error:
            killpg(process.pid, signal.SIGKILL)
            process.communicate()
            if not isinstance(error, subprocess.TimeoutExpired):
                raise
            raise InvalidInputError(
                f"{path} took more than {GUPPY_SECONDS:g} seconds to compile; do not "
                "run anything in it but the definition of main."
            ) from error
        if target.exists():
            return Package.from_bytes(target.read_bytes())
        if not report.exists():
            last = said.strip().splitlines()[-1:] or [f"exit code {process.returncode}"]
            raise _no_program(path, None, "Guppy program", f"it ended: {last[0]}")
        found = json.loads(report.read_text())
        raise _no_program(path, found["line"], "Guppy program", found["reason"])


def _no_program(
    path: Path, line: int | None, kind: str, reason: str
) -> InvalidInputError:
    where = f"{path}, line {line}" if line is not None else str(path)
    text = " ".join(reason.split()).rstrip(".")[:_LONGEST_REASON]
    return InvalidInputError(f"{where}: this is no {kind}: {text}.")
