"""Submit circuits to Nexus as one job, poll it, and fetch its results.

The graph :func:`nexus_submit_and_poll` does it all; :func:`upload_circuit_graph` and
:func:`polling_loop_body` are its parts, for graphs that arrange them in another way.
"""
# The names in OpaqueType are labels for type checkers, not imports.
# ruff: noqa: F821, SLF001

import math
from typing import Any, NamedTuple, overload

from tierkreis.builder import Graph, TList
from tierkreis.models import TKR, OpaqueType, Workflow

from tkr_nexus_worker.errors import InvalidInputError
from tkr_nexus_worker.stubs import (
    get_results,
    prepare_batches,
    start_execute_job,
    upload_circuit,
    upload_circuits,
    wait_for_change,
)

type Circuit = OpaqueType["pytket._tket.circuit.Circuit"]
type BackendResult = OpaqueType["pytket.backends.backendresult.BackendResult"]
type ExecuteJobRef = OpaqueType["qnexus.models.references.ExecuteJobRef"]
type Program = OpaqueType[
    "qnexus.models.references.CircuitRef",
    "qnexus.models.references.HUGRRef",
    "qnexus.models.references.QIRRef",
]
type BackendConfig = OpaqueType[
    "quantinuum_schemas.models.backend_config.AerConfig",
    "quantinuum_schemas.models.backend_config.AerStateConfig",
    "quantinuum_schemas.models.backend_config.AerUnitaryConfig",
    "quantinuum_schemas.models.backend_config.BraketConfig",
    "quantinuum_schemas.models.backend_config.QuantinuumConfig",
    "quantinuum_schemas.models.backend_config.IBMQConfig",
    "quantinuum_schemas.models.backend_config.IBMQEmulatorConfig",
    "quantinuum_schemas.models.backend_config.QulacsConfig",
    "quantinuum_schemas.models.backend_config.SeleneConfig",
    "quantinuum_schemas.models.backend_config.SelenePlusConfig",
    "quantinuum_schemas.models.backend_config.HeliosConfig",
]

type Budget = OpaqueType["tkr_runtime.jobs.budget.Budget"]

POLLING_LOOP = "nexus_polling"
"""The name of the polling loop, for ``read_loop_trace`` and tkr-vis."""


class UploadCircuitInputs(NamedTuple):
    """The inputs of :func:`upload_circuit_graph`.

    :param project_name: The project to upload to.
    :param circuit: The pytket circuit.
    """

    project_name: TKR[str]
    circuit: TKR[Circuit]


class BatchInputs(NamedTuple):
    """The inputs of the upload of a batch of circuits.

    :param project_name: The project to upload to.
    :param circuits: The pytket circuits.
    """

    project_name: TKR[str]
    circuits: TKR[list[Circuit]]


class BatchOutputs(NamedTuple):
    """The output of the upload of a batch of circuits.

    :param programs: References to the circuits, in their order.
    """

    programs: TKR[list[Program]]


class JobInputs(NamedTuple):
    """The inputs of :func:`nexus_submit_and_poll`.

    :param project_name: The project of the job; it is created if it does not exist.
    :param job_name: A name for the job.
    :param circuits: The pytket circuits, at least one.
    :param n_shots: The numbers of shots, one for each circuit.
    :param backend_config: Where and how to run them, a config of qnexus.
    """

    project_name: TKR[str]
    job_name: TKR[str]
    circuits: TKR[list[Circuit]]
    n_shots: TKR[list[int]]
    backend_config: TKR[BackendConfig]


class LimitedJobInputs(NamedTuple):
    """The inputs of :func:`nexus_submit_and_poll` with limits of what the job costs.

    Give None for what has no limit.

    :param project_name: The project of the job; it is created if it does not exist.
    :param job_name: A name for the job.
    :param circuits: The pytket circuits, at least one.
    :param n_shots: The numbers of shots, one for each circuit.
    :param backend_config: Where and how to run them, a config of qnexus.
    :param max_cost: The most that each circuit may cost in HQC, which Nexus keeps.
    :param max_job_cost: The most that the job may be estimated to cost, in HQC.
    :param budget: A budget, ``tkr_nexus_worker.budget(hqc=…)``.
    """

    project_name: TKR[str]
    job_name: TKR[str]
    circuits: TKR[list[Circuit]]
    n_shots: TKR[list[int]]
    backend_config: TKR[BackendConfig]
    max_cost: TKR[list[float] | None]
    max_job_cost: TKR[float | None]
    budget: TKR[Budget | None]


class PollingOutputs(NamedTuple):
    """The outputs of :func:`polling_loop_body`.

    :param results: One result for each circuit; empty while the job is not complete.
    :param should_continue: Whether the job still waits or runs.
    :param status: The state of the job, and its place in the queue where there is one.
    """

    results: TKR[list[BackendResult]]
    should_continue: TKR[bool]
    status: TKR[str]


def upload_circuit_graph() -> Workflow[UploadCircuitInputs, TKR[Program]]:
    """Build a graph that uploads one circuit.

    :returns: A graph from a project name and a circuit to a reference to the circuit.
    """
    g = Graph(UploadCircuitInputs, TKR[Program])
    program = g.task(upload_circuit(g.inputs.project_name, g.inputs.circuit))
    return g.finish_with_outputs(program)


def polling_loop_body(
    polling_interval: float,
) -> Workflow[TKR[ExecuteJobRef], PollingOutputs]:
    """Build the body of a loop that waits for a job.

    Each pass waits until the job has a new state or a new place in the queue, an hour
    at most. The pass in which the job has completed downloads the results.

    :param polling_interval: The longest time between two requests for the status, in
        seconds; the first follow each other more quickly.
    :returns: A graph from a job to its results, for ``Graph.loop``.
    :raises InvalidInputError: If the interval is not a number of seconds above 0.
    """
    g = Graph(TKR[ExecuteJobRef], PollingOutputs)
    change = g.task(
        wait_for_change(
            g.inputs, g.const(checked_interval(polling_interval)), last_status()
        )
    )
    none_yet: TKR[list[BackendResult]] = g.const([])
    fetched = g.task(get_results(g.inputs))
    results = g.ifelse(change.is_unfinished, none_yet, fetched)
    return g.finish_with_outputs(
        PollingOutputs(results, change.is_unfinished, change.status)
    )


def last_status() -> TKR[str]:
    """Refer to the output ``status`` of the pass before, inside the body of a loop.

    A loop hands all outputs of a pass to the next. In the first pass there is none, and
    a task takes the default of its argument.
    """
    return TKR(-1, "status")


def checked_interval(polling_interval: float) -> float:
    """Check a polling interval.

    :param polling_interval: The longest time between two requests, in seconds.
    :returns: The same.
    :raises InvalidInputError: If it is not a number of seconds above 0.
    """
    if not 0 < polling_interval < math.inf:
        raise InvalidInputError(
            f"The polling interval is {polling_interval!r}; "
            "give a number of seconds above 0."
        )
    return float(polling_interval)


def limits_among(
    inputs: JobInputs | LimitedJobInputs,
) -> LimitedJobInputs | None:
    """Return the inputs of a graph if there are limits among them.

    :param inputs: The inputs.
    """
    return inputs if isinstance(inputs, LimitedJobInputs) else None


def prepare_and_upload(
    g: Graph[Any, Any], polling_interval: float
) -> TKR[list[Program]]:
    """Add the check of a job to a graph, and after it the uploads side by side.

    :param g: A graph with the inputs of a job, :class:`JobInputs` or
        :class:`LimitedJobInputs`.
    :param polling_interval: The longest time between two requests, in seconds.
    :returns: The uploaded programs, for tasks of this worker alone.
    :raises InvalidInputError: If the interval is not a number of seconds above 0.
    """
    interval = g.const(checked_interval(polling_interval))
    inputs: JobInputs | LimitedJobInputs = g.inputs
    limits = limits_among(inputs)
    batches = g.task(
        prepare_batches(
            inputs.project_name,
            inputs.job_name,
            inputs.circuits,
            inputs.n_shots,
            inputs.backend_config,
            interval,
            limits and limits.max_cost,
            limits and limits.max_job_cost,
            limits and limits.budget,
        )
    )
    return upload_batches(g, inputs.project_name, batches)


def upload_batches(
    g: Graph[Any, Any], project_name: TKR[str], batches: TKR[list[list[Circuit]]]
) -> TKR[list[Program]]:
    """Add the uploads of batches of circuits to a graph, side by side.

    :param g: The graph.
    :param project_name: The project to upload to.
    :param batches: The batches, as ``prepare_batches`` returns them.
    :returns: The uploaded programs, for tasks of this worker alone.
    """
    # The worker writes each batch, and joins the outputs, by itself: Tierkreis's own
    # builtin tasks would take a process each and twice the time of all else.
    each_batch: TKR[list[Circuit]] = TKR(batches.node_index, "*")
    uploaded = g.map(
        _upload_batch_graph(), TList(BatchInputs(project_name, each_batch))
    )
    # A list of models shows its elements to the builder alone.
    return uploaded._value.programs  # pyright: ignore[reportPrivateUsage]


def _upload_batch_graph() -> Workflow[BatchInputs, BatchOutputs]:
    g = Graph(BatchInputs, BatchOutputs)
    programs = g.task(upload_circuits(*g.inputs))
    return g.finish_with_outputs(BatchOutputs(programs))


@overload
def nexus_submit_and_poll(
    polling_interval: float = 30.0,
) -> Workflow[JobInputs, TKR[list[BackendResult]]]: ...


@overload
def nexus_submit_and_poll(
    polling_interval: float = 30.0, *, inputs: type[LimitedJobInputs]
) -> Workflow[LimitedJobInputs, TKR[list[BackendResult]]]: ...


def nexus_submit_and_poll(
    polling_interval: float = 30.0,
    *,
    inputs: type[JobInputs] | type[LimitedJobInputs] = JobInputs,
) -> (
    Workflow[JobInputs, TKR[list[BackendResult]]]
    | Workflow[LimitedJobInputs, TKR[list[BackendResult]]]
):
    """Build a graph that runs circuits as one job and returns their results.

    The job is checked first; then the circuits are uploaded in parallel, in batches,
    the job is submitted, polled, and its results are fetched. What the job may cost is
    reserved in its budgets before anything is uploaded.

    :param polling_interval: The longest time between two requests for the status, in
        seconds; the first follow each other more quickly.
    :param inputs: The inputs of the graph: :class:`LimitedJobInputs` has inputs for
        limits of cost and a budget.
    :returns: A graph from these inputs to one ``BackendResult`` for each circuit, in
        the order of the circuits.
    :raises InvalidInputError: If the interval is not a number of seconds above 0.
    """
    g: Graph[Any, TKR[list[BackendResult]]] = Graph(inputs, TKR[list[BackendResult]])
    given: JobInputs | LimitedJobInputs = g.inputs
    limits = limits_among(given)
    programs = prepare_and_upload(g, polling_interval)
    job = g.task(
        start_execute_job(
            given.project_name,
            given.job_name,
            programs,
            given.n_shots,
            given.backend_config,
            max_cost=limits and limits.max_cost,
            budget=limits and limits.budget,
        )
    )
    polling = g.loop(polling_loop_body(polling_interval), job, name=POLLING_LOOP)
    return g.finish_with_outputs(polling.results)
