"""The devices of the embedded Nexus and what is known about them.

The facts stand in ``devices.json``, which ``tools/make_devices.py`` makes; a file of
the same shape can add devices of a user's own.
"""

import functools
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from local_nexus.simulators.errors import SimulationError

DEVICE_FILE = Path(__file__).with_name("devices.json")

type PropertyName = Literal[
    "supports_shots",
    "supports_counts",
    "supports_state",
    "supports_unitary",
    "supports_density_matrix",
    "supports_expectation",
    "expectation_allows_nonhermitian",
    "supports_contextual_optimisation",
]
"""Properties of pytket's backends that clients ask for."""

Device = dict[str, Any]
Config = Mapping[str, Any]

BACKEND_NAMES = {
    "AerConfig": "AerBackend",
    "AerStateConfig": "AerStateBackend",
    "AerUnitaryConfig": "AerUnitaryBackend",
    "BraketConfig": "BraketBackend",
    "HeliosConfig": "HeliosBackend",
    "IBMQConfig": "IBMQBackend",
    "IBMQEmulatorConfig": "IBMQEmulatorBackend",
    "QuantinuumConfig": "QuantinuumBackend",
    "QulacsConfig": "QulacsBackend",
    "SeleneConfig": "SeleneBackend",
    "SelenePlusConfig": "SelenePlusBackend",
}
"""Type of a backend config -> name of its backend."""

NAME_FIELDS = {
    "HeliosConfig": "system_name",
    "IBMQConfig": "backend_name",
    "IBMQEmulatorConfig": "backend_name",
    "QuantinuumConfig": "device_name",
}
"""Type of a backend config -> its field that names the device."""


@functools.cache
def devices(device_file: Path | None = None) -> list[Device]:
    """List the devices.

    :param device_file: A JSON file with devices of a user's own; they come first, and
        hide a built-in device of the same names.
    :returns: One dictionary per device, with ``backend_name``, ``device_name``,
        ``nexus_hosted``, ``supports`` (the properties of pytket's backends that it has,
        such as ``supports_shots``) and ``backend_info`` (a ``StoredBackendInfo``).
    :raises ValueError: When the file is no such list.
    """
    built_in = _read(DEVICE_FILE)
    if device_file is None:
        return built_in
    own = _read(device_file)
    hidden = {_key(device) for device in own}
    return own + [device for device in built_in if _key(device) not in hidden]


def device_of(config: Config, device_file: Path | None = None) -> Device:
    """Find the device that a backend config asks for.

    :param config: The backend config as the client sent it.
    :param device_file: As for :func:`devices`.
    :raises SimulationError: When there is no such device.
    """
    config_type = config.get("type")
    if config_type not in BACKEND_NAMES:
        raise SimulationError(
            f"There is no backend config {config_type}; known ones are "
            f"{', '.join(BACKEND_NAMES)}."
        )
    of_backend = [
        device
        for device in devices(device_file)
        if device["backend_name"] == BACKEND_NAMES[config_type]
    ]
    if config_type not in NAME_FIELDS:
        return of_backend[0]
    # A Helios machine may also be asked for by the older config of Quantinuum.
    if config_type == "QuantinuumConfig":
        of_backend += [
            device
            for device in devices(device_file)
            if device["backend_name"] == BACKEND_NAMES["HeliosConfig"]
        ]
    name = config.get(NAME_FIELDS[config_type])
    for device in of_backend:
        if device["device_name"] == name:
            return device
    names = ", ".join(device["device_name"] for device in of_backend)
    raise SimulationError(
        f"There is no device {name!r} for {config_type}; devices are {names}."
    )


def _key(device: Device) -> tuple[str, str | None]:
    return device["backend_name"], device["device_name"]


def _read(path: Path) -> list[Device]:
    try:
        entries = json.loads(path.read_text())
    except ValueError as error:
        raise ValueError(f"{path} is not a device file: {error}") from error
    fields = {"backend_name", "device_name", "nexus_hosted", "supports", "backend_info"}
    if not isinstance(entries, list) or not all(
        isinstance(entry, dict) and fields <= entry.keys() for entry in entries
    ):
        raise ValueError(
            f"{path} is not a device file: it has to be a JSON list of objects with "
            f"{', '.join(sorted(fields))}."
        )
    return entries
