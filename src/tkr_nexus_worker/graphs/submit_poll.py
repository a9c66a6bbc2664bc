"""Submit circuits to Nexus as one job, poll it, and fetch its results.

The graph :func:`nexus_submit_and_poll` does it all; :func:`upload_circuit_graph` and
:func:`polling_loop_body` are its parts, for graphs that arrange them in another way.
"""
# The names in OpaqueType are labels for type checkers, not imports.
# ruff: noqa: F821, SLF001

import math
from typing import NamedTuple

from tierkreis.builder import Graph
from tierkreis.builtins import tkr_sleep
from tierkreis.controller.data.models import TModel
from tierkreis.models import TKR, OpaqueType, Workflow

from tkr_nexus_worker.errors import InvalidInputError
from tkr_nexus_worker.stubs import (
    get_results,
    is_running,
    prepare_job,
    start_execute_job,
    upload_circuit,
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

POLLING_LOOP = "nexus_polling"
"""The name of the polling loop, for ``read_loop_trace`` and tkr-vis."""


class UploadCircuitInputs(NamedTuple):
    """The inputs of :func:`upload_circuit_graph`.

    :param project_name: The project to upload to.
    :param circuit: The pytket circuit.
    """

    project_name: TKR[str]
    circuit: TKR[Circuit]


class JobInputs(NamedTuple):
    """The inputs of :func:`nexus_submit_and_poll`.

    :param project_name: The project of the job; it is made if it does not exist.
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


class PollingOutputs(NamedTuple):
    """The outputs of :func:`polling_loop_body`.

    :param results: One result for each circuit; empty while the job is not complete.
    :param should_continue: Whether the job still waits or runs.
    """

    results: TKR[list[BackendResult]]
    should_continue: TKR[bool]


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

    Each pass asks for the status once. If the job waits or runs, the pass ends after
    the polling interval; if it has completed, the pass fetches the results.

    :param polling_interval: The time between two looks at the job, in seconds.
    :returns: A graph from a job to its results, for ``Graph.loop``.
    :raises InvalidInputError: If the interval is not a number of seconds above 0.
    """
    g = Graph(TKR[ExecuteJobRef], PollingOutputs)
    running = g.task(is_running(g.inputs))
    should_continue = pause_while(g, running, polling_interval)
    none_yet: TKR[list[BackendResult]] = g.const([])
    results = g.ifelse(running, none_yet, g.task(get_results(g.inputs)))
    return g.finish_with_outputs(PollingOutputs(results, should_continue))


def pause_while[A: TModel, B: TModel](
    g: Graph[A, B], waiting: TKR[bool], polling_interval: float
) -> TKR[bool]:
    """Add a pause to the body of a loop that looks at something until it has ended.

    :param g: The body of the loop.
    :param waiting: Whether it has not ended yet.
    :param polling_interval: The time between two looks, in seconds.
    :returns: Whether to go on; where it has not ended, that is known after the pause.
    :raises InvalidInputError: If the interval is not a number of seconds above 0.
    """
    if not 0 < polling_interval < math.inf:
        raise InvalidInputError(
            f"The polling interval is {polling_interval!r}; "
            "give a number of seconds above 0."
        )
    pause = g.task(tkr_sleep(g.const(float(polling_interval))))
    return g.ifelse(waiting, pause, g.const(value=False))


def prepare_and_upload[B: TModel](
    g: Graph[JobInputs, B], polling_interval: float
) -> tuple[TKR[str], TKR[list[Program]]]:
    """Add the check of a job to a graph, and after it the uploads side by side.

    :param g: A graph with the inputs of a job.
    :param polling_interval: The time between two looks at the job, in seconds.
    :returns: The name of the project and the uploaded programs.
    """
    # The uploads take the project name from the check, so that they wait for it.
    project_name = g.task(
        prepare_job(*g.inputs, polling_interval=g.const(float(polling_interval)))
    )
    programs = g.map(
        upload_circuit_graph(),
        g.map(
            lambda circuit: UploadCircuitInputs(project_name, circuit),
            g.inputs.circuits,
        ),
    )
    return project_name, programs


def nexus_submit_and_poll(
    polling_interval: float = 30.0,
) -> Workflow[JobInputs, TKR[list[BackendResult]]]:
    """Build a graph that runs circuits as one job and returns their results.

    The job is checked first; then the circuits are uploaded in parallel, the job is
    submitted, polled, and its results are fetched.

    :param polling_interval: The time between two looks at the job, in seconds.
    :returns: A graph from :class:`JobInputs` to one ``BackendResult`` for each circuit,
        in the order of the circuits.
    :raises InvalidInputError: If the interval is not a number of seconds above 0.
    """
    g = Graph(JobInputs, TKR[list[BackendResult]])
    project_name, programs = prepare_and_upload(g, polling_interval)
    job = g.task(
        start_execute_job(
            project_name,
            g.inputs.job_name,
            programs,
            g.inputs.n_shots,
            g.inputs.backend_config,
        )
    )
    polling = g.loop(polling_loop_body(polling_interval), job, name=POLLING_LOOP)
    return g.finish_with_outputs(polling.results)
