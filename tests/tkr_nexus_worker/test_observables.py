"""Observables: the values that circuits give are those of the operator."""

import math
from uuid import uuid4

import numpy as np
import pytest
from pytket.backends.backendresult import BackendResult
from pytket.circuit import Circuit, OpType, Qubit
from pytket.partition import PauliPartitionStrat
from pytket.pauli import Pauli, QubitPauliString
from pytket.utils import get_operator_expectation_value
from pytket.utils.operators import QubitPauliOperator
from pytket.utils.outcomearray import OutcomeArray
from quantinuum_schemas.models.backend_config import QuantinuumConfig
from sympy import Symbol

from tkr_nexus_worker import InProcessExecutor, InvalidInputError, run
from tkr_nexus_worker.graphs import nexus_expectation_values
from tkr_nexus_worker.observables import (
    bind_parameters,
    expectation_values,
    measurement_circuits,
)

STRATEGIES = ["NonConflictingSets", "CommutingSets"]


def string(text: str) -> QubitPauliString:
    """A Pauli string from a text such as ``XIZ``."""
    paulis = {Qubit(i): Pauli.__members__[name] for i, name in enumerate(text)}
    return QubitPauliString(paulis)


def operator_of(**terms: float) -> QubitPauliOperator:
    return QubitPauliOperator({string(text): value for text, value in terms.items()})


OPERATOR = operator_of(II=0.2, ZI=0.3, IZ=-0.4, ZZ=0.5, XX=0.6, YY=-0.7)


def ansatz() -> Circuit:
    a, b = Symbol("a"), Symbol("b")
    return Circuit(2, name="ansatz").Ry(a, 0).Rz(b, 0).CX(0, 1).Ry(b, 1)


SETS = [{"a": 0.3, "b": 0.9}, {"a": -0.6, "b": 0.25}]


def test_a_bound_circuit_has_the_unitary_of_its_values():
    for circuit, values in zip(bind_parameters(ansatz(), SETS), SETS, strict=True):
        by_hand = Circuit(2).Ry(values["a"], 0).Rz(values["b"], 0)
        by_hand.CX(0, 1).Ry(values["b"], 1)
        assert not circuit.free_symbols()
        assert np.allclose(circuit.get_unitary(), by_hand.get_unitary())
    assert [it.name for it in bind_parameters(ansatz(), SETS)] == [
        "ansatz 0",
        "ansatz 1",
    ]


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"a": 1.0}, "set 1 .*missing: b"),
        ({"a": 1.0, "b": 1.0, "c": 1.0}, "unknown: c.*symbols a, b"),
        ({"a": math.nan, "b": 1.0}, "not finite: a"),
    ],
)
def test_parameters_that_do_not_fit_are_refused(values, words):
    with pytest.raises(InvalidInputError, match=words):
        bind_parameters(ansatz(), [SETS[0], values])


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_values_of_many_shots_are_those_of_the_states(strategy):
    states = bind_parameters(ansatz(), SETS)
    made = measurement_circuits(states, OPERATOR, 20_000, strategy)
    assert {gate for it in made.circuits for gate in gates(it)} <= {
        *(OpType.PhasedX, OpType.Rz, OpType.ZZPhase, OpType.Measure)
    }
    results = simulated(made.circuits, made.n_shots)
    found = expectation_values(results, OPERATOR, made.setup)
    for state, value, error in zip(states, *found, strict=True):
        exact = OPERATOR.state_expectation(state.get_statevector()).real
        assert 0 < error < 0.02
        assert abs(value - exact) < 5 * error


def gates(circuit: Circuit) -> set[OpType]:
    return {command.op.type for command in circuit.get_commands()}


def simulated(
    circuits: list[Circuit], n_shots: list[int], repetitions: int = 1
) -> list[BackendResult]:
    """Draw shots from the states of circuits that end with measurements."""
    rng = np.random.default_rng(7)
    results = []
    for circuit, shots in zip(circuits, n_shots, strict=True):
        state = Circuit(circuit.n_qubits)
        bits = {}
        for command in circuit.get_commands():
            if command.op.type == OpType.Measure:
                bits[command.args[1].index[0]] = command.args[0].index[0]
            else:
                state.add_gate(command.op, [it.index[0] for it in command.args])
        probabilities = np.abs(state.get_statevector()) ** 2
        places = [state.n_qubits - 1 - bits[bit] for bit in sorted(bits)]
        drawn = rng.choice(len(probabilities), (repetitions, shots), p=probabilities)
        readouts = drawn[..., np.newaxis] >> np.array(places) & 1
        outcomes = map(OutcomeArray.from_readouts, readouts)
        results.append([BackendResult(shots=it) for it in outcomes])
    return [result for of_all in zip(*results, strict=True) for result in of_all]


class Replay:
    """A backend for pytket that gives the results that we have."""

    supports_counts = True

    def __init__(self, results: list[BackendResult]) -> None:
        self.results = results

    def get_compiled_circuits(self, circuits: list[Circuit]) -> list[Circuit]:
        return circuits

    def process_circuits(self, circuits: list[Circuit], **_: object) -> range:
        return range(len(circuits))

    def get_results(self, _: range) -> list[BackendResult]:
        return self.results

    def pop_result(self, _: int) -> None:
        pass


def test_the_value_of_given_results_is_that_of_pytket():
    (state,) = bind_parameters(ansatz(), SETS[:1])
    made = measurement_circuits([state], OPERATOR, 100, "CommutingSets")
    results = simulated(made.circuits, made.n_shots)
    theirs = get_operator_expectation_value(
        state, OPERATOR, Replay(results), 100, PauliPartitionStrat.CommutingSets
    )
    ours = expectation_values(results, OPERATOR, made.setup)
    assert ours.values == [pytest.approx(theirs.real)]


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_standard_errors_are_the_spread_of_values_over_repetitions(strategy):
    (state,) = bind_parameters(ansatz(), SETS[:1])
    made = measurement_circuits([state], OPERATOR, 50, strategy)
    results = simulated(made.circuits, made.n_shots, repetitions=400)
    found = expectation_values(results, OPERATOR, made.setup)
    spread = np.std(found.values, ddof=1)
    # The spread of 400 values is itself known to 3.5 per cent.
    assert np.mean(found.standard_errors) == pytest.approx(spread, rel=0.18)


def test_terms_that_vary_together_are_not_taken_as_independent():
    # In a Bell state both terms are always equal, so their difference has no error.
    bell = Circuit(2).H(0).CX(0, 1)
    for second, error in ((-1.0, 0.0), (1.0, 2 / math.sqrt(1000))):
        operator = operator_of(ZI=1.0, IZ=second)
        made = measurement_circuits([bell], operator, 1000)
        assert len(made.circuits) == 1
        results = simulated(made.circuits, made.n_shots)
        found = expectation_values(results, operator, made.setup)
        assert found.standard_errors == [pytest.approx(error, abs=1e-3)]


@pytest.mark.parametrize(
    ("operator", "circuit", "changes", "words"),
    [
        (OPERATOR, Circuit(2, 1), {}, "circuit 0 has classical bits"),
        (OPERATOR, Circuit(1), {}, r"lacks qubits of the operator \(q\[1\]\)"),
        (OPERATOR, ansatz(), {}, r"symbols without a value \(a, b\)"),
        (operator_of(II=1.0), Circuit(2), {}, "no term to measure"),
        (operator_of(XX=1j), Circuit(2), {}, "give a real number"),
        (operator_of(XX=Symbol("c")), Circuit(2), {}, "is c; give a number"),
        (OPERATOR, Circuit(2), {"n_shots": 1}, "n_shots is 1"),
        (OPERATOR, Circuit(2), {"strategy": "Best"}, "'Best'; give one of NonConf"),
    ],
)
def test_what_cannot_be_measured_is_refused(operator, circuit, changes, words):
    with pytest.raises(InvalidInputError, match=words):
        measurement_circuits([circuit], operator, **{"n_shots": 10, **changes})


def test_results_that_do_not_fit_are_refused():
    made = measurement_circuits([Circuit(2)], OPERATOR, 10)
    result = BackendResult(shots=OutcomeArray.from_readouts([[0, 0]] * 10))
    with pytest.raises(InvalidInputError, match="2 results for 3 measurement"):
        expectation_values([result] * 2, OPERATOR, made.setup)
    with pytest.raises(InvalidInputError, match=r"term \(Zq\[0\].* was not measured"):
        expectation_values([result] * 3, operator_of(ZX=1.0), made.setup)
    single = BackendResult(shots=OutcomeArray.from_readouts([[0, 0]]))
    with pytest.raises(InvalidInputError, match="result 0 has 1 shots"):
        expectation_values([single] * 3, OPERATOR, made.setup)


def test_the_graph_measures_on_nexus(connected, make_storage):
    storage = make_storage()
    inputs = {
        "project_name": "tests of observables",
        "job_name": f"observables {uuid4()}",
        "circuit": ansatz(),
        "parameters": SETS,
        "operator": OPERATOR,
        "n_shots": 1000,
        "backend_config": QuantinuumConfig(device_name="H2-1LE"),
    }
    graph = nexus_expectation_values(polling_interval=0.1)
    found = run(graph, inputs, storage, InProcessExecutor(storage))
    for state, value, error in zip(
        bind_parameters(ansatz(), SETS),
        found["values"],
        found["standard_errors"],
        strict=True,
    ):
        exact = OPERATOR.state_expectation(state.get_statevector()).real
        assert abs(value - exact) < 5 * error
    assert [job["name"] for job in connected.jobs()].count(inputs["job_name"]) == 1
