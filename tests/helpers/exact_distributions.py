"""What a circuit with measurements and conditions gives, computed branch by branch."""

from collections import defaultdict

import numpy as np
from pytket.circuit import (
    Bit,
    Circuit,
    ClBitVar,
    ClExpr,
    ClExprOp,
    ClOp,
    Conditional,
    OpType,
)

_BIT_OPERATIONS = {
    ClOp.BitAnd: lambda a, b: a & b,
    ClOp.BitOr: lambda a, b: a | b,
    ClOp.BitXor: lambda a, b: a ^ b,
    ClOp.BitNot: lambda a: 1 - a,
}
_SMALLEST = 1e-12


def distribution(circuit, *registers):
    """Return the probability of each outcome of a circuit of few qubits.

    :param registers: The names of the registers that outcomes show, the first one
        leftmost; the highest bit of each is leftmost. By default all but scratch bits.
    """
    if not registers:
        registers = sorted(
            {bit.reg_name for bit in circuit.bits if "SCRATCH" not in bit.reg_name}
        )
    n_qubits = circuit.n_qubits
    start = np.zeros(2**n_qubits, complex)
    start[0] = 1
    branches = {(0,) * circuit.n_bits: [start]}
    places = {unit: at for at, unit in enumerate([*circuit.qubits])}
    slots = {bit: at for at, bit in enumerate(circuit.bits)}
    for command in circuit:
        after = defaultdict(list)
        for bits, states in branches.items():
            for state in states:
                for new, result in _step(command, list(bits), state, places, slots):
                    after[tuple(new)].append(result)
        branches = after
    found = defaultdict(float)
    for bits, states in branches.items():
        shown = " ".join(_shown(name, bits, slots) for name in registers)
        found[shown] += sum(float(np.vdot(it, it).real) for it in states)
    return {key: value for key, value in found.items() if value > _SMALLEST}


def _shown(name, bits, slots):
    own = [
        (bit.index[0], bits[at]) for bit, at in slots.items() if bit.reg_name == name
    ]
    return "".join(str(value) for _, value in sorted(own, reverse=True))


def _step(command, bits, state, places, slots):
    op, units = command.op, list(command.args)
    while isinstance(op, Conditional):
        read = [bits[slots[bit]] for bit in units[: op.width]]
        if sum(value << at for at, value in enumerate(read)) != op.value:
            return [(bits, state)]
        op, units = op.op, units[op.width :]
    qubits = [places[unit] for unit in units if unit in places]
    own = [slots[unit] for unit in units if isinstance(unit, Bit)]
    match op.type:
        case OpType.Barrier:
            return [(bits, state)]
        case OpType.SetBits:
            for slot, value in zip(own, op.values, strict=True):
                bits[slot] = int(value)
            return [(bits, state)]
        case OpType.CopyBits:
            half = len(own) // 2
            for source, target in zip(own[:half], own[half:], strict=True):
                bits[target] = bits[source]
            return [(bits, state)]
        case OpType.ClExpr:
            return [(_expression(op, bits, own), state)]
        case OpType.Measure | OpType.Reset:
            results = []
            for value in (0, 1):
                projected = _projected(state, qubits[0], value)
                if np.vdot(projected, projected).real < _SMALLEST:
                    continue
                new = list(bits)
                if op.type == OpType.Measure:
                    new[own[0]] = value
                elif value:
                    projected = _applied(projected, np.array([[0, 1], [1, 0]]), qubits)
                results.append((new, projected))
            return results
    small = Circuit(len(qubits))
    small.add_gate(op, range(len(qubits)))
    return [(bits, _applied(state, small.get_unitary(), qubits))]


def _expression(op, bits, own):
    assert isinstance(op, ClExprOp)
    wired = op.expr
    places = wired.bit_posn
    assert not wired.reg_posn

    def value(term):
        match term:
            case int():
                return term
            case ClBitVar():
                return bits[own[places[term.index]]]
            case ClExpr():
                return _BIT_OPERATIONS[term.op](*map(value, term.args))
        raise AssertionError(term)

    [output] = wired.output_posn
    result = value(wired.expr)
    bits[own[output]] = result
    return bits


def _projected(state, qubit, value):
    tensor = state.reshape([2] * (len(state).bit_length() - 1)).copy()
    index = [slice(None)] * tensor.ndim
    index[qubit] = 1 - value
    tensor[tuple(index)] = 0
    return tensor.reshape(-1)


def _applied(state, unitary, qubits):
    n_qubits = len(state).bit_length() - 1
    tensor = state.reshape([2] * n_qubits)
    gate = unitary.reshape([2] * (2 * len(qubits)))
    axes = range(len(qubits), 2 * len(qubits))
    moved = np.tensordot(gate, tensor, (list(axes), qubits))
    return np.moveaxis(moved, range(len(qubits)), qubits).reshape(-1)
