"""Programs of several kinds in one call: a job for each kind, joined in order.

Nexus runs programs of one kind in a job. A part is the job of one kind, as a value that
a workflow carries, with the places that its programs have among all.
"""

import base64
from collections.abc import Sequence
from typing import Any

from hugr.package import Package
from pydantic import BaseModel, Field
from pytket.circuit import Circuit
from qnexus.models import BackendConfig
from qnexus.models.references import (
    ExecuteJobRef,
    GpuDecoderConfigRef,
    WasmModuleRef,
)

from tkr_nexus_worker.costs.estimates import estimate_cost
from tkr_nexus_worker.costs.limits import check_and_reserve
from tkr_nexus_worker.errors import InvalidInputError
from tkr_nexus_worker.jobs.items import call_programs
from tkr_nexus_worker.jobs.submit import Program as UploadedProgram
from tkr_nexus_worker.jobs.submit import check_options, start_execute_job
from tkr_nexus_worker.nexus.checks import check_job, check_shots
from tkr_nexus_worker.nexus.hugr_packages import check_package
from tkr_nexus_worker.programs import (
    Program,
    ProgramKind,
    kind_of,
    read_program,
    upload_programs,
)
from tkr_runtime.jobs.budget import Budget
from tkr_runtime.jobs.names import check_name

RUN_HUGR = frozenset({"Helios", "Quantinuum", "Selene", "SelenePlus"})
"""The backends that run HUGR and QIR programs as well."""

_TITLES = {"circuit": "circuits", "hugr": "HUGR", "qir": "QIR"}


class ProgramPart(BaseModel):
    """The programs of one kind, and how they run.

    :param kind: The kind of the programs.
    :param job_name: The name of their job.
    :param indices: The place of each program among those of all parts, from 0.
    :param programs: ``Circuit.to_dict()`` of each circuit, or the bytes of each other
        program in base64.
    :param n_shots: One number of shots for each program.
    :param n_qubits: One number of qubits for each program, where they are given.
    :param max_cost: The most that each program may cost in HQC, where that is given.
    """

    kind: ProgramKind
    job_name: str
    indices: list[int]
    programs: list[dict[str, Any] | str] = Field(repr=False)
    n_shots: list[int]
    n_qubits: list[int | None] | None = None
    max_cost: list[float | None] | None = None


def split_programs(
    project_name: str,
    job_name: str,
    programs: Sequence[Program],
    n_shots: list[int],
    backend_config: BackendConfig,
    *,
    n_qubits: Sequence[int | None] | None = None,
    max_cost: Sequence[float | None] | None = None,
) -> list[ProgramPart]:
    """Check programs, and split them into one part for each kind; nothing is sent.

    :param project_name: The name of the project.
    :param job_name: The name of the job; where there are several kinds, the name of
        each job has the kind added.
    :param programs: Circuits, HUGR packages and QIR in any order, at least one.
    :param n_shots: One number of shots for each program.
    :param backend_config: Where and how to run them.
    :param n_qubits: One number of qubits for each program.
    :param max_cost: The most that each program may cost, in HQC.
    :returns: The parts: circuits, HUGR, QIR, as far as there are such programs.
    :raises InvalidInputError: For the first problem, in one sentence.
    """
    check_name("project", project_name)
    check_name("job", job_name)
    if not programs:
        raise InvalidInputError("There are no programs; give at least one.")
    check_shots(n_shots, len(programs), call_programs(map(kind_of, programs)))
    check_options(len(programs), n_qubits, max_cost)
    places: dict[ProgramKind, list[int]] = {"circuit": [], "hugr": [], "qir": []}
    for index, program in enumerate(programs):
        places[kind_of(program)].append(index)
        if isinstance(program, Package):
            check_package(program, f"Program {index}")
    _check_backend(places, backend_config)
    circuits = circuits_of(programs)
    if circuits:
        shots = [n_shots[index] for index in places["circuit"]]
        check_job(project_name, job_name, circuits, shots, backend_config)
    used = [kind for kind, indices in places.items() if indices]
    return [
        ProgramPart(
            kind=kind,
            job_name=job_name if len(used) == 1 else f"{job_name} ({_TITLES[kind]})",
            indices=places[kind],
            programs=[_encode(programs[index]) for index in places[kind]],
            n_shots=_chosen(n_shots, places[kind]),
            n_qubits=None if n_qubits is None else _chosen(n_qubits, places[kind]),
            max_cost=None if max_cost is None else _chosen(max_cost, places[kind]),
        )
        for kind in used
    ]


def circuits_of(programs: Sequence[Program]) -> list[Circuit]:
    """Return the circuits among programs.

    :param programs: The programs.
    """
    return [program for program in programs if isinstance(program, Circuit)]


def submit_part(
    project_name: str,
    part: ProgramPart,
    backend_config: BackendConfig,
    *,
    wasm_module: WasmModuleRef | None = None,
    gpu_decoder_config: GpuDecoderConfigRef | None = None,
    names: Sequence[str] | None = None,
    budget: Budget | None = None,
) -> tuple[ExecuteJobRef, list[UploadedProgram]]:
    """Upload the programs of a part, and submit their job, both once.

    Under a budget, what it may cost is reserved before the upload, as far as that is
    known then.

    :param project_name: The project of the job; it is made if it does not exist.
    :param part: The part.
    :param backend_config: Where and how to run its programs.
    :param wasm_module: The WASM module that they call, on Nexus already.
    :param gpu_decoder_config: The config of the GPU decoder that they use, on Nexus
        already.
    :param names: One name for each program of all parts, as for
        :func:`upload_programs`.
    :param budget: A budget for the job, beside those of its workflow.
    :returns: References to the job, and to its programs.
    :raises BudgetExceededError: If it costs more than is left of a budget.
    :raises NexusWorkerError: If an upload fails, or the job cannot be submitted.
    """
    own = None if names is None else _chosen(names, part.indices)
    programs = list(map(_decode, part.programs))
    check_and_reserve(
        (project_name, part.job_name, part.n_shots),
        lambda: estimate_cost(programs, part.n_shots, backend_config),
        backend_config,
        len(programs),
        max_cost=part.max_cost,
        budget=budget,
        later=None if part.kind == "circuit" else "estimated",
    )
    uploaded = upload_programs(programs, project_name, own)
    job = start_execute_job(
        project_name,
        part.job_name,
        uploaded,
        part.n_shots,
        backend_config,
        n_qubits=part.n_qubits,
        max_cost=part.max_cost,
        wasm_module=wasm_module,
        gpu_decoder_config=gpu_decoder_config,
        budget=budget,
    )
    return job, uploaded


def _check_backend(
    places: dict[ProgramKind, list[int]], backend_config: BackendConfig
) -> None:
    backend = type(backend_config).__name__.removesuffix("Config")
    if backend in RUN_HUGR:
        return
    for kind in ("hugr", "qir"):
        if places[kind]:
            raise InvalidInputError(
                f"The backend {backend} runs circuits only, and program "
                f"{places[kind][0]} is {_TITLES[kind]}; run it on Helios or Selene."
            )


def _chosen[T](values: Sequence[T], indices: Sequence[int]) -> list[T]:
    return [values[index] for index in indices]


def _encode(program: Program) -> dict[str, Any] | str:
    match program:
        case Circuit():
            return program.to_dict()
        case bytes():
            return base64.b64encode(program).decode()
        case _:
            return base64.b64encode(program.to_bytes()).decode()


def _decode(program: dict[str, Any] | str) -> Program:
    if isinstance(program, dict):
        return Circuit.from_dict(program)
    return read_program(base64.b64decode(program))
