"""The error rates that a backend config asks for.

They are those that Quantinuum published for the machine, or the user's own. The names
of a user's parameters are those of quantinuum-schemas.
"""

import math
from collections.abc import Mapping
from typing import Any

from local_nexus.simulators.devices import Config, Device
from local_nexus.simulators.errors import SimulationError
from local_nexus.simulators.noise.error_rates import (
    DEVICE_LEAK_RATIO,
    TRANSPORT_SECONDS,
    AngleScaling,
    ErrorRates,
)

EMULATORS = {"emulator", "hosted_emulator"}
"""System types of the devices that emulate a machine with its noise."""


def rates_of(config: Config, device: Device) -> ErrorRates | None:
    """Return the error rates that a backend config asks for, None for an ideal device.

    :param config: The backend config of a Quantinuum device or of Selene.
    :param device: The device that it names.
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

    The published memory error is the loss of average fidelity of a qubit in a circuit
    with one layer of gates on two qubits, to each of which it is transported; Z with
    probability p loses 2 p / 3.
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
        linear_dephasing=1.5 * memory / TRANSPORT_SECONDS,
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

        :raises SimulationError: When some of its four coefficients are missing.
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
