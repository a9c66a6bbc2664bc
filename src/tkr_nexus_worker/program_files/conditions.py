"""Circuits with nested conditions, in a form that pytket and devices can run.

A condition on an operation is either one bit or one register, as devices want it. What
needs more, and what its own branch overwrites, is first written to a scratch bit.
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass

from pytket.circuit import (
    Bit,
    CircBox,
    Circuit,
    Command,
    Conditional,
    Op,
    OpType,
    StatePreparationBox,
)
from pytket.circuit.logic_exp import (
    BitAnd,
    BitLogicExp,
    BitNot,
    LogicExp,
)
from pytket.passes import DecomposeBoxes
from pytket.unit_id import UnitID

SCRATCH = "tk_SCRATCH_BIT"
"""The name by which pytket and Nexus know bits that are not results."""

_WIDEST_CONDITION = 32


@dataclass(frozen=True, eq=False)
class Condition:
    """A condition that all of some bits have given values.

    :param bits: The bits.
    :param values: The value of each.
    """

    bits: tuple[Bit, ...]
    values: tuple[bool, ...]

    @property
    def is_bit(self) -> bool:
        """Whether it is a condition on one bit."""
        return len(self.bits) == 1

    def negated(self) -> "Condition":
        """Return the opposite of a condition on one bit."""
        return Condition(self.bits, (not self.values[0],))

    def expression(self) -> Bit | BitLogicExp:
        """Return the condition as an expression of pytket."""
        literals: list[Bit | BitLogicExp] = [
            bit if value else BitNot(bit)
            for bit, value in zip(self.bits, self.values, strict=True)
        ]
        result = literals[0]
        for literal in literals[1:]:
            result = BitAnd(result, literal)
        return result


@dataclass(eq=False, slots=True)
class _Step:
    op: Op | OpType | LogicExp
    parameters: Sequence[float]
    units: Sequence[UnitID]
    writes: Sequence[Bit]
    condition: Condition | None = None
    # Writes scratch bits only, so it may run whether or not its branch does.
    free: bool = False


class ConditionalCircuit:
    """Operations in order, with branches.

    :param first_scratch: The index of the first scratch bit that is free.
    """

    def __init__(self, first_scratch: int = 0) -> None:
        self._steps: list[_Step] = []
        self._scratch: list[Bit] = []
        self._first_scratch = first_scratch

    def add(
        self,
        op: Op | OpType | LogicExp,
        units: Sequence[UnitID],
        parameters: Sequence[float] = (),
        *,
        writes: Sequence[Bit] = (),
        condition: Condition | None = None,
    ) -> None:
        """Add an operation.

        :param op: The operation; a logical expression is assigned to the units.
        :param units: What it acts on.
        :param parameters: Its parameters; angles are in half-turns.
        :param writes: The bits that it may change.
        :param condition: When it runs; always if None.
        """
        if condition is not None and len(condition.bits) > _WIDEST_CONDITION:
            condition = self.in_scratch(condition.expression())
        self._steps.append(_Step(op, parameters, units, writes, condition))

    def reserve_scratch(self, count: int) -> None:
        """Use none of the first scratch bits, which a program has of its own.

        :param count: How many it has.
        """
        self._first_scratch = max(self._first_scratch, count)

    def scratch_bit(self) -> Bit:
        """Return a new bit that is not part of results."""
        bit = Bit(SCRATCH, self._first_scratch + len(self._scratch))
        self._scratch.append(bit)
        return bit

    def branch(
        self,
        condition: Condition | BitLogicExp,
        then: Callable[[], None],
        otherwise: Callable[[], None] | None = None,
    ) -> None:
        """Add one of two sequences of operations, by a condition that is read once.

        :param condition: The condition.
        :param then: Adds the operations for the case that it holds.
        :param otherwise: Adds those for the other case.
        """
        steps = self._record(then)
        others = self._record(otherwise) if otherwise is not None else []
        written = {bit for step in (*steps, *others) for bit in step.writes}
        chosen = condition if isinstance(condition, Condition) else None
        if (
            chosen is None
            or not written.isdisjoint(chosen.bits)
            or len(chosen.bits) > _WIDEST_CONDITION
            or (others and not chosen.is_bit)
        ):
            chosen = self.in_scratch(
                condition.expression()
                if isinstance(condition, Condition)
                else condition
            )
        self._put(steps, chosen)
        if others:
            self._put(others, chosen.negated())

    def _record(self, add: Callable[[], None]) -> list[_Step]:
        outer, self._steps = self._steps, []
        try:
            add()
            return self._steps
        finally:
            self._steps = outer

    def _put(self, steps: Iterable[_Step], condition: Condition) -> None:
        joined: dict[Condition, Condition] = {}
        for step in steps:
            if step.free or _type(step.op) == OpType.Barrier:
                pass
            elif step.condition is None:
                step.condition = condition
            else:
                inner = step.condition
                if inner not in joined:
                    both = BitAnd(condition.expression(), inner.expression())
                    joined[inner] = self.in_scratch(both)
                step.condition = joined[inner]
            self._steps.append(step)

    def in_scratch(self, value: Bit | LogicExp) -> Condition:
        """Write a value to a scratch bit, and return the condition on that.

        :param value: The value, computed whether or not the branch is taken.
        """
        bit = self.scratch_bit()
        if isinstance(value, Bit):
            step = _Step(OpType.CopyBits, (), (value, bit), (bit,), free=True)
        else:
            step = _Step(value, (), (bit,), (bit,), free=True)
        self._steps.append(step)
        return Condition((bit,), (True,))

    def append_to(self, circuit: Circuit) -> None:
        """Append the operations to a circuit that has the qubits and bits of them.

        :param circuit: The circuit; it gets the scratch bits.
        """
        for bit in self._scratch:
            circuit.add_bit(bit)
        for step in self._steps:
            _append(circuit, step)


def _append(circuit: Circuit, step: _Step) -> None:
    options = {}
    if step.condition is not None:
        values = enumerate(step.condition.values)
        options = {
            "condition_bits": list(step.condition.bits),
            "condition_value": sum(value << index for index, value in values),
        }
    units = list(step.units)
    bits = [unit for unit in units if isinstance(unit, Bit)]
    if isinstance(step.op, LogicExp):
        circuit.add_clexpr_from_logicexp(step.op, bits, **options)
    elif _type(step.op) == OpType.Barrier:
        circuit.add_barrier(units)
    elif step.op == OpType.SetBits:
        circuit.add_c_setbits([bool(it) for it in step.parameters], bits, **options)
    elif _type(step.op) == OpType.CopyBits:
        half = len(bits) // 2
        circuit.add_c_copybits(bits[:half], bits[half:], **options)
    elif isinstance(step.op, OpType):
        circuit.add_gate(step.op, list(step.parameters), units, **options)
    else:
        circuit.add_gate(step.op, units, **options)


def _type(op: Op | OpType | LogicExp) -> OpType | None:
    if isinstance(op, LogicExp):
        return None
    return op if isinstance(op, OpType) else op.type


def simplify_conditions(circuit: Circuit) -> Circuit:
    """Return a circuit whose conditions are on one bit or one register each.

    No box has a condition, and no condition has another. pytket ends the process when
    it takes apart a box that writes a bit of its own condition, and cannot write other
    conditions as OpenQASM.

    :param circuit: The circuit; it is returned as it is if it is so already.
    """
    registers = {tuple(register.to_list()) for register in circuit.c_registers}
    if all(_is_simple(command, registers) for command in circuit):
        return circuit
    used = [bit.index[0] for bit in circuit.bits if bit.reg_name == SCRATCH]
    found = ConditionalCircuit(max(used, default=-1) + 1)
    source = circuit.copy()
    source.replace_implicit_wire_swaps()
    for command in source:
        _take_apart(found, command.op, command.args, registers)
    result = Circuit()
    if circuit.name:
        result.name = circuit.name
    for qubit in circuit.qubits:
        result.add_qubit(qubit)
    for bit in circuit.bits:
        result.add_bit(bit)
    result.add_phase(circuit.phase)
    found.append_to(result)
    return result


def decompose_boxes(circuit: Circuit) -> Circuit:
    """Return a circuit without boxes, whose conditions are read when they were.

    :param circuit: The circuit, which stays as it is.
    """
    boxes = circuit.ops_of_type(OpType.CircBox)
    conditional = circuit.ops_of_type(OpType.Conditional)
    # To list the commands of a large circuit takes long.
    if any(map(_has_bits, boxes)) or any(map(_is_conditional_box, conditional)):
        plain = simplify_conditions(circuit)
        plain = plain.copy() if plain is circuit else plain
    else:
        plain = circuit.copy()
    DecomposeBoxes().apply(plain)
    return plain


def _has_bits(op: Op) -> bool:
    """Return whether an operation is a box in which bits are read or written."""
    return isinstance(op, CircBox) and op.get_circuit().n_bits > 0


def _is_conditional_box(op: Op) -> bool:
    while isinstance(op, Conditional):
        op = op.op
    return _is_divided(op)


def _is_divided(op: Op) -> bool:
    """Return whether an operation must not have a condition as a whole."""
    if isinstance(op, StatePreparationBox):
        # pytket forgets the reset if it takes such a box apart under a condition.
        return op.with_initial_reset()
    return op.type == OpType.CircBox


_Registers = Collection[tuple[Bit, ...]]


def _is_simple(command: Command, registers: _Registers) -> bool:
    op = command.op
    if isinstance(op, Conditional):
        bits = tuple(command.args[: op.width])
        return (
            not isinstance(op.op, Conditional)
            and not _is_divided(op.op)
            and (op.width == 1 or bits in registers)
        )
    # What acts on bits in a box is seen only when it is taken apart.
    return not _has_bits(op)


def _take_apart(
    found: ConditionalCircuit, op: Op, units: Sequence[UnitID], registers: _Registers
) -> None:
    if isinstance(op, Conditional):
        bits = tuple(unit for unit in units[: op.width] if isinstance(unit, Bit))
        values = tuple(bool(op.value >> index & 1) for index in range(op.width))
        condition = Condition(bits, values)
        if not condition.is_bit and bits not in registers:
            condition = found.in_scratch(condition.expression())
        inner, rest = op.op, units[op.width :]
        if isinstance(inner, Conditional) or _is_divided(inner):
            found.branch(condition, lambda: _take_apart(found, inner, rest, registers))
        else:
            found.add(inner, rest, writes=_written(inner, rest), condition=condition)
    elif isinstance(op, CircBox):
        content = op.get_circuit()
        content.replace_implicit_wire_swaps()
        names: dict[UnitID, UnitID] = dict(
            zip((*content.qubits, *content.bits), units, strict=True)
        )
        for command in content:
            args = [names[unit] for unit in command.args]
            _take_apart(found, command.op, args, registers)
    elif isinstance(op, StatePreparationBox) and _is_divided(op):
        for unit in units:
            found.add(OpType.Reset, [unit])
        found.add(StatePreparationBox(op.get_statevector(), op.is_inverse()), units)
    else:
        found.add(op, units, writes=_written(op, units))


def _written(op: Op, units: Sequence[UnitID]) -> list[Bit]:
    """Return the bits that an operation may write."""
    bits = [unit for unit in units if isinstance(unit, Bit)]
    if op.type == OpType.CopyBits:
        return bits[len(bits) // 2 :]
    return bits
