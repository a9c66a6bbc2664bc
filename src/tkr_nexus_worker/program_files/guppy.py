"""Compile the Guppy function ``main`` of a file; started as a process of its own."""

import re
import sys
from typing import Any

from tkr_runtime.code_files import MissingDefinitionError, Reason, convert

# Guppy says "Error: Variable not defined (at file.py:8:4)", and below the line of code
# "^^ `x` is not defined".
_PLACE = re.compile(r"^Error: (?P<title>.*?) \(at .*?:(?P<line>\d+):\d+\)")
_LABEL = re.compile(r"\^+ (?P<label>.+)")
_SUMMARY = "Guppy compilation failed"


def _compile(names: dict[str, Any]) -> bytes:
    function: Any = names.get("main")
    if not hasattr(function, "compile"):
        raise MissingDefinitionError("it defines no Guppy function main")
    content: bytes = function.compile().to_bytes()
    return content


def _explain(error: BaseException) -> Reason | None:
    if isinstance(error, ModuleNotFoundError) and error.name == "guppylang":
        return Reason(
            "guppylang is not installed: `uv sync --inexact --extra guppy` in the "
            "checkout of tkr-nexus-worker, or elsewhere pip install 'PATH[guppy]', "
            "where PATH is the checkout or wheel; to run it with --local, add the "
            "extra selene"
        )
    place = _PLACE.search(str(error))
    if place is None:
        return None
    label = _LABEL.search(str(error))
    cause = label["label"] if label else place["title"]
    return Reason(
        f"the Guppy program does not compile: {cause}",
        int(place["line"]),
        str(error).split(_SUMMARY)[0].rstrip(),
    )


if __name__ == "__main__":
    convert(sys.argv[1:], _compile, _explain)
