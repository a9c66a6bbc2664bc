"""Devices that can be asked for, and what their backends are able to do."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Any

from local_nexus.simulators.devices import BACKEND_NAMES, devices

_SHOTS = frozenset({"supports_shots", "supports_counts"})
_PURE = frozenset({"supports_expectation", "expectation_allows_nonhermitian"})

# What the pytket backend of each config says of itself.
_PROPERTIES: dict[str, frozenset[str]] = {
    "AerConfig": _SHOTS | _PURE | {"supports_density_matrix"},
    "AerStateConfig": _PURE | {"supports_state"},
    "AerUnitaryConfig": frozenset({"supports_unitary"}),
    "BraketConfig": _SHOTS | _PURE,
    "HeliosConfig": _SHOTS,
    "IBMQConfig": _SHOTS,
    "IBMQEmulatorConfig": _SHOTS,
    "QuantinuumConfig": _SHOTS | {"supports_contextual_optimisation"},
    "QulacsConfig": _SHOTS | _PURE | {"supports_state"},
    "SeleneConfig": _SHOTS,
    "SelenePlusConfig": _SHOTS,
}


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


def has_property(config_type: str, name: str) -> bool:
    """Return whether the backend of a config has a property.

    :param name: of the attributes of ``pytket.backends.Backend``.
    """
    return name in _PROPERTIES[config_type]


def is_machine(name: str, device_file: Path | None = None) -> bool:
    """Return whether a device has this name.

    :param device_file: devices of a user's own.
    """
    return any(device["device_name"] == name for device in devices(device_file))
