"""State vector simulation of any circuit, with or without noise, by Qulacs.

Shots with the same history share one state vector: a measurement in the middle, or a
possible error, divides a group of shots binomially, and each part goes on with a state
of its own. Final measurements are sampled from the state. Shots are thereby distributed
as if each one was simulated alone, and a circuit without noise that measures only at
its end is simulated once.
"""

import itertools
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import numpy.typing as npt
import qulacs.gate
from pytket.backends.backendresult import BackendResult
from pytket.circuit import Circuit, Command, Conditional, Op, OpType, UnitID
from pytket.passes import AutoRebase
from qulacs import QuantumGateBase, QuantumState

from local_nexus.simulators.circuits import CircuitRun, flatten, shots_result
from local_nexus.simulators.classical import evaluator
from local_nexus.simulators.engines import Engine
from local_nexus.simulators.engines.steps import (
    Branch,
    Call,
    Compute,
    Fault,
    Gate,
    Measure,
    OnlyIf,
    Reset,
    Step,
)
from local_nexus.simulators.errors import SimulationError
from local_nexus.simulators.memory import check_state_vector
from local_nexus.simulators.noise import MACHINE_GATES, ErrorRates

if TYPE_CHECKING:
    from local_nexus.simulators.engines.wasm import WasmModule

SEEDS = 2**32
WASM = Engine("wasm", extra="wasm", function="WasmModule")

NAMED_GATES: dict[OpType, Callable[..., QuantumGateBase]] = {
    OpType.X: qulacs.gate.X,
    OpType.Y: qulacs.gate.Y,
    OpType.Z: qulacs.gate.Z,
    OpType.H: qulacs.gate.H,
    OpType.S: qulacs.gate.S,
    OpType.Sdg: qulacs.gate.Sdag,
    OpType.T: qulacs.gate.T,
    OpType.Tdg: qulacs.gate.Tdag,
    OpType.CX: qulacs.gate.CNOT,
    OpType.CZ: qulacs.gate.CZ,
    OpType.SWAP: qulacs.gate.SWAP,
}
"""Gates for which Qulacs has a routine of its own, faster than a matrix."""

DIAGONAL_GATES = {OpType.Rz, OpType.ZZMax, OpType.ZZPhase}
"""Gates that only multiply amplitudes, faster than other matrices."""

SIMULATED_GATES = NAMED_GATES.keys() | {
    OpType.Rx,
    OpType.Ry,
    OpType.Rz,
    OpType.TK1,
    OpType.PhasedX,
    OpType.ZZMax,
    OpType.ZZPhase,
    OpType.CCX,
}
FREE = {OpType.Rz, OpType.Barrier, OpType.Phase}
"""Gates without an error: done in software, or not at all."""


def run(job: CircuitRun) -> BackendResult:
    """Simulate a circuit.

    :returns: shots with one column per bit of the circuit; or the state before the
        final measurements, which a ``QulacsConfig`` can ask for as a density matrix.
    :raises SimulationError: when the circuit is too large, or cannot give a state.
    """
    check_state_vector(job.circuit.n_qubits)
    flat, qubits, bits = flatten(job.circuit)
    if job.wants_state:
        flat.replace_implicit_wire_swaps()
    AutoRebase(SIMULATED_GATES if job.rates is None else MACHINE_GATES).apply(flat)
    wasm = _wasm_module(job.wasm)
    program = _Program(flat, job.rates or ErrorRates(), wasm)
    if job.wants_state:
        state = program.state()
        if job.config.get("result_type") == "density_matrix":
            density_matrix = np.outer(state, state.conj())
            return BackendResult(density_matrix=density_matrix, q_bits=qubits)
        return BackendResult(state=state, q_bits=qubits)
    rng = np.random.default_rng(job.seed)
    return shots_result(program.sample(job.n_shots, rng), bits)


def _wasm_module(data: bytes | None) -> "WasmModule | None":
    if data is None:
        return None
    module: WasmModule = WASM.load({"type": "WASM modules"})(data)
    return module


@dataclass
class _Program:
    """A circuit as a list of steps, and the measurements after the last of them."""

    circuit: Circuit
    rates: ErrorRates
    wasm: "WasmModule | None"
    steps: list[Step] = field(init=False)
    final: list[tuple[int, int]] = field(init=False)

    def __post_init__(self) -> None:
        commands = list(self.circuit)
        stored = self.circuit.to_dict()["commands"]
        last = _final_measurements(commands)
        later = _used_later(commands, last)
        self.steps = [
            self._fault([self._wire(qubit)], self.rates.p_init, [1])
            for qubit in self.circuit.qubits
        ]
        for index, command in enumerate(commands):
            if index not in last:
                self.steps += self._steps(command.op, command.args, stored[index]["op"])
            self.steps += self._crosstalk(command.op, command.args, later[index])
        # An error that never happens only costs time.
        self.steps = [step for step in self.steps if not _never(step)]
        self.final = [
            (self._wire(commands[index].qubits[0]), commands[index].bits[0].index[0])
            for index in sorted(last)
        ]

    def state(self) -> npt.NDArray[np.complex128]:
        """Return the amplitudes before the final measurements.

        :raises SimulationError: when chance decides over the state.
        """
        branch = self._start(1)
        for step in self.steps:
            if not isinstance(step, Gate):
                raise SimulationError(
                    "A circuit with measurements in its middle, resets or classical "
                    "operations has no single final state: ask for shots."
                )
            step.gate.update_quantum_state(branch.state)
        phase = np.exp(1j * np.pi * float(self.circuit.phase))
        amplitudes: npt.NDArray[np.complex128] = phase * branch.state.get_vector()
        return amplitudes

    def sample(self, n_shots: int, rng: np.random.Generator) -> npt.NDArray[np.bool_]:
        """Return one row per shot and one column per bit; bits never written are 0."""
        tables = []
        waiting = [self._start(n_shots)]
        while waiting:
            branch = waiting.pop()
            while branch.position < len(self.steps):
                step = self.steps[branch.position]
                branch.position += 1
                # Going on with the fewest shots bounds the number of states that wait
                # by the logarithm of the shots.
                *larger, branch = sorted(
                    step.run(branch, rng), key=lambda part: -part.n_shots
                )
                waiting += larger
            tables.append(self._finish(branch, rng))
        table = np.concatenate(tables)
        # Shots come in groups of the same history; their order carries no meaning.
        return table if len(tables) == 1 else rng.permutation(table)

    def _start(self, n_shots: int) -> Branch:
        state = QuantumState(max(self.circuit.n_qubits, 1))
        bits = [0] * len(self.circuit.bits)
        wasm = None if self.wasm is None else self.wasm.shot()
        return Branch(state, bits, n_shots, wasm)

    def _finish(
        self, branch: Branch, rng: np.random.Generator
    ) -> npt.NDArray[np.bool_]:
        table = np.tile(np.array(branch.bits, dtype=np.bool_), (branch.n_shots, 1))
        if self.final:
            seed = int(rng.integers(SEEDS))
            outcomes = np.array(branch.state.sampling(branch.n_shots, seed))
            for wire, bit in self.final:
                table[:, bit] = self._read_out(outcomes >> wire & 1, rng)
        return table

    def _read_out(
        self, outcomes: npt.NDArray[np.int64], rng: np.random.Generator
    ) -> npt.NDArray[np.bool_]:
        values = outcomes.astype(np.bool_)
        if not (self.rates.p_meas_0 or self.rates.p_meas_1):
            return values
        flip = np.where(values, self.rates.p_meas_1, self.rates.p_meas_0)
        return values ^ (rng.random(len(values)) < flip)

    def _wire(self, qubit: UnitID) -> int:
        """Return the index in Qulacs, where the first qubit is the lowest digit."""
        return self.circuit.n_qubits - 1 - qubit.index[0]

    def _steps(self, op: Op, units: list[UnitID], stored: dict[str, Any]) -> list[Step]:
        """Return the steps of one operation.

        :param units: the qubits and bits that it acts on.
        :param stored: the operation as pytket stores it in JSON.
        """
        match op.type:
            case OpType.Barrier | OpType.Phase:
                return []
            case OpType.Conditional:
                op = cast("Conditional", op)
                bits = [unit.index[0] for unit in units[: op.width]]
                inner = self._steps(
                    op.op, units[op.width :], stored["conditional"]["op"]
                )
                return [OnlyIf(step, bits, op.value) for step in inner]
            case OpType.Measure:
                flips = (self.rates.p_meas_0, self.rates.p_meas_1)
                return [Measure(self._wire(units[0]), units[1].index[0], flips)]
            case OpType.Reset:
                wire = self._wire(units[0])
                return [Reset(wire), self._fault([wire], self.rates.p_init, [1])]
            case OpType.WASM:
                return [_call(op, units)]
        if op.is_gate():
            wires = [self._wire(unit) for unit in units]
            return [Gate(_gate(op, wires)), *self._faults(op, wires)]
        return [Compute([unit.index[0] for unit in units], evaluator(op, stored))]

    def _faults(self, op: Op, wires: list[int]) -> Iterable[Fault]:
        if op.type not in FREE:
            probability = self.rates.p1 if len(wires) == 1 else self.rates.p2
            yield self._fault(wires, probability, [1, 2, 3])

    def _crosstalk(
        self, op: Op, units: list[UnitID], used_later: set[UnitID]
    ) -> list[Step]:
        """Return what a measurement or reset does to other qubits.

        :param used_later: the qubits on which something comes that is no final
            measurement; on the others crosstalk has no effect.
        """
        match op.type:
            case OpType.Conditional:
                op = cast("Conditional", op)
                bits = [unit.index[0] for unit in units[: op.width]]
                inner = self._crosstalk(op.op, units[op.width :], used_later)
                return [OnlyIf(step, bits, op.value) for step in inner]
            case OpType.Measure:
                probability = self.rates.p_crosstalk_meas
            case OpType.Reset:
                probability = self.rates.p_crosstalk_init
            case _:
                return []
        # A measurement that nobody sees is a Z in half of the cases.
        others = sorted(used_later - {units[0]}) if probability else []
        return [
            self._fault([self._wire(qubit)], probability / 2, [3]) for qubit in others
        ]

    @staticmethod
    def _fault(wires: list[int], probability: float, paulis: list[int]) -> Fault:
        """Return a fault: any product of the Paulis and identities but identity."""
        products = itertools.product([0, *paulis], repeat=len(wires))
        errors = [
            qulacs.gate.Pauli(wires, list(error))
            # What never happens is left out later, and takes time to make.
            for error in (products if probability else ())
            if any(error)
        ]
        return Fault(probability, errors)


def _gate(op: Op, wires: list[int]) -> QuantumGateBase:
    if op.type in NAMED_GATES:
        return NAMED_GATES[op.type](*wires)
    # The first qubit is the highest digit of a matrix in pytket, the lowest in Qulacs.
    matrix, targets = op.get_unitary(), wires[::-1]
    gate: QuantumGateBase = (
        qulacs.gate.DiagonalMatrix(targets, np.diag(matrix))
        if op.type in DIAGONAL_GATES
        else qulacs.gate.DenseMatrix(targets, matrix)
    )
    return gate


def _call(op: Any, units: list[UnitID]) -> Call:
    bits = iter([unit.index[0] for unit in units[: op.num_bits]])
    arguments = [list(itertools.islice(bits, width)) for width in op.input_widths]
    return Call(op.func_name, arguments, list(bits))


def _never(step: Step) -> bool:
    inner = step.step if isinstance(step, OnlyIf) else step
    return isinstance(inner, Fault) and inner.probability == 0


def _used_later(commands: list[Command], final: set[int]) -> list[set[UnitID]]:
    """Return for every command the qubits on which other ones follow.

    :param final: the indices of the final measurements, which do not count.
    """
    used: set[UnitID] = set()
    found = []
    for index in reversed(range(len(commands))):
        found.append(set(used))
        command = commands[index]
        if index not in final and command.op.type != OpType.Barrier:
            used.update(command.qubits)
    return found[::-1]


def _final_measurements(commands: list[Command]) -> set[int]:
    """Return the indices of the measurements after which nothing uses their units."""
    final: set[int] = set()
    used_later: set[UnitID] = set()
    for index in reversed(range(len(commands))):
        command = commands[index]
        if command.op.type == OpType.Barrier:
            continue
        if command.op.type == OpType.Measure and used_later.isdisjoint(command.args):
            final.add(index)
        used_later.update(command.args)
    return final
