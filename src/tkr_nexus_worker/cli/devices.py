"""Commands for devices."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click
from rich.text import Text

from tkr_runtime.cli.completion import completes
from tkr_runtime.cli.output import (
    json_option,
    new_table,
    print_json,
    print_table,
)

if TYPE_CHECKING:
    from rich.table import Table

    from tkr_nexus_worker.devices import DeviceDetails, DeviceSummary

_YES_NO = {True: "yes", False: "no"}
_ONLINE = "online"


@click.command()
@json_option
def devices(as_json: bool) -> None:
    """List the devices that you can use, and whether they are online."""
    # Importing qnexus takes seconds, and --help does not need it.
    from tkr_nexus_worker.devices import list_devices

    found = list_devices()
    if as_json:
        print_json(found)
    else:
        print_table(devices_table(found))


@click.command()
@click.argument(
    "names",
    metavar="NAME...",
    nargs=-1,
    required=True,
    shell_complete=completes("device"),
)
@json_option
def device(names: tuple[str, ...], as_json: bool) -> None:
    """Show a device, or compare several side by side.

    NAME is a name that `tkr-nexus devices` lists. If two backends share it, put the
    backend first, as in IBMQ/ibm_torino.
    """
    from tkr_nexus_worker.devices import compare_devices

    found = compare_devices(names)
    if as_json:
        print_json(found)
    else:
        print_table(details_table(found))


def devices_table(devices: "Sequence[DeviceSummary]") -> "Table":
    """Return a table of devices.

    :param devices: The devices.
    """
    table = new_table()
    table.add_column("device", overflow="fold")
    table.add_column("backend", no_wrap=True)
    table.add_column("kind", no_wrap=True)
    table.add_column("qubits", justify="right", no_wrap=True)
    table.add_column("status", no_wrap=True)
    for one in devices:
        table.add_row(
            Text(one.name),
            Text(one.backend),
            Text((one.kind or "").replace("_", " ")),
            "" if one.n_qubits is None else str(one.n_qubits),
            _status(one),
        )
    return table


def details_table(devices: "Sequence[DeviceDetails]") -> "Table":
    """Return a table with a column for each device.

    :param devices: The devices.
    """
    table = new_table()
    table.add_column("", no_wrap=True)
    for one in devices:
        table.add_column(Text(one.name), overflow="fold")
    columns = [_properties(one) for one in devices]
    labels = dict.fromkeys(label for column in columns for label in column)
    for label in labels:
        cells = [column.get(label, "") for column in columns]
        if any(str(cell) for cell in cells):
            table.add_row(label, *cells)
    return table


def _properties(device: "DeviceDetails") -> dict[str, str | Text]:
    errors = {
        f"error: {rate.name}": f"{rate.rate:.2e}"
        + (f" ± {rate.uncertainty:.1e}" if rate.uncertainty is not None else "")
        for rate in device.error_rates
    }
    return {
        "status": _status(device),
        "backend config": f"{device.backend}Config",
        "kind": (device.kind or "").replace("_", " "),
        "qubits": _number(device.n_qubits),
        "connectivity": device.connectivity or "",
        "maximum shots": _number(device.max_shots),
        "mid-circuit measurement": _YES_NO[device.midcircuit_measurement],
        "reset": _YES_NO[device.reset],
        "feed-forward": _YES_NO[device.feedforward],
        "classical registers": _number(device.n_registers),
        "maximum register width": _number(device.max_register_width),
        "languages": ", ".join(device.languages),
        **errors,
        "errors measured on": device.error_date or "",
        "gates": ", ".join(device.gate_set),
    }


def _status(device: "DeviceSummary") -> Text:
    if device.status is None:
        return Text("hosted" if device.nexus_hosted else "")
    return Text(device.status, style="green" if device.status == _ONLINE else "yellow")


def _number(value: int | None) -> str:
    return "" if value is None else str(value)
