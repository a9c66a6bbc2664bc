"""Circuits for Aer, with conditions on any bits and with classical operations.

pytket-qiskit translates neither classical operations nor conditions on some bits of a
register. Aer runs both: as expressions that are stored in bits. It computes no integers
here, so that arithmetic is refused.
"""

from collections.abc import Callable, Iterable, Sequence
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
    UnitID,
)
from pytket.extensions.qiskit.qiskit_convert import (
    append_tk_command_to_qiskit,
    supported_gate_rebase,
    tk_to_qiskit,
)
from qiskit import ClassicalRegister, QuantumCircuit, QuantumRegister
from qiskit.circuit.classical import expr

from local_nexus.simulators.circuits.classical import (
    classical_operations,
    inner,
    is_quantum,
)
from local_nexus.simulators.errors import SimulationError

type Bit = expr.Expr
"""A bit, or an expression of bits."""
type Word = list[Bit]
"""An unsigned integer, the lowest bit first."""

FALSE, TRUE = expr.lift(False), expr.lift(True)


def _word(number: int) -> Word:
    width = max(number.bit_length(), 1)
    return [TRUE if number >> place & 1 else FALSE for place in range(width)]


def _padded(word: Word, width: int) -> Word:
    return [*word, *[FALSE] * (width - len(word))]


def _pairs(a: Word, b: Word) -> list[tuple[Bit, Bit]]:
    width = max(len(a), len(b))
    return list(zip(_padded(a, width), _padded(b, width), strict=True))


def _not(value: Bit) -> Bit:
    return expr.bit_xor(value, TRUE)


def _either(condition: Bit, value: Bit, otherwise: Bit) -> Bit:
    return expr.bit_or(
        expr.bit_and(condition, value), expr.bit_and(_not(condition), otherwise)
    )


def _all(values: Iterable[Bit]) -> Bit:
    result: Bit | None = None
    for value in values:
        result = value if result is None else expr.bit_and(result, value)
    return TRUE if result is None else result


def _equal(a: Word, b: Word) -> Bit:
    return _all(_not(expr.bit_xor(*pair)) for pair in _pairs(a, b))


def _matches(word: Word, number: int) -> Bit:
    """Return whether an integer has a value that is known."""
    if number >> len(word):
        return FALSE
    return _all(
        bit if number >> place & 1 else _not(bit) for place, bit in enumerate(word)
    )


def _less(a: Word, b: Word) -> Bit:
    """Return whether one integer is less than another."""
    result: Bit = FALSE
    for one, other in _pairs(a, b):
        here = expr.bit_and(_not(one), other)
        same = _not(expr.bit_xor(one, other))
        result = expr.bit_or(here, expr.bit_and(same, result))
    return result


def _looked_up(word: Word, table: Sequence[int]) -> Bit:
    """Return the entry of a table at an integer."""
    result: Bit = FALSE
    for number, entry in enumerate(table):
        if entry:
            result = expr.bit_or(result, _matches(word, number))
    return result


COMPARISONS: dict[ClOp, Callable[[Word, Word], Bit]] = {
    ClOp.RegEq: _equal,
    ClOp.RegNeq: lambda a, b: _not(_equal(a, b)),
    ClOp.RegLt: _less,
    ClOp.RegGt: lambda a, b: _less(b, a),
    ClOp.RegLeq: lambda a, b: _not(_less(b, a)),
    ClOp.RegGeq: lambda a, b: _not(_less(a, b)),
    ClOp.BitEq: _equal,
    ClOp.BitNeq: lambda a, b: _not(_equal(a, b)),
}
BITWISE: dict[ClOp, Callable[[Bit, Bit], Bit]] = {
    ClOp.BitAnd: expr.bit_and,
    ClOp.BitOr: expr.bit_or,
    ClOp.BitXor: expr.bit_xor,
    ClOp.RegAnd: expr.bit_and,
    ClOp.RegOr: expr.bit_or,
    ClOp.RegXor: expr.bit_xor,
}
CONSTANTS = {
    ClOp.BitZero: FALSE,
    ClOp.BitOne: TRUE,
    ClOp.RegZero: FALSE,
}


def to_qiskit(flat: Circuit) -> QuantumCircuit:
    """Translate a circuit with the registers ``q`` and ``c``.

    :raises SimulationError: When it has an operation that Aer does not run.
    """
    conditional = OpType.Conditional in {command.op.type for command in flat}
    if not conditional and not classical_operations(flat):
        return tk_to_qiskit(flat, perm_warning=False)
    rebased = flat.copy()
    supported_gate_rebase.apply(rebased)
    return _Translation(rebased).circuit


class _Translation:
    """A circuit in the making."""

    def __init__(self, flat: Circuit) -> None:
        self._qubits = QuantumRegister(flat.n_qubits, "q")
        self._bits = ClassicalRegister(len(flat.bits), "c")
        self.circuit = QuantumCircuit(self._qubits, self._bits, name=flat.name)
        stored = flat.to_dict()["commands"]
        for command, kept in zip(flat, stored, strict=True):
            self._append(command.op, command.args, kept["op"])
        if not any(inner(command.op).type == OpType.Measure for command in flat):
            # Aer returns no bits of a circuit that measures nothing.
            extra = QuantumRegister(1), ClassicalRegister(1)
            for register in extra:
                self.circuit.add_register(register)
            self.circuit.measure(*extra)

    def _append(self, op: Op, units: list[UnitID], stored: Any) -> None:
        if op.type != OpType.Conditional:
            self._append_plain(op, units, stored)
            return
        op = cast("Conditional", op)
        bits = [self._bits[unit.index[0]] for unit in units[: op.width]]
        rest, kept = units[op.width :], stored["conditional"]["op"]
        condition = _matches([expr.lift(bit) for bit in bits], op.value)
        if not is_quantum(op.op):
            # Aer loses its way in a block without qubits.
            self._compute(op.op, rest, kept, condition)
        elif op.op.type != OpType.Phase:
            bit, value = bits[0], op.value
            if op.width > 1:
                # Aer does not always find the bits of an expression here.
                bit, value = self._new_bits(1)[0], 1
                self.circuit.store(bit, condition)
            with self.circuit.if_test((bit, value)):
                self._append_plain(op.op, rest, kept)

    def _append_plain(self, op: Op, units: list[UnitID], stored: Any) -> None:
        if is_quantum(op):
            registers = {"q": self._qubits}, {"c": self._bits}
            append_tk_command_to_qiskit(op, units, self.circuit, *registers, {}, {})
        else:
            self._compute(op, units, stored)

    def _compute(
        self, op: Op, units: list[UnitID], stored: Any, condition: Bit | None = None
    ) -> None:
        places = [unit.index[0] for unit in units]
        values = [expr.lift(self._bits[place]) for place in places]
        results = _results(op, stored, values)
        if condition is not None:
            results = {
                position: _either(condition, value, values[position])
                for position, value in results.items()
            }
        self._store(places, results)

    def _new_bits(self, count: int) -> ClassicalRegister:
        new = ClassicalRegister(count)
        self.circuit.add_register(new)
        return new

    def _store(self, places: Sequence[int], results: dict[int, Bit]) -> None:
        """Write bits, all of them after all have been read."""
        targets = {self._bits[places[position]] for position in results}
        temporary = len(results) > 1 and any(
            not targets.isdisjoint(_bits_of(value)) for value in results.values()
        )
        new = self._new_bits(len(results)) if temporary else None
        if new is not None:
            for bit, value in zip(new, results.values(), strict=True):
                self.circuit.store(bit, value)
        values = results.values() if new is None else map(expr.lift, new)
        for position, value in zip(results, values, strict=True):
            self.circuit.store(self._bits[places[position]], value)


def _bits_of(value: Bit) -> Iterable[Any]:
    return [variable.var for variable in expr.iter_vars(value)]


def _results(op: Op, stored: Any, values: Word) -> dict[int, Bit]:
    """Return what an operation writes, by the positions of its arguments.

    :raises SimulationError: When Aer does not run it.
    """
    facts = stored.get("classical", {})
    last = len(values) - 1
    match stored["type"]:
        case "ClExpr":
            return _expression(cast("ClExprOp", op), values)
        case "SetBits":
            return {n: expr.lift(bool(one)) for n, one in enumerate(facts["values"])}
        case "CopyBits":
            return {facts["n_i"] + n: values[n] for n in range(facts["n_i"])}
        case "MultiBit":
            width = len(values) // facts["n"]
            return {
                start + position: value
                for start in range(0, len(values), width)
                for position, value in _results(
                    op, facts["op"], values[start : start + width]
                ).items()
            }
        case "RangePredicate":
            number = values[:-1]
            low = _less(number, _word(facts["lower"]))
            high = _less(_word(facts["upper"]), number)
            if facts["lower"] == facts["upper"]:
                return {last: _matches(number, facts["lower"])}
            return {last: _not(expr.bit_or(low, high))}
        case "ExplicitPredicate":
            return {last: _looked_up(values[:-1], facts["values"])}
        case "ExplicitModifier":
            return {last: _looked_up(values, facts["values"])}
        case "ClassicalTransform":
            return {
                n: _looked_up(values, [row >> n & 1 for row in facts["values"]])
                for n in range(len(values))
            }
        case other:
            raise _refused(other)


def _refused(name: str) -> SimulationError:
    return SimulationError(
        f"Aer does not run the classical operation {name} of the circuit: use the "
        "state-vector simulator of a QuantinuumConfig, or a QulacsConfig."
    )


def _expression(op: ClExprOp, values: Word) -> dict[int, Bit]:
    wired = op.expr
    # All integers of an expression have as many bits as its widest register.
    width = max(map(len, [wired.output_posn, *wired.reg_posn.values()]))

    def word(part: object) -> Word:
        match part:
            case ClBitVar():
                return [values[wired.bit_posn[part.index]]]
            case ClRegVar():
                return [values[at] for at in wired.reg_posn[part.index]]
            case ClExpr():
                return computed(part.op, [word(one) for one in part.args])
            case _:
                return _word(cast("int", part))

    def computed(operation: ClOp, arguments: list[Word]) -> Word:
        if operation in COMPARISONS:
            return [COMPARISONS[operation](*arguments)]
        if operation in CONSTANTS:
            return [CONSTANTS[operation]]
        if operation in BITWISE:
            return [BITWISE[operation](*pair) for pair in _pairs(*arguments)]
        if operation == ClOp.BitNot:
            return [_not(arguments[0][0])]
        if operation == ClOp.RegNot:
            return [_not(bit) for bit in _padded(arguments[0], width)]
        if operation == ClOp.RegOne:
            return [TRUE] * width
        raise _refused(f"ClExpr with {operation.name}")

    results = _padded(word(wired.expr), len(wired.output_posn))
    return dict(zip(wired.output_posn, results, strict=False))
