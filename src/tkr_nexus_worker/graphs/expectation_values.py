"""Measure a Pauli operator in the states of a circuit with symbols, on Nexus."""
# ruff: noqa: F821  the names in OpaqueType are labels for type checkers, not imports

from typing import NamedTuple

from tierkreis.builder import Graph
from tierkreis.models import TKR, OpaqueType, Workflow

from tkr_nexus_worker.graphs.submit_poll import (
    BackendConfig,
    Circuit,
    JobInputs,
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


def nexus_expectation_values(
    polling_interval: float = 30.0, strategy: str = "NonConflictingSets"
) -> Workflow[ExpectationInputs, ExpectationValues]:
    """Build a graph that measures an operator in several states by one job.

    It is the quantum part of an iteration of VQE, QAOA or error mitigation.

    :param polling_interval: The longest time between two requests for the status, in
        seconds; the first follow each other more quickly.
    :param strategy: How pytket divides the terms of the operator into sets that are
        measured together: ``NonConflictingSets`` or ``CommutingSets``.
    :returns: A graph from :class:`ExpectationInputs` to the values for all states and
        their standard errors.
    :raises InvalidInputError: If the interval is not a number of seconds above 0.
    """
    g = Graph(ExpectationInputs, ExpectationValues)
    states = g.task(bind_parameters(g.inputs.circuit, g.inputs.parameters))
    measurements = g.task(
        measurement_circuits(
            states, g.inputs.operator, g.inputs.n_shots, g.const(strategy)
        )
    )
    results = g.eval(
        nexus_submit_and_poll(polling_interval),
        JobInputs(
            project_name=g.inputs.project_name,
            job_name=g.task(iteration_name(g.inputs.job_name)),
            circuits=measurements.circuits,
            n_shots=measurements.n_shots,
            backend_config=g.inputs.backend_config,
        ),
    )
    values = g.task(expectation_values(results, g.inputs.operator, measurements.setup))
    return g.finish_with_outputs(values)
