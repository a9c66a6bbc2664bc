"""Files that are code of the user, run in a process of their own for what they define.

A converter is a module that ``python -m`` starts with the file and the paths of two
others: it calls :func:`convert`, which writes what the file defines to the first or,
where that fails, a report of the reason to the second.
"""

import json
import runpy
import signal
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Callable, Sequence
from os import killpg
from pathlib import Path
from typing import Any, NamedTuple

from tkr_runtime.errors import InvalidInputError
from tkr_runtime.files import read_file

_LONGEST_REASON = 300


class MissingDefinitionError(Exception):
    """A file does not define what it should; the message says what."""


class Reason(NamedTuple):
    """Why a file does not define what it should.

    :param text: The reason, to follow the name of the file.
    :param line: The line of the file, where it is known.
    :param lines: Further lines, as a compiler prints them.
    """

    text: str
    line: int | None = None
    lines: str = ""


def run_code_file(
    path: Path, converter: str, *, seconds: float, too_slow: str
) -> bytes:
    """Run a file in a process of its own, and return what it defines.

    :param path: The file.
    :param converter: The name of the module that converts it.
    :param seconds: How long that may take, in seconds.
    :param too_slow: What a person is told if it takes longer, as in "to compile; …".
    :returns: What the converter wrote.
    :raises InvalidInputError: If the file cannot be read or does not define it; it
        names the line where that is known.
    """
    read_file(path)
    with tempfile.TemporaryDirectory() as folder:
        target, report = Path(folder) / "result", Path(folder) / "report.json"
        process = subprocess.Popen(
            [sys.executable, "-m", converter, path.absolute(), target, report],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        try:
            _, said = process.communicate(timeout=seconds)
        except BaseException as error:
            killpg(process.pid, signal.SIGKILL)
            process.communicate()
            if not isinstance(error, subprocess.TimeoutExpired):
                raise
            raise InvalidInputError(
                f"{path} took more than {seconds:g} seconds {too_slow}."
            ) from error
        if target.exists():
            return target.read_bytes()
        if report.exists():
            raise file_problem(path, Reason(**json.loads(report.read_text())))
    last = said.strip().splitlines()[-1:] or [f"exit code {process.returncode}"]
    raise file_problem(path, Reason(f"the program ended: {last[0]}"))


def convert(
    arguments: Sequence[str],
    take: Callable[[dict[str, Any]], bytes],
    explain: Callable[[BaseException], Reason | None] = lambda _error: None,
) -> None:
    """Run a file and write what it defines, in the process of a converter.

    :param arguments: Those of the process.
    :param take: Makes the result of the names that the file defines; it raises
        MissingDefinitionError if they are missing.
    :param explain: Returns the reason for an error that the cloud's library raises.
    """
    file, target, report = arguments
    try:
        sys.path.insert(0, str(Path(file).parent))
        content = take(runpy.run_path(file))
    # Whatever the code of a user does, it is told where.
    except BaseException as error:  # noqa: BLE001
        reason = explain(error) or _explain(error, file)
        Path(report).write_text(json.dumps(reason._asdict()))
        sys.exit(1)
    unfinished = Path(f"{target}.unfinished")
    unfinished.write_bytes(content)
    unfinished.replace(target)


def _explain(error: BaseException, file: str) -> Reason:
    if isinstance(error, SyntaxError):
        return Reason(f"the program is not Python: {error.msg}", error.lineno)
    if isinstance(error, MissingDefinitionError):
        return Reason(str(error))
    frames = traceback.extract_tb(error.__traceback__)
    line = next((it.lineno for it in reversed(frames) if it.filename == file), None)
    return Reason(f"the program fails: {type(error).__name__}: {error}", line)


def file_problem(path: Path, reason: Reason) -> InvalidInputError:
    """Return the error that says what is wrong with a file.

    :param path: The file.
    :param reason: What is wrong.
    """
    where = f"{path}, line {reason.line}" if reason.line is not None else str(path)
    text = " ".join(reason.text.split()).rstrip(".")
    if len(text) > _LONGEST_REASON:
        text = f"{text[:_LONGEST_REASON]}…"
    return InvalidInputError(
        f"{where}: {text}.{reason.lines and chr(10)}{reason.lines}"
    )
