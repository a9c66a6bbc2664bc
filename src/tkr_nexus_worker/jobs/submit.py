"""Execute jobs of Nexus: submit them, and estimate the cost of HUGR programs."""

import logging
import math
from collections.abc import Callable, Sequence
from typing import Any, Literal, cast

import qnexus as qnx
from qnexus.config import CONFIG
from qnexus.models import BackendConfig
from qnexus.models.references import (
    CircuitRef,
    ExecuteJobRef,
    GpuDecoderConfigRef,
    HUGRRef,
    JobRef,
    ProjectRef,
    QIRRef,
    WasmModuleRef,
)

from tkr_nexus_worker.errors import InvalidInputError
from tkr_nexus_worker.jobs.duplicates import find_submitted, settle_duplicates
from tkr_nexus_worker.jobs.status import describe
from tkr_nexus_worker.nexus.checks import check_name, check_shots
from tkr_nexus_worker.nexus.client import call
from tkr_nexus_worker.nexus.idempotency import Doubt, Key, digest_in, key_of, make_once
from tkr_nexus_worker.nexus.projects import get_or_create_project

logger = logging.getLogger(__name__)

# Each region of Nexus has a Helios system of its own (qnexus.models.region).
_COSTING_SYSTEMS: dict[str, Literal["Helios-1", "Helios-2"]] = {
    "nexus.quantinuum.com": "Helios-1",
    "nexus.quantinuum.sg": "Helios-2",
}

type Program = CircuitRef | HUGRRef | QIRRef


def start_execute_job(
    project_name: str,
    job_name: str,
    programs: Sequence[Program],
    n_shots: list[int],
    backend_config: BackendConfig,
    *,
    adopt_failed: bool = False,
    n_qubits: Sequence[int | None] | None = None,
    max_cost: Sequence[float | None] | None = None,
    wasm_module: WasmModuleRef | None = None,
    gpu_decoder_config: GpuDecoderConfigRef | None = None,
) -> ExecuteJobRef:
    """Submit programs that are on Nexus already, as one job.

    A task that is started again takes the job that it has submitted before.

    :param project_name: The project of the job; it is made if it does not exist.
    :param job_name: A name for the job.
    :param programs: The programs, at least one.
    :param n_shots: One number of shots for each program, in the same order.
    :param backend_config: Where and how to run them.
    :param adopt_failed: Whether to take an earlier job also where it ended badly,
        instead of submitting a new one.
    :param n_qubits: One number of qubits for each program; None where the program says
        it itself, as circuits do. HUGR and QIR programs need it on most systems.
    :param max_cost: The most that each program may cost in HQC; None for no limit of
        its own.
    :param wasm_module: The WASM module that the programs call, on Nexus already.
    :param gpu_decoder_config: The config of the GPU decoder that the programs use, on
        Nexus already.
    :returns: A reference to the job, which then waits or runs unless it is an earlier
        one.
    :raises InvalidInputError: If an input is wrong; nothing is submitted then.
    :raises NexusWorkerError: If the job cannot be submitted.
    """
    check_name("project", project_name)
    check_name("job", job_name)
    if not programs:
        raise InvalidInputError(
            f"circuits is empty for job {job_name!r}; give at least one."
        )
    check_shots(n_shots, len(programs))
    check_options(len(programs), n_qubits, max_cost)
    project = get_or_create_project(project_name)
    options = {
        "n_qubits": None if n_qubits is None else list(n_qubits),
        "max_cost": None if max_cost is None else list(max_cost),
        "wasm_module": wasm_module and str(wasm_module.id),
        "gpu_decoder_config": gpu_decoder_config and str(gpu_decoder_config.id),
    }
    given = {name: value for name, value in options.items() if value is not None}
    key = key_of(
        "job",
        str(project.id),
        job_name,
        [str(program.id) for program in programs],
        n_shots,
        backend_config.model_dump(mode="json"),
        # A job without options keeps the key that earlier versions gave it.
        *([given] if given else []),
    )

    def submit() -> ExecuteJobRef:
        return qnx.start_execute_job(
            programs=list(programs),
            n_shots=n_shots,
            backend_config=backend_config,
            name=job_name,
            description=key.description,
            project=project,
            wasm_module=wasm_module,
            gpu_decoder_config=gpu_decoder_config,
            # qnexus takes lists of both, and declares lists of one.
            max_cost=cast("list[float]", list(max_cost or [None] * len(programs))),
            n_qubits=cast("list[int]", list(n_qubits or [None] * len(programs))),
        )

    return submit_once(
        ExecuteJobRef,
        job_name,
        project,
        key,
        backend_config,
        submit,
        adopt_failed=adopt_failed,
    )


def submit_once[T: JobRef](
    kind: type[T],
    job_name: str,
    project: ProjectRef,
    key: Key,
    backend_config: BackendConfig,
    submit: Callable[[], T],
    *,
    adopt_failed: bool = False,
) -> T:
    """Submit a job, or take the one that an earlier try of the same task submitted.

    :param kind: The class of references to such jobs.
    :param job_name: The name of the job.
    :param project: Its project.
    :param key: The key of the submission, which the description of the job carries.
    :param backend_config: Where and how the job runs.
    :param submit: Sends the request.
    :param adopt_failed: Whether to take an earlier job also where it ended badly.
    :returns: A reference to the job.
    :raises NexusWorkerError: If the job cannot be submitted.
    """

    def submit_logged() -> T:
        job = submit()
        logger.info("nexus: submitted %s", describe(job))
        return job

    job = make_once(
        f"submit job {job_name!r}",
        find=lambda: find_submitted(
            kind, job_name, project, key, adopt_failed=adopt_failed
        ),
        make=submit_logged,
        marker=key.marker,
        look_first=True,
        on_doubt=Doubt(key.digest).record,
    )
    if digest_in(job.annotations.description) is None:
        # What waits for the job has to know its key, whatever Nexus answered.
        described = {"description": key.description}
        annotations = job.annotations.model_copy(update=described)
        job = job.model_copy(update={"annotations": annotations})
    settle_duplicates(job)
    return job.model_copy(update={"backend_config_store": backend_config})


def check_options(
    n_programs: int,
    n_qubits: Sequence[int | None] | None,
    max_cost: Sequence[float | None] | None,
) -> None:
    """Check the options that each program of a job may have.

    :param n_programs: The number of programs.
    :param n_qubits: As for :func:`start_execute_job`.
    :param max_cost: As for :func:`start_execute_job`.
    :raises InvalidInputError: If there are more or fewer values, or one is not valid.
    """
    count, cost = "an integer of at least 1", "a number of HQC above 0"
    _check_each("n_qubits", n_qubits, n_programs, _is_count, count)
    _check_each("max_cost", max_cost, n_programs, _is_cost, cost)


def _check_each(
    name: str,
    values: Sequence[Any] | None,
    n_programs: int,
    is_valid: Callable[[Any], bool],
    wanted: str,
) -> None:
    """Check an option that has one value, or None, for each program.

    :raises InvalidInputError: If there are more or fewer values, or one is not valid.
    """
    if values is None:
        return
    if not isinstance(values, Sequence) or len(values) != n_programs:
        given = (
            f"has length {len(values)}"
            if isinstance(values, Sequence)
            else "is no list"
        )
        raise InvalidInputError(
            f"{name} {given}, and there are {n_programs} programs; give one value for "
            "each program."
        )
    for index, value in enumerate(values):
        if value is not None and not is_valid(value):
            raise InvalidInputError(
                f"{name}[{index}], for program {index}, is {value!r}; give {wanted}."
            )


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 1


def _is_cost(value: object) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return 0 < value < math.inf


def get_hugr_cost(programs: list[HUGRRef], n_shots: int, project_name: str) -> float:
    """Estimate the cost of HUGR programs on the Helios system of the region.

    Nexus runs a costing job on a device made for this, which is free of charge.

    :param programs: The programs.
    :param n_shots: The number of shots of each program.
    :param project_name: The project for the costing job; made if it does not exist.
    :returns: The sum of the costs in HQC.
    :raises NexusWorkerError: If the cost cannot be found.
    """
    if not programs:
        raise InvalidInputError("There are no programs to estimate the cost of.")
    check_shots([n_shots], 1)
    project = get_or_create_project(project_name)
    costs = call(
        f"estimate the cost of {len(programs)} HUGR programs",
        lambda: qnx.hugr.cost_confidence(
            programs,
            n_shots,
            project=project,
            system_name=_COSTING_SYSTEMS.get(CONFIG.domain, "Helios-1"),
        ),
        changes=True,
    )
    return sum(cost for cost, _confidence in costs)
