"""Circuits as they arrive: read, checked and without boxes."""

import json
import math
import re
from typing import Any

from pytket.circuit import Circuit, Op, OpType
from pytket.passes import DecomposeBoxes

from local_nexus.simulators.circuits.classical import inner
from local_nexus.simulators.circuits.conditions import unfold
from local_nexus.simulators.devices import Device
from local_nexus.simulators.errors import SimulationError

_LONG_NUMBER = re.compile(r"\d{41}")
_FUNCTION = re.compile(r"([A-Za-z_]\w*)\s*\(")
_FUNCTIONS = {
    "abs",
    "acos",
    "asin",
    "atan",
    "atan2",
    "cos",
    "cosh",
    "exp",
    "log",
    "sin",
    "sinh",
    "sqrt",
    "tan",
    "tanh",
}
_POWER = re.compile(r"\*\*|\^")
# A number of three digits at most, a fraction of such numbers, or a symbol.
_EXPONENT = re.compile(
    r"\s*(?:\(\s*-?\s*\d{1,3}\s*(?:/\s*\d{1,3}\s*)?\)|-?\d{1,3}(?:\.\d*)?"
    r"|[A-Za-z_]\w*)(?!\s*(?:\*\*|\^)|[\w.(])"
)
# The product of all exponents of an angle.
_MOST_EXPONENTS = 1000
# What a circuit has in its text if an angle of it may be refused.
_SUSPECT = re.compile(r"\d{41}|\*\*|\^|[A-Za-z_]\w*\s*\(")


def parse(text: str | bytes) -> Circuit:
    """Return the circuit of a JSON text.

    :raises SimulationError: When the text is not a circuit, or an angle cannot be
        computed.
    """
    try:
        data = json.loads(text)
        readable = text if isinstance(text, str) else text.decode()
        if _SUSPECT.search(readable):
            _check_angles(data)
        return Circuit.from_dict(data)
    except (ValueError, KeyError, TypeError, RuntimeError) as error:
        raise SimulationError(
            f"The program is not a pytket circuit: {error}"
        ) from error


def _check_angles(data: Any) -> None:
    """Refuse angles that would never end, or all memory, to compute."""
    if isinstance(data, list):
        for value in data:
            _check_angles(value)
    elif isinstance(data, dict):
        for name, value in data.items():
            if name == "params" and isinstance(value, list):
                for angle in value:
                    _check_angle(str(angle))
            elif name == "phase":
                _check_angle(str(value))
            else:
                _check_angles(value)


def _check_angle(angle: str) -> None:
    exponents = [
        _EXPONENT.match(angle, power.end()) for power in _POWER.finditer(angle)
    ]
    sizes = [
        max(map(int, re.findall(r"\d+", one.group())), default=1)
        for one in exponents
        if one is not None
    ]
    if (
        _LONG_NUMBER.search(angle)
        or None in exponents
        or math.prod(size or 1 for size in sizes) > _MOST_EXPONENTS
        or not _FUNCTIONS.issuperset(_FUNCTION.findall(angle))
    ):
        raise SimulationError(
            f"The angle {angle[:60]!r} may be too large to compute: write it as a "
            "number in half turns."
        )


def simplify(circuit: Circuit) -> Circuit:
    """Return a circuit without boxes and without nested conditions.

    :raises SimulationError: When the circuit has free symbols.
    """
    simple = unfold(circuit)
    DecomposeBoxes().apply(simple)
    simple = _with_barriers_of_qubits(simple)
    if symbols := sorted(map(str, simple.free_symbols())):
        raise SimulationError(
            f"The circuit has free symbols ({', '.join(symbols)}): substitute numbers "
            "before you submit it."
        )
    return simple


def _with_barriers_of_qubits(circuit: Circuit) -> Circuit:
    """Return a circuit whose barriers have neither bits nor conditions.

    Most simulators know no others, and nothing depends on them.
    """
    if not any(_is_barrier(command.op) and command.bits for command in circuit):
        return circuit
    stored = circuit.to_dict()
    kept = []
    for command, one in zip(circuit, stored["commands"], strict=True):
        if _is_barrier(command.op) and command.bits:
            args = [[qubit.reg_name, qubit.index] for qubit in command.qubits]
            if command.op.type == OpType.Conditional or not args:
                continue
            op = one["op"] | {"signature": ["Q"] * len(args)}
            kept.append(one | {"op": op, "args": args})
        else:
            kept.append(one)
    return Circuit.from_dict(stored | {"commands": kept})


def _is_barrier(op: Op) -> bool:
    return inner(op).type == OpType.Barrier


def check_size(circuit: Circuit, device: Device) -> None:
    """Refuse a circuit with more qubits than the device has.

    :raises SimulationError: When it has; simulators without a limit have 0 nodes.
    """
    available = device["backend_info"]["device"]["n_nodes"]
    if available and circuit.n_qubits > available:
        raise SimulationError(
            f"The circuit has {circuit.n_qubits} qubits, and "
            f"{device['device_name'] or device['backend_name']} has {available}."
        )
