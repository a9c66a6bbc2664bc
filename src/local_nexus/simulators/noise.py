"""The error rates that a backend config asks for.

The model is the same for all Quantinuum devices and is ours: after a gate on one or
two qubits, one of the 3 or 15 Pauli errors with equal probability; a flipped qubit
after its preparation; a flipped outcome of a measurement; and crosstalk: a measurement
or reset in the middle of a circuit may measure any other qubit, too, and nobody sees
the outcome. The rates are those that Quantinuum published for the machine, or the
user's own. Memory errors, leakage and emission are not modelled; parameters for them
are accepted. Selene's open error models have no crosstalk, so that HUGR and QIR
programs have none.
"""

import dataclasses
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


@dataclass(frozen=True)
class ErrorRates:
    """Probabilities of an error.

    :param p1: after a gate on one qubit; ``Rz`` is done in software and has none.
    :param p2: after a gate on two qubits.
    :param p_init: a qubit is prepared in 1 instead of 0.
    :param p_meas_0: outcome 0 is recorded as 1.
    :param p_meas_1: outcome 1 is recorded as 0.
    :param p_crosstalk_meas: a measurement measures another qubit, too; for each other.
    :param p_crosstalk_init: a reset measures another qubit; for each other.
    """

    p1: float = 0.0
    p2: float = 0.0
    p_init: float = 0.0
    p_meas_0: float = 0.0
    p_meas_1: float = 0.0
    p_crosstalk_meas: float = 0.0
    p_crosstalk_init: float = 0.0

    def __post_init__(self) -> None:
        for name, value in dataclasses.asdict(self).items():
            if not 0 <= value <= 1:
                raise SimulationError(
                    f"The error rate {name} is {value:g}; it has to be a probability."
                )


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
    """Return the rates in the facts of a device; preparation counts as measurement."""
    specs = misc["noise_specs"]
    spam = specs["spam_error"]
    return ErrorRates(
        p1=specs["1q_gate_error"]["p1"],
        p2=specs["2q_gate_error"]["p2"],
        p_meas_0=spam["p_meas_0"],
        p_meas_1=spam["p_meas_1"],
        p_crosstalk_meas=specs.get("crosstalk_error", {}).get("p_crosstalk_meas", 0.0),
    )


def _with_parameters(rates: ErrorRates, given: Mapping[str, Any]) -> ErrorRates:
    """Return rates with a user's own and the user's factors in their place."""

    def value(name: str, default: float) -> float:
        chosen = given.get(name)
        return default if chosen is None else float(chosen)

    p_meas = given.get("p_meas")
    meas_0, meas_1 = (
        (rates.p_meas_0, rates.p_meas_1)
        if p_meas is None
        else (p_meas if isinstance(p_meas, list | tuple) else (p_meas, p_meas))
    )
    scale = value("scale", 1.0)
    init_scale = value("init_scale", value("prep_scale", 1.0))
    meas_scale = value("meas_scale", 1.0)
    crosstalk_scale = scale * value("crosstalk_scale", 1.0)
    crosstalk_meas = value("p_meas_crosstalk", rates.p_crosstalk_meas)
    crosstalk_init = value("p_prep_crosstalk", rates.p_crosstalk_init)
    return ErrorRates(
        p1=value("p1", rates.p1) * scale * value("p1_scale", 1.0),
        p2=value("p2", rates.p2) * scale * value("p2_scale", 1.0),
        p_init=value("p_init", value("p_prep", rates.p_init)) * scale * init_scale,
        p_meas_0=value("p_meas_0", meas_0) * scale * meas_scale,
        p_meas_1=value("p_meas_1", meas_1) * scale * meas_scale,
        p_crosstalk_meas=value("p_crosstalk_meas", crosstalk_meas)
        * crosstalk_scale
        * value("p_meas_crosstalk_scale", 1.0),
        p_crosstalk_init=value("p_crosstalk_init", crosstalk_init)
        * crosstalk_scale
        * value("p_prep_crosstalk_scale", 1.0),
    )
