"""Samplers in files: JSON of :class:`SamplerSpec`, or Python that defines them."""

import json
import sys
from pathlib import Path
from typing import Any

from tkr_lightworks_worker.cloud import LIGHTWORKS
from tkr_lightworks_worker.errors import InvalidInputError
from tkr_lightworks_worker.samplers import SamplerSpec, read_samplers
from tkr_runtime.code_files import (
    MissingDefinitionError,
    convert,
    run_code_file,
)
from tkr_runtime.files import read_file
from tkr_runtime.tasks.deferred_imports import defer_imports

SECONDS = 300.0
"""How long a Python file may take to define its samplers."""


def read_sampler_file(path: Path, n_samples: int | None = None) -> list[SamplerSpec]:
    """Read samplers from a file.

    :param path: JSON of one :class:`SamplerSpec` or of a list of them, or a Python file
        that defines ``sampler`` or ``samplers``; that is code, and runs in a process of
        its own.
    :param n_samples: How many samples each is to take instead of its own number.
    :returns: The samplers, at least one.
    :raises InvalidInputError: If the file cannot be read or holds no samplers.
    """
    match path.suffix.lower():
        case ".json":
            content = read_file(path)
        case ".py":
            content = run_code_file(
                path,
                __name__,
                seconds=SECONDS,
                too_slow="to run; let it do nothing but define samplers",
            )
        case _:
            raise InvalidInputError(
                f"{path} is not known as a file of samplers; give one that ends in "
                ".json or .py."
            )
    samplers = _read(path, content)
    if n_samples is None:
        return samplers
    return [it.model_copy(update={"n_samples": n_samples}) for it in samplers]


def _read(path: Path, content: bytes) -> list[SamplerSpec]:
    try:
        value = json.loads(content)
        samplers = read_samplers(value if isinstance(value, list) else [value])
    except (ValueError, RecursionError) as error:
        raise InvalidInputError(
            f"{path} is not JSON ({error}); give what SamplerSpec.model_dump_json "
            "returns."
        ) from error
    except InvalidInputError as error:
        raise InvalidInputError(f"{path}: {error}") from error
    if not samplers:
        raise InvalidInputError(f"{path} holds no samplers; give at least one.")
    return samplers


def _take(names: dict[str, Any]) -> bytes:
    """Return the samplers that a Python file defines, as JSON."""
    found = names.get("samplers", names.get("sampler"))
    if found is None:
        raise MissingDefinitionError("it defines neither sampler nor samplers")
    specs = [
        it if isinstance(it, SamplerSpec) else SamplerSpec.of(it)
        for it in (found if isinstance(found, list | tuple) else [found])
    ]
    return json.dumps([spec.model_dump(mode="json") for spec in specs]).encode()


if __name__ == "__main__":
    defer_imports(LIGHTWORKS)
    convert(sys.argv[1:], _take)
