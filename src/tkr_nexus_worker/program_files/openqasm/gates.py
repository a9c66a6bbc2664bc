"""The gates of the standard libraries of OpenQASM, as gates of pytket."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import pi
from typing import Any

import numpy as np
from pytket.circuit import (
    CircBox,
    Circuit,
    OpType,
    QControlBox,
    Unitary1qBox,
    Unitary2qBox,
    Unitary3qBox,
)
from pytket.passes import DecomposeBoxes

Piece = tuple[OpType, Sequence[float], Sequence[int]]
"""A gate of pytket, its parameters in half-turns, and the positions of its qubits."""


@dataclass(frozen=True)
class StandardGate:
    """A gate of a standard library.

    :param n_parameters: How many parameters it takes.
    :param n_qubits: How many qubits it acts on.
    :param pieces: Returns the gates of pytket that do the same, for parameters in
        radians.
    :param phase: Returns the global phase, in half-turns, that OpenQASM 3 gives the
        gate beyond that of pytket's. It matters only in a controlled gate.
    """

    n_parameters: int
    n_qubits: int
    pieces: Callable[[Sequence[float]], Sequence[Piece]]
    phase: Callable[[Sequence[float]], float] = lambda _: 0.0


def _gate(
    kind: OpType,
    n_qubits: int = 1,
    n_parameters: int = 0,
    phase: Callable[[Sequence[float]], float] = lambda _: 0.0,
) -> StandardGate:
    def pieces(angles: Sequence[float]) -> Sequence[Piece]:
        return [(kind, [angle / pi for angle in angles], range(n_qubits))]

    return StandardGate(n_parameters, n_qubits, pieces, phase)


def _sequence(n_qubits: int, *pieces: Piece) -> StandardGate:
    return StandardGate(0, n_qubits, lambda _: pieces)


def _cu(angles: Sequence[float]) -> Sequence[Piece]:
    *euler, phase = (angle / pi for angle in angles)
    return [(OpType.U1, [phase], [0]), (OpType.CU3, euler, [0, 1])]


def _h(qubit: int) -> Piece:
    return OpType.H, [], [qubit]


def _t(qubit: int) -> Piece:
    return OpType.T, [], [qubit]


def _tdg(qubit: int) -> Piece:
    return OpType.Tdg, [], [qubit]


def _cx(control: int, target: int) -> Piece:
    return OpType.CX, [], [control, target]


def _cp(angle: float, control: int, target: int) -> Piece:
    return OpType.CU1, [angle], [control, target]


# The Toffoli gates of which some columns have another phase.
_RCCX = _sequence(
    3, _h(2), _t(2), _cx(1, 2), _tdg(2), _cx(0, 2), _t(2), _cx(1, 2), _tdg(2), _h(2)
)
_RC3X = _sequence(
    4,
    *(_h(3), _t(3), _cx(2, 3), _tdg(3), _h(3)),
    *(_cx(0, 3), _t(3), _cx(1, 3), _tdg(3)),
    *(_cx(0, 3), _t(3), _cx(1, 3), _tdg(3)),
    *(_h(3), _t(3), _cx(2, 3), _tdg(3), _h(3)),
)
# Each parity of the controls turns the target by an eighth of what all do together.
_C3SX = _sequence(
    4,
    *(_h(3), _cp(1 / 8, 0, 3), _cx(0, 1), _cp(-1 / 8, 1, 3), _cx(0, 1)),
    *(_cp(1 / 8, 1, 3), _cx(1, 2), _cp(-1 / 8, 2, 3), _cx(0, 2), _cp(1 / 8, 2, 3)),
    *(_cx(1, 2), _cp(-1 / 8, 2, 3), _cx(0, 2), _cp(1 / 8, 2, 3), _h(3)),
)

_ONE_QUBIT = {
    "id": _gate(OpType.noop),
    "x": _gate(OpType.X),
    "y": _gate(OpType.Y),
    "z": _gate(OpType.Z),
    "h": _gate(OpType.H),
    "s": _gate(OpType.S),
    "sdg": _gate(OpType.Sdg),
    "t": _gate(OpType.T),
    "tdg": _gate(OpType.Tdg),
    "sx": _gate(OpType.SX),
    "rx": _gate(OpType.Rx, 1, 1),
    "ry": _gate(OpType.Ry, 1, 1),
    "rz": _gate(OpType.Rz, 1, 1),
    "p": _gate(OpType.U1, 1, 1),
    "u1": _gate(OpType.U1, 1, 1),
    "u2": _gate(OpType.U2, 1, 2, lambda it: -sum(it) / (2 * pi)),
    "u3": _gate(OpType.U3, 1, 3, lambda it: -(it[1] + it[2]) / (2 * pi)),
}
_CONTROLLED = {
    "cx": _gate(OpType.CX, 2),
    "cy": _gate(OpType.CY, 2),
    "cz": _gate(OpType.CZ, 2),
    "ch": _gate(OpType.CH, 2),
    "ccx": _gate(OpType.CCX, 3),
    "cswap": _gate(OpType.CSWAP, 3),
    "crx": _gate(OpType.CRx, 2, 1),
    "cry": _gate(OpType.CRy, 2, 1),
    "crz": _gate(OpType.CRz, 2, 1),
    "cp": _gate(OpType.CU1, 2, 1),
    "cu": StandardGate(4, 2, _cu),
    "swap": _gate(OpType.SWAP, 2),
}
BUILT_IN: Mapping[str, StandardGate] = {
    "U": _gate(OpType.U3, 1, 3, lambda it: it[0] / (2 * pi)),
    "CX": _gate(OpType.CX, 2),
}
"""The gates of the language itself; in OpenQASM 3 ``CX`` is of the library."""

_QELIB1 = (
    _ONE_QUBIT
    | _CONTROLLED
    | {
        "u0": StandardGate(1, 1, lambda _: [(OpType.noop, [], [0])]),
        "u": _gate(OpType.U3, 1, 3),
        "sxdg": _gate(OpType.SXdg),
        "cu1": _gate(OpType.CU1, 2, 1),
        "cu3": _gate(OpType.CU3, 2, 3),
        "csx": _gate(OpType.CSX, 2),
        "cs": _gate(OpType.CS, 2),
        "csdg": _gate(OpType.CSdg, 2),
        "rxx": _gate(OpType.XXPhase, 2, 1),
        "rzz": _gate(OpType.ZZPhase, 2, 1),
        "rccx": _RCCX,
        "rc3x": _RC3X,
        "rcccx": _RC3X,
        "c3x": _gate(OpType.CnX, 4),
        "c3sx": _C3SX,
        "c3sqrtx": _C3SX,
        "c4x": _gate(OpType.CnX, 5),
    }
)
LIBRARIES: Mapping[str, Mapping[str, StandardGate]] = {
    "qelib1.inc": _QELIB1,
    "hqslib1.inc": _QELIB1
    | {
        "Rz": _gate(OpType.Rz, 1, 1),
        "U1q": _gate(OpType.PhasedX, 1, 2),
        "ZZ": _gate(OpType.ZZMax, 2),
        "RZZ": _gate(OpType.ZZPhase, 2, 1),
        "Rxxyyzz": _gate(OpType.TK2, 2, 3),
    },
    "stdgates.inc": _ONE_QUBIT
    | _CONTROLLED
    | {
        "CX": _gate(OpType.CX, 2),
        "phase": _gate(OpType.U1, 1, 1),
        "cphase": _gate(OpType.CU1, 2, 1),
    },
}
"""The gates of each library that can be included without its file."""

Modifier = tuple[str, float]
"""``inv``, ``pow``, ``ctrl`` or ``negctrl``, and its number."""


class ModifierError(Exception):
    """A modifier of a gate that pytket cannot express."""


_LEAST_ANGLE = 1e-9 - pi

_UNITARY_BOXES: Mapping[int, Any] = {1: Unitary1qBox, 2: Unitary2qBox, 3: Unitary3qBox}


def modified(circuit: Circuit, modifiers: Sequence[Modifier]) -> Circuit:
    """Return a circuit changed by the modifiers of OpenQASM 3.

    :param circuit: What a gate does to its qubits.
    :param modifiers: The modifiers as they are written; the last acts first.
    :returns: A circuit without boxes; its first qubits are the controls.
    :raises ModifierError: If a power is not whole, and the gate has many qubits.
    """
    for kind, number in reversed(modifiers):
        match kind:
            case "inv":
                circuit = circuit.dagger()
            case "pow":
                circuit = _power(circuit, number)
            case _:
                circuit = _controlled(circuit, int(number), on_zero=kind == "negctrl")
    result = circuit.copy()
    DecomposeBoxes().apply(result)
    result.replace_implicit_wire_swaps()
    return result


def controlled_phase(
    angle: float, modifiers: Sequence[Modifier]
) -> tuple[Circuit, Sequence[Modifier]]:
    """Return the circuit of a global phase whose innermost control is a qubit.

    :param angle: The phase, in half-turns.
    :param modifiers: The modifiers of the phase.
    :returns: The circuit, and the modifiers that are left.
    """
    left = list(modifiers)
    while left:
        kind, number = left.pop()
        match kind:
            case "inv":
                angle = -angle
            case "pow":
                angle *= number
            case _:
                circuit = Circuit(1)
                flips = kind == "negctrl"
                if flips:
                    circuit.X(0)
                circuit.add_gate(OpType.U1, [angle], [0])
                if flips:
                    circuit.X(0)
                if number > 1:
                    left.append((kind, number - 1))
                return circuit, left
    circuit = Circuit(0)
    circuit.add_phase(angle)
    return circuit, []


def _power(circuit: Circuit, exponent: float) -> Circuit:
    if exponent == int(exponent):
        once = circuit if exponent >= 0 else circuit.dagger()
        result = Circuit(circuit.n_qubits)
        for _ in range(abs(int(exponent))):
            result.append(once)
        return result
    if circuit.n_qubits not in _UNITARY_BOXES:
        raise ModifierError(
            f"pow({exponent:g}) of a gate of {circuit.n_qubits} qubits cannot be "
            "expressed; give a whole number"
        )
    from scipy.linalg import schur  # slow to import, and rarely needed

    triangle, basis = schur(circuit.get_unitary(), output="complex")
    angles = np.angle(np.diag(triangle))
    # Rounding must not take one of several equal eigenvalues -1 for another.
    angles[angles < _LEAST_ANGLE] = pi
    powers = np.exp(1j * exponent * angles)
    box = _UNITARY_BOXES[circuit.n_qubits](basis @ np.diag(powers) @ basis.conj().T)
    return Circuit(circuit.n_qubits).add_gate(box, range(circuit.n_qubits))


def _controlled(circuit: Circuit, n_controls: int, *, on_zero: bool) -> Circuit:
    result = Circuit(n_controls + circuit.n_qubits)
    controls = range(n_controls if on_zero else 0)
    for control in controls:
        result.X(control)
    box = QControlBox(CircBox(circuit), n_controls)
    result.add_gate(box, result.qubits)
    for control in controls:
        result.X(control)
    return result
