"""Compile the Guppy function ``main`` of a file; started as a process of its own.

Usage: python -m tkr_nexus_worker.program_files.guppy FILE TARGET REPORT. It writes the
HUGR package to TARGET or, where that fails, the line and the reason as JSON to REPORT.
"""

import json
import re
import runpy
import sys
import traceback
from pathlib import Path
from typing import Any

# Guppy says "Error: Variable not defined (at file.py:8:4)", and below the line of code
# "^^ `x` is not defined".
_PLACE = re.compile(r"^Error: (?P<title>.*?) \(at .*?:(?P<line>\d+):\d+\)")
_LABEL = re.compile(r"\^+ (?P<label>.+)")


def main(file: str, target: str, report: str) -> None:
    """Compile a file.

    :param file: The Guppy file.
    :param target: Where the package goes.
    :param report: Where the reason of a failure goes.
    """
    try:
        content = _compile(file)
    # Whatever the code of a user does, it is told where.
    except BaseException as error:  # noqa: BLE001
        line, reason = _describe(error, file)
        Path(report).write_text(json.dumps({"line": line, "reason": reason}))
        sys.exit(1)
    unfinished = Path(f"{target}.unfinished")
    unfinished.write_bytes(content)
    unfinished.replace(target)


def _compile(file: str) -> bytes:
    sys.path.insert(0, str(Path(file).parent))
    function: Any = runpy.run_path(file).get("main")
    if not hasattr(function, "compile"):
        raise LookupError("it defines no Guppy function main")
    content: bytes = function.compile().to_bytes()
    return content


def _describe(error: BaseException, file: str) -> tuple[int | None, str]:
    if isinstance(error, ModuleNotFoundError) and error.name == "guppylang":
        return None, 'guppylang is not installed; install the extra "guppy"'
    if isinstance(error, SyntaxError):
        return error.lineno, error.msg
    if isinstance(error, LookupError) and error.__traceback__ is not None:
        frames = traceback.extract_tb(error.__traceback__)
        if frames[-1].filename == __file__:
            return None, str(error.args[0])
    place = _PLACE.search(str(error))
    if place is not None:
        label = _LABEL.search(str(error))
        return int(place["line"]), label["label"] if label else place["title"]
    lines = [
        frame.lineno
        for frame in traceback.extract_tb(error.__traceback__)
        if frame.filename == file
    ]
    return (lines[-1] if lines else None), f"{type(error).__name__}: {error}"


if __name__ == "__main__":
    main(*sys.argv[1:])
