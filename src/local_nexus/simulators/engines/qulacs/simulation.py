"""State vector simulation of any circuit, with or without noise, by Qulacs.

Shots with the same history share one state vector: a measurement in the middle, or a
possible error, divides a group of shots binomially, and each part goes on with a state
of its own. Final measurements are sampled from the state. Shots are thereby distributed
as if each one was simulated alone, and a circuit without noise that measures only at
its end is simulated once.
"""

import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import numpy.typing as npt
import qulacs.gate
from pytket.circuit import Bit, Circuit, Command, Conditional, Op, OpType, UnitID
from pytket.passes import AutoRebase
from qulacs import QuantumGateBase, QuantumState

from local_nexus.simulators.circuits.classical import evaluator, inner
from local_nexus.simulators.circuits.run import (
    CircuitRun,
    Shots,
    check_has_qubits,
    flatten,
)
from local_nexus.simulators.engines.qulacs.frames import without_rz
from local_nexus.simulators.engines.qulacs.gate_errors import Faults
from local_nexus.simulators.engines.qulacs.steps import (
    Ask,
    Branch,
    Call,
    Compute,
    Gate,
    Measure,
    OnlyIf,
    Reset,
    Step,
)
from local_nexus.simulators.errors import SimulationError
from local_nexus.simulators.memory import check_state_vector
from local_nexus.simulators.noise.dephasing import Dephasing, phase_errors
from local_nexus.simulators.noise.error_rates import MACHINE_GATES, ErrorRates
from local_nexus.simulators.noise.schedule import SOFTWARE, operation_of
from local_nexus.simulators.optional import OptionalFunction

if TYPE_CHECKING:
    from pytket.backends.backendresult import BackendResult

    from local_nexus.simulators.wasm.modules import WasmModule

SEEDS = 2**32
ASKING = {
    OpType.JobShotNum,
    OpType.RNGBound,
    OpType.RNGIndex,
    OpType.RNGNum,
    OpType.RNGSeed,
}
"""Operations that ask the machine, or tell it, which number a shot gets."""
WASM = OptionalFunction("wasm.modules", "WasmModule", extra="wasm")

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


def run(job: CircuitRun) -> "Shots | BackendResult":
    """Simulate a circuit.

    :returns: Shots with one column per bit of the circuit; or the state before the
        final measurements, which a ``QulacsConfig`` can ask for as a density matrix.
    :raises SimulationError: When the circuit is too large, or cannot give a state.
    """
    check_state_vector(job.circuit.n_qubits)
    flat, qubits, bits = flatten(job.circuit)
    if job.wants_state:
        check_has_qubits(flat)
        flat.replace_implicit_wire_swaps()
    AutoRebase(SIMULATED_GATES if job.rates is None else MACHINE_GATES).apply(flat)
    if job.rates is not None:
        flat = without_rz(flat)
    wasm = _wasm_module(job.wasm)
    program = _Program(flat, job.rates or ErrorRates(), wasm)
    if job.wants_state:
        from pytket.backends.backendresult import BackendResult

        state = program.state()
        if job.config.get("result_type") == "density_matrix":
            density_matrix = np.outer(state, state.conj())
            return BackendResult(density_matrix=density_matrix, q_bits=qubits)
        return BackendResult(state=state, q_bits=qubits)
    rng = np.random.default_rng(job.seed)
    return Shots(program.sample(job.n_shots, rng), bits)


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
    one_by_one: bool = field(init=False)
    final: list[tuple[int, int]] = field(init=False)

    def __post_init__(self) -> None:
        commands = list(self.circuit)
        # What such a shot asks for depends on its number.
        self.one_by_one = any(inner(command.op).type in ASKING for command in commands)
        stored = self.circuit.to_dict()["commands"]
        last = _final_measurements(commands)
        self._faults = Faults(self.rates)
        self.steps = []
        for qubit in self.circuit.qubits:
            self.steps += self._faults.of_preparation(self._wire(qubit))
        phases = phase_errors(list(map(operation_of, commands)), self.rates)
        for index, (command, errors) in enumerate(zip(commands, phases, strict=True)):
            self.steps += self._dephased(errors.before)
            if index not in last:
                self.steps += self._steps(
                    command.op,
                    command.args,
                    stored[index]["op"],
                    self._dephased(errors.with_it),
                )
        self.final = [
            (self._wire(commands[index].qubits[0]), commands[index].bits[0].index[0])
            for index in sorted(last)
        ]

    def state(self) -> npt.NDArray[np.complex128]:
        """Return the amplitudes before the final measurements.

        :raises SimulationError: When chance decides over the state.
        """
        branch = self._start(1)
        for step in self.steps:
            if not isinstance(step, Gate):
                raise SimulationError(
                    "A circuit with measurements in its middle, resets or classical "
                    "operations has no single final state: ask for shots."
                )
            step.gate.update_quantum_state(branch.state)
        phases = [
            float(command.op.params[0])
            for command in self.circuit
            if command.op.type == OpType.Phase
        ]
        phase = np.exp(1j * np.pi * (float(self.circuit.phase) + sum(phases)))
        amplitudes: npt.NDArray[np.complex128] = phase * branch.state.get_vector()
        return amplitudes

    def sample(self, n_shots: int, rng: np.random.Generator) -> npt.NDArray[np.bool_]:
        """Return one row per shot and one column per bit; bits never written are 0."""
        if self.one_by_one:
            one_each = [
                self._sample(self._start(1, shot), rng) for shot in range(n_shots)
            ]
            return np.concatenate([table for tables in one_each for table in tables])
        tables = self._sample(self._start(n_shots), rng)
        # Shots come in groups of the same history; their order carries no meaning.
        table = np.concatenate(tables)
        return table if len(tables) == 1 else rng.permutation(table)

    def _sample(
        self, start: Branch, rng: np.random.Generator
    ) -> list[npt.NDArray[np.bool_]]:
        """Return the shots of a branch, in groups of the same history."""
        tables = []
        waiting = [start]
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
        return tables

    def _start(self, n_shots: int, shot: int = 0) -> Branch:
        state = QuantumState(max(self.circuit.n_qubits, 1))
        bits = [0] * len(self.circuit.bits)
        wasm = None if self.wasm is None else self.wasm.shot()
        return Branch(state, bits, n_shots, wasm, shot)

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

    def _wire(self, qubit: Any) -> int:
        """Return the index in Qulacs, where the first qubit is the lowest digit."""
        number: int = qubit.index[0]
        return self.circuit.n_qubits - 1 - number

    def _dephased(self, errors: list[Dephasing]) -> list[Step]:
        return [
            step
            for error in errors
            for step in self._faults.of_phase(self._wire(error.qubit), error)
        ]

    def _steps(
        self,
        op: Op,
        units: list[UnitID],
        stored: dict[str, Any],
        with_it: list[Step],
    ) -> list[Step]:
        """Return the steps of one operation.

        :param units: The qubits and bits that it acts on.
        :param stored: The operation as pytket stores it in JSON.
        :param with_it: Further steps, which depend on the same condition.
        """
        if op.type == OpType.Conditional:
            op = cast("Conditional", op)
            steps = self._steps(
                op.op, units[op.width :], stored["conditional"]["op"], with_it
            )
            bits = [unit.index[0] for unit in units[: op.width]]
            return [OnlyIf(steps, bits, op.value)] if steps else []
        return [*self._operation(op, units, stored), *with_it]

    def _operation(
        self, op: Op, units: list[UnitID], stored: dict[str, Any]
    ) -> list[Step]:
        """Return the steps of one operation that has no condition."""
        match op.type:
            case OpType.Barrier | OpType.Phase:
                return []
            case OpType.Measure:
                flips = (self.rates.p_meas_0, self.rates.p_meas_1)
                return [Measure(self._wire(units[0]), units[1].index[0], flips)]
            case OpType.Reset:
                wire = self._wire(units[0])
                return [Reset(wire), *self._faults.of_preparation(wire)]
            case OpType.WASM:
                return [_call(op, units)]
            case kind if kind in ASKING:
                bits = [unit.index[0] for unit in units if isinstance(unit, Bit)]
                return [Ask(kind, bits)]
        if op.is_gate():
            wires = [self._wire(unit) for unit in units]
            gate = Gate(_gate(op, wires))
            if op.type in SOFTWARE:
                return [gate]
            turns = float(op.params[0]) if op.type == OpType.ZZPhase else 0.5
            return self._faults.of_gate(gate, wires, turns)
        return [Compute([unit.index[0] for unit in units], evaluator(op, stored))]


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
