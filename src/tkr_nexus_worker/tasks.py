"""The tasks of the worker, as Tierkreis sees them.

Each is a thin layer over a function of this package. The first seven have the names,
arguments and types of ``tierkreis.nexus_worker`` (Tierkreis 2.1.1), so that graphs
written for that interface run here unchanged.
"""
# Tierkreis reads the annotations at run time: no postponed evaluation in this module.

from typing import Any

from hugr.package import Package
from pytket.backends.backendresult import BackendResult
from pytket.circuit import Circuit
from qnexus.models.references import CircuitRef, ExecuteJobRef, HUGRRef, QIRRef
from quantinuum_schemas.models.backend_config import BackendConfig

from tkr_nexus_worker import calls, checks, jobs, programs, projects, results
from tkr_nexus_worker.worker import NexusWorker

worker = NexusWorker("nexus_worker")


@worker.task()
def upload_circuit(project_name: str, circ: Circuit) -> CircuitRef | HUGRRef | QIRRef:
    """Upload a circuit to a project of Nexus.

    :param project_name: The project; it is made if it does not exist.
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

    :param project_name: The project of the job; it is made if it does not exist.
    :param job_name: A name for the job.
    :param circuits: The programs, at least one.
    :param n_shots: One number of shots for each program.
    :param backend_config: Where and how to run them.
    :returns: A reference to the job.
    """
    return jobs.start_execute_job(
        project_name, job_name, circuits, n_shots, backend_config
    )


@worker.task()
def start_single_job(
    project_name: str,
    job_name: str,
    circuit: CircuitRef | HUGRRef | QIRRef,
    n_shots: int,
    backend_config: BackendConfig,
) -> ExecuteJobRef:
    """Submit one program that is on Nexus as a job.

    :param project_name: The project of the job; it is made if it does not exist.
    :param job_name: A name for the job.
    :param circuit: The program.
    :param n_shots: The number of shots.
    :param backend_config: Where and how to run it.
    :returns: A reference to the job.
    """
    return jobs.start_execute_job(
        project_name, job_name, [circuit], [n_shots], backend_config
    )


@worker.task()
def is_running(execute_ref: ExecuteJobRef) -> bool:
    """Tell whether a job still waits or runs.

    :param execute_ref: The job.
    :returns: False once it has completed, True before.
    :raises JobFailedError: If it ended in any other way.
    """
    return jobs.is_running(execute_ref)


@worker.task()
def get_results(execute_ref: ExecuteJobRef) -> list[BackendResult]:
    """Download the results of a completed job.

    :param execute_ref: The job.
    :returns: One result for each program, in the order of the programs.
    """
    return results.get_results(execute_ref)


@worker.task()
def upload_hugr(
    hugr_package: Package, project_name: str, name: str | None = None
) -> HUGRRef:
    """Upload a HUGR package to a project of Nexus.

    :param hugr_package: The package.
    :param project_name: The project; it is made if it does not exist.
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
    """Check a job before anything is uploaded, and make its project once.

    Give the output as project name to the uploads: they then start only if the checks
    have passed, and find the project made.

    :param project_name: The project; it is made if it does not exist.
    :param job_name: A name for the job.
    :param circuits: The circuits.
    :param n_shots: One number of shots for each circuit.
    :param backend_config: Where and how to run them.
    :param polling_interval: The time between two looks at the job, in seconds; a
        warning tells of a login that ends before the next.
    :returns: The name of the project.
    :raises InvalidInputError: If anything is wrong with the job.
    :raises NotLoggedInError: If there is no valid login.
    """
    checks.check_job(project_name, job_name, circuits, n_shots, backend_config)
    calls.warn_if_login_ends_soon(polling_interval)
    projects.get_or_create_project(project_name)
    return project_name


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
