"""Execute jobs of Nexus: submit them, within the budgets that apply."""

import logging
from collections.abc import Callable, Sequence
from functools import cache
from typing import cast

import qnexus as qnx
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

from tkr_nexus_worker.costs.estimates import CostEstimate, estimate_cost
from tkr_nexus_worker.costs.estimates import (
    get_hugr_cost as get_hugr_cost,  # noqa: PLC0414 (its name in earlier versions)
)
from tkr_nexus_worker.costs.limits import Submission, check_limits, limits_of
from tkr_nexus_worker.errors import InvalidInputError, NexusWorkerError
from tkr_nexus_worker.jobs.duplicates import find_submitted, settle_duplicates
from tkr_nexus_worker.jobs.status import describe
from tkr_nexus_worker.nexus.checks import (
    check_cost,
    check_each,
    check_shots,
    is_cost,
    is_count,
)
from tkr_nexus_worker.nexus.idempotency import Doubt, Key, digest_in, key_of, make_once
from tkr_nexus_worker.nexus.projects import get_or_create_project
from tkr_runtime.jobs.budget import Budget
from tkr_runtime.jobs.idempotency import InMemoryMarker, Marker
from tkr_runtime.jobs.names import check_name

logger = logging.getLogger(__name__)

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
    max_job_cost: float | None = None,
    budget: Budget | None = None,
) -> ExecuteJobRef:
    """Submit programs that are on Nexus already, as one job.

    A task that is started again takes the job that it has submitted before. Under a
    budget the job reserves what it may cost before it is sent.

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
    :param max_job_cost: The most that the whole job may cost in HQC: one that is
        estimated to cost more is refused.
    :param budget: A budget for this job, beside those of its workflow.
    :returns: A reference to the job, which then waits or runs unless it is an earlier
        one.
    :raises InvalidInputError: If an input is wrong; nothing is submitted then.
    :raises BudgetExceededError: If it costs more than is allowed, or is left of a
        budget; nothing is submitted then.
    :raises NexusWorkerError: If the job cannot be submitted.
    """
    check_name("project", project_name)
    check_name("job", job_name)
    if not programs:
        raise InvalidInputError(
            f"There are no programs for job {job_name!r}; give at least one."
        )
    are_circuits = all(isinstance(it, CircuitRef) for it in programs)
    check_shots(n_shots, len(programs), "circuit" if are_circuits else "program")
    check_options(len(programs), n_qubits, max_cost)
    check_cost("max_job_cost", max_job_cost)
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

    @cache  # circuits may have to be downloaded for it
    def estimate() -> CostEstimate:
        return estimate_cost(
            programs,
            n_shots,
            backend_config,
            project_name=project_name,
            wasm_module=wasm_module,
            gpu_decoder_config=gpu_decoder_config,
        )

    limits = limits_of(max_cost, backend_config, len(programs))
    if max_job_cost is not None:
        check_limits(estimate(), limits, max_job_cost)
    names = (project_name, job_name, n_shots)
    submission = Submission(key.digest, names, backend_config, budget)
    submission.find_amount(estimate, limits, len(programs))
    marker = key.marker or InMemoryMarker()

    def submit() -> ExecuteJobRef:
        submission.reserve()
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

    try:
        job = submit_once(
            ExecuteJobRef,
            job_name,
            project,
            key,
            backend_config,
            submit,
            adopt_failed=adopt_failed,
            marker=marker,
        )
    except NexusWorkerError:
        # It stays while a request may have been carried out without an answer.
        if not marker.exists():
            submission.release()
        raise
    submission.note(str(job.id))
    return job


def submit_once[T: JobRef](
    kind: type[T],
    job_name: str,
    project: ProjectRef,
    key: Key,
    backend_config: BackendConfig,
    submit: Callable[[], T],
    *,
    adopt_failed: bool = False,
    marker: Marker | None = None,
) -> T:
    """Submit a job, or take the one that an earlier try of the same task submitted.

    :param kind: The class of references to such jobs.
    :param job_name: The name of the job.
    :param project: Its project.
    :param key: The key of the submission, which the description of the job carries.
    :param backend_config: Where and how the job runs.
    :param submit: Sends the request.
    :param adopt_failed: Whether to take an earlier job also where it ended badly.
    :param marker: Says that a try was begun; by default that of the key.
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
        marker=marker or key.marker,
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
    check_each("n_qubits", n_qubits, n_programs, is_count, count)
    check_each("max_cost", max_cost, n_programs, is_cost, cost)
