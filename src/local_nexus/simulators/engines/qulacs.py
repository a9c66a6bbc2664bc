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
from typing import Any, Protocol, cast

import numpy as np
import numpy.typing as npt
import qulacs.gate
from pytket.backends.backendresult import BackendResult
from pytket.circuit import Circuit, Command, Conditional, Op, OpType, UnitID
from pytket.passes import AutoRebase
from qulacs import QuantumGateBase, QuantumState

from local_nexus.simulators.circuits import CircuitRun, flatten, shots_result
from local_nexus.simulators.classical import Bits, evaluator, number
from local_nexus.simulators.errors import SimulationError
from local_nexus.simulators.memory import check_state_vector
from local_nexus.simulators.noise import ErrorRates

SEEDS = 2**32

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
MACHINE_GATES = {OpType.PhasedX, OpType.Rz, OpType.ZZPhase}
"""Gates of the machines whose noise is simulated."""

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
    program = _Program(flat, job.rates or ErrorRates())
    if job.wants_state:
        state = program.state()
        if job.config.get("result_type") == "density_matrix":
            density_matrix = np.outer(state, state.conj())
            return BackendResult(density_matrix=density_matrix, q_bits=qubits)
        return BackendResult(state=state, q_bits=qubits)
    rng = np.random.default_rng(job.config.get("seed"))
    return shots_result(program.sample(job.n_shots, rng), bits)


@dataclass
class _Branch:
    """Shots with the same history, and how far they have come."""

    state: QuantumState
    bits: Bits
    n_shots: int
    position: int = 0

    def part(self, n_shots: int) -> "_Branch":
        """Take some of the shots away, into a branch of their own."""
        self.n_shots -= n_shots
        return _Branch(self.state.copy(), list(self.bits), n_shots, self.position)

    def divide(self, n_shots: int) -> tuple["_Branch | None", "_Branch | None"]:
        """Divide the shots into ``n_shots`` ones and the others; None is empty."""
        if n_shots == 0:
            return None, self
        if n_shots == self.n_shots:
            return self, None
        return self.part(n_shots), self


class _Step(Protocol):
    def run(self, branch: _Branch, rng: np.random.Generator, /) -> list[_Branch]:
        """Do the step; return the branches into which it divides the shots."""
        ...


@dataclass
class _Gate:
    gate: QuantumGateBase

    def run(self, branch: _Branch, _rng: np.random.Generator) -> list[_Branch]:
        self.gate.update_quantum_state(branch.state)
        return [branch]


@dataclass
class _Fault:
    """With some probability, one of several errors, all equally likely."""

    probability: float
    errors: list[QuantumGateBase]

    def run(self, branch: _Branch, rng: np.random.Generator) -> list[_Branch]:
        hit = rng.binomial(branch.n_shots, self.probability)
        faulty, branches = branch.divide(hit)
        done = [] if branches is None else [branches]
        if faulty is None:
            return done
        weights = np.full(len(self.errors), 1 / len(self.errors))
        counts = rng.multinomial(faulty.n_shots, weights)
        for error, count in zip(self.errors, counts, strict=True):
            part, rest = faulty.divide(int(count))
            if part is not None:
                error.update_quantum_state(part.state)
                done.append(part)
            if rest is None:
                break
        return done


@dataclass
class _Measure:
    """Measure a qubit in the middle of the circuit."""

    qubit: int
    bit: int
    flips: tuple[float, float]

    def run(self, branch: _Branch, rng: np.random.Generator) -> list[_Branch]:
        done = []
        for outcome, part in _measured(branch, self.qubit, rng):
            flipped = rng.binomial(part.n_shots, self.flips[outcome])
            wrong, right = part.divide(flipped)
            for recorded, group in ((1 - outcome, wrong), (outcome, right)):
                if group is not None:
                    group.bits[self.bit] = recorded
                    done.append(group)
        return done


@dataclass
class _Reset:
    qubit: int

    def run(self, branch: _Branch, rng: np.random.Generator) -> list[_Branch]:
        parts = _measured(branch, self.qubit, rng)
        for outcome, part in parts:
            if outcome:
                qulacs.gate.X(self.qubit).update_quantum_state(part.state)
        return [part for _outcome, part in parts]


@dataclass
class _Compute:
    """A classical operation on some bits."""

    arguments: list[int]
    evaluate: Callable[[list[int]], list[int]]

    def run(self, branch: _Branch, _rng: np.random.Generator) -> list[_Branch]:
        before = [branch.bits[bit] for bit in self.arguments]
        for bit, value in zip(self.arguments, self.evaluate(before), strict=True):
            branch.bits[bit] = value
        return [branch]


@dataclass
class _Conditional:
    """A step that is done if some bits have a value."""

    step: _Step
    bits: list[int]
    value: int

    def run(self, branch: _Branch, rng: np.random.Generator) -> list[_Branch]:
        if number([branch.bits[bit] for bit in self.bits]) != self.value:
            return [branch]
        return self.step.run(branch, rng)


def _measured(
    branch: _Branch, qubit: int, rng: np.random.Generator
) -> list[tuple[int, _Branch]]:
    """Project a qubit; return the outcomes with the shots that have them."""
    one = min(max(1 - branch.state.get_zero_probability(qubit), 0.0), 1.0)
    ones, zeros = branch.divide(int(rng.binomial(branch.n_shots, one)))
    parts = []
    for outcome, part in ((1, ones), (0, zeros)):
        if part is not None:
            projector = qulacs.gate.P1 if outcome else qulacs.gate.P0
            projector(qubit).update_quantum_state(part.state)
            part.state.normalize(part.state.get_squared_norm())
            parts.append((outcome, part))
    return parts


@dataclass
class _Program:
    """A circuit as a list of steps, and the measurements after the last of them."""

    circuit: Circuit
    rates: ErrorRates
    steps: list[_Step] = field(init=False)
    final: list[tuple[int, int]] = field(init=False)

    def __post_init__(self) -> None:
        commands = list(self.circuit)
        stored = self.circuit.to_dict()["commands"]
        last = _final_measurements(commands)
        self.steps = [
            self._fault([self._wire(qubit)], self.rates.p_init, [1])
            for qubit in self.circuit.qubits
        ]
        for index, command in enumerate(commands):
            if index not in last:
                self.steps += self._steps(command.op, command.args, stored[index]["op"])
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
            if not isinstance(step, _Gate):
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

    def _start(self, n_shots: int) -> _Branch:
        state = QuantumState(max(self.circuit.n_qubits, 1))
        return _Branch(state, [0] * len(self.circuit.bits), n_shots)

    def _finish(
        self, branch: _Branch, rng: np.random.Generator
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

    def _steps(
        self, op: Op, units: list[UnitID], stored: dict[str, Any]
    ) -> list[_Step]:
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
                return [_Conditional(step, bits, op.value) for step in inner]
            case OpType.Measure:
                flips = (self.rates.p_meas_0, self.rates.p_meas_1)
                return [_Measure(self._wire(units[0]), units[1].index[0], flips)]
            case OpType.Reset:
                wire = self._wire(units[0])
                return [_Reset(wire), self._fault([wire], self.rates.p_init, [1])]
        if op.is_gate():
            wires = [self._wire(unit) for unit in units]
            return [_Gate(_gate(op, wires)), *self._faults(op, wires)]
        return [_Compute([unit.index[0] for unit in units], evaluator(op, stored))]

    def _faults(self, op: Op, wires: list[int]) -> Iterable[_Fault]:
        if op.type not in FREE:
            probability = self.rates.p1 if len(wires) == 1 else self.rates.p2
            yield self._fault(wires, probability, [1, 2, 3])

    @staticmethod
    def _fault(wires: list[int], probability: float, paulis: list[int]) -> _Fault:
        """Return a fault: any product of the Paulis and identities but identity."""
        errors = [
            qulacs.gate.Pauli(wires, list(error))
            for error in itertools.product([0, *paulis], repeat=len(wires))
            if any(error)
        ]
        return _Fault(probability, errors)


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


def _never(step: _Step) -> bool:
    inner = step.step if isinstance(step, _Conditional) else step
    return isinstance(inner, _Fault) and inner.probability == 0


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
