"""The noise of Quantinuum's machines in circuits for Aer.

Errors are instructions of the circuit, behind the gates that they belong to; only those
of the outcomes are a noise model. Aer knows no leaked qubits: the rates have none.
"""

from collections.abc import Callable, Iterable, Mapping

import numpy as np
from qiskit import QuantumCircuit
from qiskit.circuit import CircuitInstruction, Gate, Qubit
from qiskit_aer.noise import NoiseModel, QuantumError, ReadoutError, pauli_error

from local_nexus.simulators.noise.dephasing import Dephasing, phase_errors
from local_nexus.simulators.noise.error_rates import ErrorRates
from local_nexus.simulators.noise.schedule import Operation

SOFTWARE = "rz"
COUPLING = "rzz"
KINDS = {
    "barrier": "barrier",
    "measure": "measure",
    "reset": "reset",
    "r": "gate",
    SOFTWARE: "software",
    COUPLING: "gate",
}
"""Qiskit's names of the machines' operations -> kinds in a schedule."""

Steps = Iterable[tuple[Gate, list[int]]]
"""Gates, and on which qubits of an instruction they act."""
Translate = Callable[[Gate], Steps]


def noisy(
    circuit: QuantumCircuit, rates: ErrorRates, translate: Translate
) -> QuantumCircuit:
    """Return a circuit with the errors that some rates give it.

    :param circuit: A circuit of the machines' gates.
    :param rates: Rates without leakage, and for stabilizers without coherent errors.
    :param translate: What the simulator takes in place of one of these gates.
    """
    written = _Writer(circuit, rates, translate)
    for qubit in circuit.qubits:
        written.error(rates.preparation_errors(), [qubit])
    phases = phase_errors(list(map(_operation, circuit.data)), rates)
    for instruction, errors in zip(circuit.data, phases, strict=True):
        written.dephase(errors.before)
        written.write(instruction, errors.with_it)
    return written.circuit


def wrong_outcomes(rates: ErrorRates) -> NoiseModel:
    """Return a noise model of the errors of measurements."""
    model = NoiseModel()
    read_out = [
        [1 - rates.p_meas_0, rates.p_meas_0],
        [rates.p_meas_1, 1 - rates.p_meas_1],
    ]
    model.add_all_qubit_readout_error(ReadoutError(read_out))
    return model


class _Writer:
    """Writes a circuit, with errors."""

    def __init__(
        self, circuit: QuantumCircuit, rates: ErrorRates, translate: Translate
    ) -> None:
        self.circuit = circuit.copy_empty_like()
        self.rates = rates
        self._translate = translate
        self._known: dict[tuple[tuple[str, float], ...], QuantumError] = {}

    def write(self, instruction: CircuitInstruction, with_it: list[Dephasing]) -> None:
        """Write an instruction and its errors.

        :param with_it: Further errors, if the instruction is done.
        """
        operation, qubits = instruction.operation, list(instruction.qubits)
        match operation.name:
            case "if_else":
                self._write_conditional(instruction, with_it)
            case "reset":
                self.circuit.append(operation, qubits)
                self.error(self.rates.preparation_errors(), qubits)
            case name if KINDS.get(name) in ("gate", "software"):
                for gate, places in self._translate(operation):
                    self.circuit.append(gate, [qubits[place] for place in places])
                if name != SOFTWARE:
                    self._after_gate(operation, qubits)
            case _:
                self.circuit.append(instruction)

    def dephase(self, errors: list[Dephasing]) -> None:
        """Write errors of the phase."""
        for error in errors:
            if error.half_turns:
                self.circuit.rz(np.pi * error.half_turns, error.qubit)
            self.error({"Z": error.p_z}, [error.qubit])

    def error(self, errors: Mapping[str, float], qubits: list[Qubit]) -> None:
        """Write an error: one of several products of Paulis, by chance."""
        total = sum(errors.values())
        if not total:
            return
        key = tuple(errors.items())
        if key not in self._known:
            # Qiskit begins with the last qubit.
            paulis = [(name[::-1], chance) for name, chance in key]
            none = ("I" * len(qubits), max(1 - total, 0.0))
            self._known[key] = pauli_error([*paulis, none])
        self.circuit.append(self._known[key], qubits)

    def _after_gate(self, gate: Gate, qubits: list[Qubit]) -> None:
        half_turns = gate.params[0] / np.pi if gate.name == COUPLING else 0.5
        self.error(self.rates.gate_errors(len(qubits), half_turns), qubits)
        if gate.name == COUPLING:
            for qubit in qubits:
                self.error({"Z": self.rates.p2_idle}, [qubit])

    def _write_conditional(
        self, instruction: CircuitInstruction, with_it: list[Dephasing]
    ) -> None:
        """Write a conditional instruction; its body may use all qubits."""
        (block,) = instruction.operation.blocks
        outside, body = self.circuit, QuantumCircuit(*_units(self.circuit))
        units = dict(zip(block.qubits, instruction.qubits, strict=True))
        units |= dict(zip(block.clbits, instruction.clbits, strict=True))
        self.circuit = body
        for inner in block.data:
            moved = inner.replace(
                qubits=[units[qubit] for qubit in inner.qubits],
                clbits=[units[bit] for bit in inner.clbits],
            )
            self.write(moved, [])
        self.dephase(with_it)
        self.circuit = outside
        # Aer takes no block with units that the circuit does not use otherwise.
        qubits = [q for q in body.qubits if any(q in done.qubits for done in body)]
        bits = [bit for bit in body.clbits if any(bit in done.clbits for done in body)]
        if qubits:
            used = QuantumCircuit(qubits, bits)
            for done in body:
                used.append(done)
            condition = instruction.operation.condition
            outside.if_test(condition, used, qubits, bits)


def _units(circuit: QuantumCircuit) -> tuple[list[Qubit], list[object]]:
    return list(circuit.qubits), list(circuit.clbits)


def _operation(instruction: CircuitInstruction) -> Operation:
    """Return what a schedule needs to know of an instruction."""
    operation, is_conditional = instruction.operation, False
    name = operation.name
    if name == "if_else":
        is_conditional = True
        # pytket makes a condition of its own for each operation; a phase is empty.
        names = [inner.operation.name for inner in operation.blocks[0].data]
        name = names[0] if names else "barrier"
    return Operation(
        KINDS.get(name, "classical"),
        tuple(instruction.qubits),
        tuple(instruction.clbits),
        is_diagonal=name in (SOFTWARE, COUPLING),
        is_conditional=is_conditional,
    )
