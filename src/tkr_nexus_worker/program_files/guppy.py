"""Compile the Guppy function ``main`` of a file; started as a process of its own.

Usage: python -m tkr_nexus_worker.program_files.guppy FILE TARGET REPORT. It writes the
HUGR package to TARGET or, if that fails, a report as JSON to REPORT: the line, the
reason, and the lines that the compiler of Guppy printed about it.
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
_SUMMARY = "Guppy compilation failed"


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
        Path(report).write_text(json.dumps(_describe(error, file)))
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


def _describe(error: BaseException, file: str) -> dict[str, Any]:
    """Return the report of a failure."""
    line, reason, lines = (
        None,
        f"the program fails: {type(error).__name__}: {error}",
        "",
    )
    frames = traceback.extract_tb(error.__traceback__)
    place = _PLACE.search(str(error))
    if isinstance(error, ModuleNotFoundError) and error.name == "guppylang":
        reason = 'guppylang is not installed; install the extra "guppy"'
    elif isinstance(error, SyntaxError):
        line, reason = error.lineno, f"the program is not Python: {error.msg}"
    elif isinstance(error, LookupError) and frames and frames[-1].filename == __file__:
        reason = str(error.args[0])
    elif place is not None:
        label = _LABEL.search(str(error))
        line = int(place["line"])
        cause = label["label"] if label else place["title"]
        reason = f"the Guppy program does not compile: {cause}"
        lines = str(error).split(_SUMMARY)[0].rstrip()
    else:
        line = next(
            (frame.lineno for frame in reversed(frames) if frame.filename == file), None
        )
    return {"line": line, "reason": reason, "lines": lines}


if __name__ == "__main__":
    main(*sys.argv[1:])
