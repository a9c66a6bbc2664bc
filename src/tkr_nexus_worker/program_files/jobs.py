"""Run programs in files as one job, without writing a graph."""

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any
from uuid import uuid4

from hugr.package import Package
from pytket.backends.backendresult import BackendResult
from pytket.circuit import Circuit
from qnexus.models import BackendConfig
from tierkreis.models import Workflow
from tierkreis.storage import FileStorage

from tkr_nexus_worker.errors import (
    InvalidInputError,
    NexusWorkerError,
    WorkflowFailedError,
)
from tkr_nexus_worker.executors import uv_executor
from tkr_nexus_worker.jobs.receipt import Receipt, read_receipt
from tkr_nexus_worker.jobs.status import describe
from tkr_nexus_worker.nexus.checks import check_job, check_name, check_shots
from tkr_nexus_worker.nexus.client import get_json
from tkr_nexus_worker.nexus.states import job_state
from tkr_nexus_worker.program_files.read import ProgramFile, read_programs
from tkr_nexus_worker.results.counts import CircuitResult, JobResults
from tkr_nexus_worker.results.download import get_results_by_id, partial_results
from tkr_runtime.tasks.receipts import find_receipts
from tkr_runtime.workflows.interrupt import OnInterrupt
from tkr_runtime.workflows.run import run
from tkr_runtime.workflows.storage import started_tasks

PROJECT = "tkr-nexus"
"""The project of jobs if no other is given."""

_RUN_HUGR = frozenset({"Helios", "Quantinuum", "Selene", "SelenePlus"})


def submit_files(
    paths: Sequence[Path | str | ProgramFile],
    backend_config: BackendConfig,
    n_shots: int | Sequence[int],
    *,
    job_name: str | None = None,
    project_name: str = PROJECT,
    polling_interval: float = 30.0,
    directory: Path | None = None,
    on_interrupt: OnInterrupt = "keep",
    allow_failed: bool = False,
) -> JobResults:
    """Run programs in files as one job, and wait for their results.

    Circuits run by the graph ``nexus_submit_and_poll``, Guppy and HUGR programs by
    ``nexus_submit_hugr``. If the wait stops, nothing is lost: the workflow can be
    resumed, and the job stays on Nexus.

    :param paths: The files, either all circuits (OpenQASM 2 or 3, pytket JSON) or all
        Guppy or HUGR programs; what was read from them already is taken as it is.
    :param backend_config: Where and how to run them.
    :param n_shots: The number of shots: of each program, or one for each.
    :param job_name: A name for the job; by default made from those of the files.
    :param project_name: The project; it is made if it does not exist.
    :param polling_interval: The longest time between two looks at the job, in seconds.
    :param directory: Where the workflow is kept; by default where Tierkreis keeps all.
    :param on_interrupt: As for :func:`tkr_nexus_worker.run`.
    :param allow_failed: Whether to return what a job has given before it failed, if it
        has given anything, instead of raising an error.
    :returns: The results, in the order of the files.
    :raises InvalidInputError: If a file holds no program, or an input is wrong; nothing
        is uploaded then.
    :raises WorkflowFailedError: If the job fails.
    :raises NexusWorkerError: If anything else goes wrong.
    """
    files = read_programs(paths)
    name = job_name or _name(files)
    check_name("job", name)
    check_name("project", project_name)
    shots = [n_shots] * len(files) if isinstance(n_shots, int) else list(n_shots)
    check_shots(shots, len(files))
    graph, programs = _choose_graph(files, backend_config, polling_interval)
    if "circuits" in programs:
        check_job(project_name, name, programs["circuits"], shots, backend_config)
    # Without a server or a login, say so before there is a workflow.
    get_json("check the login", "/auth/tokens")
    storage = (
        FileStorage(uuid4(), name=name)
        if directory is None
        else FileStorage(uuid4(), name=name, tierkreis_directory=directory)
    )
    inputs = {
        "project_name": project_name,
        "job_name": name,
        "n_shots": shots,
        "backend_config": backend_config,
        **programs,
    }
    try:
        outputs = run(
            graph, inputs, storage, uv_executor(storage), on_interrupt=on_interrupt
        )
    except WorkflowFailedError:
        given = _given_before_failure(storage) if allow_failed else None
        if given is None:
            raise
        return given
    receipt = _last_receipt(storage)
    if receipt is None:
        return get_results_by_id(_submitted_job(storage))
    if "circuits" in programs and job_state(receipt.state).is_final:
        return _results(receipt, outputs)
    return get_results_by_id(str(receipt.job_id))


def _last_receipt(storage: FileStorage) -> Receipt | None:
    """Return the receipt that was written last, which knows most; None if none was."""
    receipts = []
    for path in find_receipts(storage):
        # The job is paid: a receipt that is missing or damaged must not lose it.
        with suppress(InvalidInputError):
            receipts.append(read_receipt(path))
    return max(receipts, key=lambda receipt: receipt.written, default=None)


def _submitted_job(storage: FileStorage) -> str:
    """Return the id of the job of a workflow that has submitted one."""
    [job_id] = {
        json.loads(storage.read(task.outputs["value"]))["id"]
        for task in started_tasks(storage)
        if task.function.endswith(".start_execute_job")
    }
    return str(job_id)


def _given_before_failure(storage: FileStorage) -> JobResults | None:
    """Return what a job of a failed workflow has given; None if it gave nothing."""
    # Whatever is wrong here, the error of the workflow says more.
    with suppress(NexusWorkerError, ValueError):
        found = partial_results(_submitted_job(storage))
        if found.job.is_final and any(one.has_result for one in found):
            return found
    return None


def _results(receipt: Receipt, outputs: Sequence[Any]) -> JobResults:
    """Take the results that a graph has fetched."""
    job = receipt.to_job()
    circuits = [
        CircuitResult(item, BackendResult.from_dict(output), job=describe(job))
        for item, output in zip(job.items, outputs, strict=True)
    ]
    return JobResults(job, circuits)


def circuits_of(files: Sequence[ProgramFile]) -> list[Circuit]:
    """Take the circuits of files.

    :param files: What was read from them.
    :raises InvalidInputError: If one holds another kind of program.
    """
    for file in files:
        if isinstance(file.program, Package):
            raise InvalidInputError(
                f"{file.path} is a HUGR program, not a circuit; give only circuits."
            )
    return [file.program for file in files if isinstance(file.program, Circuit)]


def _choose_graph(
    files: Sequence[ProgramFile], config: BackendConfig, interval: float
) -> tuple[Workflow[Any, Any], Mapping[str, Any]]:
    from tkr_nexus_worker.graphs import nexus_submit_and_poll
    from tkr_nexus_worker.graphs.hugr import nexus_submit_hugr

    packages = [file.program for file in files if isinstance(file.program, Package)]
    if not packages:
        return nexus_submit_and_poll(interval), {"circuits": circuits_of(files)}
    if len(packages) < len(files):
        [circuit, *_] = [f.path for f in files if not isinstance(f.program, Package)]
        raise InvalidInputError(
            f"{circuit} is a circuit and others are Guppy or HUGR programs; run them "
            "as two jobs."
        )
    backend = type(config).__name__.removesuffix("Config")
    if backend not in _RUN_HUGR:
        raise InvalidInputError(
            f"The backend {backend} runs circuits only; run {files[0].path} on Helios "
            "or Selene."
        )
    return nexus_submit_hugr(interval), {"packages": packages}


def _name(files: Sequence[ProgramFile]) -> str:
    others = len(files) - 1
    return files[0].path.stem + (f" and {others} more" if others else "")
