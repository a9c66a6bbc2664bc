"""Save what was submitted as a job: as files that a person and pytket can read."""

import base64
import json
import re
from collections.abc import Iterator
from pathlib import Path

from pytket.circuit import Circuit

from tkr_nexus_worker.errors import InvalidInputError, ResultFormatError
from tkr_nexus_worker.jobs.models import JobPayload, PayloadProgram
from tkr_nexus_worker.program_files.drawing import draw, to_qasm
from tkr_runtime.files import check_absent, write_file

PAYLOAD_FILE = "payload.json"
"""The file with all of the payload."""

_NOT_FOR_FILES = re.compile(r"[^A-Za-z0-9_-]+")
_LONGEST_NAME = 60
_SUFFIXES = {"hugr": ".hugr", "qir": ".bc"}
_LLVM_TEXT_STARTS = (b";", b"source_filename", b"target", b"define", b"%", b"@")


def save_payload(
    payload: JobPayload, directory: Path, *, force: bool = False
) -> list[Path]:
    """Write each program of a job, and the whole payload as JSON, into a directory.

    Circuits are written as OpenQASM 2 (``.qasm``, where that can express them), as
    pytket JSON (``.json``) and as a drawing (``.txt``); HUGR packages and QIR as they
    are. A program that runs several times is written once. File names start with the
    index of the program and hold nothing of its name but letters, digits, ``_`` and
    ``-``.

    :param payload: What was submitted.
    :param directory: The directory; it is made if it does not exist.
    :param force: Whether to overwrite files that exist.
    :returns: The files.
    :raises InvalidInputError: If a file exists and may not be overwritten, and before
        anything is written; or if something cannot be written.
    """
    files = dict(_contents(payload))
    paths = {directory / name: content for name, content in files.items()}
    for path in paths:
        check_absent(path, force=force)
    try:
        directory.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InvalidInputError(
            f"{directory} cannot be made a directory: {error.strerror}; give another."
        ) from error
    return [write_file(path, content, force=force) for path, content in paths.items()]


def _contents(payload: JobPayload) -> Iterator[tuple[str, bytes]]:
    yield PAYLOAD_FILE, f"{payload.model_dump_json(indent=2)}\n".encode()
    once = {program.program_id: program for program in reversed(payload.programs)}
    for program in sorted(once.values(), key=lambda program: program.index):
        stem = _stem(program, len(payload.programs))
        if program.circuit is None:
            content = base64.b64decode(program.content or "")
            yield stem + _suffix(program.program_type, content), content
            continue
        circuit = Circuit.from_dict(program.circuit)
        yield f"{stem}.json", f"{json.dumps(program.circuit)}\n".encode()
        yield f"{stem}.txt", draw(circuit).encode()
        try:
            yield f"{stem}.qasm", to_qasm(circuit).encode()
        except ResultFormatError as error:
            yield f"{stem}.no-qasm.txt", f"{error}\n".encode()


def _stem(program: PayloadProgram, total: int) -> str:
    name = _NOT_FOR_FILES.sub("_", program.name)[:_LONGEST_NAME]
    return f"{program.index:0{len(str(total - 1))}}_{name}"


def _suffix(program_type: str, content: bytes) -> str:
    if program_type == "qir" and content.lstrip().startswith(_LLVM_TEXT_STARTS):
        return ".ll"
    return _SUFFIXES.get(program_type, ".bin")
