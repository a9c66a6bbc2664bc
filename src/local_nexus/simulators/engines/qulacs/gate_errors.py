"""The errors that some rates give to the operations of a circuit, as steps."""

from collections.abc import Mapping, Sequence

import numpy as np
import qulacs.gate

from local_nexus.simulators.engines.qulacs.leakage import Leak, LeakyGate
from local_nexus.simulators.engines.qulacs.steps import Fault, Gate, Step
from local_nexus.simulators.noise.dephasing import Dephasing
from local_nexus.simulators.noise.error_rates import ErrorRates

PAULIS = "IXYZ"


class Faults:
    """Makes the steps that follow from error rates; an error that never is has none.

    Qubits are numbers, as in Qulacs.
    """

    def __init__(self, rates: ErrorRates) -> None:
        self.rates = rates
        self._known: dict[tuple[tuple[int, ...], float], list[Step]] = {}

    def of_preparation(self, qubit: int) -> list[Step]:
        """Return what may happen in the preparation or reset of a qubit."""
        return _fault([qubit], self.rates.preparation_errors())

    def of_gate(
        self, gate: Gate, qubits: Sequence[int], half_turns: float
    ) -> list[Step]:
        """Return a gate and its errors.

        :param half_turns: The angle of a gate on two qubits.
        """
        if self.rates.angle_scaling is None:
            half_turns = 0.5
        key = (tuple(qubits), half_turns)
        if key not in self._known:
            self._known[key] = self._after_gate(qubits, half_turns)
        errors = self._known[key]
        if not self.rates.leaks:
            return [gate, *errors]
        seepage = self.rates.p1_seepage if len(qubits) == 1 else self.rates.p2_seepage
        alone = {
            qubit: self._without_partner(qubits, position, half_turns)
            for position, qubit in enumerate(qubits)
        }
        return [LeakyGate(gate.gate, errors, alone, seepage)]

    def of_phase(self, qubit: int, error: Dephasing) -> list[Step]:
        """Return an error of the phase of a qubit."""
        angle = -np.pi * error.half_turns  # The sign of Qulacs is the opposite.
        turned: list[Step] = [Gate(qulacs.gate.RZ(qubit, angle))] if angle else []
        return [*turned, *self._z(qubit, error.p_z)]

    def _after_gate(self, qubits: Sequence[int], half_turns: float) -> list[Step]:
        errors = _fault(qubits, self.rates.gate_errors(len(qubits), half_turns))
        if len(qubits) == 2:
            for qubit in qubits:
                errors += self._z(qubit, self.rates.p2_idle)
        return errors

    def _without_partner(
        self, qubits: Sequence[int], position: int, half_turns: float
    ) -> list[Step]:
        """Return what a gate does to a qubit whose partner has leaked."""
        own: dict[str, float] = {}
        for errors, chance in self.rates.gate_errors(len(qubits), half_turns).items():
            own[errors[position]] = own.get(errors[position], 0.0) + chance
        own.pop("I", None)
        return _fault([qubits[position]], own)

    @staticmethod
    def _z(qubit: int, probability: float) -> list[Step]:
        return _fault([qubit], {"Z": probability} if probability else {})


def _fault(qubits: Sequence[int], errors: Mapping[str, float]) -> list[Step]:
    """Return the step of errors, given by a letter for each qubit, if there are any."""
    total = sum(errors.values())
    if not total:
        return []
    steps: list[Step] = []
    for error in errors:
        if "L" in error:
            steps.append(Leak(qubits[error.index("L")]))
        else:
            numbers = [PAULIS.index(pauli) for pauli in error]
            steps.append(Gate(qulacs.gate.Pauli(list(qubits), numbers)))
    weights = [chance / total for chance in errors.values()]
    return [Fault(min(total, 1.0), steps, weights)]
