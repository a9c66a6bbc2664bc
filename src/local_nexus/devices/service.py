"""Devices that can be asked for, and what their backends are able to do."""

import uuid
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from local_nexus.simulators.devices import BACKEND_NAMES, NAME_FIELDS, Device, devices

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


# Who issues the credentials for the devices of a backend; others need none.
_ISSUERS = {
    "BraketBackend": "Braket",
    "HeliosBackend": "Quantinuum",
    "IBMQBackend": "Qiskit",
    "QuantinuumBackend": "Quantinuum",
}


@dataclass(frozen=True)
class DeviceFilter:
    """Which devices are asked for; None or nothing does not restrict.

    :param config_types: Of the backend configs that ask for them.
    :param nexus_hosted: Whether Nexus itself runs them.
    :param issuers: Of the credentials to use; devices that need none stay.
    :param places: Backend to facts, such as ``region``, that its devices have in
        ``misc``; those that do not say where they are stay.
    """

    config_types: Collection[str] = ()
    nexus_hosted: bool | None = None
    issuers: Collection[str] | None = None
    places: Mapping[str, Mapping[str, str | None]] = field(default_factory=dict)

    def admits(self, device: Device) -> bool:
        """Return whether a device is asked for."""
        backend, hosted = device["backend_name"], device["nexus_hosted"]
        names = {BACKEND_NAMES.get(name) for name in self.config_types}
        if (names and backend not in names) or self.nexus_hosted not in (None, hosted):
            return False
        if not hosted and self.issuers is not None:
            issuer = _ISSUERS.get(backend)
            if issuer is not None and issuer not in self.issuers:
                return False
        misc = device["backend_info"]["misc"]
        return all(
            wanted is None or misc.get(fact, wanted) == wanted
            for fact, wanted in self.places.get(backend, {}).items()
        )


@dataclass(frozen=True)
class System:
    """Where a job runs.

    :param name: Of the device, or of the simulator where there is only one.
    :param provider_name: Whose it is.
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


def available(wanted: DeviceFilter, device_file: Path | None = None) -> list[Device]:
    """Return the devices that are asked for, those that Nexus itself runs last.

    :param device_file: Devices of a user's own.
    """
    found = filter(wanted.admits, devices(device_file))
    return sorted(found, key=lambda device: bool(device["nexus_hosted"]))


def has_property(config: Mapping[str, Any], name: str) -> bool:
    """Return whether the backend of a config has a property.

    :param config: With its ``type`` and its options.
    :param name: Of the attributes of ``pytket.backends.Backend``.
    """
    properties = _PROPERTIES[config["type"]]
    asked = (config.get(key) == value for key, value in _DENSITY_OPTIONS.items())
    if _STATE in properties and any(asked):
        properties = properties - {_STATE} | {_DENSITY}
    return name in properties


def is_machine(name: str, device_file: Path | None = None) -> bool:
    """Return whether a device has this name.

    :param device_file: Devices of a user's own.
    """
    return any(device["device_name"] == name for device in devices(device_file))
