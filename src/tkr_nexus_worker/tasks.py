"""The tasks of the worker, as Tierkreis sees them.

Each is a thin layer over a function of this package. The first seven have the names,
arguments and types of ``tierkreis.nexus_worker`` (Tierkreis 2.1.1), so that graphs
written for that interface run here unchanged.
"""
# Tierkreis reads the annotations at run time: no postponed evaluation in this module.

from typing import Annotated, Any, NamedTuple, cast

from hugr.package import Package
from pydantic_core import to_json
from pytket.backends.backendresult import BackendResult
from pytket.circuit import Circuit
from pytket.partition import MeasurementSetup
from pytket.utils.operators import QubitPauliOperator
from qnexus.models.references import CircuitRef, ExecuteJobRef, HUGRRef, QIRRef
from quantinuum_schemas.models.backend_config import BackendConfig
from tierkreis.controller.data.core import Deserializer, Serializer
from tierkreis.models import portmapping

from tkr_nexus_worker import devices, jobs, observables, programs, results, validation
from tkr_nexus_worker.cloud import NEXUS
from tkr_nexus_worker.devices import DeviceDetails, DeviceSummary
from tkr_nexus_worker.jobs import receipt, retries, wait
from tkr_nexus_worker.jobs.items import ItemResult
from tkr_nexus_worker.jobs.models import Job, JobPayload, JobStatus
from tkr_nexus_worker.nexus import checks, client, projects
from tkr_nexus_worker.nexus.upload_batches import EncodedCircuits
from tkr_nexus_worker.observables import ExpectationValues, Measurements, operators
from tkr_nexus_worker.results.counts import JobCounts
from tkr_nexus_worker.validation import JobValidation
from tkr_runtime.tasks import context
from tkr_runtime.tasks.worker import EncodedValue, TaskWorker


def _encode_result(value: Any) -> bytes | None:
    if isinstance(value, BackendResult):
        content = value.to_dict()
        # Tierkreis visits each number of each shot, which takes ten times as long.
        if "shots" in content or "counts" in content:
            return to_json(content)
    return None


def _describe_job(value: Any) -> str | None:
    if isinstance(value, ExecuteJobRef):
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
) -> ExecuteJobRef:
    """Submit programs that are on Nexus as one job.

    :param project_name: The project of the job; it is created if it does not exist.
    :param job_name: A name for the job.
    :param circuits: The programs, at least one.
    :param n_shots: One number of shots for each program.
    :param backend_config: Where and how to run them.
    :returns: A reference to the job.
    """
    job = jobs.start_execute_job(
        project_name, job_name, circuits, n_shots, backend_config
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
) -> ExecuteJobRef:
    """Submit one program that is on Nexus as a job.

    :param project_name: The project of the job; it is created if it does not exist.
    :param job_name: A name for the job.
    :param circuit: The program.
    :param n_shots: The number of shots.
    :param backend_config: Where and how to run it.
    :returns: A reference to the job.
    """
    return start_execute_job(
        project_name, job_name, [circuit], [n_shots], backend_config
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
def cost(hugr_ref: HUGRRef | list[HUGRRef], n_shots: int, project_name: str) -> float:
    """Estimate the cost of HUGR programs on a Helios system.

    :param hugr_ref: The program or programs.
    :param n_shots: The number of shots of each.
    :param project_name: The project for the costing job, which is free of charge.
    :returns: The sum of the costs in HQC.
    """
    hugr_programs = hugr_ref if isinstance(hugr_ref, list) else [hugr_ref]
    return jobs.get_hugr_cost(hugr_programs, n_shots, project_name)


def _read_hugr_refs(value: Any) -> HUGRRef | list[HUGRRef]:
    if isinstance(value, list):
        return [HUGRRef(**item) for item in value]
    return HUGRRef(**value)


worker.read_input_by("cost", "hugr_ref", _read_hugr_refs)


@worker.task()
def prepare_job(
    project_name: str,
    job_name: str,
    circuits: list[Circuit],
    n_shots: int | list[int],
    backend_config: BackendConfig,
    polling_interval: float = 0.0,
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
    :returns: The name of the project.
    :raises InvalidInputError: If anything is wrong with the job.
    :raises NotLoggedInError: If there is no valid login.
    """
    checks.check_job(project_name, job_name, circuits, n_shots, backend_config)
    validation.check_fit(circuits, n_shots, backend_config)
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
) -> list[list[Circuit]]:
    """Check a job as ``prepare_job`` does, and divide its circuits into batches.

    :param project_name: The project; it is created if it does not exist.
    :param job_name: A name for the job.
    :param circuits: The circuits.
    :param n_shots: One number of shots for each circuit.
    :param backend_config: Where and how to run them.
    :param polling_interval: As for ``prepare_job``.
    :returns: The circuits in their order, in at most 4 batches for ``upload_circuits``.
    :raises InvalidInputError: If anything is wrong with the job.
    :raises NotLoggedInError: If there is no valid login.
    """
    prepare_job(
        project_name, job_name, circuits, n_shots, backend_config, polling_interval
    )
    if isinstance(circuits, EncodedCircuits):
        encoded = [EncodedValue(batch) for batch in circuits.batches()]
        return cast("list[list[Circuit]]", encoded)
    return [circuits]


worker.read_input_by("prepare_batches", "circuits", EncodedCircuits)


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
    execute_ref: ExecuteJobRef,
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
    """Download the raw shots of a completed job of HUGR programs.

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
) -> ExecuteJobRef:
    """Submit the programs that are worth another attempt, as a new job.

    :param project_name: The project of the job; it is created if it does not exist.
    :param job_name: The name of the first job.
    :param circuits: All programs.
    :param n_shots: One number of shots for each of them.
    :param backend_config: Where and how to run them.
    :param items: The outcome of each program so far; empty to submit all.
    :param attempt: The number of this attempt, from 1.
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
def list_scheduled_jobs(project: str | None = None, limit: int = 100) -> list[Job]:
    """List the jobs that wait or run, the newest first.

    :param project: The name of a project, to list only its jobs.
    :param limit: The largest number of jobs to list.
    :returns: The jobs.
    """
    return jobs.list_scheduled_jobs(project, limit=limit)


@worker.task()
def get_job_status(job: ExecuteJobRef | str) -> JobStatus:
    """Return the current status of a job.

    :param job: The job, or its id, the start of its id, or its name.
    :returns: The status.
    """
    return jobs.get_job_status(job)


@worker.task()
def get_job_details(job: ExecuteJobRef | str) -> Job:
    """Return all that Nexus knows of a job, without its programs and results.

    :param job: The job, or its id, the start of its id, or its name.
    :returns: The times of all states, queue position, items, cost, error and log.
    """
    return jobs.get_job_details(job)


@worker.task()
def get_job_payload(job: ExecuteJobRef | str) -> JobPayload:
    """Download what was submitted as a job.

    :param job: The job, or its id, the start of its id, or its name.
    :returns: The programs, shots, backend config and options.
    """
    return jobs.get_job_payload(job)


@worker.task()
def check_job_complete(job: ExecuteJobRef | str) -> bool:
    """Return whether a job has completed.

    :param job: The job, or its id, the start of its id, or its name.
    :returns: True once the job has completed, False while it waits or runs.
    :raises JobFailedError: If the job ended in any other way.
    """
    return jobs.check_job_complete(job)


@worker.task()
def wait_until_complete(
    job: ExecuteJobRef | str,
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
def cancel_job(job: ExecuteJobRef | str) -> JobStatus:
    """Ask Nexus to cancel a job, unless it has ended.

    :param job: The job, or its id, the start of its id, or its name.
    :returns: The status afterwards; a device may take some time to cancel.
    """
    return jobs.cancel_job(job)


@worker.task()
def retry_job(job: ExecuteJobRef | str, force: bool = False) -> JobStatus:
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
def delete_job(job: ExecuteJobRef | str, force: bool = False) -> str:
    """Delete a job with its results permanently.

    :param job: The job, or its id, the start of its id, or its name.
    :param force: Whether to delete the job also while it waits or runs.
    :returns: The id of the deleted job.
    :raises InvalidInputError: If the job could still run.
    """
    return jobs.delete_job(job, force=force)


def _read_job(value: Any) -> ExecuteJobRef | str:
    return value if isinstance(value, str) else ExecuteJobRef(**value)


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
