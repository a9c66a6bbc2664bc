"""Programs that Qiskit writes, in OpenQASM 2 and 3, mean what they mean to Qiskit."""

from pathlib import Path

import pytest
from pytket.utils import compare_unitaries
from qiskit import QuantumCircuit, qasm2, qasm3
from qiskit.circuit import Gate
from qiskit.circuit.library import get_standard_gate_name_mapping
from qiskit.circuit.random import random_circuit
from qiskit.quantum_info import Operator

from tkr_nexus_worker.program_files.openqasm.program import circuit_from_openqasm

EXPORTS = {"OpenQASM 2": qasm2.dumps, "OpenQASM 3": qasm3.dumps}


def gates():
    """Every standard gate, its inverse and its control by a qubit that is 0."""
    for standard in get_standard_gate_name_mapping().values():
        if not isinstance(standard, Gate) or not standard.num_qubits:
            continue
        gate = standard.to_mutable()
        gate.params = [0.3 + 0.4 * at for at in range(len(gate.params))]
        circuit = QuantumCircuit(gate.num_qubits + 1)
        circuit.append(gate.control(ctrl_state=0), circuit.qubits)
        circuit.append(gate, circuit.qubits[1:])
        circuit.append(gate.inverse(), circuit.qubits[:-1])
        yield circuit


def check(circuit, export):
    text = export(circuit)
    found = circuit_from_openqasm(text, Path()).get_unitary()
    assert compare_unitaries(found, Operator(circuit.reverse_bits()).data), text


@pytest.mark.parametrize("export", EXPORTS.values(), ids=EXPORTS)
def test_every_standard_gate_of_qiskit_is_read(export):
    for circuit in gates():
        check(circuit, export)


def of_seeds(seeds):
    for seed in seeds:
        yield random_circuit(4, 6, max_operands=4, seed=seed)


@pytest.mark.parametrize("export", EXPORTS.values(), ids=EXPORTS)
def test_random_circuits_of_qiskit_are_read(export):
    for circuit in of_seeds(range(8)):
        check(circuit, export)


@pytest.mark.soak
@pytest.mark.parametrize("export", EXPORTS.values(), ids=EXPORTS)
def test_many_random_circuits_of_qiskit_are_read(export):
    for circuit in of_seeds(range(100, 500)):
        check(circuit, export)
