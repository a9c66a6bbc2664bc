"""Programs on Nexus, and what they call: upload circuits, HUGR, QIR, WASM modules."""

import hashlib
import json
import logging
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import Literal

import qnexus as qnx
from hugr.package import Package
from pytket.circuit import Circuit
from pytket.wasm.wasm import WasmModuleHandler
from qnexus.models.references import (
    CircuitRef,
    GpuDecoderConfigRef,
    HUGRRef,
    ProjectRef,
    QIRRef,
    WasmModuleRef,
)

from tkr_nexus_worker.errors import InvalidInputError
from tkr_nexus_worker.nexus.checks import check_qir
from tkr_nexus_worker.nexus.hugr_packages import (
    check_package,
    is_package,
    read_package,
)
from tkr_nexus_worker.nexus.idempotency import Key, key_of, make_once
from tkr_nexus_worker.nexus.projects import get_or_create_project
from tkr_runtime.jobs.names import check_name

logger = logging.getLogger(__name__)

type Program = Circuit | Package | bytes
"""A circuit, a HUGR package, or QIR as LLVM bitcode or text."""

type ProgramKind = Literal["circuit", "hugr", "qir"]

_DIGITS_IN_NAMES = 12
_CONCURRENT_UPLOADS = 8
_WASM = b"\0asm"


def kind_of(program: object) -> ProgramKind:
    """Return the kind of a program.

    :param program: A circuit, a HUGR package, or the bytes of QIR.
    :raises InvalidInputError: If it is none of them.
    """
    match program:
        case Circuit():
            return "circuit"
        case Package():
            return "hugr"
        case bytes():
            check_qir(program)
            return "qir"
    raise InvalidInputError(
        f"A {type(program).__name__} is no program; give a pytket Circuit, a HUGR "
        "Package, or the bytes of QIR."
    )


def read_program(content: bytes) -> Package | bytes:
    """Return the HUGR package, or the QIR, in the bytes of a program.

    :param content: The bytes.
    :raises InvalidInputError: If they are neither.
    """
    if is_package(content):
        return read_package(content)
    check_qir(content)
    return content


def upload_circuit(circuit: Circuit, project_name: str) -> CircuitRef:
    """Upload a circuit.

    :param circuit: The circuit. If it has no name, it is uploaded as ``circuit-`` plus
        the first digits of the SHA-256 of its content.
    :param project_name: The project; created if it does not exist.
    :returns: A reference to the circuit on Nexus.
    :raises NexusWorkerError: If the upload fails.
    """
    check_name("project", project_name)
    return _upload_circuit(circuit, get_or_create_project(project_name))


def upload_circuits(circuits: Sequence[Circuit], project_name: str) -> list[CircuitRef]:
    """Upload circuits concurrently over shared connections.

    :param circuits: The circuits, named as :func:`upload_circuit` does.
    :param project_name: The project; created if it does not exist.
    :returns: References to the circuits on Nexus, in the same order.
    :raises NexusWorkerError: If an upload fails.
    """
    check_name("project", project_name)
    return _upload_all(_upload_circuit, circuits, get_or_create_project(project_name))


def upload_programs(
    programs: Sequence[Program],
    project_name: str,
    names: Sequence[str] | None = None,
) -> list[CircuitRef | HUGRRef | QIRRef]:
    """Upload programs of any kinds concurrently over shared connections.

    :param programs: Circuits, HUGR packages and QIR, named as :func:`upload_circuit`,
        :func:`upload_hugr` and :func:`upload_qir` do.
    :param project_name: The project; created if it does not exist.
    :param names: One name for each program, which HUGR and QIR programs get instead.
    :returns: References to the programs on Nexus, in the same order.
    :raises InvalidInputError: If one is no program; nothing is uploaded then.
    :raises NexusWorkerError: If an upload fails.
    """
    check_name("project", project_name)
    for program in programs:
        kind_of(program)
    for name in names or ():
        check_name("program", name)
    project = get_or_create_project(project_name)

    def upload(
        program: Program, project: ProjectRef, index: int
    ) -> CircuitRef | HUGRRef | QIRRef:
        name = None if names is None else names[index]
        return _upload_program(program, project, index, name)

    return _upload_all(upload, programs, project)


def upload_hugr(
    package: Package, project_name: str, name: str | None = None
) -> HUGRRef:
    """Upload a HUGR package.

    :param package: The package, for example compiled by guppylang.
    :param project_name: The project; created if it does not exist.
    :param name: The name of the program; by default ``hugr-`` plus the first digits of
        the SHA-256 of its content.
    :returns: A reference to the program on Nexus.
    :raises InvalidInputError: If it is too new for the installed hugr.
    :raises NexusWorkerError: If the upload fails.
    """
    check_name("project", project_name)
    if name is not None:
        check_name("program", name)
    check_package(package, "The program")
    return _upload_hugr(package, get_or_create_project(project_name), name=name)


def upload_qir(qir: bytes, project_name: str, name: str | None = None) -> QIRRef:
    """Upload a QIR program.

    :param qir: LLVM bitcode, or LLVM text; it is uploaded as it is. Quantinuum's
        documentation is about bitcode.
    :param project_name: The project; created if it does not exist.
    :param name: The name of the program; by default ``qir-`` plus the first digits of
        the SHA-256 of its content.
    :returns: A reference to the program on Nexus.
    :raises InvalidInputError: If it is neither bitcode nor text; nothing is uploaded.
    :raises NexusWorkerError: If the upload fails.
    """
    check_name("project", project_name)
    check_qir(qir)
    if name is not None:
        check_name("program", name)
    return _upload_qir(qir, get_or_create_project(project_name), name=name)


def upload_wasm(
    module: bytes, project_name: str, name: str | None = None
) -> WasmModuleRef:
    """Upload a WASM module, whose functions the programs of a job may call.

    :param module: The module in the binary format.
    :param project_name: The project; created if it does not exist.
    :param name: The name of the module; by default ``wasm-`` plus the first digits of
        the SHA-256 of its content.
    :returns: A reference to the module, for ``start_execute_job``.
    :raises InvalidInputError: If it is no WASM module; nothing is uploaded then.
    :raises NexusWorkerError: If the upload fails.
    """
    check_name("project", project_name)
    if not isinstance(module, bytes) or not module.startswith(_WASM):
        raise InvalidInputError(
            "The WASM module does not begin as one does; give the bytes of a .wasm "
            "file, not of its text form."
        )
    name = _name_by_content("wasm", module) if name is None else name
    check_name("program", name)
    handler = WasmModuleHandler(module, check=False)
    return _upload(
        "wasm",
        f"WASM module {name!r}",
        name,
        get_or_create_project(project_name),
        qnx.wasm_modules.get_all,
        lambda description, project: qnx.wasm_modules.upload(
            wasm_module_handler=handler,
            name=name,
            description=description,
            project=project,
        ),
    )


def upload_gpu_decoder_config(
    config: str, project_name: str, name: str | None = None
) -> GpuDecoderConfigRef:
    """Upload the config of a GPU decoder, which the programs of a job may use.

    :param config: The text of the config.
    :param project_name: The project; created if it does not exist.
    :param name: The name of the config; by default ``gpu-decoder-config-`` plus the
        first digits of the SHA-256 of its content.
    :returns: A reference to the config, for ``start_execute_job``.
    :raises InvalidInputError: If it is empty or no text; nothing is uploaded then.
    :raises NexusWorkerError: If the upload fails.
    """
    check_name("project", project_name)
    if not isinstance(config, str) or not config.strip():
        raise InvalidInputError(
            f"The config of the GPU decoder is {config!r}; give its text."
        )
    by_content = _name_by_content("gpu-decoder-config", config.encode())
    name = by_content if name is None else name
    check_name("program", name)
    return _upload(
        "gpu_decoder_config",
        f"GPU decoder config {name!r}",
        name,
        get_or_create_project(project_name),
        qnx.gpu_decoder_configs.get_all,
        lambda description, project: qnx.gpu_decoder_configs.upload(
            gpu_decoder_config=config,
            name=name,
            description=description,
            project=project,
        ),
    )


def _upload_all[P, R](
    upload: Callable[[P, ProjectRef, int], R],
    programs: Sequence[P],
    project: ProjectRef,
) -> list[R]:
    """Upload programs in threads, each with its index."""
    # Threads do not inherit the context, which holds the task of the uploads.
    contexts = [copy_context() for _ in programs]

    def upload_one(index: int) -> R:
        return contexts[index].run(upload, programs[index], project, index)

    with ThreadPoolExecutor(max_workers=_CONCURRENT_UPLOADS) as pool:
        return list(pool.map(upload_one, range(len(programs))))


def _upload_program(
    program: Program, project: ProjectRef, index: int, name: str | None
) -> CircuitRef | HUGRRef | QIRRef:
    match program:
        case Circuit():
            return _upload_circuit(program, project, index)
        case Package():
            return _upload_hugr(program, project, index, name=name)
        case _:
            return _upload_qir(program, project, index, name=name)


def _upload_circuit(
    circuit: Circuit, project: ProjectRef, index: int | None = None
) -> CircuitRef:
    name = circuit.name or _name_by_content(
        "circuit", json.dumps(circuit.to_dict(), sort_keys=True).encode()
    )
    return _upload(
        "circuit",
        f"circuit {name!r}",
        name,
        project,
        qnx.circuits.get_all,
        lambda description, project: qnx.circuits.upload(
            circuit=circuit, name=name, description=description, project=project
        ),
        index,
    )


def _upload_hugr(
    package: Package,
    project: ProjectRef,
    index: int | None = None,
    name: str | None = None,
) -> HUGRRef:
    name = _name_by_content("hugr", package.to_bytes()) if name is None else name
    return _upload(
        "hugr",
        f"HUGR program {name!r}",
        name,
        project,
        qnx.hugr.get_all,
        lambda description, project: qnx.hugr.upload(
            hugr_package=package, name=name, description=description, project=project
        ),
        index,
    )


def _upload_qir(
    qir: bytes, project: ProjectRef, index: int | None = None, name: str | None = None
) -> QIRRef:
    name = _name_by_content("qir", qir) if name is None else name
    return _upload(
        "qir",
        f"QIR program {name!r}",
        name,
        project,
        qnx.qir.get_all,
        lambda description, project: qnx.qir.upload(
            qir=qir, name=name, description=description, project=project
        ),
        index,
    )


type _Uploaded = CircuitRef | HUGRRef | QIRRef | WasmModuleRef | GpuDecoderConfigRef


def _upload[T: _Uploaded](
    kind: str,
    subject: str,
    name: str,
    project: ProjectRef,
    get_all: Callable[..., Iterable[T]],
    upload: Callable[[str, ProjectRef], T],
    index: int | None = None,
) -> T:
    """Upload something once.

    :param kind: What it is, as a part of its key.
    :param subject: What it is and its name, for messages.
    :param get_all: Lists what there is of its kind.
    :param upload: Uploads it with a description to a project.
    :param index: The index among several of one task, which may share a name.
    """
    place = [] if index is None else [index]
    key = key_of(kind, project.annotations.name, name, *place)
    ref = make_once(
        f"upload {subject}",
        find=lambda: _find(get_all, name, project, key),
        make=lambda: upload(key.description, project),
        marker=key.marker,
    )
    logger.info("nexus: uploaded %s (%s)", subject, ref.id)
    return ref


def _find[T: _Uploaded](
    get_all: Callable[..., Iterable[T]], name: str, project: ProjectRef, key: Key
) -> T | None:
    """Return what an earlier attempt of the same task uploaded, the oldest if several.

    Nexus deletes no programs. A duplicate costs nothing and no job uses it.
    """
    programs = get_all(name_exact=[name], project=project, created_after=key.since)
    found = sorted(
        (p for p in programs if key.is_in(p.annotations.description)),
        key=lambda program: (str(program.annotations.created), str(program.id)),
    )
    for duplicate in found[1:]:
        logger.warning(
            "nexus: program %r (%s) was uploaded twice, because a request arrived "
            "late; the duplicate %s is not used",
            name,
            found[0].id,
            duplicate.id,
        )
    return found[0] if found else None


def _name_by_content(kind: str, content: bytes) -> str:
    return f"{kind}-{hashlib.sha256(content).hexdigest()[:_DIGITS_IN_NAMES]}"
