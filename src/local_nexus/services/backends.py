"""Devices that can be asked for, and what their backends are able to do."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from local_nexus.simulators.devices import BACKEND_NAMES, NAME_FIELDS, devices

_SHOTS = frozenset({"supports_shots", "supports_counts"})
_IBM = frozenset({"supports_counts", "supports_contextual_optimisation"})
_EXPECTATION = "supports_expectation"
_STATE, _DENSITY = "supports_state", "supports_density_matrix"

# What the pytket backend of each config says of itself, and Selene like them.
_PROPERTIES: dict[str, frozenset[str]] = {
    "AerConfig": _SHOTS | {_EXPECTATION},
    "AerStateConfig": frozenset({_STATE, _EXPECTATION}),
    "AerUnitaryConfig": frozenset({"supports_unitary"}),
    "BraketConfig": _SHOTS | {_STATE, _EXPECTATION},
    "HeliosConfig": _SHOTS,
    "IBMQConfig": _IBM,
    "IBMQEmulatorConfig": _IBM,
    "QuantinuumConfig": _SHOTS | {"supports_contextual_optimisation"},
    "QulacsConfig": _SHOTS | {_STATE, _EXPECTATION},
    "SeleneConfig": _SHOTS,
    "SelenePlusConfig": _SHOTS,
}
# Options by which a backend gives density matrices instead of pure states.
_DENSITY_OPTIONS = {"result_type": "density_matrix", "local_device": "braket_dm"}


_PROVIDERS = {
    "AerConfig": "Qiskit",
    "AerStateConfig": "Qiskit",
    "AerUnitaryConfig": "Qiskit",
    "BraketConfig": "Braket",
    "IBMQConfig": "IBMQ",
    "IBMQEmulatorConfig": "IBMQ",
    "QulacsConfig": "Qulacs",
}
_NAMESPACE = uuid.UUID("b8f2f7e4-5d0e-4b8b-9c52-0f7c4f7f0f33")


@dataclass(frozen=True)
class System:
    """Where a job runs.

    :param name: of the device, or of the simulator where there is only one.
    :param provider_name: whose it is.
    """

    name: str
    provider_name: str

    @property
    def id(self) -> str:
        """The id, the same in every instance."""
        return str(uuid.uuid5(_NAMESPACE, f"{self.provider_name}/{self.name}"))


def system(config: Mapping[str, Any]) -> System:
    """Return where a job with this backend config runs."""
    kind = config["type"]
    name = config.get(NAME_FIELDS[kind]) if kind in NAME_FIELDS else None
    simulator = BACKEND_NAMES[kind].removesuffix("Backend")
    return System(name or simulator, _PROVIDERS.get(kind, "Quantinuum"))


def available(
    config_types: Collection[str],
    nexus_hosted: bool | None,
    device_file: Path | None = None,
) -> list[dict[str, Any]]:
    """Return the devices, those that Nexus itself runs last.

    :param config_types: of the backend configs that ask for them; all if empty.
    :param nexus_hosted: whether Nexus itself runs them; both if None.
    :param device_file: devices of a user's own.
    """
    names = {BACKEND_NAMES.get(name) for name in config_types}
    wanted = [
        device
        for device in devices(device_file)
        if (not names or device["backend_name"] in names)
        and nexus_hosted in (None, device["nexus_hosted"])
    ]
    return sorted(wanted, key=lambda device: bool(device["nexus_hosted"]))


def has_property(config: Mapping[str, Any], name: str) -> bool:
    """Return whether the backend of a config has a property.

    :param config: with its ``type`` and its options.
    :param name: of the attributes of ``pytket.backends.Backend``.
    """
    properties = _PROPERTIES[config["type"]]
    asked = (config.get(key) == value for key, value in _DENSITY_OPTIONS.items())
    if _STATE in properties and any(asked):
        properties = properties - {_STATE} | {_DENSITY}
    return name in properties


def is_machine(name: str, device_file: Path | None = None) -> bool:
    """Return whether a device has this name.

    :param device_file: devices of a user's own.
    """
    return any(device["device_name"] == name for device in devices(device_file))
