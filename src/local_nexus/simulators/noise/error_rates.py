"""The noise of Quantinuum's machines, with rates that are different for each.

The model is the same for all Quantinuum devices. Its parts are those that Quantinuum
documents; where the documentation leaves something open, the choice is ours:

- After a gate on one or two qubits, with ``p1`` or ``p2``, one of the 3 or 15 Pauli
  errors with equal probability. Rz is done in software and has none.
- ``p2`` may depend on the angle of the gate, see :class:`AngleScaling`.
- A share of these errors, ``p1_emission_ratio`` or ``p2_emission_ratio``, is
  spontaneous emission of one of the qubits, each equally likely, and no Pauli error.
  In ``leak_ratio`` of the cases that qubit leaks, else it ends in 0 or 1, which are
  equally likely and are seen by nobody.
- A leaked qubit takes no part in gates: its partner in a gate on two qubits keeps its
  state, but for its part of the error of that gate. It is measured as 1. It returns by
  a reset; or in a gate, with ``p1_seepage`` or ``p2_seepage``, as 0 or 1 by chance.
  With ``leak_to_depolar`` a qubit that would leak ends in 0 or 1 by chance instead.
- A prepared or reset qubit is wrong with ``p_init``: it has leaked in
  ``p_init_leak_ratio`` of these cases, else it is 1.
- An outcome is flipped with ``p_meas_0`` or ``p_meas_1``.
- Crosstalk: a measurement or reset in the middle of a circuit may measure any other
  qubit, too, and nobody sees the outcome. No qubit leaks by it, since no parameter says
  how many do.
- Memory: while a qubit waits or moves for ``d`` seconds, Rz by the angle 2 pi f d,
  where f is ``quadratic_dephasing``; or, not coherent, Z with the probability that has
  the same effect on average, sin(pi f d)**2, times ``coherent_to_incoherent``; and Z
  with the probability ``linear_dephasing`` * d. After each gate on two qubits, each of
  them has Z with ``p2_idle``.

The rates come from :mod:`local_nexus.simulators.noise.configs`.
"""

import itertools
import math
from dataclasses import dataclass

from pytket.circuit import OpType

from local_nexus.simulators.errors import SimulationError

MACHINE_GATES = {OpType.PhasedX, OpType.Rz, OpType.ZZPhase}
"""Gates of the machines whose noise is simulated."""


ONE_QUBIT_SECONDS = 5e-6
TWO_QUBIT_SECONDS = 25e-6
MEASURE_SECONDS = 120e-6
RESET_SECONDS = 10e-6
TRANSPORT_SECONDS = 1e-3
"""How long operations take: of the order that Pino et al. report of the first machine,
Nature 592, 209 (2021), where shifts, swaps, splitting and cooling before a gate on two
qubits add up to about a millisecond. Transport before such gates only is our choice."""

DEVICE_LEAK_RATIO = 0.5
"""Share of emission that ends in leakage: half, says quantinuum-schemas of devices."""


@dataclass(frozen=True)
class AngleScaling:
    """How the error of a gate on two qubits depends on its angle.

    The rate is ``p2`` times ``a * |x| ** power + b`` for negative x and times
    ``c * |x| ** power + d`` for positive x, where x is the angle in half turns, between
    -1 and 1: the form of Quantinuum's emulators. At 0 it is ``p2`` times the mean of
    b and d.
    """

    a: float
    b: float
    c: float
    d: float
    power: float = 1.0

    def factor(self, half_turns: float) -> float:
        """Return the factor of ``p2`` for ``ZZPhase(half_turns)``."""
        # A whole turn more is the same gate.
        angle = 1 - (1 - half_turns) % 2
        if angle == 0:
            return (self.b + self.d) / 2
        slope, offset = (self.a, self.b) if angle < 0 else (self.c, self.d)
        return slope * float(abs(angle) ** self.power) + offset


@dataclass(frozen=True)
class ErrorRates:
    """Rates of errors in the model of this module; without arguments there are none.

    :param p1: Error after a gate on one qubit; ``Rz`` is done in software and has none.
    :param p2: Error after a gate on two qubits.
    :param p_init: A qubit is prepared wrongly, in 1 instead of 0 or leaked.
    :param p_meas_0: Outcome 0 is recorded as 1.
    :param p_meas_1: Outcome 1 is recorded as 0.
    :param p_crosstalk_meas: A measurement measures another qubit, too; for each other.
    :param p_crosstalk_init: A reset measures another qubit; for each other.
    :param crosstalk_per_gate: Whether each of several measurements, or resets, that are
        done together has crosstalk, or all of them as if they were one.
    :param p1_emission_ratio: Share of ``p1`` that is spontaneous emission.
    :param p2_emission_ratio: Share of ``p2`` that is emission of one of the qubits.
    :param p_init_leak_ratio: Share of ``p_init`` in which the qubit has leaked.
    :param leak_ratio: Share of emission that ends in leakage.
    :param p1_seepage: A leaked qubit returns in a gate on one qubit.
    :param p2_seepage: A leaked qubit returns in a gate on two qubits.
    :param leak_to_depolar: Whether a qubit that would leak is depolarised instead.
    :param angle_scaling: How ``p2`` depends on the angle; None if it does not.
    :param linear_dephasing: Probability of Z per second of waiting or transport.
    :param quadratic_dephasing: Frequency of Rz in waiting or transport, in Hz.
    :param coherent_dephasing: Whether that is Rz; otherwise it is Z by chance, as it is
        in stabilizer simulations in any case.
    :param coherent_to_incoherent: Factor of the probability of that Z.
    :param idle_dephasing: Whether waiting has memory errors.
    :param transport_dephasing: Whether transport has memory errors.
    :param p2_idle: Z after a gate on two qubits, for each of them.
    """

    p1: float = 0.0
    p2: float = 0.0
    p_init: float = 0.0
    p_meas_0: float = 0.0
    p_meas_1: float = 0.0
    p_crosstalk_meas: float = 0.0
    p_crosstalk_init: float = 0.0
    crosstalk_per_gate: bool = True
    p1_emission_ratio: float = 0.0
    p2_emission_ratio: float = 0.0
    p_init_leak_ratio: float = 0.0
    leak_ratio: float = DEVICE_LEAK_RATIO
    p1_seepage: float = 0.0
    p2_seepage: float = 0.0
    leak_to_depolar: bool = False
    angle_scaling: AngleScaling | None = None
    linear_dephasing: float = 0.0
    quadratic_dephasing: float = 0.0
    coherent_dephasing: bool = True
    coherent_to_incoherent: float = 1.0
    idle_dephasing: bool = True
    transport_dephasing: bool = True
    p2_idle: float = 0.0

    def __post_init__(self) -> None:
        for name in PROBABILITIES:
            value = getattr(self, name)
            if not 0 <= value <= 1:
                raise SimulationError(
                    f"The error rate {name} is {value:g}; it has to be a probability."
                )
        for name in NOT_NEGATIVE:
            value = getattr(self, name)
            if not 0 <= value < math.inf:
                raise SimulationError(
                    f"The noise parameter {name} is {value:g}; it has to be 0 or more."
                )
        if self.angle_scaling is not None:
            if not 0 <= self.angle_scaling.power < math.inf:
                raise SimulationError(
                    f"The noise parameter przz_power is {self.angle_scaling.power:g}; "
                    "it has to be 0 or more."
                )
            # The rate rises or falls between these angles, the ends of its two halves.
            for angle in (-1 + 1e-9, -1e-9, 1e-9, 1.0):
                rate = self.p2_at(angle)
                if not -1e-9 <= rate <= 1 + 1e-9:
                    raise SimulationError(
                        f"With these przz parameters the error rate of "
                        f"ZZPhase({angle:.3g}) is {rate:g}; it has to be a probability."
                    )

    def p2_at(self, half_turns: float) -> float:
        """Return the probability of an error after ``ZZPhase(half_turns)``."""
        if self.angle_scaling is None:
            return self.p2
        return self.p2 * self.angle_scaling.factor(half_turns)

    @property
    def leaks(self) -> bool:
        """Whether a qubit can leak."""
        emission = self.p1 * self.p1_emission_ratio or self.p2 * self.p2_emission_ratio
        leaks = emission * self.leak_ratio or self.p_init * self.p_init_leak_ratio
        return leaks > 0 and not self.leak_to_depolar

    @property
    def dephases(self) -> bool:
        """Whether time costs a qubit its phase."""
        rate = self.linear_dephasing or self.quadratic_dephasing
        return bool(rate and (self.idle_dephasing or self.transport_dephasing))

    def preparation_errors(self) -> dict[str, float]:
        """Return the probabilities of X and of leakage, ``L``, after a preparation.

        Errors that never happen are left out, here and in :meth:`gate_errors`.
        """
        leaked = self.p_init * self.p_init_leak_ratio
        errors = {"X": self.p_init - leaked}
        _add_leakage(errors, "{}", leaked, depolarise=self.leak_to_depolar)
        return {error: chance for error, chance in errors.items() if chance > 0}

    def gate_errors(self, n_qubits: int, half_turns: float = 0.5) -> dict[str, float]:
        """Return the probabilities of the errors after a gate.

        :param n_qubits: One or two.
        :param half_turns: The angle of a ``ZZPhase``.
        :returns: Paulis of the qubits in their order, like ``XI``, in which ``L`` is
            the leakage of a qubit.
        """
        total = self.p1 if n_qubits == 1 else self.p2_at(half_turns)
        if not total:
            return {}
        share = self.p1_emission_ratio if n_qubits == 1 else self.p2_emission_ratio
        paulis = ["".join(p) for p in itertools.product("IXYZ", repeat=n_qubits)][1:]
        errors = dict.fromkeys(paulis, total * (1 - share) / len(paulis))
        emission = total * share / n_qubits
        leaked = emission * self.leak_ratio
        for qubit in range(n_qubits):
            place = "I" * qubit + "{}" + "I" * (n_qubits - qubit - 1)
            _add_leakage(errors, place, leaked, depolarise=self.leak_to_depolar)
            # To end in 0 or 1 by chance is any Pauli or none, equally likely.
            _add_leakage(errors, place, emission - leaked, depolarise=True)
        return {error: chance for error, chance in errors.items() if chance > 0}

    def dephasing_half_turns(self, seconds: float) -> float:
        """Return the angle of Rz in a time of waiting, in half turns."""
        frequency = self.quadratic_dephasing if self.coherent_dephasing else 0.0
        return 2 * frequency * seconds

    def p_dephasing(self, seconds: float) -> float:
        """Return the probability of Z in a time of waiting, Rz not included."""
        linear = min(self.linear_dephasing * seconds, 0.5)
        if self.coherent_dephasing:
            return linear
        turned = math.sin(math.pi * self.quadratic_dephasing * seconds) ** 2
        quadratic = min(self.coherent_to_incoherent * turned, 1.0)
        return either(linear, quadratic)


PROBABILITIES = (
    "p1",
    "p2",
    "p_init",
    "p_meas_0",
    "p_meas_1",
    "p_crosstalk_meas",
    "p_crosstalk_init",
    "p1_emission_ratio",
    "p2_emission_ratio",
    "p_init_leak_ratio",
    "leak_ratio",
    "p1_seepage",
    "p2_seepage",
    "p2_idle",
)
NOT_NEGATIVE = ("linear_dephasing", "quadratic_dephasing", "coherent_to_incoherent")


def _add_leakage(
    errors: dict[str, float], place: str, chance: float, *, depolarise: bool
) -> None:
    """Add the leakage of a qubit to the probabilities of errors.

    :param place: The Paulis of all qubits, with a gap for the one that leaks.
    :param depolarise: Whether it ends in 0 or 1 by chance instead.
    """
    for error in "XYZ" if depolarise else "L":
        name = place.format(error)
        errors[name] = errors.get(name, 0.0) + (chance / 4 if depolarise else chance)


def either(first: float, second: float) -> float:
    """Return the probability that one of two independent errors Z happens alone."""
    return first * (1 - second) + second * (1 - first)
