"""What happens to the shots of a circuit, step by step.

Shots with the same history are a branch with one state vector; a step may divide it.
"""

import dataclasses
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, override

import numpy as np
import qulacs.gate
from pytket.circuit import OpType
from qulacs import QuantumGateBase, QuantumState

from local_nexus.simulators.circuits.classical import Bits, digits, number
from local_nexus.simulators.circuits.random_numbers import RandomNumbers
from local_nexus.simulators.errors import SimulationError

if TYPE_CHECKING:
    from local_nexus.simulators.wasm.modules import WasmShot


@dataclass
class Branch:
    """Shots with the same history, and how far they have come.

    :param shot: The number of the first of the shots.
    :param random_numbers: Those that the circuit asks for; such a branch is one shot.
    :param leaked: The qubits that have left their two levels.
    """

    state: QuantumState
    bits: Bits
    n_shots: int
    wasm: "WasmShot | None"
    shot: int = 0
    random_numbers: RandomNumbers | None = None
    position: int = 0
    leaked: frozenset[int] = frozenset()

    def part(self, n_shots: int) -> "Branch":
        """Take some of the shots away, into a branch of their own."""
        self.n_shots -= n_shots
        return dataclasses.replace(
            self,
            state=self.state.copy(),
            bits=list(self.bits),
            n_shots=n_shots,
            wasm=self.wasm and self.wasm.copy(),
        )

    def divide(self, n_shots: int) -> tuple["Branch | None", "Branch | None"]:
        """Divide the shots into ``n_shots`` ones and the others; None is empty."""
        if n_shots == 0:
            return None, self
        if n_shots == self.n_shots:
            return self, None
        return self.part(n_shots), self


class Step(ABC):
    """Something that happens to shots."""

    @abstractmethod
    def run(self, branch: Branch, rng: np.random.Generator) -> list[Branch]:
        """Do the step.

        :param branch: Shots with the same history; the step changes it.
        :param rng: The source of chance.
        :returns: The branches into which the step divides the shots, each with some.
        """


@dataclass
class Gate(Step):
    """A gate of Qulacs."""

    gate: QuantumGateBase

    @override
    def run(self, branch: Branch, rng: np.random.Generator) -> list[Branch]:
        self.gate.update_quantum_state(branch.state)
        return [branch]


@dataclass
class Fault(Step):
    """With some probability, one of several errors, each with its share of that."""

    probability: float
    errors: list[Step]
    shares: list[float]

    @override
    def run(self, branch: Branch, rng: np.random.Generator) -> list[Branch]:
        hit = rng.binomial(branch.n_shots, self.probability)
        faulty, spared = branch.divide(hit)
        done = [] if spared is None else [spared]
        if faulty is None:
            return done
        counts = rng.multinomial(faulty.n_shots, self.shares)
        for error, count in zip(self.errors, counts, strict=True):
            part, rest = faulty.divide(int(count))
            if part is not None:
                done += error.run(part, rng)
            if rest is None:
                break
        return done


@dataclass
class Measure(Step):
    """Measure a qubit in the middle of the circuit."""

    qubit: int
    bit: int
    flips: tuple[float, float]

    @override
    def run(self, branch: Branch, rng: np.random.Generator) -> list[Branch]:
        done = []
        for outcome, part in measured(branch, self.qubit, rng):
            flipped = rng.binomial(part.n_shots, self.flips[outcome])
            wrong, right = part.divide(flipped)
            for recorded, group in ((1 - outcome, wrong), (outcome, right)):
                if group is not None:
                    group.bits[self.bit] = recorded
                    done.append(group)
        return done


@dataclass
class Reset(Step):
    """Bring a qubit to 0, also one that has leaked."""

    qubit: int

    @override
    def run(self, branch: Branch, rng: np.random.Generator) -> list[Branch]:
        parts = measured(branch, self.qubit, rng)
        for outcome, part in parts:
            if outcome:
                qulacs.gate.X(self.qubit).update_quantum_state(part.state)
            part.leaked -= {self.qubit}
        return [part for _outcome, part in parts]


@dataclass
class Compute(Step):
    """A classical operation on some bits."""

    arguments: list[int]
    evaluate: Callable[[list[int]], list[int]]

    @override
    def run(self, branch: Branch, rng: np.random.Generator) -> list[Branch]:
        before = [branch.bits[bit] for bit in self.arguments]
        for bit, value in zip(self.arguments, self.evaluate(before), strict=True):
            branch.bits[bit] = value
        return [branch]


@dataclass
class Ask(Step):
    """Ask the machine for a number, or set how it makes random ones."""

    kind: OpType
    bits: list[int]

    @override
    def run(self, branch: Branch, rng: np.random.Generator) -> list[Branch]:
        if branch.random_numbers is None:
            branch.random_numbers = RandomNumbers(int(rng.integers(2**63)))
        numbers = branch.random_numbers
        value = number([branch.bits[bit] for bit in self.bits])
        match self.kind:
            case OpType.RNGSeed:
                numbers.restart(seed=value)
            case OpType.RNGIndex:
                numbers.restart(index=value)
            case OpType.RNGBound:
                numbers.bound = value
            case OpType.RNGNum:
                self._write(branch, numbers.draw())
            case OpType.JobShotNum:
                self._write(branch, branch.shot)
        return [branch]

    def _write(self, branch: Branch, value: int) -> None:
        new = digits(value, len(self.bits))
        for bit, digit in zip(self.bits, new, strict=True):
            branch.bits[bit] = digit


@dataclass
class Call(Step):
    """A call of a WASM function with one argument, or result, per register."""

    function: str
    arguments: list[list[int]]
    result: list[int]

    @override
    def run(self, branch: Branch, rng: np.random.Generator) -> list[Branch]:
        if branch.wasm is None:
            raise SimulationError(
                "The circuit calls WASM functions, and the job has no wasm_module."
            )
        arguments = [number([branch.bits[bit] for bit in r]) for r in self.arguments]
        value = branch.wasm.call(self.function, tuple(arguments))
        for bit, digit in zip(
            self.result, digits(value, len(self.result)), strict=True
        ):
            branch.bits[bit] = digit
        return [branch]


@dataclass
class OnlyIf(Step):
    """Steps that are done if some bits have a value before the first of them."""

    steps: list[Step]
    bits: list[int]
    value: int

    @override
    def run(self, branch: Branch, rng: np.random.Generator) -> list[Branch]:
        if number([branch.bits[bit] for bit in self.bits]) != self.value:
            return [branch]
        return in_turn(self.steps, branch, rng)


def in_turn(
    steps: Iterable[Step], branch: Branch, rng: np.random.Generator
) -> list[Branch]:
    """Do several steps; return the branches into which they divide the shots."""
    parts = [branch]
    for step in steps:
        parts = [done for part in parts for done in step.run(part, rng)]
    return parts


def measured(
    branch: Branch, qubit: int, rng: np.random.Generator
) -> list[tuple[int, Branch]]:
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
