"""The payload of a job: what was submitted, as a value and as files."""

import base64
import json
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

from pytket.circuit import Circuit
from pytket.utils.serialization.migration import circuit_dict_from_pytket1_dict
from qnexus.models.references import JobRef

from tkr_nexus_worker.errors import (
    InvalidInputError,
    NexusRefusedError,
    NexusWorkerError,
    ResultFormatError,
)
from tkr_nexus_worker.jobs.find import get_job_details
from tkr_nexus_worker.jobs.items import call_programs
from tkr_nexus_worker.jobs.models import Job, JobItem, JobPayload, PayloadProgram
from tkr_nexus_worker.jobs.status import describe
from tkr_nexus_worker.nexus.client import get_json
from tkr_runtime.files import check_absent, write_file

PAYLOAD_FILE = "payload.json"
"""The name of the file with the whole payload."""

_PATHS = {
    "circuit": "/api/circuits/v1beta2",
    "hugr": "/api/hugr/v1beta",
    "qir": "/api/qir/v1beta",
}
_DOWNLOADS_AT_ONCE = 8
# A name must not delay the error that it is for.
_PATIENCE_SECONDS = 5.0
_PROGRAMS_A_PAGE = 100
_MOST_PAGES = 3
_NOT_FOR_FILES = re.compile(r"[^A-Za-z0-9_-]+")
_LONGEST_NAME = 60
_SUFFIXES = {"hugr": ".hugr", "qir": ".bc"}
_LLVM_TEXT_STARTS = (b";", b"source_filename", b"target", b"define", b"%", b"@")
# What Nexus adds to an item when the job is read.
_NOT_SUBMITTED = frozenset(
    {
        "program_id",
        "item_id",
        "item_uuid",
        "external_handle",
        "n_shots",
        "status",
        "has_runtime_traces",
        "result_id",
        "result_type",
    }
)
_NOT_OPTIONS = frozenset({"backend_config", "items"})


def get_job_payload(job: JobRef | str) -> JobPayload:
    """Download what was submitted as a job.

    :param job: The job, or its id, the start of its id, or its name.
    :returns: The programs, shots, backend config and options.
    :raises NexusRefusedError: If a program is no longer on Nexus.
    :raises NexusWorkerError: If there is no such job, or Nexus does not answer.
    """
    found = get_job_details(job)
    programs = _download({item.program_id: item for item in found.items}, found)
    definition = found.definition
    return JobPayload(
        job_id=found.job_id,
        name=found.name,
        project=found.project,
        backend=found.backend,
        backend_config=found.backend_config,
        options={k: v for k, v in definition.items() if k not in _NOT_OPTIONS},
        programs=[
            PayloadProgram(
                index=item.index,
                program_id=item.program_id,
                program_type=item.program_type,
                n_shots=item.n_shots,
                options={k: v for k, v in given.items() if k not in _NOT_SUBMITTED},
                **programs[item.program_id],
            )
            for item, given in zip(found.items, definition["items"], strict=True)
        ],
    )


def with_names_of_failed(job: Job) -> Job:
    """Add the names of HUGR and QIR programs to a job of which one has no result.

    A name says more than a number. Circuits keep their numbers: they may be thousands,
    and results come with their names.

    :param job: The job, as Nexus returned it.
    :returns: The job; programs that were not found soon have no name.
    """
    kinds = {item.program_type for item in job.items}
    if not job.failed_items or call_programs(kinds) == "circuit":
        return job
    return with_program_names(job, retry_time=_PATIENCE_SECONDS)


def with_program_names(job: Job, *, retry_time: float | None = None) -> Job:
    """Add the names of its programs to a job, as far as Nexus lists them soon.

    Nexus has no list of the programs of a job. They are looked for among the newest 300
    of its project that were uploaded before the job.

    :param job: The job, as Nexus returned it.
    :param retry_time: How long to try again, in seconds; by default as the time limits
        say.
    :returns: The job; programs that were not found still have no name.
    """
    names: dict[str, str] = {}
    for kind in sorted({item.program_type for item in job.items}):
        wanted = {it.program_id for it in job.items if it.program_type == kind}
        # A name is a convenience: without it a program is shown by its id.
        with suppress(NexusWorkerError):
            names |= _listed_names(kind, wanted, job, retry_time)
    items = [
        item.model_copy(
            update={"program_name": names.get(item.program_id, item.program_name)}
        )
        for item in job.items
    ]
    return job.model_copy(update={"items": items})


def _listed_names(
    kind: str, wanted: set[str], job: Job, retry_time: float | None
) -> dict[str, str]:
    """Return the names of programs by their ids, of those that are found soon."""
    names: dict[str, str] = {}
    query: dict[str, str | int | list[str]] = {
        "filter[project][id]": job.project_id,
        "filter[timestamps][created][before]": job.created.isoformat(),
        "sort": "-timestamps.created",
        "page[size]": _PROGRAMS_A_PAGE,
    }
    for number in range(_MOST_PAGES):
        page = get_json(
            f"list the programs of {describe(job)}",
            _PATHS[kind],
            {**query, "page[number]": number},
            retry_time=retry_time,
        )["data"]
        for data in page:
            if data["id"] in wanted:
                names[data["id"]] = data["attributes"]["name"]
        if len(names) == len(wanted) or len(page) < _PROGRAMS_A_PAGE:
            break
    return names


def save_payload(
    payload: JobPayload, directory: Path, *, force: bool = False
) -> list[Path]:
    """Write each program of a job, and the whole payload as JSON, into a directory.

    Circuits are written as OpenQASM 2 (``.qasm``, where that can express them), as
    pytket JSON (``.json``) and as a drawing (``.txt``); HUGR packages and QIR as they
    are. A program that runs several times is written once. File names start with the
    index of the program and hold nothing of its name but letters, digits, ``_`` and
    ``-``.

    :param payload: The payload.
    :param directory: The directory; it is created if it does not exist.
    :param force: Whether to overwrite files that exist.
    :returns: The paths of the files.
    :raises InvalidInputError: If a file exists and may not be overwritten, before
        anything is written; or if a file cannot be written.
    """
    files = dict(_contents(payload))
    paths = {directory / name: content for name, content in files.items()}
    for path in paths:
        check_absent(path, force=force)
    try:
        directory.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InvalidInputError(
            f"The directory {directory} cannot be created: {error.strerror}; give "
            "another."
        ) from error
    return [write_file(path, content, force=force) for path, content in paths.items()]


def _download(items: dict[str, JobItem], job: Job) -> dict[str, dict[str, Any]]:
    """Download each program once, several at the same time."""

    def download(item: JobItem) -> dict[str, Any]:
        return _download_one(item, f"download program {item.index} of {describe(job)}")

    with ThreadPoolExecutor(max_workers=_DOWNLOADS_AT_ONCE) as pool:
        return dict(zip(items, pool.map(download, items.values()), strict=True))


def _download_one(item: JobItem, action: str) -> dict[str, Any]:
    path = _PATHS.get(item.program_type)
    if path is None:
        raise NexusRefusedError(
            f"Could not {action}: this version does not know programs of the type "
            f"{item.program_type!r}; update tkr-nexus-worker."
        )
    attributes = get_json(action, f"{path}/{item.program_id}")["data"]["attributes"]
    name = attributes["name"] or ""
    if item.program_type != "circuit":
        return {"name": name, "content": attributes["contents"]}
    known = {key: value for key, value in attributes.items() if value is not None}
    circuit = Circuit.from_dict(circuit_dict_from_pytket1_dict(known))
    return {"name": name, "circuit": circuit.to_dict()}


def _contents(payload: JobPayload) -> Iterator[tuple[str, bytes]]:
    # Tasks that wait import this module; what draws needs sympy, which is slow.
    from tkr_nexus_worker.program_files.drawing import draw, to_qasm

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
