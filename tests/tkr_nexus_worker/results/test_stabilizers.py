"""Samples of Clifford circuits, compared with exact distributions."""

from collections import Counter
from random import Random

import pytest
from pytket.circuit import Circuit, OpType

from tkr_nexus_worker.results.plots import ideal_distribution, sampled_distribution
from tkr_nexus_worker.results.stabilizers import clifford_gates, sample_clifford

QUARTERS = (0.0, 0.5, 1.0, 1.5, 2.5, 3.5)
ONE_QUBIT = (OpType.H, OpType.S, OpType.Y, OpType.SXdg, OpType.Vdg)
TWO_QUBITS = (OpType.CX, OpType.CZ, OpType.SWAP, OpType.ZZMax, OpType.ECR)


def random_clifford(rng: Random, n_qubits: int = 4, n_gates: int = 25) -> Circuit:
    circuit = Circuit(n_qubits)
    for _ in range(n_gates):
        one, other = rng.sample(range(n_qubits), 2)
        angles = [rng.choice(QUARTERS) for _ in range(3)]
        match rng.randrange(5):
            case 0:
                circuit.add_gate(rng.choice(ONE_QUBIT), [one])
            case 1:
                circuit.add_gate(rng.choice(TWO_QUBITS), [one, other])
            case 2:
                circuit.add_gate(OpType.PhasedX, angles[:2], [one])
            case 3:
                circuit.ZZPhase(angles[0], one, other)
            case _:
                circuit.add_gate(OpType.TK2, angles, [one, other])
    return circuit


def test_samples_have_the_exact_distribution(rng):
    for _ in range(20):
        circuit = random_clifford(rng)
        gates = clifford_gates(circuit)
        assert gates is not None
        samples = sample_clifford(gates, 4000, seed=rng.randrange(1000))
        counts = Counter("".join(map(str, row)) for row in samples.tolist())
        exact = ideal_distribution(circuit.measure_all())
        assert counts.keys() == exact.keys()
        for outcome, p in exact.items():
            # Six standard errors.
            assert counts[outcome] / 4000 == pytest.approx(p, abs=0.05)


def test_a_wide_clifford_circuit_has_a_sampled_ideal():
    circuit = Circuit(60).H(0)
    for qubit in range(59):
        circuit.CX(qubit, qubit + 1)
    found = sampled_distribution(circuit.X(3).measure_all(), 1000, seed=1)
    flipped = "0001" + "0" * 56
    assert set(found) == {flipped, flipped.translate(str.maketrans("01", "10"))}
    assert sum(found.values()) == pytest.approx(1.0)


def test_other_gates_have_no_stabilizers():
    assert clifford_gates(Circuit(1).T(0)) is None
    assert clifford_gates(Circuit(1).T(0).T(0)) is not None
