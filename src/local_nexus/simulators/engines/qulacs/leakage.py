"""Qubits that leave their two levels, and return.

The state vector has a leaked qubit in 1, where it is measured, and apart from all
others; the shots of a branch have leaked the same qubits.
"""

from dataclasses import dataclass
from typing import override

import numpy as np
import qulacs.gate
from qulacs import QuantumGateBase

from local_nexus.simulators.engines.qulacs.steps import Branch, Step, in_turn, measured


@dataclass
class Leak(Step):
    """A qubit leaks, and nobody sees what it was."""

    qubit: int

    @override
    def run(self, branch: Branch, rng: np.random.Generator) -> list[Branch]:
        parts = measured(branch, self.qubit, rng)
        for outcome, part in parts:
            if not outcome:
                qulacs.gate.X(self.qubit).update_quantum_state(part.state)
            part.leaked |= {self.qubit}
        return [part for _outcome, part in parts]


@dataclass
class Seep(Step):
    """A leaked qubit returns with some probability, as 0 or 1."""

    qubit: int
    probability: float

    @override
    def run(self, branch: Branch, rng: np.random.Generator) -> list[Branch]:
        returned = int(rng.binomial(branch.n_shots, self.probability))
        back, away = branch.divide(returned)
        parts = [] if away is None else [away]
        if back is None:
            return parts
        back.leaked -= {self.qubit}
        zeros, ones = back.divide(int(rng.binomial(back.n_shots, 0.5)))
        if zeros is not None:
            qulacs.gate.X(self.qubit).update_quantum_state(zeros.state)
        return [*parts, *(part for part in (zeros, ones) if part is not None)]


@dataclass
class LeakyGate(Step):
    """A gate on qubits that may have leaked, and its errors.

    :param errors: What happens after the gate.
    :param alone: What happens to a qubit whose partner has leaked.
    :param seepage: The probability that a leaked qubit returns.
    """

    gate: QuantumGateBase
    errors: list[Step]
    alone: dict[int, list[Step]]
    seepage: float

    @override
    def run(self, branch: Branch, rng: np.random.Generator) -> list[Branch]:
        leaked = branch.leaked & self.alone.keys()
        if not leaked:
            self.gate.update_quantum_state(branch.state)
            return in_turn(self.errors, branch, rng)
        steps = [Seep(qubit, self.seepage) for qubit in sorted(leaked)]
        left = [
            step for qubit in self.alone.keys() - leaked for step in self.alone[qubit]
        ]
        return in_turn([*left, *steps], branch, rng)
