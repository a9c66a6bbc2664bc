"""The formula for the cost of circuits on Quantinuum systems.

HQC = 5 + n_shots * (N_1q + 10 N_2q + 5 N_m) / 5000, which Quantinuum publishes for its
H-Series. N_1q counts gates on one qubit (``PhasedX``; ``Rz`` is done by software and
free), N_2q those on two, N_m preparations, resets and measurements.
"""

from collections import Counter
from typing import cast

from pytket.circuit import Circuit, Conditional, Op, OpType
from pytket.passes import AutoRebase

from tkr_nexus_worker.program_files.conditions import decompose_boxes

NO_GATES = {OpType.Barrier, OpType.Measure, OpType.Phase, OpType.Reset}
"""What a circuit may contain beside the gates of a device."""

LEAST_HQC = 5.0
"""What a program costs at least on a system that charges, however little it does."""

_NATIVE_TWO_QUBIT = {OpType.ZZPhase, OpType.ZZMax, OpType.TK2}
_NATIVE = {OpType.PhasedX, OpType.Rz, *_NATIVE_TWO_QUBIT}
_BOUNDARIES = {
    *(OpType.Input, OpType.Output, OpType.ClInput, OpType.ClOutput),
    *(OpType.RNGInput, OpType.RNGOutput, OpType.WASMInput, OpType.WASMOutput),
}


def hqc(circuit: Circuit, shots: int) -> float:
    """Return the cost of a circuit in the gates of the device, without optimisation.

    :param circuit: The circuit, without free symbols. Operations under a condition
        count as done.
    :param shots: The number of shots.
    :returns: The cost in HQC.
    """
    plain = decompose_boxes(circuit)
    one_qubit = two_qubit = 0
    spam = plain.n_qubits
    for op, count in distinct_ops(plain):
        if op.type in (OpType.Measure, OpType.Reset):
            spam += count
        elif op.is_gate() and op.type not in NO_GATES:
            one, two = _native_gates(op)
            one_qubit += one * count
            two_qubit += two * count
    return LEAST_HQC + shots * (one_qubit + 10 * two_qubit + 5 * spam) / 5000


def distinct_ops(circuit: Circuit) -> list[tuple[Op, int]]:
    """Count the operations of a circuit, those under a condition as if there were none.

    The commands of a large circuit take minutes to list; its operations by type take
    a second.

    :param circuit: The circuit.
    :returns: Each different operation, with how often it occurs.
    """
    counts: Counter[str] = Counter()
    examples: dict[str, Op] = {}
    for kind in OpType.__members__.values():
        if kind in _BOUNDARIES or not circuit.n_gates_of_type(kind):
            continue
        for op in map(inner_op, circuit.ops_of_type(kind)):
            # Operations on bits have neither a number of qubits nor parameters.
            rest = f" {op.n_qubits} {op.params}" if op.is_gate() else ""
            key = op.type.name + rest
            counts[key] += 1
            examples[key] = op
    return [(examples[key], count) for key, count in counts.items()]


def inner_op(op: Op) -> Op:
    """Return what an operation does if its conditions hold.

    :param op: The operation.
    """
    if op.type == OpType.Conditional:
        return inner_op(cast("Conditional", op).op)
    return op


def _native_gates(op: Op) -> tuple[int, int]:
    """Return the numbers of native gates on one and two qubits for an operation."""
    native = Circuit(op.n_qubits)
    native.add_gate(op, list(range(op.n_qubits)))
    if op.type not in _NATIVE:
        AutoRebase(_NATIVE).apply(native)
    two_qubit = sum(native.n_gates_of_type(gate) for gate in _NATIVE_TWO_QUBIT)
    return native.n_gates_of_type(OpType.PhasedX), two_qubit
