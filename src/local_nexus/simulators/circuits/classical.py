"""The classical operations of a circuit, evaluated on the bits of one shot."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

from pytket.circuit import (
    Circuit,
    ClBitVar,
    ClExpr,
    ClExprOp,
    ClOp,
    ClRegVar,
    Conditional,
    Op,
    OpType,
)

from local_nexus.simulators.errors import SimulationError

Bits = list[int]
Values = Sequence[int]
Stored = Mapping[str, Any]

WIDEST = 4096
LARGEST = 2**WIDEST
"""Beyond this, numbers that no register of a circuit holds would fill the memory."""

OPERATIONS: dict[ClOp, Callable[..., int]] = {
    ClOp.BitAnd: lambda a, b: a & b,
    ClOp.BitOr: lambda a, b: a | b,
    ClOp.BitXor: lambda a, b: a ^ b,
    ClOp.BitEq: lambda a, b: int(a == b),
    ClOp.BitNeq: lambda a, b: int(a != b),
    ClOp.BitNot: lambda a: 1 - a,
    ClOp.BitZero: lambda: 0,
    ClOp.BitOne: lambda: 1,
    ClOp.RegAnd: lambda a, b: a & b,
    ClOp.RegOr: lambda a, b: a | b,
    ClOp.RegXor: lambda a, b: a ^ b,
    ClOp.RegEq: lambda a, b: int(a == b),
    ClOp.RegNeq: lambda a, b: int(a != b),
    ClOp.RegZero: lambda: 0,
    ClOp.RegLt: lambda a, b: int(a < b),
    ClOp.RegGt: lambda a, b: int(a > b),
    ClOp.RegLeq: lambda a, b: int(a <= b),
    ClOp.RegGeq: lambda a, b: int(a >= b),
    ClOp.RegAdd: lambda a, b: a + b,
    # pytket writes its RegNeg, the negative of one register, as a difference, too.
    ClOp.RegSub: lambda a, b=None: -a if b is None else a - b,
    ClOp.RegMul: lambda a, b: a * b,
    ClOp.RegDiv: lambda a, b: a // b if b else 0,
    ClOp.RegPow: lambda a, b: pow(a, b, LARGEST) if b >= 0 else 0,
    ClOp.RegLsh: lambda a, b: a << b if 0 <= b < WIDEST else 0,
    ClOp.RegRsh: lambda a, b: a >> b if b >= 0 else 0,
    ClOp.RegNeg: lambda a: -a,
}
"""On unsigned integers; the register that takes the result cuts it to its width."""


def classical_operations(circuit: Circuit) -> list[str]:
    """Return the names of the operations of a circuit that compute with bits."""
    ops = [inner(command.op) for command in circuit]
    return sorted({op.type.name for op in ops if not is_quantum(op)})


def inner(op: Op) -> Op:
    """Return what an operation does if its conditions hold."""
    return inner(cast("Conditional", op).op) if op.type == OpType.Conditional else op


def is_quantum(op: Op) -> bool:
    """Return whether an operation is one of qubits, measurements included."""
    of_qubits = (OpType.Barrier, OpType.CustomGate, OpType.Phase)
    return op.is_gate() or op.type in of_qubits or op.type.name.endswith("Box")


def number(bits: Values) -> int:
    """Return the integer of some bits, the first of which is the lowest."""
    return sum(bit << position for position, bit in enumerate(bits))


def digits(value: int, width: int) -> list[int]:
    """Return the lowest ``width`` bits of an integer, the lowest first."""
    return [value >> position & 1 for position in range(width)]


def evaluator(op: object, stored: Stored) -> Callable[[list[int]], list[int]]:
    """Return what a classical operation does to the bits that it is given.

    :param op: The operation.
    :param stored: The operation as pytket stores it in JSON.
    :returns: A function from the values of the operation's arguments before it to
        their values after it.
    :raises SimulationError: When the operation is none that can be evaluated.
    """
    if isinstance(op, ClExprOp):
        return _expression(op)
    kind, facts = stored["type"], stored.get("classical", {})
    if kind == "MultiBit":
        return _each(evaluator(None, facts["op"]), facts["n"])
    simple = _SIMPLE.get(kind)
    if simple is None:
        raise SimulationError(
            f"The operation {kind} of the circuit cannot be simulated here."
        )
    return lambda values: simple(facts, values)


def _each(
    basic: Callable[[list[int]], list[int]], n: int
) -> Callable[[list[int]], list[int]]:
    """Return an operation that is applied to n groups of its arguments."""

    def apply(values: list[int]) -> list[int]:
        width = len(values) // n
        groups = [values[start : start + width] for start in range(0, n * width, width)]
        return [value for group in groups for value in basic(group)]

    return apply


def _copy_bits(facts: Stored, values: list[int]) -> list[int]:
    return values[: facts["n_i"]] * 2


def _range_predicate(facts: Stored, values: list[int]) -> list[int]:
    inside = facts["lower"] <= number(values[:-1]) <= facts["upper"]
    return [*values[:-1], int(inside)]


def _predicate(facts: Stored, values: list[int]) -> list[int]:
    return [*values[:-1], int(facts["values"][number(values[:-1])])]


def _modifier(facts: Stored, values: list[int]) -> list[int]:
    return [*values[:-1], int(facts["values"][number(values)])]


_SIMPLE: dict[str, Callable[[Stored, list[int]], list[int]]] = {
    "SetBits": lambda facts, _values: [int(value) for value in facts["values"]],
    "CopyBits": _copy_bits,
    "RangePredicate": _range_predicate,
    "ExplicitPredicate": _predicate,
    "ExplicitModifier": _modifier,
    "ClassicalTransform": lambda facts, values: digits(
        facts["values"][number(values)], len(values)
    ),
}


def _expression(op: ClExprOp) -> Callable[[list[int]], list[int]]:
    wired = op.expr
    bits, registers, output = wired.bit_posn, wired.reg_posn, wired.output_posn
    # All integers of an expression have as many bits as its widest register.
    all_ones = (1 << max(map(len, [output, *registers.values()]))) - 1

    def apply(values: list[int]) -> list[int]:
        def term(part: object) -> int:
            match part:
                case ClBitVar():
                    return values[bits[part.index]]
                case ClRegVar():
                    return number([values[at] for at in registers[part.index]])
                case ClExpr(op=ClOp.RegNot):
                    return ~term(part.args[0]) & all_ones
                case ClExpr(op=ClOp.RegOne):
                    return all_ones
                case ClExpr():
                    return OPERATIONS[part.op](*map(term, part.args))
                case _:
                    return int(cast("int", part))

        after = list(values)
        result = digits(term(wired.expr), len(output))
        for position, value in zip(output, result, strict=True):
            after[position] = value
        return after

    return apply
