"""Run programs in files as one job, without writing a graph."""

import json
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal
from uuid import uuid4

from hugr.package import Package
from pytket.backends.backendresult import BackendResult
from pytket.circuit import Circuit
from qnexus.models import BackendConfig
from tierkreis.models import Workflow
from tierkreis.storage import FileStorage

from tkr_nexus_worker.costs.estimates import CostEstimate, estimate_cost, is_charged
from tkr_nexus_worker.costs.limits import check_limits
from tkr_nexus_worker.devices import DeviceDetails, find_device
from tkr_nexus_worker.errors import (
    InvalidInputError,
    NexusWorkerError,
    WorkflowFailedError,
)
from tkr_nexus_worker.executors import uv_executor
from tkr_nexus_worker.jobs.compile import check_level, compile_locally
from tkr_nexus_worker.jobs.find import get_job_details
from tkr_nexus_worker.jobs.items import call_programs
from tkr_nexus_worker.jobs.models import Job
from tkr_nexus_worker.jobs.parts import RUN_HUGR, ProgramPart, split_programs
from tkr_nexus_worker.jobs.parts import circuits_of as circuits_among
from tkr_nexus_worker.jobs.receipt import Receipt, read_receipt
from tkr_nexus_worker.jobs.runs import PartJob
from tkr_nexus_worker.jobs.status import describe
from tkr_nexus_worker.nexus.checks import (
    check_cost,
    check_job,
    check_shots,
)
from tkr_nexus_worker.nexus.client import get_json, require_login
from tkr_nexus_worker.nexus.states import job_state
from tkr_nexus_worker.program_files.read import ProgramFile, read_programs
from tkr_nexus_worker.programs import Program, kind_of, upload_programs
from tkr_nexus_worker.results.counts import CircuitResult, JobResults
from tkr_nexus_worker.results.download import get_results_by_id, partial_results
from tkr_nexus_worker.results.parts import part_results
from tkr_nexus_worker.validation import check_gates
from tkr_runtime.jobs.names import check_name
from tkr_runtime.tasks.receipts import find_receipts
from tkr_runtime.workflows.interrupt import OnInterrupt
from tkr_runtime.workflows.run import run
from tkr_runtime.workflows.storage import started_tasks

PROJECT = "tkr-nexus"
"""The project of jobs if no other is given."""

# A check without an answer must not keep a person waiting.
_PATIENCE_SECONDS = 10.0
_NAMED_JOBS = 3  # in a message

type Compile = int | Literal["local"]
"""How circuits are compiled: by Nexus at an optimisation level, or on this machine."""


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
    compile: Compile | None = None,  # noqa: A002 (what it is called everywhere)
    target_2qb_gate: str | None = None,
    n_qubits: int | Sequence[int] | None = None,
    refuse_gates: bool = True,
    max_cost: float | None = None,
    max_job_cost: float | None = None,
    on_estimate: Callable[[CostEstimate], None] | None = None,
    allow_failed: bool = False,
    max_programs: int | None = None,
) -> JobResults:
    """Run programs in files as one job of each kind, and wait for their results.

    Circuits alone run by the graph ``nexus_submit_and_poll``, or by
    ``nexus_compile_submit_and_poll``; all others by ``nexus_submit_programs``, in a job
    for each kind. If the wait stops, nothing is lost: the workflow can be resumed, and
    the jobs stay on Nexus.

    :param paths: The files: circuits (OpenQASM 2 or 3, pytket JSON), Guppy, HUGR or QIR
        programs; what was read from them already is taken as it is.
    :param backend_config: Where and how to run them.
    :param n_shots: The number of shots: of each program, or one for each.
    :param job_name: A name for the job; by default made from those of the files.
    :param project_name: The project; it is made if it does not exist.
    :param polling_interval: The longest time between two looks at the job, in seconds.
    :param directory: Where the workflow is kept; by default where Tierkreis keeps all.
    :param on_interrupt: As for :func:`tkr_nexus_worker.run`.
    :param compile: Whether circuits are compiled first: 0 to 3 for a compile job of
        Nexus with this optimisation level, ``"local"`` to change their gates by pytket.
    :param target_2qb_gate: The gate on two qubits to compile to: ``ZZPhase``,
        ``ZZMax`` or ``TK2``.
    :param n_qubits: The number of qubits: of each program, or one for each; HUGR and
        QIR programs need it on most systems.
    :param refuse_gates: Whether circuits that are not compiled are refused if hardware
        does not have their gates. An embedded Nexus that is not strict takes them.
    :param max_cost: The most that each program may cost in HQC, which Nexus keeps; not
        for circuits that are compiled.
    :param max_job_cost: The most that all may be estimated to cost together, in HQC.
    :param on_estimate: Called with what they are estimated to cost, before anything is
        submitted; it may raise an error. Of circuits that are compiled, it is the cost
        without optimisation.
    :param allow_failed: Whether to return what the jobs have given before one failed
        instead of raising an error; ``failure`` says how to get the rest.
    :param max_programs: The largest number of circuits of a job; more are divided, and
        run by ``nexus_submit_in_parts``.
    :returns: The results, in the order of the files.
    :raises BudgetExceededError: If they cost more than is allowed.
    :raises InvalidInputError: If a file holds no program, or an input is wrong; nothing
        is uploaded then.
    :raises WorkflowFailedError: If the job fails.
    :raises NexusWorkerError: If anything else goes wrong.
    """
    files = read_programs(paths)
    order = _Order(
        files=files,
        name=job_name or _name(files),
        project_name=project_name,
        backend_config=backend_config,
        n_shots=_one_for_each(files, n_shots),
        compile=compile,
        target_2qb_gate=target_2qb_gate,
        n_qubits=None if n_qubits is None else _one_for_each(files, n_qubits),
        max_cost=max_cost,
        max_job_cost=max_job_cost,
        max_programs=max_programs,
    )
    parts = _check(order)
    if compile == "local" and order.others:
        order = replace(order, files=_with_native_gates(order))
    graph = _choose_graph(order, polling_interval)
    # Without a server or a login, say so before there is a workflow.
    require_login()
    get_json("check the login", "/auth/tokens")
    if compile is None and refuse_gates and order.circuits:
        check_gates(order.circuits, backend_config)
    _check_cost(order, on_estimate)
    storage = (
        FileStorage(uuid4(), name=order.name)
        if directory is None
        else FileStorage(uuid4(), name=order.name, tierkreis_directory=directory)
    )
    try:
        outputs = run(
            graph,
            _inputs(order),
            storage,
            uv_executor(storage),
            on_interrupt=on_interrupt,
        )
    except WorkflowFailedError as error:
        given = _given_before_failure(storage, files, error) if allow_failed else None
        if given is None:
            raise
        return given
    return _fetch_results(order, parts, storage, outputs)


@dataclass(frozen=True)
class _Order:
    """Programs of files, and how they are to run: the arguments of submit_files."""

    files: Sequence[ProgramFile]
    name: str
    project_name: str
    backend_config: BackendConfig
    n_shots: list[int]
    compile: Compile | None
    target_2qb_gate: str | None
    n_qubits: list[int] | None
    max_cost: float | None
    max_job_cost: float | None
    max_programs: int | None

    @property
    def programs(self) -> list[Program]:
        """The programs, in the order of the files."""
        return [file.program for file in self.files]

    @property
    def circuits(self) -> list[Circuit]:
        """The circuits among them."""
        return circuits_among(self.programs)

    @property
    def others(self) -> list[Path]:
        """The files of all other programs."""
        return [it.path for it in self.files if not isinstance(it.program, Circuit)]

    @property
    def limits(self) -> list[float | None] | None:
        """The most that each program may cost, in HQC."""
        return None if self.max_cost is None else [self.max_cost] * len(self.files)


def _one_for_each(
    files: Sequence[ProgramFile], given: int | Sequence[int]
) -> list[int]:
    return [given] * len(files) if isinstance(given, int) else list(given)


def _check(order: _Order) -> list[ProgramPart]:
    """Refuse what cannot run, without a request; return the parts of mixed programs."""
    check_name("job", order.name)
    check_name("project", order.project_name)
    noun = call_programs(map(kind_of, order.programs))
    check_shots(order.n_shots, len(order.files), noun)
    _check_use_of_options(order)
    parts = []
    if order.others:
        parts = split_programs(
            order.project_name,
            order.name,
            order.programs,
            order.n_shots,
            order.backend_config,
            n_qubits=order.n_qubits,
        )
    else:
        check_job(
            order.project_name,
            order.name,
            order.circuits,
            order.n_shots,
            order.backend_config,
        )
    _check_options_of_cost(order)
    return parts


def _check_use_of_options(order: _Order) -> None:
    """Refuse options that the programs have no use for."""
    backend = type(order.backend_config).__name__.removesuffix("Config")
    others = order.others
    if others and backend not in RUN_HUGR:
        raise InvalidInputError(
            f"The backend {backend} runs circuits only; run {others[0]} on Helios or "
            "Selene."
        )
    if order.compile is None and order.target_2qb_gate is not None:
        raise InvalidInputError(
            f"target_2qb_gate is {order.target_2qb_gate!r} for circuits that are not "
            "compiled; compile them, or leave it out."
        )
    if order.compile is not None and order.compile != "local":
        check_level(order.compile)
        if others:
            raise InvalidInputError(
                f"{others[0]} is not a circuit, and Nexus compiles circuits alone; run "
                "it without --compile, as a job of its own, or with --compile=local."
            )
    if order.n_qubits is not None and not others:
        raise InvalidInputError(
            f"The number of qubits is {order.n_qubits[0]}, and circuits say it "
            "themselves; leave it out."
        )


def _check_options_of_cost(order: _Order) -> None:
    """Refuse limits that exclude each other, or are none."""
    if order.compile is not None and order.max_cost is not None:
        raise InvalidInputError(
            "There is a limit of the cost of each program, and what a circuit costs is "
            "known after it was compiled; give a limit for the job alone."
        )
    check_cost("max_cost", order.max_cost)
    check_cost("max_job_cost", order.max_job_cost)
    if order.max_programs is not None and (
        order.others or order.compile is not None or order.max_cost
    ):
        raise InvalidInputError(
            "max_programs divides circuits that are not compiled by the same call and "
            "have no limit of their own cost; leave one of these out."
        )


def _check_cost(
    order: _Order, on_estimate: Callable[[CostEstimate], None] | None
) -> None:
    """Keep the limits of the cost, and tell what it is estimated to be."""
    if order.limits is None and order.max_job_cost is None and on_estimate is None:
        return
    estimate = _estimate(order)
    check_limits(estimate, order.limits, order.max_job_cost)
    if on_estimate is not None:
        on_estimate(estimate)


def _estimate(order: _Order) -> CostEstimate:
    """Estimate what programs cost; upload those that Nexus has to try for that."""
    device = find_device(order.backend_config, retry_time=_PATIENCE_SECONDS)

    def estimate(programs: Sequence[Any]) -> CostEstimate:
        return estimate_cost(
            programs,
            order.n_shots,
            order.backend_config,
            project_name=order.project_name,
            device=device,
        )

    programs: list[Any] = order.programs
    tried = [one for one in programs if not isinstance(one, Circuit)]
    if not tried or not isinstance(device, DeviceDetails) or not is_charged(device):
        return estimate(programs)
    # What is too much, whatever they cost, is not uploaded.
    known = estimate(programs)
    check_limits(known, order.limits, order.max_job_cost, is_known_later=True)
    uploaded = iter(upload_programs(tried, order.project_name))
    return estimate(
        [one if isinstance(one, Circuit) else next(uploaded) for one in programs]
    )


def _inputs(order: _Order) -> dict[str, Any]:
    """Return the inputs of the graph that :func:`_choose_graph` chooses."""
    inputs: dict[str, Any] = {
        "project_name": order.project_name,
        "job_name": order.name,
        "n_shots": order.n_shots,
        "backend_config": order.backend_config,
    }
    if order.others:
        return inputs | {
            "programs": order.programs,
            "n_qubits": order.n_qubits,
            "max_cost": order.limits,
        }
    inputs["circuits"] = order.circuits
    if order.limits is not None:
        inputs |= {"max_cost": order.limits, "max_job_cost": None, "budget": None}
    return inputs


def _fetch_results(
    order: _Order,
    parts: Sequence[ProgramPart],
    storage: FileStorage,
    outputs: Sequence[Any],
) -> JobResults:
    """Return the results of a workflow that has completed, in the order of the files.

    :param outputs: Those of its graph.
    """
    if parts:
        found = map(get_results_by_id, _submitted_jobs(storage))
        by_kind = {results.job.items[0].program_type: results for results in found}
        if len(parts) == 1:
            return by_kind[parts[0].kind]
        return JobResults.joined([(by_kind[it.kind], it.indices) for it in parts])
    if order.max_programs is not None:
        return JobResults.chained(part_results(storage))
    receipt = _last_receipt(storage)
    if receipt is None:
        [job_id] = _submitted_jobs(storage)
        return get_results_by_id(job_id)
    if job_state(receipt.state).is_final:
        return _results(receipt, outputs)
    return get_results_by_id(str(receipt.job_id))


def _with_native_gates(order: _Order) -> list[ProgramFile]:
    """Return the files with the circuits among them in the gates of the device."""
    compiled = iter(
        compile_locally(
            order.circuits,
            order.backend_config,
            target_2qb_gate=order.target_2qb_gate,
        )
    )
    return [
        replace(file, program=next(compiled))
        if isinstance(file.program, Circuit)
        else file
        for file in order.files
    ]


def _last_receipt(storage: FileStorage) -> Receipt | None:
    """Return the receipt that was written last, which knows most; None if none was."""
    receipts = []
    for path in find_receipts(storage):
        # The job is paid: a receipt that is missing or damaged must not lose it.
        with suppress(InvalidInputError):
            receipts.append(read_receipt(path))
    return max(receipts, key=lambda receipt: receipt.written, default=None)


def _submitted_jobs(storage: FileStorage) -> list[str]:
    """Return the ids of the jobs that a workflow has submitted to run programs."""
    found = {
        str(json.loads(storage.read(task.outputs["value"]))["id"])
        for task in started_tasks(storage)
        if task.function.endswith((".start_execute_job", ".submit_programs"))
    }
    return sorted(found)


def _given_before_failure(
    storage: FileStorage, files: Sequence[ProgramFile], error: WorkflowFailedError
) -> JobResults | None:
    """Return what the jobs of a workflow that failed have given.

    :returns: The results; None if there is no job, or the only one did not fail.
    """
    # Whatever is wrong here, the error of the workflow says more.
    with suppress(NexusWorkerError, ValueError):
        placed = _places_of_jobs(storage, files)
        [first, *others] = placed
        if not others and len(placed[first]) == len(files):
            found = partial_results(first)
            if found.job.is_final and not found.complete:
                _name_programs(found, files)
                return found
            return None
        kept = {part.job.job_id: part for part in part_results(storage)}
        parts = [
            (kept.get(job) or partial_results(job), indices)
            for job, indices in placed.items()
        ]
        n_missing = len(files) - sum(map(len, placed.values()))
        failure = _describe_rest(error, [part.job for part, _ in parts], n_missing)
        joined = JobResults.joined(parts, failure=failure)
        _name_programs(joined, files)
        return joined
    return None


def _places_of_jobs(
    storage: FileStorage, files: Sequence[ProgramFile]
) -> dict[str, Sequence[int]]:
    """Return the ids of the jobs of a workflow, with the places of their files."""
    placed: dict[str, Sequence[int]] = {}
    for task in started_tasks(storage):
        if not storage.is_node_finished(task.loc):
            continue
        if task.function.endswith((".start_execute_job", ".submit_programs")):
            job = json.loads(storage.read(task.outputs["value"]))["id"]
            kind = get_job_details(str(job)).items[0].program_type
            placed[str(job)] = [
                index
                for index, file in enumerate(files)
                if kind_of(file.program) == kind
            ]
        elif task.function.endswith(".submit_part"):
            # The task adds its job to those that have not ended.
            last = PartJob(**json.loads(storage.read(task.outputs["value"]))[-1])
            placed[str(last.id)] = range(last.first, last.first + last.n_programs)
    return dict(sorted(placed.items(), key=lambda item: item[1][0]))


def _name_programs(found: JobResults, files: Sequence[ProgramFile]) -> None:
    """Name the programs by their files, where Nexus has named them not."""
    for one in found:
        # It gives the names of those with a result alone.
        name = one.name or files[one.index].path.stem
        one.item = one.item.model_copy(update={"program_name": name})
    items = [one.item for one in found]
    found.job = found.job.model_copy(update={"items": items})


def _describe_rest(
    error: WorkflowFailedError, jobs: Sequence[Job], n_missing: int
) -> str:
    """Return why a workflow stopped, and how to get what its other jobs give."""
    sentences = [str(error)]
    running = [describe(job) for job in jobs if not job.is_final]
    if running:
        more = f" and {len(running) - _NAMED_JOBS} more" * (len(running) > _NAMED_JOBS)
        sentences.append(f"Not ended yet: {', '.join(running[:_NAMED_JOBS])}{more}.")
    if n_missing:
        verb = "was" if n_missing == 1 else "were"
        sentences.append(f"{n_missing} of the programs {verb} not submitted.")
    ids = " ".join(job.job_id for job in jobs)
    sentences.append(f"Fetch what all have given: `tkr-nexus results --partial {ids}`.")
    return " ".join(sentences)


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
        if not isinstance(file.program, Circuit):
            kind = "HUGR" if isinstance(file.program, Package) else "QIR"
            raise InvalidInputError(
                f"{file.path} is a {kind} program, not a circuit; give only circuits."
            )
    return [file.program for file in files if isinstance(file.program, Circuit)]


def _choose_graph(order: _Order, interval: float) -> Workflow[Any, Any]:
    # Only a job needs the stubs.
    from tkr_nexus_worker.graphs.batched import nexus_submit_in_parts
    from tkr_nexus_worker.graphs.compile import nexus_compile_submit_and_poll
    from tkr_nexus_worker.graphs.mixed import nexus_submit_programs
    from tkr_nexus_worker.graphs.submit_poll import (
        LimitedJobInputs,
        nexus_submit_and_poll,
    )

    graph: Workflow[Any, Any]
    gate = order.target_2qb_gate
    if order.others:
        names = [file.path.stem for file in order.files]
        graph = nexus_submit_programs(interval, names=names)
    elif order.compile == "local":
        graph = nexus_compile_submit_and_poll(
            polling_interval=interval, target_2qb_gate=gate, compile="local"
        )
    elif order.compile is not None:
        graph = nexus_compile_submit_and_poll(
            order.compile, interval, target_2qb_gate=gate
        )
    elif order.max_programs is not None:
        graph = nexus_submit_in_parts(order.max_programs, polling_interval=interval)
    elif order.limits is not None:
        graph = nexus_submit_and_poll(interval, inputs=LimitedJobInputs)
    else:
        graph = nexus_submit_and_poll(interval)
    return graph


def _name(files: Sequence[ProgramFile]) -> str:
    others = len(files) - 1
    return files[0].path.stem + (f" and {others} more" if others else "")
