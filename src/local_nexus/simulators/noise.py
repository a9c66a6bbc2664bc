"""The error rates that a backend config asks for, and the model that they belong to.

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
  qubit, too, and nobody sees the outcome.
- Memory: while a qubit waits or moves for ``d`` seconds, Rz by the angle 2 pi f d,
  where f is ``quadratic_dephasing``; or, not coherent, Z with the probability that has
  the same effect on average, sin(pi f d)**2, times ``coherent_to_incoherent``; and Z
  with the probability ``linear_dephasing`` * d. After each gate on two qubits, each of
  them has Z with ``p2_idle``.

The rates are those that Quantinuum published for the machine, or the user's own.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pytket.circuit import OpType

from local_nexus.simulators.devices import Config, Device
from local_nexus.simulators.errors import SimulationError

EMULATORS = {"emulator", "hosted_emulator"}
"""System types of the devices that emulate a machine with its noise."""

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

LAYER_SECONDS = TRANSPORT_SECONDS + TWO_QUBIT_SECONDS
"""How long a layer of gates on two qubits takes, from which memory errors are known."""

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

    :param p1: error after a gate on one qubit; ``Rz`` is done in software and has none.
    :param p2: error after a gate on two qubits.
    :param p_init: a qubit is prepared wrongly, in 1 instead of 0 or leaked.
    :param p_meas_0: outcome 0 is recorded as 1.
    :param p_meas_1: outcome 1 is recorded as 0.
    :param p_crosstalk_meas: a measurement measures another qubit, too; for each other.
    :param p_crosstalk_init: a reset measures another qubit; for each other.
    :param crosstalk_per_gate: whether each of several measurements, or resets, that are
        done together has crosstalk, or all of them as if they were one.
    :param p1_emission_ratio: share of ``p1`` that is spontaneous emission.
    :param p2_emission_ratio: share of ``p2`` that is emission of one of the qubits.
    :param p_init_leak_ratio: share of ``p_init`` in which the qubit has leaked.
    :param leak_ratio: share of emission that ends in leakage.
    :param p1_seepage: a leaked qubit returns in a gate on one qubit.
    :param p2_seepage: a leaked qubit returns in a gate on two qubits.
    :param leak_to_depolar: whether a qubit that would leak is depolarised instead.
    :param angle_scaling: how ``p2`` depends on the angle; None if it does not.
    :param linear_dephasing: probability of Z per second of waiting or transport.
    :param quadratic_dephasing: frequency of Rz in waiting or transport, in Hz.
    :param coherent_dephasing: whether that is Rz; otherwise it is Z by chance, as it is
        in stabilizer simulations in any case.
    :param coherent_to_incoherent: factor of the probability of that Z.
    :param idle_dephasing: whether waiting has memory errors.
    :param transport_dephasing: whether transport has memory errors.
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


def either(first: float, second: float) -> float:
    """Return the probability that one of two independent errors Z happens alone."""
    return first * (1 - second) + second * (1 - first)


def rates_of(config: Config, device: Device) -> ErrorRates | None:
    """Return the error rates that a backend config asks for, None for an ideal device.

    :param config: the backend config of a Quantinuum device or of Selene.
    :param device: the device that it names.
    """
    misc = device["backend_info"]["misc"]
    if config["type"] == "QuantinuumConfig":
        noisy = config.get("noisy_simulation") is not False
        if misc["system_type"] not in EMULATORS or not noisy:
            return None
        return _with_parameters(_published(misc), config.get("error_params") or {})
    model = emulator_of(config).get("error_model")
    if model is None and misc["system_type"] in EMULATORS:
        return _published(misc)
    return _of_error_model(model, misc)


def emulator_of(config: Config) -> Mapping[str, Any]:
    """Return how a backend config wants its device to be emulated.

    :returns: ``simulator``, ``error_model``, ``runtime`` and ``n_qubits`` as in a
        ``SeleneConfig``, as far as the config has them.
    """
    match config["type"]:
        case "HeliosConfig":
            return config.get("emulator_config") or {}
        case "QuantinuumConfig":
            stabilizer = config.get("simulator") == "stabilizer"
            kind = "StabilizerSimulator" if stabilizer else "StatevectorSimulator"
            return {"simulator": {"type": kind}}
        case _:
            return config


def _of_error_model(
    model: Mapping[str, Any] | None, misc: Mapping[str, Any]
) -> ErrorRates | None:
    if model is None:
        return None
    match model.get("type"):
        case "NoErrorModel":
            return None
        case "DepolarizingErrorModel":
            p_meas = model.get("p_meas", 0.0)
            return ErrorRates(
                p1=model.get("p_1q", 0.0),
                p2=model.get("p_2q", 0.0),
                p_init=model.get("p_init", 0.0),
                p_meas_0=p_meas,
                p_meas_1=p_meas,
            )
        case "QSystemErrorModel":
            return _published(misc)
        case "HeliosCustomErrorModel":
            return _with_parameters(_published(misc), model.get("error_params") or {})
        case unknown:
            raise SimulationError(f"There is no error model {unknown}.")


def _published(misc: Mapping[str, Any]) -> ErrorRates:
    """Return the rates in the facts of a device; preparation counts as measurement.

    The published memory error is the loss of average fidelity of a qubit in one layer
    of gates, whoever takes part in them; that of Z with probability p is 2 p / 3.
    """
    specs = misc["noise_specs"]
    spam = specs["spam_error"]
    memory = specs.get("memory_error", {}).get("memory_error", 0.0)
    return ErrorRates(
        p1=specs["1q_gate_error"]["p1"],
        p2=specs["2q_gate_error"]["p2"],
        p_meas_0=spam["p_meas_0"],
        p_meas_1=spam["p_meas_1"],
        p_crosstalk_meas=specs.get("crosstalk_error", {}).get("p_crosstalk_meas", 0.0),
        linear_dephasing=1.5 * memory / LAYER_SECONDS,
    )


class _Given:
    """The noise parameters of a user, by any of the names that they have in configs."""

    def __init__(self, parameters: Mapping[str, Any]) -> None:
        self._parameters = parameters

    def number(self, *names: str, default: float = 1.0) -> float:
        """Return the first one that is given; scales are 1 by default."""
        for name in names:
            if self._parameters.get(name) is not None:
                return float(self._parameters[name])
        return default

    def flag(self, name: str, *, default: bool) -> bool:
        """Return whether a switch is on."""
        chosen = self._parameters.get(name)
        return default if chosen is None else bool(chosen)

    def outcomes(self, rates: ErrorRates) -> tuple[float, float]:
        """Return the probabilities of a flipped 0 and 1, from ``p_meas`` if given."""
        match self._parameters.get("p_meas"):
            case None:
                return rates.p_meas_0, rates.p_meas_1
            case [zero, one]:
                return float(zero), float(one)
            case both:
                return float(both), float(both)

    def angle_scaling(self) -> AngleScaling | None:
        """Return the dependence on the angle.

        :raises SimulationError: when some of its four coefficients are missing.
        """
        names = ["przz_a", "przz_b", "przz_c", "przz_d"]
        missing = [name for name in names if self._parameters.get(name) is None]
        if len(missing) == len(names):
            return None
        if missing:
            raise SimulationError(
                f"The noise parameters have no {', '.join(missing)}: give all of "
                "przz_a, przz_b, przz_c and przz_d, or none."
            )
        return AngleScaling(*map(self.number, [*names, "przz_power"]))


def _with_parameters(rates: ErrorRates, parameters: Mapping[str, Any]) -> ErrorRates:
    """Return rates with a user's own and the user's factors in their place."""
    given = _Given(parameters)
    number = given.number
    meas_0, meas_1 = given.outcomes(rates)
    scale = number("scale")
    meas_scale = scale * number("meas_scale")
    crosstalk_scale = scale * number("crosstalk_scale")
    memory_scale = scale * number("memory_scale")
    emission_scale = number("emission_scale")
    leakage_scale = number("leakage_scale")
    crosstalk_meas = number(
        "p_crosstalk_meas", "p_meas_crosstalk", default=rates.p_crosstalk_meas
    )
    crosstalk_init = number(
        "p_crosstalk_init", "p_prep_crosstalk", default=rates.p_crosstalk_init
    )
    linear = number(
        "linear_dephasing_rate", "p_idle_linear_rate", default=rates.linear_dephasing
    )
    quadratic = number("quadratic_dephasing_rate", "p_idle_quadratic_rate", default=0.0)
    return ErrorRates(
        p1=number("p1", default=rates.p1) * scale * number("p1_scale"),
        p2=number("p2", default=rates.p2) * scale * number("p2_scale"),
        p_init=number("p_init", "p_prep", default=rates.p_init)
        * scale
        * number("init_scale", "prep_scale"),
        p_meas_0=number("p_meas_0", default=meas_0) * meas_scale,
        p_meas_1=number("p_meas_1", default=meas_1) * meas_scale,
        p_crosstalk_meas=crosstalk_meas
        * crosstalk_scale
        * number("p_meas_crosstalk_scale"),
        p_crosstalk_init=crosstalk_init
        * crosstalk_scale
        * number("p_prep_crosstalk_scale"),
        crosstalk_per_gate=given.flag("crosstalk_per_gate", default=True),
        p1_emission_ratio=number("p1_emission_ratio", default=0.0) * emission_scale,
        p2_emission_ratio=number("p2_emission_ratio", default=0.0) * emission_scale,
        p_init_leak_ratio=number("p_prep_leak_ratio", default=0.0) * leakage_scale,
        leak_ratio=DEVICE_LEAK_RATIO * leakage_scale,
        p1_seepage=number("p1_seepage_prob", default=0.0),
        p2_seepage=number("p2_seepage_prob", default=0.0),
        leak_to_depolar=given.flag("leak2depolar", default=False),
        angle_scaling=given.angle_scaling(),
        linear_dephasing=linear * memory_scale,
        # The probability of a fault goes with the square of the frequency.
        quadratic_dephasing=quadratic * math.sqrt(max(memory_scale, 0.0)),
        coherent_dephasing=given.flag("coherent_dephasing", default=True),
        coherent_to_incoherent=number("coherent_to_incoherent_factor"),
        idle_dephasing=given.flag("idle_dephasing", default=True),
        transport_dephasing=given.flag("transport_dephasing", default=True),
        p2_idle=number("p2_idle", default=0.0) * memory_scale,
    )
