"""Circuits as they arrive: read, checked and without boxes."""

import json

from pytket.circuit import Circuit
from pytket.passes import DecomposeBoxes

from local_nexus.simulators.devices import Device
from local_nexus.simulators.errors import SimulationError


def parse(text: str | bytes) -> Circuit:
    """Return the circuit of a JSON text.

    :raises SimulationError: when the text is no circuit.
    """
    try:
        return Circuit.from_dict(json.loads(text))
    except (ValueError, KeyError, TypeError, RuntimeError) as error:
        raise SimulationError(
            f"The program is not a pytket circuit: {error}"
        ) from error


def simplify(circuit: Circuit) -> None:
    """Decompose the boxes of a circuit in place.

    :raises SimulationError: when the circuit has free symbols.
    """
    DecomposeBoxes().apply(circuit)
    if symbols := sorted(map(str, circuit.free_symbols())):
        raise SimulationError(
            f"The circuit has free symbols ({', '.join(symbols)}): substitute numbers "
            "before you submit it."
        )


def check_size(circuit: Circuit, device: Device) -> None:
    """Refuse a circuit with more qubits than the device has.

    :raises SimulationError: when it has; simulators without a limit have 0 nodes.
    """
    available = device["backend_info"]["device"]["n_nodes"]
    if available and circuit.n_qubits > available:
        raise SimulationError(
            f"The circuit has {circuit.n_qubits} qubits, and "
            f"{device['device_name'] or device['backend_name']} has {available}."
        )
