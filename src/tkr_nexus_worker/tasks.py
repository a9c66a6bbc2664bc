"""The tasks of the worker, as Tierkreis sees them.

Each is a thin layer over a function of this package. The first seven have the names,
arguments and types of ``tierkreis.nexus_worker`` (Tierkreis 2.1.1), so that graphs
written for that interface run here unchanged.
"""
# Tierkreis reads the annotations at run time: no postponed evaluation in this module.

from typing import Annotated, Any, NamedTuple, cast

from hugr.package import Package
from pytket.backends.backendresult import BackendResult
from pytket.circuit import Circuit
from pytket.partition import MeasurementSetup
from pytket.utils.operators import QubitPauliOperator
from qnexus.models.references import (
    CircuitRef,
    CompileJobRef,
    ExecuteJobRef,
    GpuDecoderConfigRef,
    HUGRRef,
    JobRef,
    JobType,
    QIRRef,
    WasmModuleRef,
)
from quantinuum_schemas.models.backend_config import BackendConfig
from quantinuum_schemas.models.hypertket_config import HyperTketConfig
from tierkreis.controller.data.core import Deserializer, Serializer
from tierkreis.models import portmapping

from tkr_nexus_worker import (
    costs,
    devices,
    jobs,
    observables,
    programs,
    results,
    validation,
)
from tkr_nexus_worker.cloud import NEXUS
from tkr_nexus_worker.costs import limits
from tkr_nexus_worker.costs.budgets import Budget
from tkr_nexus_worker.costs.estimates import CostEstimate
from tkr_nexus_worker.costs.formula import hqc
from tkr_nexus_worker.devices import DeviceDetails, DeviceSummary
from tkr_nexus_worker.jobs import compile as compilation
from tkr_nexus_worker.jobs import receipt, retries, runs, wait
from tkr_nexus_worker.jobs.items import ItemResult
from tkr_nexus_worker.jobs.models import Job, JobPayload, JobStatus
from tkr_nexus_worker.jobs.parts import ProgramPart
from tkr_nexus_worker.jobs.runs import PartJob, PartLimits, PartPlan, Run
from tkr_nexus_worker.nexus import checks, client, projects
from tkr_nexus_worker.nexus.upload_batches import EncodedCircuits
from tkr_nexus_worker.observables import ExpectationValues, Measurements, operators
from tkr_nexus_worker.results import parts as result_parts
from tkr_nexus_worker.results import stream
from tkr_nexus_worker.results.counts import JobCounts
from tkr_nexus_worker.results.parts import PartOutcome
from tkr_nexus_worker.results.tagged import ProgramShots
from tkr_nexus_worker.validation import JobValidation
from tkr_runtime.jobs.names import check_name
from tkr_runtime.tasks import context
from tkr_runtime.tasks.worker import EncodedValue, TaskWorker


def _encode_result(value: Any) -> bytes | None:
    if isinstance(value, BackendResult):
        return result_parts.encode_result(value)
    return None


def _describe_job(value: Any) -> str | None:
    if isinstance(value, JobRef):
        return f"Job {value.annotations.name!r} ({value.id})"
    return None


worker = TaskWorker(NEXUS, encode=_encode_result, describe_job=_describe_job)


def preload() -> None:
    """Import what tasks import only when they need it, for forks to have it."""
    client.preload()
    operators.preload()


@worker.task()
def upload_circuit(project_name: str, circ: Circuit) -> CircuitRef | HUGRRef | QIRRef:
    """Upload a circuit to a project of Nexus.

    :param project_name: The project; it is created if it does not exist.
    :param circ: The circuit.
    :returns: A reference to the circuit on Nexus.
    """
    return programs.upload_circuit(circ, project_name)


@worker.task()
def start_execute_job(
    project_name: str,
    job_name: str,
    circuits: list[CircuitRef | HUGRRef | QIRRef],
    n_shots: list[int],
    backend_config: BackendConfig,
    n_qubits: list[int] | None = None,
    max_cost: list[float] | None = None,
    wasm_module: WasmModuleRef | None = None,
    gpu_decoder_config: GpuDecoderConfigRef | None = None,
    max_job_cost: float | None = None,
    budget: Budget | None = None,
) -> ExecuteJobRef:
    """Submit programs that are on Nexus as one job.

    :param project_name: The project of the job; it is created if it does not exist.
    :param job_name: A name for the job.
    :param circuits: The programs, at least one.
    :param n_shots: One number of shots for each program.
    :param backend_config: Where and how to run them.
    :param n_qubits: One number of qubits for each program, which HUGR and QIR programs
        need on most systems.
    :param max_cost: The most that each program may cost, in HQC.
    :param wasm_module: The WASM module that the programs call.
    :param gpu_decoder_config: The config of the GPU decoder that the programs use.
    :param max_job_cost: The most that the job may be estimated to cost, in HQC.
    :param budget: A budget for this job, beside those of its workflow.
    :returns: A reference to the job.
    """
    job = jobs.start_execute_job(
        project_name,
        job_name,
        circuits,
        n_shots,
        backend_config,
        n_qubits=n_qubits,
        max_cost=max_cost,
        wasm_module=wasm_module,
        gpu_decoder_config=gpu_decoder_config,
        max_job_cost=max_job_cost,
        budget=budget,
    )
    receipt.write_submission(job, circuits, n_shots, backend_config)
    return job


@worker.task()
def start_single_job(
    project_name: str,
    job_name: str,
    circuit: CircuitRef | HUGRRef | QIRRef,
    n_shots: int,
    backend_config: BackendConfig,
    max_cost: float | None = None,
    budget: Budget | None = None,
) -> ExecuteJobRef:
    """Submit one program that is on Nexus as a job.

    :param project_name: The project of the job; it is created if it does not exist.
    :param job_name: A name for the job.
    :param circuit: The program.
    :param n_shots: The number of shots.
    :param backend_config: Where and how to run it.
    :param max_cost: The most that it may cost, in HQC.
    :param budget: A budget for this job, beside those of its workflow.
    :returns: A reference to the job.
    """
    return start_execute_job(
        project_name,
        job_name,
        [circuit],
        [n_shots],
        backend_config,
        max_cost=None if max_cost is None else [max_cost],
        budget=budget,
    )


@worker.task()
def is_running(execute_ref: ExecuteJobRef) -> bool:
    """Return whether a job still waits or runs.

    :param execute_ref: The job.
    :returns: False once the job has completed, True before.
    :raises JobFailedError: If the job ended in any other way; it names each failed
        program with its reason.
    """
    return jobs.is_running(execute_ref)


@worker.task()
def get_results(
    execute_ref: ExecuteJobRef,
    allow_failed: bool = False,
) -> list[BackendResult]:
    """Download the results of a completed job.

    :param execute_ref: The job.
    :param allow_failed: Whether to mark a program that failed by an empty result, which
        equals ``BackendResult()``, instead of failing.
    :returns: One result for each program, in the order of the programs.
    """
    found = results.get_results_by_id(execute_ref, allow_failed=allow_failed)
    receipt.write_receipt(found.job)
    return found.backend_results()


@worker.task()
def upload_hugr(
    hugr_package: Package, project_name: str, name: str | None = None
) -> HUGRRef:
    """Upload a HUGR package to a project of Nexus.

    :param hugr_package: The package.
    :param project_name: The project; it is created if it does not exist.
    :param name: A name for the program; by default one made from its content.
    :returns: A reference to the program on Nexus.
    """
    return programs.upload_hugr(hugr_package, project_name, name)


@worker.task()
def upload_qir(qir: bytes, project_name: str, name: str | None = None) -> QIRRef:
    """Upload a QIR program to a project of Nexus.

    :param qir: LLVM bitcode, or LLVM text.
    :param project_name: The project; it is created if it does not exist.
    :param name: A name for the program; by default one made from its content.
    :returns: A reference to the program on Nexus.
    :raises InvalidInputError: If it is neither bitcode nor text.
    """
    return programs.upload_qir(qir, project_name, name)


@worker.task()
def upload_wasm(
    wasm_module: bytes, project_name: str, name: str | None = None
) -> WasmModuleRef:
    """Upload a WASM module, whose functions the programs of a job may call.

    :param wasm_module: The module in the binary format.
    :param project_name: The project; it is created if it does not exist.
    :param name: A name for the module; by default one made from its content.
    :returns: A reference to the module, for ``start_execute_job``.
    :raises InvalidInputError: If it is no WASM module.
    """
    return programs.upload_wasm(wasm_module, project_name, name)


@worker.task()
def upload_gpu_decoder_config(
    gpu_decoder_config: str, project_name: str, name: str | None = None
) -> GpuDecoderConfigRef:
    """Upload the config of a GPU decoder, which the programs of a job may use.

    :param gpu_decoder_config: The text of the config.
    :param project_name: The project; it is created if it does not exist.
    :param name: A name for the config; by default one made from its content.
    :returns: A reference to the config, for ``start_execute_job``.
    :raises InvalidInputError: If it is empty.
    """
    return programs.upload_gpu_decoder_config(gpu_decoder_config, project_name, name)


@worker.task()
def prepare_programs(
    project_name: str,
    job_name: str,
    programs: list[Circuit | Package | bytes],
    n_shots: list[int],
    n_qubits: list[int] | None,
    max_cost: list[float] | None,
    backend_config: BackendConfig,
    polling_interval: float = 0.0,
    max_job_cost: float | None = None,
) -> list[ProgramPart]:
    """Check programs of any kinds, and split them into one job for each kind.

    Nothing is uploaded; the project is created.

    :param project_name: The project; it is created if it does not exist.
    :param job_name: A name for the job; each of several has its kind added.
    :param programs: Circuits, HUGR packages and QIR (LLVM bitcode or text).
    :param n_shots: One number of shots for each program.
    :param n_qubits: One number of qubits for each program; None if all say it.
    :param max_cost: The most that each program may cost, in HQC; None for no limit.
    :param backend_config: Where and how to run them.
    :param polling_interval: As for ``prepare_job``.
    :param max_job_cost: The most that all may be estimated to cost together, in HQC;
        with HUGR and QIR programs, give ``max_cost`` as well.
    :returns: The parts, each for ``submit_programs``.
    :raises InvalidInputError: If anything is wrong with the programs or their options.
    :raises BudgetExceededError: If they cost more than is allowed.
    :raises NotLoggedInError: If there is no valid login.
    """
    parts = jobs.split_programs(
        project_name,
        job_name,
        programs,
        n_shots,
        backend_config,
        n_qubits=n_qubits,
        max_cost=max_cost,
    )
    if parts[0].kind == "circuit":
        circuits = [one for one in programs if isinstance(one, Circuit)]
        validation.check_fit(circuits, parts[0].n_shots, backend_config)
    limits.check_before_upload(
        lambda: costs.estimate_cost(programs, n_shots, backend_config),
        backend_config,
        len(programs),
        max_cost=max_cost,
        max_job_cost=max_job_cost,
    )
    client.warn_if_login_ends_soon(polling_interval)
    projects.get_or_create_project(project_name)
    return parts


def _read_programs(values: Any) -> list[Circuit | Package | bytes]:
    return [
        programs.read_program(value.encode() if isinstance(value, str) else value)
        if isinstance(value, bytes | str)
        else Circuit.from_dict(value)
        for value in values
    ]


worker.read_input_by("prepare_programs", "programs", _read_programs)


@worker.task()
def submit_programs(
    project_name: str,
    part: ProgramPart,
    backend_config: BackendConfig,
    wasm_module: WasmModuleRef | None = None,
    gpu_decoder_config: GpuDecoderConfigRef | None = None,
    names: list[str] | None = None,
    budget: Budget | None = None,
) -> ExecuteJobRef:
    """Upload the programs of one kind, and submit them as one job.

    :param project_name: The project of the job; it is created if it does not exist.
    :param part: The programs, as ``prepare_programs`` returns them.
    :param backend_config: Where and how to run them.
    :param wasm_module: The WASM module that they call.
    :param gpu_decoder_config: The config of the GPU decoder that they use.
    :param names: One name for each program of the graph, under which HUGR and QIR
        programs are uploaded; by default they are named by their contents.
    :param budget: A budget for this job, beside those of its workflow.
    :returns: A reference to the job.
    """
    job, uploaded = jobs.submit_part(
        project_name,
        part,
        backend_config,
        wasm_module=wasm_module,
        gpu_decoder_config=gpu_decoder_config,
        names=names,
        budget=budget,
    )
    receipt.write_submission(job, uploaded, part.n_shots, backend_config)
    return job


@worker.task()
def get_program_shots(
    execute_ref: ExecuteJobRef, part: ProgramPart | None = None
) -> list[ProgramShots]:
    """Download the shots of a completed job, whatever the kind of its programs.

    :param execute_ref: The job.
    :param part: The programs of the job, as ``prepare_programs`` returned them, where
        they are a part of all.
    :returns: The shots of each program, in the order of the job, with its place among
        all.
    """
    found = results.get_results_by_id(execute_ref)
    receipt.write_receipt(found.job)
    shots = [one.to_shots(found.job.job_id) for one in found]
    if part is None:
        return shots
    return [
        one.model_copy(update={"index": index})
        for index, one in zip(part.indices, shots, strict=True)
    ]


@worker.task()
def join_programs(shots: list[ProgramShots]) -> list[ProgramShots]:
    """Join the shots of all parts, in the order of the programs.

    :param shots: The outputs of a map over ``prepare_programs``.
    :returns: The shots of all programs, in their order.
    """
    return sorted(shots, key=lambda one: one.index)


@worker.task()
def cost(hugr_ref: HUGRRef | list[HUGRRef], n_shots: int, project_name: str) -> float:
    """Estimate the cost of HUGR programs on a Helios system.

    :param hugr_ref: The program or programs.
    :param n_shots: The number of shots of each.
    :param project_name: The project for the costing job, which is free of charge.
    :returns: The sum of the costs in HQC.
    """
    hugr_programs = hugr_ref if isinstance(hugr_ref, list) else [hugr_ref]
    return costs.get_hugr_cost(hugr_programs, n_shots, project_name)


def _read_hugr_refs(value: Any) -> HUGRRef | list[HUGRRef]:
    if isinstance(value, list):
        return [HUGRRef(**item) for item in value]
    return HUGRRef(**value)


worker.read_input_by("cost", "hugr_ref", _read_hugr_refs)


@worker.task()
def estimate_cost(
    programs: list[Circuit | CircuitRef | HUGRRef | QIRRef],
    n_shots: list[int],
    backend_config: BackendConfig,
    project_name: str | None = None,
) -> CostEstimate:
    """Estimate what a job costs; nothing is submitted that costs anything.

    :param programs: Circuits, or circuits, HUGR and QIR programs that are on Nexus.
    :param n_shots: One number of shots for each program.
    :param backend_config: Where and how to run them.
    :param project_name: The project for the costing job of HUGR and QIR programs; by
        default that of the first of them.
    :returns: The cost of the job and of each program, with their confidence.
    """
    return costs.estimate_cost(
        programs, n_shots, backend_config, project_name=project_name
    )


def _read_estimated(value: Any) -> list[Circuit | CircuitRef | HUGRRef | QIRRef]:
    kinds = {"CircuitRef": CircuitRef, "HUGRRef": HUGRRef, "QIRRef": QIRRef}
    return [
        kinds[one["type"]](**one) if "type" in one else Circuit.from_dict(one)
        for one in value
    ]


worker.read_input_by("estimate_cost", "programs", _read_estimated)


@worker.task()
def prepare_job(
    project_name: str,
    job_name: str,
    circuits: list[Circuit],
    n_shots: int | list[int],
    backend_config: BackendConfig,
    polling_interval: float = 0.0,
    max_cost: list[float] | None = None,
    max_job_cost: float | None = None,
    budget: Budget | None = None,
) -> str:
    """Check a job before anything is uploaded, and create its project once.

    Use the output as the project name of the uploads: they then start only if the
    checks have passed, and the project exists.

    :param project_name: The project; it is created if it does not exist.
    :param job_name: A name for the job.
    :param circuits: The circuits.
    :param n_shots: One number of shots for each circuit.
    :param backend_config: Where and how to run them.
    :param polling_interval: The time between two requests for the status of the job, in
        seconds; a login that ends before the next is a warning in the log.
    :param max_cost: The most that each circuit may cost, in HQC.
    :param max_job_cost: The most that the job may cost, in HQC.
    :param budget: A budget for this job, beside those of its workflow: what the job may
        cost is reserved.
    :returns: The name of the project.
    :raises InvalidInputError: If anything is wrong with the job.
    :raises BudgetExceededError: If it costs more than is allowed, or is left of a
        budget.
    :raises NotLoggedInError: If there is no valid login.
    """
    checks.check_job(project_name, job_name, circuits, n_shots, backend_config)
    device = validation.check_fit(circuits, n_shots, backend_config)
    shots = checks.check_shots(n_shots, len(circuits))
    limits.check_and_reserve(
        (project_name, job_name, shots),
        lambda: costs.estimate_cost(circuits, shots, backend_config, device=device),
        backend_config,
        len(circuits),
        max_cost=max_cost,
        max_job_cost=max_job_cost,
        budget=budget,
    )
    client.warn_if_login_ends_soon(polling_interval)
    projects.get_or_create_project(project_name)
    return project_name


@worker.task()
def prepare_batches(
    project_name: str,
    job_name: str,
    circuits: list[Circuit],
    n_shots: int | list[int],
    backend_config: BackendConfig,
    polling_interval: float = 0.0,
    max_cost: list[float] | None = None,
    max_job_cost: float | None = None,
    budget: Budget | None = None,
) -> list[list[Circuit]]:
    """Check a job as ``prepare_job`` does, and divide its circuits into batches.

    :param project_name: The project; it is created if it does not exist.
    :param job_name: A name for the job.
    :param circuits: The circuits.
    :param n_shots: One number of shots for each circuit.
    :param backend_config: Where and how to run them.
    :param polling_interval: As for ``prepare_job``.
    :param max_cost: The most that each circuit may cost, in HQC.
    :param max_job_cost: The most that the job may cost, in HQC.
    :param budget: As for ``prepare_job``.
    :returns: The circuits in their order, in at most 4 batches for ``upload_circuits``.
    :raises InvalidInputError: If anything is wrong with the job.
    :raises NotLoggedInError: If there is no valid login.
    """
    prepare_job(
        project_name,
        job_name,
        circuits,
        n_shots,
        backend_config,
        polling_interval,
        max_cost,
        max_job_cost,
        budget,
    )
    if isinstance(circuits, EncodedCircuits):
        encoded = [EncodedValue(batch) for batch in circuits.batches()]
        return cast("list[list[Circuit]]", encoded)
    return [circuits]


worker.read_input_by("prepare_batches", "circuits", EncodedCircuits.read, encoded=True)


@worker.task()
def upload_circuits(
    project_name: str, circuits: list[Circuit]
) -> list[CircuitRef | HUGRRef | QIRRef]:
    """Upload circuits to a project of Nexus in parallel.

    :param project_name: The project; it is created if it does not exist.
    :param circuits: The circuits.
    :returns: References to the circuits on Nexus, in the same order.
    """
    return list(programs.upload_circuits(circuits, project_name))


@worker.task()
def prepare_compilation(
    project_name: str,
    job_name: str,
    circuits: list[Circuit],
    backend_config: BackendConfig,
    optimisation_level: int = 2,
    target_2qb_gate: str | None = None,
    n_shots: list[int] | None = None,
    polling_interval: float = 0.0,
    max_cost: list[float] | None = None,
    max_job_cost: float | None = None,
    budget: Budget | None = None,
) -> list[list[Circuit]]:
    """Check circuits that Nexus is to compile, and divide them into batches.

    Nothing is uploaded; the project is created.

    :param project_name: The project; it is created if it does not exist.
    :param job_name: A name for the job.
    :param circuits: The circuits.
    :param backend_config: The device to compile for.
    :param optimisation_level: As for ``start_compile_job``.
    :param target_2qb_gate: As for ``start_compile_job``.
    :param n_shots: One number of shots for each circuit, where they are to be run
        afterwards: the job that runs them is then checked, too, and the least that it
        costs is reserved in its budgets.
    :param polling_interval: As for ``prepare_job``.
    :param max_cost: The most that each circuit may cost when it is run, in HQC.
    :param max_job_cost: The most that the job that runs them may cost, in HQC.
    :param budget: A budget for that job, beside those of its workflow.
    :returns: The circuits in their order, in at most 4 batches for ``upload_circuits``.
    :raises InvalidInputError: If anything is wrong.
    :raises BudgetExceededError: If the job costs more than is allowed or left, however
        the circuits are compiled.
    :raises NotLoggedInError: If there is no valid login.
    """
    check_name("project", project_name)
    check_name("job", job_name)
    compilation.check_level(optimisation_level)
    if n_shots is not None:
        checks.check_job(project_name, job_name, circuits, n_shots, backend_config)
        device = validation.check_fit(circuits, n_shots, backend_config, compiled=True)
    compilation.check_compilation(
        circuits,
        backend_config,
        optimisation_level=optimisation_level,
        target_2qb_gate=target_2qb_gate,
    )
    if n_shots is not None:
        limits.reserve_for_compilation(
            (project_name, job_name, n_shots),
            len(circuits),
            device,
            backend_config,
            max_cost=max_cost,
            max_job_cost=max_job_cost,
            budget=budget,
        )
    client.warn_if_login_ends_soon(polling_interval)
    projects.get_or_create_project(project_name)
    if isinstance(circuits, EncodedCircuits):
        encoded = [EncodedValue(batch) for batch in circuits.batches()]
        return cast("list[list[Circuit]]", encoded)
    return [circuits]


worker.read_input_by(
    "prepare_compilation", "circuits", EncodedCircuits.read, encoded=True
)


@worker.task()
def start_compile_job(
    project_name: str,
    job_name: str,
    circuits: list[CircuitRef | HUGRRef | QIRRef],
    backend_config: BackendConfig,
    optimisation_level: int = 2,
    target_2qb_gate: str | None = None,
    hypertket_config: HyperTketConfig | None = None,
    store_passes: bool = False,
) -> CompileJobRef:
    """Submit circuits that are on Nexus to be compiled there, as one job.

    :param project_name: The project of the job; it is created if it does not exist.
    :param job_name: A name for the job.
    :param circuits: The circuits, at least one.
    :param backend_config: The device to compile for.
    :param optimisation_level: 0 for a change of gates alone, to 3 for the most
        optimisation.
    :param target_2qb_gate: The gate on two qubits to compile to, instead of that of
        the config: ``ZZPhase``, ``ZZMax`` or ``TK2``.
    :param hypertket_config: Options of the search for rewrites, and of the reuse of
        qubits.
    :param store_passes: Whether Nexus keeps what each pass made.
    :returns: A reference to the job.
    """
    return jobs.start_compile_job(
        project_name,
        job_name,
        circuits,
        backend_config,
        optimisation_level=optimisation_level,
        target_2qb_gate=target_2qb_gate,
        hypertket_config=hypertket_config,
        store_passes=store_passes,
    )


@worker.task()
def get_compiled_programs(
    compile_ref: CompileJobRef,
) -> list[CircuitRef | HUGRRef | QIRRef]:
    """Return what a compile job made, for ``start_execute_job``.

    :param compile_ref: The job, which has ended.
    :returns: References to the compiled circuits, in the order of the circuits.
    :raises JobFailedError: If a circuit could not be compiled; it names each with its
        reason.
    """
    return list(jobs.get_compiled_programs(compile_ref))


@worker.task()
def compile_locally(
    circuits: list[Circuit],
    backend_config: BackendConfig,
    passes: list[str] | None = None,
    target_2qb_gate: str | None = None,
) -> list[Circuit]:
    """Change circuits to the gates of a device by pytket, without a job.

    :param circuits: The circuits.
    :param backend_config: The device.
    :param passes: Names of passes of ``pytket.passes`` without arguments, in their
        order; by default the gates are changed and redundant ones removed.
    :param target_2qb_gate: The gate on two qubits, instead of that of the config.
    :returns: The compiled circuits, in the same order.
    :raises InvalidInputError: If there is no such pass or gate, or pytket cannot
        compile a circuit.
    """
    return jobs.compile_locally(
        circuits, backend_config, passes=passes or (), target_2qb_gate=target_2qb_gate
    )


@worker.task()
def collect_programs(
    programs: list[CircuitRef | HUGRRef | QIRRef],
) -> list[CircuitRef | HUGRRef | QIRRef]:
    """Join the programs of all batches, for a nested graph, which takes one value.

    :param programs: The outputs of a map over ``upload_circuits``.
    :returns: The programs, in their order.
    """
    return programs


# Tierkreis declares the decorator for dataclasses, and takes named tuples only.
@portmapping
class JobChange(NamedTuple):  # type: ignore[misc]
    """The status of a job after a change.

    :param status: The state, and the place in the queue where Nexus reports it.
    :param is_unfinished: Whether the job still waits or runs.
    """

    status: str
    is_unfinished: bool


@worker.task()
def wait_for_change(
    execute_ref: ExecuteJobRef | CompileJobRef,
    polling_interval: float,
    known_status: str = "",
    allow_failed: bool = False,
) -> JobChange:
    """Wait until a job has ended or its status has changed, an hour at most.

    :param execute_ref: The job.
    :param polling_interval: The longest time between two requests, in seconds.
    :param known_status: The status that the caller knows; empty to return at once.
    :param allow_failed: Whether to return also where the job failed, instead of
        raising an error.
    :returns: The status of the job.
    :raises JobFailedError: If the job failed; it names each failed program with its
        reason.
    """
    status = wait.wait_for_change(execute_ref, polling_interval, known_status)
    if not allow_failed:
        wait.raise_if_failed(execute_ref, status)
    return JobChange(status.summary, not status.is_final)


@worker.task()
def await_news(
    execute_ref: ExecuteJobRef,
    polling_interval: float,
    seen: str = "",
    allow_failed: bool = False,
) -> JobChange:
    """Wait as ``wait_for_change`` does; the name that graphs of version 0.1 stored.

    :param execute_ref: The job.
    :param polling_interval: The longest time between two requests, in seconds.
    :param seen: The status that the caller knows; empty to return at once.
    :param allow_failed: Whether to return also where the job failed.
    :returns: The status of the job.
    :raises JobFailedError: If the job failed.
    """
    return wait_for_change(execute_ref, polling_interval, seen, allow_failed)


@worker.task()
def get_qsys_shots(
    execute_ref: ExecuteJobRef,
) -> list[
    list[list[tuple[str, bool | int | float | list[bool] | list[int] | list[float]]]]
]:
    """Download the raw shots of a completed job of HUGR or QIR programs.

    :param execute_ref: The job.
    :returns: For each program a list of shots; each shot lists (tag, value).
    """
    return results.get_qsys_shots(execute_ref)


@worker.task()
def get_item_results(execute_ref: ExecuteJobRef) -> list[ItemResult]:
    """Return the outcome of each program of a job that has ended, well or badly.

    :param execute_ref: The job.
    :returns: For each program, in their order, its state, the reason for it, the result
        if there is one, and whether a retry is worth its cost.
    """
    found = results.get_results_by_id(execute_ref, allow_failed=True)
    receipt.write_receipt(found.job)
    return found.item_results()


@worker.task()
def is_unfinished(execute_ref: ExecuteJobRef) -> bool:
    """Return whether a job still waits or runs, without an error where it failed.

    :param execute_ref: The job.
    :returns: False once the job has ended in any way, True before.
    """
    return jobs.is_unfinished(execute_ref)


@worker.task()
def start_attempt(
    project_name: str,
    job_name: str,
    circuits: list[CircuitRef | HUGRRef | QIRRef],
    n_shots: list[int],
    backend_config: BackendConfig,
    items: list[ItemResult],
    attempt: int,
    max_cost: list[float] | None = None,
    budget: Budget | None = None,
) -> ExecuteJobRef:
    """Submit the programs that are worth another attempt, as a new job.

    :param project_name: The project of the job; it is created if it does not exist.
    :param job_name: The name of the first job.
    :param circuits: All programs.
    :param n_shots: One number of shots for each of them.
    :param backend_config: Where and how to run them.
    :param items: The outcome of each program so far; empty to submit all.
    :param attempt: The number of this attempt, from 1.
    :param max_cost: The most that each program may cost in one attempt, in HQC.
    :param budget: A budget for these jobs, beside those of their workflow.
    :returns: A reference to the job.
    """
    chosen = retries.choose_programs(items, len(circuits))
    chosen_circuits = [circuits[index] for index in chosen]
    chosen_shots = [n_shots[index] for index in chosen]
    job = jobs.start_execute_job(
        project_name,
        retries.name_attempt(job_name, attempt),
        chosen_circuits,
        chosen_shots,
        backend_config,
        adopt_failed=True,
        max_cost=None if max_cost is None else [max_cost[index] for index in chosen],
        budget=budget,
    )
    receipt.write_submission(job, chosen_circuits, chosen_shots, backend_config)
    return job


# Tierkreis declares the decorator for dataclasses, and takes named tuples only.
@portmapping
class AttemptOutcome(NamedTuple):  # type: ignore[misc]
    """The outcomes after an attempt.

    :param items: The outcome of each program so far.
    :param attempt: The number of the next attempt.
    :param should_continue: Whether there should be a next attempt.
    """

    items: list[ItemResult]
    attempt: int
    should_continue: bool


@worker.task()
def collect_attempt(
    execute_ref: ExecuteJobRef,
    items: list[ItemResult],
    attempt: int,
    max_attempts: int,
) -> AttemptOutcome:
    """Add the outcomes of an attempt to those of all programs.

    :param execute_ref: The job of the attempt, which has ended.
    :param items: The outcomes of all programs before the attempt; empty at the first.
    :param attempt: The number of the attempt, from 1.
    :param max_attempts: The largest number of attempts.
    :returns: The outcomes of all programs, and whether another attempt is allowed,
        worth it, and safe because nothing can still run.
    """
    merged = retries.merge_attempt(items, get_item_results(execute_ref))
    go_on = attempt < max_attempts and retries.is_retry_due(merged)
    return AttemptOutcome(merged, attempt + 1, go_on)


@worker.task()
def collect_results(job_name: str, items: list[ItemResult]) -> list[BackendResult]:
    """Return the results of all programs from their outcomes.

    :param job_name: The name of the job, for error messages.
    :param items: The outcome of each program.
    :returns: One result for each program, in their order.
    :raises JobFailedError: If some have no result; it names each with its reason.
    """
    return retries.collect_results(job_name, items)


@worker.task()
def prepare_parts(
    project_name: str,
    job_name: str,
    circuits: list[Circuit],
    n_shots: list[int],
    backend_config: BackendConfig,
    max_programs: int,
    max_bytes: int,
    max_cost: float | None = None,
    polling_interval: float = 0.0,
    max_program_cost: list[float] | None = None,
    max_job_cost: float | None = None,
) -> PartPlan:
    """Check a run as ``prepare_job`` does, and divide its circuits into parts.

    Budgets are kept part by part, when ``submit_part`` submits them.

    :param project_name: The project; it is created if it does not exist.
    :param job_name: A name for the run.
    :param circuits: The circuits.
    :param n_shots: One number of shots for each circuit.
    :param backend_config: Where and how to run them; where it attempts batching, its
        ``max_batch_cost`` limits each part, too.
    :param max_programs: The largest number of circuits of a part.
    :param max_bytes: The largest size of a part as it is uploaded, in bytes.
    :param max_cost: The largest estimated cost of a part in HQC; None for no limit.
    :param polling_interval: As for ``prepare_job``.
    :param max_program_cost: The most that each circuit may cost, in HQC.
    :param max_job_cost: The most that all jobs of the run may be estimated to cost
        together, in HQC.
    :returns: The plan; the parts are kept in files of this task.
    :raises InvalidInputError: If anything is wrong with the run, or a circuit alone
        costs more than a part may.
    :raises BudgetExceededError: If it costs more than is allowed.
    :raises NotLoggedInError: If there is no valid login.
    """
    each = PartLimits(max_programs, max_bytes, max_cost).within_batch(backend_config)
    checks.check_job(project_name, job_name, circuits, n_shots, backend_config)
    device = validation.check_fit(circuits, n_shots, backend_config)
    limits.check_before_upload(
        lambda: costs.estimate_cost(circuits, n_shots, backend_config, device=device),
        backend_config,
        len(circuits),
        max_cost=max_program_cost,
        max_job_cost=max_job_cost,
    )
    client.warn_if_login_ends_soon(polling_interval)
    projects.get_or_create_project(project_name)
    return runs.write_parts(circuits, n_shots, each, hqc, max_program_cost)


worker.read_input_by("prepare_parts", "circuits", EncodedCircuits.read, encoded=True)


@worker.task()
def submit_part(
    project_name: str,
    job_name: str,
    backend_config: BackendConfig,
    plan: PartPlan,
    part_jobs: list[PartJob],
    part: int,
    budget: Budget | None = None,
) -> list[PartJob]:
    """Upload the circuits of a part, and submit them as a job.

    :param project_name: The project of the job; it is created if it does not exist.
    :param job_name: The name of the run.
    :param backend_config: Where and how to run the circuits.
    :param plan: The plan of the run.
    :param part_jobs: The jobs of the run that have not ended.
    :param part: The place of the part, from 0.
    :param budget: A budget for the job, beside those of its workflow.
    :returns: The same jobs, and the new one.
    :raises BudgetExceededError: If the part costs more than is left of a budget;
        nothing of it is uploaded then.
    """
    job = runs.submit_part(project_name, job_name, backend_config, plan, part, budget)
    return [*part_jobs, job]


# Tierkreis declares the decorator for dataclasses, and takes named tuples only.
@portmapping
class PartsProgress(NamedTuple):  # type: ignore[misc]
    """The state of a run after a part of it has ended.

    :param part_jobs: The jobs that have not ended.
    :param failed_jobs: The jobs that failed.
    :param next_part: The part to submit next.
    :param outcomes: A reference to the outcome of the part that ended last.
    :param may_submit: Whether to submit the next part now.
    :param should_continue: Whether the run goes on.
    :param status: What runs and waits, for people.
    """

    part_jobs: list[PartJob]
    failed_jobs: list[PartJob]
    next_part: int
    outcomes: str
    may_submit: bool
    should_continue: bool
    status: str


@worker.task()
def collect_part(
    job_name: str,
    plan: PartPlan,
    part_jobs: list[PartJob],
    failed_jobs: list[PartJob],
    next_part: int,
    outcomes: str,
    max_jobs: int,
    polling_interval: float,
    allow_failed: bool = False,
) -> PartsProgress:
    """Wait until a part has ended, an hour at most, and keep its results.

    :param job_name: The name of the run.
    :param plan: The plan of the run.
    :param part_jobs: The jobs that have not ended.
    :param failed_jobs: The jobs that failed.
    :param next_part: The part to submit next, or the one submitted just now.
    :param outcomes: A reference to the outcome of the part that ended last.
    :param max_jobs: The largest number of jobs at once; it does not wait if a further
        part may be submitted.
    :param polling_interval: The longest time between two looks at the jobs, in seconds.
    :param allow_failed: Whether circuits may fail; their results are empty then.
    :returns: The state of the run.
    :raises JobFailedError: If parts failed, and all others have ended. Started again,
        the task looks at them again: a person may have retried them.
    """
    run, last, status = result_parts.collect_part(
        Run.after_submission(
            job_name, plan, max_jobs, part_jobs, failed_jobs, next_part
        ),
        polling_interval,
        outcomes,
        allow_failed=allow_failed,
    )
    return PartsProgress(
        part_jobs=run.jobs,
        failed_jobs=run.failed,
        next_part=run.next_part,
        outcomes=last,
        may_submit=run.may_submit,
        should_continue=run.should_continue,
        status=status,
    )


@worker.task()
def join_parts(outcomes: str) -> list[BackendResult]:
    """Return the results of all circuits of a run.

    :param outcomes: A reference to the outcome of the part that ended last.
    :returns: One result for each circuit, in their order; an empty one, which equals
        ``BackendResult()``, for each that failed.
    """
    # They are written one by one, and never in memory together.
    texts = map(EncodedValue, result_parts.join_results(outcomes))
    return cast("list[BackendResult]", texts)


@worker.task()
def list_parts(outcomes: str) -> list[PartOutcome]:
    """Return the outcomes of the parts of a run, without their results.

    :param outcomes: A reference to the outcome of the part that ended last.
    :returns: The outcomes, in the order of the parts.
    """
    return result_parts.read_outcomes(outcomes)


# Tierkreis declares the decorator for dataclasses, and takes named tuples only.
@portmapping
class StreamProgress(NamedTuple):  # type: ignore[misc]
    """The state of a streamed run after programs have finished.

    :param part_jobs: The jobs that have not ended, or have results to hand on.
    :param failed_jobs: The jobs that failed.
    :param next_part: The part to submit next.
    :param arrivals: A reference to the results of the pass; empty if there are none.
    :param has_arrivals: Whether there are any.
    :param may_submit: Whether to submit the next part now.
    :param should_continue: Whether the run goes on.
    :param status: What runs and waits, for people.
    """

    part_jobs: list[PartJob]
    failed_jobs: list[PartJob]
    next_part: int
    arrivals: str
    has_arrivals: bool
    may_submit: bool
    should_continue: bool
    status: str


@worker.task()
def await_results(
    job_name: str,
    plan: PartPlan,
    part_jobs: list[PartJob],
    failed_jobs: list[PartJob],
    next_part: int,
    max_jobs: int,
    max_results: int,
    polling_interval: float,
    allow_failed: bool = False,
) -> StreamProgress:
    """Wait until programs have finished, an hour at most, and keep their results.

    :param job_name: The name of the run.
    :param plan: The plan of the run.
    :param part_jobs: The jobs that have not ended.
    :param failed_jobs: The jobs that failed.
    :param next_part: The part to submit next, or the one submitted just now.
    :param max_jobs: The largest number of jobs at once; it does not wait if a further
        part may be submitted.
    :param max_results: The largest number of results.
    :param polling_interval: The longest time between two looks at the jobs, in seconds.
    :param allow_failed: Whether programs may fail; their results are empty then, and
        come once their job has ended.
    :returns: The state of the run.
    :raises JobFailedError: If programs failed, and all others have finished. Started
        again, the task looks at them again: a person may have retried them.
    """
    run, arrivals, status = stream.await_results(
        Run.after_submission(
            job_name, plan, max_jobs, part_jobs, failed_jobs, next_part
        ),
        polling_interval,
        max_results,
        allow_failed=allow_failed,
    )
    return StreamProgress(
        part_jobs=run.jobs,
        failed_jobs=run.failed,
        next_part=run.next_part,
        arrivals=arrivals,
        has_arrivals=bool(arrivals),
        may_submit=run.may_submit,
        should_continue=run.should_continue,
        status=status,
    )


@worker.task()
def take_results(arrivals: str) -> list[BackendResult]:
    """Return the results of programs that have finished.

    :param arrivals: A reference to them.
    :returns: The results.
    """
    texts = [EncodedValue(text) for _, text in stream.read_arrivals(arrivals)]
    return cast("list[BackendResult]", texts)


@worker.task()
def take_indices(arrivals: str) -> list[int]:
    """Return the places of programs that have finished.

    :param arrivals: A reference to their results.
    :returns: Their places among all programs of the run, from 0.
    """
    return [index for index, _ in stream.read_arrivals(arrivals)]


@worker.task()
def keep_outputs(arrivals: str, outputs: list[str], previous: str) -> str:
    """Keep what the body of a stream returned for programs that have finished.

    :param arrivals: A reference to their results.
    :param outputs: The outputs of a map over them, of any type.
    :param previous: A reference to what was kept before; empty if nothing was.
    :returns: A reference to what is kept now.
    """
    return stream.keep_outputs(arrivals, cast("list[bytes]", outputs), previous)


worker.read_elements_encoded("keep_outputs", "outputs")


@worker.task()
def join_outputs(outputs: str) -> list[str]:
    """Return all that the body of a stream returned.

    :param outputs: A reference to what was kept last; empty if nothing was.
    :returns: Its outputs, of any type, in the order of the programs.
    """
    return cast("list[str]", map(EncodedValue, stream.join_outputs(outputs)))


@worker.task()
def list_scheduled_jobs(project: str | None = None, limit: int = 100) -> list[Job]:
    """List the jobs that wait or run, the newest first.

    :param project: The name of a project, to list only its jobs.
    :param limit: The largest number of jobs to list.
    :returns: The jobs.
    """
    return jobs.list_scheduled_jobs(project, limit=limit)


@worker.task()
def get_job_status(job: ExecuteJobRef | CompileJobRef | str) -> JobStatus:
    """Return the current status of a job.

    :param job: The job, or its id, the start of its id, or its name.
    :returns: The status.
    """
    return jobs.get_job_status(job)


@worker.task()
def get_job_details(job: ExecuteJobRef | CompileJobRef | str) -> Job:
    """Return all that Nexus knows of a job, without its programs and results.

    :param job: The job, or its id, the start of its id, or its name.
    :returns: The times of all states, queue position, items, cost, error and log.
    """
    return jobs.get_job_details(job)


@worker.task()
def get_job_payload(job: ExecuteJobRef | CompileJobRef | str) -> JobPayload:
    """Download what was submitted as a job.

    :param job: The job, or its id, the start of its id, or its name.
    :returns: The programs, shots, backend config and options.
    """
    return jobs.get_job_payload(job)


@worker.task()
def check_job_complete(job: ExecuteJobRef | CompileJobRef | str) -> bool:
    """Return whether a job has completed.

    :param job: The job, or its id, the start of its id, or its name.
    :returns: True once the job has completed, False while it waits or runs.
    :raises JobFailedError: If the job ended in any other way.
    """
    return jobs.check_job_complete(job)


@worker.task()
def wait_until_complete(
    job: ExecuteJobRef | CompileJobRef | str,
    timeout: float = jobs.A_WEEK,
    poll_interval: float = 30.0,
    allow_failed: bool = False,
) -> JobStatus:
    """Wait until a job has ended.

    :param job: The job, or its id, the start of its id, or its name.
    :param timeout: The longest time to wait, in seconds.
    :param poll_interval: The longest time between two requests, in seconds.
    :param allow_failed: Whether to return also if the job failed.
    :returns: The final status.
    :raises WaitTimeoutError: If the job has not ended in that time; it continues.
    :raises JobFailedError: If the job failed, unless that is allowed.
    """
    return jobs.wait_until_complete(
        job, timeout=timeout, poll_interval=poll_interval, allow_failed=allow_failed
    )


@worker.task()
def cancel_job(job: ExecuteJobRef | CompileJobRef | str) -> JobStatus:
    """Ask Nexus to cancel a job, unless it has ended.

    :param job: The job, or its id, the start of its id, or its name.
    :returns: The status afterwards; a device may take some time to cancel.
    """
    return jobs.cancel_job(job)


@worker.task()
def retry_job(
    job: ExecuteJobRef | CompileJobRef | str, force: bool = False
) -> JobStatus:
    """Let Nexus run the failed programs of a job again.

    They are billed again.

    :param job: The job, or its id, the start of its id, or its name.
    :param force: Whether to retry although some programs could still run; what a
        device still runs is then billed twice.
    :returns: The status afterwards.
    :raises InvalidInputError: If the job could still run, or no program failed.
    """
    return jobs.retry_job(job, force=force)


@worker.task()
def delete_job(job: ExecuteJobRef | CompileJobRef | str, force: bool = False) -> str:
    """Delete a job with its results permanently.

    :param job: The job, or its id, the start of its id, or its name.
    :param force: Whether to delete the job also while it waits or runs.
    :returns: The id of the deleted job.
    :raises InvalidInputError: If the job could still run.
    """
    return jobs.delete_job(job, force=force)


def _read_job(value: Any) -> ExecuteJobRef | CompileJobRef | str:
    if isinstance(value, str):
        return value
    compiles = value.get("job_type") == JobType.COMPILE.value
    return CompileJobRef(**value) if compiles else ExecuteJobRef(**value)


for _task in (
    "get_job_status",
    "get_job_details",
    "get_job_payload",
    "check_job_complete",
    "wait_until_complete",
    "cancel_job",
    "retry_job",
    "delete_job",
):
    worker.read_input_by(_task, "job", _read_job)


@worker.task()
def get_results_by_id(
    job: ExecuteJobRef | str,
    post_select: list[str] | None = None,
    allow_failed: bool = False,
    allow_unfinished: bool = False,
) -> JobCounts:
    """Download the outcomes of a job and the number of shots of each.

    :param job: The job, or its id, the start of its id, or its name.
    :param post_select: Count only shots in which bits have values, as in
        ``["c[0]=1"]``.
    :param allow_failed: Whether some or all circuits may have failed; they have no
        counts then.
    :param allow_unfinished: Whether the job may still wait or run.
    :returns: The counts of all circuits.
    :raises InvalidInputError: If a circuit has no such bit.
    :raises ResultsNotReadyError: If the job has not ended, and that is not allowed.
    :raises JobFailedError: If circuits failed, and that is not allowed.
    """
    found = results.get_results_by_id(
        job, allow_failed=allow_failed, allow_unfinished=allow_unfinished
    )
    return found.post_select(results.parse_selection(post_select or [])).to_counts()


worker.read_input_by("get_results_by_id", "job", _read_job)


@worker.task()
def list_devices(status: bool = True) -> list[DeviceSummary]:
    """List the devices that you may use.

    :param status: Whether to ask which are online.
    :returns: The devices.
    """
    return devices.list_devices(status=status)


@worker.task()
def get_device_details(name: str) -> DeviceDetails:
    """Return what Nexus knows of a device: qubits, gates, error rates, limits.

    :param name: The name as ``list_devices`` gives it.
    :returns: The device.
    :raises InvalidInputError: If there is no such device.
    """
    return devices.get_device_details(name)


@worker.task()
def validate_job(
    circuits: list[Circuit], n_shots: list[int], backend_config: BackendConfig
) -> JobValidation:
    """Check whether a job fits a device and what it costs; nothing is uploaded.

    :param circuits: The circuits.
    :param n_shots: One number of shots for each circuit.
    :param backend_config: Where and how to run them.
    :returns: Problems, warnings, and what each circuit needs.
    """
    return validation.validate_job(circuits, n_shots, backend_config)


# As Tierkreis itself would read and write it, but without the import of pytket's
# operators in every task that starts cold.
Operator = Annotated[
    QubitPauliOperator,
    Serializer(lambda operator: operator.to_list(), "json"),
    Deserializer(lambda it: QubitPauliOperator.from_list(it), "json"),  # noqa: PLW0108
]


@worker.task()
def iteration_name(name: str) -> str:
    """Add the number of the iteration to a name, for jobs in a loop.

    :param name: The name.
    :returns: The name, with the number of the iteration from 1; with several numbers in
        nested loops, the outermost first; unchanged outside a loop.
    """
    numbers = ".".join(map(str, context.iterations()))
    return f"{name} {numbers}" if numbers else name


@worker.task()
def bind_parameters(
    circuit: Circuit, parameters: list[dict[str, float]]
) -> list[Circuit]:
    """Give the symbols of a circuit values.

    :param circuit: A circuit with symbols.
    :param parameters: Sets of parameters, each with a value for every symbol by its
        name; angles are in half-turns.
    :returns: One circuit for each set.
    :raises InvalidInputError: If a set does not fit the circuit.
    """
    return observables.bind_parameters(circuit, parameters)


@worker.task()
def measurement_circuits(
    circuits: list[Circuit],
    operator: Operator,
    n_shots: int,
    strategy: str = "NonConflictingSets",
) -> Measurements:
    """Make the circuits that measure an operator in some states.

    :param circuits: The circuits that prepare the states, without measurements.
    :param operator: The operator, with real numbers as coefficients.
    :param n_shots: The number of shots of each circuit that measures.
    :param strategy: ``NonConflictingSets`` or ``CommutingSets``, as in pytket.
    :returns: The circuits in the gates of Quantinuum's devices, the number of shots of
        each, and how to read their results.
    :raises InvalidInputError: If the operator or a circuit cannot be measured.
    """
    return observables.measurement_circuits(circuits, operator, n_shots, strategy)


@worker.task()
def expectation_values(
    results: list[BackendResult], operator: Operator, setup: MeasurementSetup
) -> ExpectationValues:
    """Estimate an operator in some states from results of its measurement circuits.

    :param results: The results of all circuits that ``measurement_circuits`` made.
    :param operator: The operator.
    :param setup: The setup that ``measurement_circuits`` returned.
    :returns: The value and the standard error for each state, which contains the
        covariances of terms that were measured in the same shots.
    :raises InvalidInputError: If the results do not fit the setup or the operator.
    """
    return observables.expectation_values(results, operator, setup)
