"""Devices of Nexus: their names, features and error rates, and which are online."""

import json
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from difflib import get_close_matches
from statistics import median
from typing import Any
from urllib.parse import quote

import qnexus as qnx
from pydantic import BaseModel, Field, TypeAdapter, ValidationError
from qnexus.config import CONFIG
from qnexus.models import BackendConfig, Device, IssuerEnum
from quantinuum_schemas.models.backend_info import StoredDevice

from tkr_nexus_worker.errors import (
    InvalidInputError,
    NexusRefusedError,
    NexusUnavailableError,
)
from tkr_nexus_worker.nexus.client import call, get_json
from tkr_runtime.tasks import workflow_memory

ALL_TO_ALL = "all-to-all"

# Kinds of config -> the field that names the device (quantinuum-schemas 7.8).
_NAME_FIELDS = {
    "HeliosConfig": "system_name",
    "IBMQConfig": "backend_name",
    "IBMQEmulatorConfig": "backend_name",
    "QuantinuumConfig": "device_name",
}
# Backends whose devices Quantinuum runs, so that Nexus knows whether they are online.
_WITH_STATUS = frozenset({"Quantinuum", "Helios"})
_REQUESTS_AT_ONCE = 8
# A list is useful also while the service for the status is down.
_STATUS_SECONDS = 10.0
# How long a workflow takes a device to be what it was.
_REMEMBERED_SECONDS = 3600.0

# What pytket-quantinuum calls the error rates of a device, as of version 0.56.
_ERROR_NAMES = {
    "p1": "one-qubit gate",
    "p2": "two-qubit gate",
    "p_meas_0": "measurement of 0",
    "p_meas_1": "measurement of 1",
    "memory_error": "memory",
    "p_crosstalk_meas": "crosstalk of measurement",
}
_UNCERTAINTY = "_unc"


class DeviceSummary(BaseModel):
    """A device in a list of devices.

    :param name: The name, as a backend config takes it; the name of the backend where
        it has only one device.
    :param backend: The backend, for example ``Quantinuum``; with ``Config`` after it,
        the type of the backend config.
    :param kind: ``hardware``, ``emulator``, ``local_emulator``, ``hosted_emulator``,
        ``syntax_checker`` or ``simulator``; None where Nexus does not report it.
    :param nexus_hosted: Whether Nexus itself runs the device.
    :param n_qubits: The number of qubits; None where it is not fixed.
    :param status: Whether the device is online, as Nexus spells it; None where Nexus
        does not report it, as for devices that it hosts itself.
    """

    name: str
    backend: str
    kind: str | None
    nexus_hosted: bool
    n_qubits: int | None
    status: str | None = None


class ErrorRate(BaseModel):
    """The rate of one kind of error.

    :param name: The operation that fails.
    :param rate: The probability of an error in each operation.
    :param uncertainty: The standard uncertainty of the rate, where Nexus reports it.
    """

    name: str
    rate: float
    uncertainty: float | None = None


class DeviceDetails(DeviceSummary):
    """A device and all that Nexus reports of it.

    :param gate_set: The gates that the device takes, by their names in
        ``pytket.circuit.OpType``.
    :param connectivity: ``all-to-all``, or how many pairs of qubits are coupled; None
        where Nexus does not report it.
    :param coupled: The pairs of qubits that are coupled, by index, unless all are.
    :param error_rates: The error rates; medians where qubits differ.
    :param max_shots: The largest number of shots of a circuit; None without a limit.
    :param max_register_width: The largest number of bits of a register, where Nexus
        reports it.
    :param n_registers: The number of classical registers, where Nexus reports it.
    :param midcircuit_measurement: Whether it measures in the middle of a circuit.
    :param reset: Whether it resets qubits.
    :param feedforward: Whether operations can depend on measured bits.
    :param batching: Whether it runs batches of jobs, where Nexus reports it.
    :param languages: The languages of programs that it takes, where Nexus reports them.
    :param error_date: When the error rates were measured, where Nexus reports it.
    """

    gate_set: list[str]
    connectivity: str | None
    coupled: list[tuple[int, int]] = Field(default_factory=list)
    error_rates: list[ErrorRate] = Field(default_factory=list)
    max_shots: int | None = None
    max_register_width: int | None = None
    n_registers: int | None = None
    midcircuit_measurement: bool
    reset: bool
    feedforward: bool
    batching: bool | None = None
    languages: list[str] = Field(default_factory=list)
    error_date: str | None = None


def list_devices(*, status: bool = True) -> list[DeviceSummary]:
    """List the devices that you may use.

    :param status: Whether to ask which are online now, which takes a request for each
        device that Quantinuum runs.
    :returns: The devices, in the order of Nexus.
    :raises NexusWorkerError: If Nexus refuses or does not answer.
    """
    found = [_summary(device) for device in _available()]
    return with_status(found) if status else found


def get_device_details(name: str) -> DeviceDetails:
    """Return what Nexus knows of a device.

    :param name: The name as :func:`list_devices` gives it; with its backend before it
        where several have the name, as in ``IBMQ/ibm_torino``.
    :returns: The device.
    :raises InvalidInputError: If there is no such device, which names those that are
        spelled alike, or several.
    :raises NexusWorkerError: If Nexus refuses or does not answer.
    """
    [details] = compare_devices([name])
    return details


def compare_devices(names: Sequence[str]) -> list[DeviceDetails]:
    """Return what Nexus knows of several devices.

    :param names: The names, as for :func:`get_device_details`.
    :returns: The devices, in the same order.
    :raises InvalidInputError: If there is no such device, or several.
    :raises NexusWorkerError: If Nexus refuses or does not answer.
    """
    devices = _available()
    return with_status([_details(_pick(name, devices)) for name in names])


def config_of(name: str) -> BackendConfig:
    """Return a backend config that runs jobs on a device, with default options.

    :param name: The name of the device, as for :func:`get_device_details`.
    :raises InvalidInputError: If there is no such device, several, or one that needs
        options.
    :raises NexusWorkerError: If Nexus refuses or does not answer.
    """
    device = _pick(name, _available())
    kind = f"{device.backend_name}Config"
    options: dict[str, Any] = {"type": kind}
    if kind in _NAME_FIELDS:
        options[_NAME_FIELDS[kind]] = device.device_name
    if kind == "BraketConfig" and device.nexus_hosted:
        options["local"] = True
    try:
        config: BackendConfig = TypeAdapter(BackendConfig).validate_python(options)
    except ValidationError as error:
        missing = ", ".join(str(one["loc"][-1]) for one in error.errors() if one["loc"])
        raise InvalidInputError(
            f"A job on {name} needs options beside the name of the device "
            f"({missing or kind}); submit it from Python, with a backend config."
        ) from error
    return config


def find_device(config: BackendConfig, *, retry_time: float) -> DeviceDetails | str:
    """Find the device that a backend config asks for, in one request.

    Later tasks of the workflow use what was found, for an hour.

    :param config: The backend config.
    :param retry_time: For how long to try again, in seconds.
    :returns: The device; or, where it cannot be found, a sentence that says why. The
        lists of Nexus depend on the user's access, so this does not prove that there
        is no such device.
    :raises NotLoggedInError: If there is no valid login.
    """
    kind = type(config).__name__
    name = getattr(config, _NAME_FIELDS[kind]) if kind in _NAME_FIELDS else None
    subject = f"device {name!r} for {kind} of {CONFIG.token_path} on {CONFIG.url}"
    remembered = workflow_memory.recall(subject)
    if remembered is not None:
        until, details = json.loads(remembered)
        if time.time() < until:
            return DeviceDetails.model_validate(details)
    backend = kind.removesuffix("Config")
    issuers = [IssuerEnum.QUANTINUUM] if kind == "QuantinuumConfig" else None
    try:
        devices = _available(issuers, retry_time=retry_time)
    except (NexusRefusedError, NexusUnavailableError) as error:
        return f"Nexus does not report what the device can do ({error})"
    of_backend = [device for device in devices if device.backend_name == backend]
    for device in of_backend:
        if name is None or device.device_name == name:
            found = _details(device)
            until = time.time() + _REMEMBERED_SECONDS
            content = json.dumps([until, found.model_dump(mode="json")])
            workflow_memory.remember(subject, content)
            return found
    if name is None:
        return f"Nexus lists no device of the backend {backend}"
    alike = _alike(name, [_name(device) for device in of_backend])
    return f"Nexus lists no device {name!r} for {kind}{'; ' + alike if alike else ''}"


def _available(
    issuers: list[IssuerEnum] | None = None, *, retry_time: float | None = None
) -> list[Device]:
    return list(
        call(
            "list the devices",
            lambda: qnx.devices.get_all(issuers=issuers),
            retry_time=retry_time,
        )
    )


def _pick(name: str, devices: Sequence[Device]) -> Device:
    found = [
        device
        for device in devices
        if name in (_name(device), f"{device.backend_name}/{_name(device)}")
    ]
    match found:
        case [device]:
            return device
        case []:
            alike = _alike(name, [_name(device) for device in devices])
            raise InvalidInputError(
                f"There is no device {name!r} that you may use on Nexus at "
                f"{CONFIG.url}; {alike or '`tkr-nexus devices` lists all'}."
            )
    options = " or ".join(f"{device.backend_name}/{_name(device)}" for device in found)
    raise InvalidInputError(
        f"{len(found)} devices are called {name!r}; give {options}."
    )


def _alike(name: str, names: Sequence[str]) -> str:
    """Return the names that are spelled like one; an empty text if none is."""
    spelled = {one.lower(): one for one in names}
    close = get_close_matches(name.lower(), spelled, n=3, cutoff=0.5)
    if not close:
        return ""
    return f"the closest names are {', '.join(spelled[one] for one in close)}"


def _name(device: Device) -> str:
    return device.device_name or device.backend_name


def _summary(device: Device) -> DeviceSummary:
    info = device.stored_backend_info
    return DeviceSummary(
        name=_name(device),
        backend=device.backend_name,
        kind=info.misc.get("system_type"),
        nexus_hosted=device.nexus_hosted,
        n_qubits=_n_qubits(info.device),
    )


def _details(device: Device) -> DeviceDetails:
    info = device.stored_backend_info
    noise = info.misc.get("noise_specs") or {}
    return DeviceDetails(
        **_summary(device).model_dump(),
        gate_set=sorted(info.gate_set),
        connectivity=_connectivity(info.device),
        coupled=_coupled(info.device),
        error_rates=_specified_errors(noise) or _measured_errors(info.device),
        max_shots=info.misc.get("max_n_shots"),
        max_register_width=info.misc.get("max_classical_register_width"),
        n_registers=info.n_cl_reg,
        midcircuit_measurement=info.supports_midcircuit_measurement,
        reset=info.supports_reset,
        feedforward=info.supports_fast_feedforward,
        batching=info.misc.get("batching"),
        languages=info.misc.get("supported_languages") or [],
        error_date=noise.get("date"),
    )


def _n_qubits(device: StoredDevice) -> int | None:
    return device.n_nodes or len(device.nodes) or None


def _connectivity(device: StoredDevice) -> str | None:
    if device.fully_connected:
        return ALL_TO_ALL
    pairs = _coupled(device)
    return f"{len(pairs)} coupled pairs" if pairs else None


def _coupled(device: StoredDevice) -> list[tuple[int, int]]:
    """List the pairs of qubits that are coupled, whatever the direction."""
    ends = [
        (edge.unitid_from[1][0], edge.unitid_to[1][0])
        for edge in device.edges
        if edge.unitid_from[1] and edge.unitid_to[1]
    ]
    return sorted({(min(pair), max(pair)) for pair in ends})


def _specified_errors(specs: dict[str, Any]) -> list[ErrorRate]:
    """Return the error rates that are specified for a whole device."""
    rates = [
        ErrorRate(
            name=_ERROR_NAMES.get(name) or name,
            rate=rate,
            uncertainty=group.get(name + _UNCERTAINTY),
        )
        for group in specs.values()
        if isinstance(group, dict)
        for name, rate in group.items()
        if isinstance(rate, int | float) and not name.endswith(_UNCERTAINTY)
    ]
    order = [*_ERROR_NAMES.values(), *(rate.name for rate in rates)]
    return sorted(rates, key=lambda rate: order.index(rate.name))


def _measured_errors(device: StoredDevice) -> list[ErrorRate]:
    """Return the medians of the error rates of all qubits and pairs."""
    values: dict[str, list[float]] = {}
    parts = [part.gate_errors for part in device.nodes]
    parts += [part.gate_errors for part in device.edges]
    for gate_errors in parts:
        for gate, rate in gate_errors.items():
            values.setdefault(f"{gate}, median", []).append(rate)
    for node in device.nodes:
        if node.readout_error is not None:
            values.setdefault("readout, median", []).append(node.readout_error)
    return [ErrorRate(name=name, rate=median(v)) for name, v in sorted(values.items())]


def with_status[D: DeviceSummary](devices: list[D]) -> list[D]:
    """Return devices with their status, which is requested in parallel.

    :param devices: The devices.
    :returns: The devices with their status, where Nexus reports it.
    :raises NotLoggedInError: If there is no valid login.
    """

    def ask(device: D) -> D:
        return device.model_copy(update={"status": _status(device)})

    with ThreadPoolExecutor(max_workers=_REQUESTS_AT_ONCE) as pool:
        return list(pool.map(ask, devices))


def _status(device: DeviceSummary) -> str | None:
    if device.nexus_hosted or device.backend not in _WITH_STATUS:
        return None
    path = f"/api/machines/v1beta/{quote(device.name, safe='')}/status"
    try:
        answer = get_json(
            f"ask whether {device.name} is online", path, retry_time=_STATUS_SECONDS
        )
    except (NexusRefusedError, NexusUnavailableError):
        return None
    return str(answer["state"])
