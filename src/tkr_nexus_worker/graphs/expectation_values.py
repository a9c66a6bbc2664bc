"""Measure a Pauli operator in the states of a circuit with symbols, on Nexus."""
# ruff: noqa: F821  the names in OpaqueType are labels for type checkers, not imports

from typing import Any, NamedTuple, overload

from tierkreis.builder import Graph
from tierkreis.models import TKR, OpaqueType, Workflow

from tkr_nexus_worker.graphs.submit_poll import (
    BackendConfig,
    Budget,
    Circuit,
    JobInputs,
    LimitedJobInputs,
    nexus_submit_and_poll,
)
from tkr_nexus_worker.stubs import (
    ExpectationValues,
    bind_parameters,
    expectation_values,
    iteration_name,
    measurement_circuits,
)

type Operator = OpaqueType["pytket.utils.operators.QubitPauliOperator"]


class ExpectationInputs(NamedTuple):
    """The inputs of :func:`nexus_expectation_values`.

    :param project_name: The project of the job; it is created if it does not exist.
    :param job_name: A name for the job; in a loop, the number of the iteration is
        added.
    :param circuit: The circuit that prepares the states, without measurements.
    :param parameters: One set of values for the symbols of the circuit for each state,
        by their names; ``[{}]`` for a circuit without symbols.
    :param operator: The operator, a ``QubitPauliOperator`` of pytket.
    :param n_shots: The number of shots of each circuit that measures.
    :param backend_config: Where and how to run them, a config of qnexus.
    """

    project_name: TKR[str]
    job_name: TKR[str]
    circuit: TKR[Circuit]
    parameters: TKR[list[dict[str, float]]]
    operator: TKR[Operator]
    n_shots: TKR[int]
    backend_config: TKR[BackendConfig]


class LimitedExpectationInputs(NamedTuple):
    """The inputs of :func:`nexus_expectation_values` with limits of what the job costs.

    Give None for what has no limit.

    :param project_name: As for :class:`ExpectationInputs`, and so all up to
        ``backend_config``.
    :param max_job_cost: The most that the job may be estimated to cost, in HQC.
    :param budget: A budget, ``tkr_nexus_worker.budget(hqc=…)``.
    """

    project_name: TKR[str]
    job_name: TKR[str]
    circuit: TKR[Circuit]
    parameters: TKR[list[dict[str, float]]]
    operator: TKR[Operator]
    n_shots: TKR[int]
    backend_config: TKR[BackendConfig]
    max_job_cost: TKR[float | None]
    budget: TKR[Budget | None]


@overload
def nexus_expectation_values(
    polling_interval: float = 30.0, strategy: str = "NonConflictingSets"
) -> Workflow[ExpectationInputs, ExpectationValues]: ...


@overload
def nexus_expectation_values(
    polling_interval: float = 30.0,
    strategy: str = "NonConflictingSets",
    *,
    inputs: type[LimitedExpectationInputs],
) -> Workflow[LimitedExpectationInputs, ExpectationValues]: ...


def nexus_expectation_values(
    polling_interval: float = 30.0,
    strategy: str = "NonConflictingSets",
    *,
    inputs: type[ExpectationInputs] | type[LimitedExpectationInputs] = (
        ExpectationInputs
    ),
) -> (
    Workflow[ExpectationInputs, ExpectationValues]
    | Workflow[LimitedExpectationInputs, ExpectationValues]
):
    """Build a graph that measures an operator in several states by one job.

    It is the quantum part of an iteration of VQE, QAOA or error mitigation.

    :param polling_interval: The longest time between two requests for the status, in
        seconds; the first follow each other more quickly.
    :param strategy: How pytket divides the terms of the operator into sets that are
        measured together: ``NonConflictingSets`` or ``CommutingSets``.
    :param inputs: The inputs of the graph: :class:`LimitedExpectationInputs` has inputs
        for a limit of what the job costs, and for a budget.
    :returns: A graph from these inputs to the values for all states and their standard
        errors.
    :raises InvalidInputError: If the interval is not a number of seconds above 0.
    """
    g: Graph[Any, ExpectationValues] = Graph(inputs, ExpectationValues)
    given: ExpectationInputs | LimitedExpectationInputs = g.inputs
    states = g.task(bind_parameters(given.circuit, given.parameters))
    measurements = g.task(
        measurement_circuits(states, given.operator, given.n_shots, g.const(strategy))
    )
    job = JobInputs(
        project_name=given.project_name,
        job_name=g.task(iteration_name(given.job_name)),
        circuits=measurements.circuits,
        n_shots=measurements.n_shots,
        backend_config=given.backend_config,
    )
    if isinstance(given, LimitedExpectationInputs):
        no_limit: TKR[None] = g.const(None)
        results = g.eval(
            nexus_submit_and_poll(polling_interval, inputs=LimitedJobInputs),
            LimitedJobInputs(*job, no_limit, given.max_job_cost, given.budget),
        )
    else:
        results = g.eval(nexus_submit_and_poll(polling_interval), job)
    values = g.task(expectation_values(results, given.operator, measurements.setup))
    return g.finish_with_outputs(values)
