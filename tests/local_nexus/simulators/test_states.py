"""Simulators of states give the states of their circuits."""

import numpy as np
import pytest
from pytket.circuit import Circuit, Op, OpType, Qubit

from .conftest import circuit_request

GATES = {
    OpType.CU1: [0.3],
    OpType.CRy: [0.7],
    OpType.CSWAP: [],
    OpType.CCX: [],
    OpType.ECR: [],
    OpType.ISWAP: [0.4],
    OpType.PhasedX: [0.3, 0.6],
    OpType.TK1: [0.1, 0.2, 0.3],
    OpType.TK2: [0.1, 0.2, 0.3],
    OpType.U3: [0.1, 0.2, 0.3],
    OpType.V: [],
    OpType.XXPhase3: [0.3],
    OpType.ZZPhase: [0.3],
}


def named_in_reverse():
    """Two qubits whose order is not that of their names."""
    circuit = Circuit()
    late, early = Qubit("z", 0), Qubit("a", 0)
    circuit.add_qubit(late)
    circuit.add_qubit(early)
    return circuit.Ry(0.4, late).CX(late, early).T(early).add_phase(0.3)


@pytest.mark.parametrize(
    "config",
    [
        {"type": "QulacsConfig"},
        {"type": "AerStateConfig"},
        {"type": "BraketConfig", "local": True},
    ],
    ids=lambda config: config["type"],
)
@pytest.mark.parametrize("make", [named_in_reverse, lambda: Circuit(2).X(0).SWAP(0, 1)])
def test_a_state_has_the_order_of_the_qubits(run_circuit, config, make):
    state = run_circuit(make(), config, None).get_state()
    expected = make().get_statevector()
    assert abs(np.vdot(state, expected)) == pytest.approx(1)


def test_a_gate_without_qubits_turns_the_phase_of_a_state(run_circuit):
    circuit = Circuit(1).H(0).add_gate(OpType.Phase, [0.3], []).add_phase(0.2)
    state = run_circuit(circuit, "QulacsConfig", None).get_state()
    np.testing.assert_allclose(state, circuit.get_statevector(), atol=1e-9)


@pytest.mark.parametrize("kind", ["Qulacs", "AerState", "AerUnitary", "Braket"])
def test_a_circuit_without_qubits_has_no_state(run, kind):
    config = {"type": f"{kind}Config", "local": True}
    outcome = run(circuit_request(Circuit(), config, None))
    assert outcome.error_detail.startswith("The circuit has no qubits")


@pytest.mark.parametrize("gate", GATES, ids=lambda gate: gate.name)
def test_every_gate_acts_as_pytket_defines_it(run_circuit, gate):
    circuit = Circuit(3).Ry(0.2, 0).Ry(0.5, 1).Rx(0.7, 2).CX(0, 2).CX(1, 0)
    n_qubits = Op.create(gate, GATES[gate]).n_qubits
    circuit.add_gate(gate, GATES[gate], [2, 0, 1][:n_qubits])
    state = run_circuit(circuit, "QulacsConfig", None).get_state()
    np.testing.assert_allclose(state, circuit.get_statevector(), atol=1e-9)


def test_qulacs_gives_a_density_matrix(run_circuit):
    config = {"type": "QulacsConfig", "result_type": "density_matrix"}
    matrix = run_circuit(named_in_reverse(), config, None).get_density_matrix()
    state = named_in_reverse().get_statevector()
    np.testing.assert_allclose(matrix, np.outer(state, state.conj()), atol=1e-9)


def test_aer_gives_a_unitary(run_circuit):
    unitary = run_circuit(named_in_reverse(), "AerUnitaryConfig", None).get_unitary()
    np.testing.assert_allclose(unitary, named_in_reverse().get_unitary(), atol=1e-9)


def test_a_circuit_that_measures_has_no_unitary(run):
    circuit = Circuit(1, 1).H(0).Reset(0).Measure(0, 0)
    outcome = run(circuit_request(circuit, "AerUnitaryConfig", None))
    assert outcome.error_detail.startswith("A circuit with Measure, Reset has no unit")


def test_a_circuit_that_chance_decides_has_no_state(run):
    circuit = Circuit(1, 1).H(0).Measure(0, 0).X(0)
    outcome = run(circuit_request(circuit, "QulacsConfig", None))
    assert outcome.status == "ERROR"
    assert "no single final state" in outcome.error_detail


def test_braket_runs_circuits_with_barriers_and_phases(run_circuit):
    local = {"type": "BraketConfig", "local": True}
    circuit = Circuit(2).X(0).add_barrier([0, 1]).CX(0, 1)
    circuit.add_gate(OpType.Phase, [0.3], [])
    state = run_circuit(circuit, local, None).get_state()
    assert abs(state[3]) == pytest.approx(1)
    assert run_circuit(circuit.measure_all(), local, 5).get_counts() == {(1, 1): 5}


def test_braket_gives_counts_and_refuses_what_is_remote(run, run_circuit):
    local = {"type": "BraketConfig", "local": True}
    circuit = Circuit(2, 3).X(1).Measure(1, 2)
    assert run_circuit(circuit, local, 20).get_counts() == {(0, 0, 1): 20}
    middle = Circuit(1, 1).Measure(0, 0).X(0)
    for config, program, sentence in (
        (local | {"local": False}, circuit, "BraketConfig(local=True)"),
        (local, middle, "measure only at the end"),
    ):
        assert sentence in run(circuit_request(program, config)).error_detail
