"""Declarations, measurements and computations with bits."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from openqasm3 import ast
from pytket.circuit import Bit, OpType, Qubit
from pytket.circuit.logic_exp import LogicExp
from pytket.unit_id import BitRegister

from tkr_nexus_worker.program_files.conditions import SCRATCH
from tkr_nexus_worker.program_files.openqasm.expressions import (
    Bits,
    Item,
    Number,
    Value,
    narrowed,
)
from tkr_nexus_worker.program_files.openqasm.gate_calls import EXTENDED_2, GateCalls
from tkr_nexus_worker.program_files.openqasm.names import (
    NOT_EXPRESSED,
    Qubits,
    Variable,
    at_place,
    base_name,
    bits_read,
    counted,
    shown,
)


class BitStatements(GateCalls):
    """A program that can declare registers and numbers, and write bits."""

    def _declare_qubits(self, node: ast.QubitDeclaration) -> None:
        name = node.qubit.name
        if self._is_2 and node.size is None:
            self._fail(node, f"register {name!r} has no size; write qreg {name}[1];")
        if self._scope.outer is not None:
            self._fail(node, f"qubits {name!r} are declared inside a block")
        if self._physical:
            self._fail(node, "a program has either declared or physical qubits ($0)")
        size = self._size(node.size)
        qubits = tuple(Qubit(name, index) for index in range(size))
        self._name(node.qubit, Qubits(qubits, node.size is None))
        self._check_free(node, name)
        self._qubits[name] = size

    def _declare(self, node: ast.ClassicalDeclaration) -> None:
        if not isinstance(node.type, ast.BitType):
            self._declare_number(node, node.type, node.init_expression, constant=False)
            return
        name = node.identifier.name
        if self._is_2 and node.type.size is None:
            self._fail(node, f"register {name!r} has no size; write creg {name}[1];")
        self._declare_bits(node, node.type)
        if isinstance(node.init_expression, ast.QuantumMeasurement):
            self._measure(node, node.init_expression, node.identifier)
        elif node.init_expression is not None:
            value = self._evaluate(node.init_expression)
            self._write(node, node.identifier, value)

    def _declare_bits(self, node: Any, kind: ast.BitType) -> None:
        name, size = node.identifier.name, self._size(kind.size)
        if self._scope.outer is not None:
            # What is known only in a block is not a result.
            items = tuple(self._out.scratch_bit() for _ in range(size))
            self._name(node.identifier, Bits(items, kind.size is None))
            return
        self._check_free(node, name)
        bits = BitRegister(name, size)
        self._name(
            node.identifier, Bits(tuple(bits.to_list()), kind.size is None, bits)
        )
        self._bits[name] = size
        if name == SCRATCH:
            self._out.reserve_scratch(size)

    def _check_free(self, node: Any, name: str) -> None:
        if name in self._qubits or name in self._bits:
            self._fail(node, f"register {name!r} is declared twice")

    def _declare_number(
        self, node: Any, kind: Any, initial: Any, *, constant: bool = True
    ) -> None:
        if type(kind) in NOT_EXPRESSED:
            self._refuse(kind if kind.span else at_place(node, kind))
        variable = Variable(None, kind, constant, self._depth)
        if isinstance(initial, ast.QuantumMeasurement):
            self._assign_number(node, variable, self._measured(initial))
        elif initial is not None and constant:
            variable.value = self._cast(node, kind, self._number(initial))
        elif initial is not None:
            self._assign_number(node, variable, self._evaluate(initial))
        self._name(node.identifier, variable)

    def _measured(self, measure: ast.QuantumMeasurement) -> Bits:
        """Measure qubits into scratch bits."""
        source = self._operand(measure.qubit)
        bits = tuple(self._out.scratch_bit() for _ in source.qubits)
        for qubit, bit in zip(source.qubits, bits, strict=True):
            self._add(OpType.Measure, [qubit, bit], writes=[bit])
        return Bits(bits, source.single)

    def _assign_number(self, node: Any, variable: Variable, value: Value) -> None:
        branches = variable.depth < self._depth
        known = isinstance(variable.value, Number)
        if isinstance(value, LogicExp) or (branches and known):
            self._fail(
                node,
                "a measurement decides the value of a number, which a circuit of "
                "pytket cannot express; use bits",
            )
        if branches:
            variable.value = self._overwritten(node, variable, value)
        elif isinstance(value, Bits) and any(
            isinstance(it, Bit | LogicExp) for it in value.items
        ):
            kept = self._cast_bits(node, variable.type, value)
            variable.value = replace(
                kept, items=self._kept(kept), register=None, condition=None
            )
        else:
            variable.value = self._cast(node, variable.type, value)

    def _overwritten(self, node: Any, variable: Variable, value: Number | Bits) -> Bits:
        """Write a number to the bits that keep a variable, in a branch."""
        if isinstance(value, Bits):
            value = narrowed(self._cast_bits(node, variable.type, value))
        else:
            value = self._cast(node, variable.type, value)
            if isinstance(value, float) or value < 0:
                self._fail(
                    node,
                    f"a measurement decides whether a number is {value}; give a whole "
                    "number from 0",
                )
            width = max(1, int(value).bit_length())
            value = Bits(tuple(bool(int(value) >> at & 1) for at in range(width)))
        before = (
            variable.value
            if isinstance(variable.value, Bits)
            else replace(value, items=())
        )
        if before.signed != value.signed:
            self._fail(
                node,
                "one variable is given numbers with a sign and without; cast to uint",
            )
        width = max(len(before.items), len(value.items))
        bits = [
            item if isinstance(item, Bit) else self._out.scratch_bit()
            for item in (*before.items, *[False] * (width - len(before.items)))
        ]
        self._write_bits(bits, [*value.items, *[False] * (width - len(value.items))])
        return replace(value, items=tuple(bits), register=None, condition=None)

    def _kept(self, value: Bits) -> tuple[Item, ...]:
        """Copy bits, so that they stay what they are."""
        changing = {id(item): item for item in value.items if item is not False}
        bits = {one: self._out.scratch_bit() for one in changing}
        self._write_bits([*bits.values()], [*changing.values()])
        return tuple(bits.get(id(item), False) for item in value.items)

    def _declare_io(self, node: ast.IODeclaration) -> None:
        name = node.identifier.name
        if node.io_identifier == ast.IOKeyword.input:
            self._fail(
                node, f"the program has an input {name!r}; write its value with const"
            )
        if isinstance(node.type, ast.BitType):
            self._declare_bits(node, node.type)
        else:
            self._declare_number(node, node.type, None, constant=False)

    def _measure(self, node: Any, measure: ast.QuantumMeasurement, target: Any) -> None:
        if target is None:
            if self._is_2:
                self._fail(node, "a measurement has no bit; write measure q -> c;")
            self._measured(measure)
            return
        variable = self._scope.find(base_name(target))
        if isinstance(variable, Variable):
            self._write(node, target, self._measured(measure))
            return
        source, found = self._operand(measure.qubit), self._bits_of(target)
        bits: Sequence[Any] = found.items
        both = len(source.qubits), len(bits)
        if both[0] != both[1] or (self._is_2 and source.single != found.single):
            self._fail(
                node,
                f"{counted(both[0], 'qubit')} of {shown(measure.qubit)} cannot be "
                f"measured into {counted(both[1], 'bit')} of {shown(target)}; give as "
                "many",
            )
        for qubit, bit in zip(source.qubits, bits, strict=True):
            self._add(OpType.Measure, [qubit, bit], writes=[bit])

    def _barrier(self, node: ast.QuantumBarrier) -> None:
        if not node.qubits:
            all_of = [
                Qubit(n, i) for n, size in self._qubits.items() for i in range(size)
            ]
            units = [*all_of, *self._physical.values()]
        else:
            operands = [self._operand(one) for one in node.qubits]
            units = [qubit for one in operands for qubit in one.qubits]
        once = list(dict.fromkeys(units))
        if self._is_2 and len(once) < len(units):
            again = next(one for one in units if units.count(one) > 1)
            self._fail(node, f"the barrier is given the qubit {again} twice")
        if once:
            self._out.add(OpType.Barrier, once)

    def _assign(self, node: ast.ClassicalAssignment) -> None:
        if self._is_2 and EXTENDED_2 not in self._libraries:
            self._fail(
                node, f'OpenQASM 2 has no assignments; those of "{EXTENDED_2}" need it'
            )
        value = self._evaluate(node.rvalue)
        if node.op.name != "=":
            left = self._evaluate(node.lvalue)
            value = self._compute(node, node.op.name.removesuffix("="), left, value)
        self._write(node, node.lvalue, value)

    def _write(self, node: Any, target: Any, value: Value) -> None:
        name = base_name(target)
        meaning = self._scope.find(name)
        if isinstance(meaning, Variable):
            if meaning.constant:
                self._fail(node, f"{name!r} is constant")
            if not isinstance(target, ast.Identifier):
                self._fail(node, f"{name!r} is not a register; assign the whole number")
            self._assign_number(node, meaning, value)
            return
        bits: list[Any] = list(self._bits_of(target).items)
        if isinstance(value, LogicExp):
            self._add(value, bits, writes=bits)
            return
        self._write_bits(bits, self._fitted(node, value, len(bits)))

    def _fitted(self, node: Any, value: Number | Bits, size: int) -> Sequence[Item]:
        if isinstance(value, Bits):
            items = narrowed(value, size).items
        elif isinstance(value, float) or not 0 <= value < 1 << size:
            self._fail(node, f"the value {value} does not fit {counted(size, 'bit')}")
        else:
            return [bool(int(value) >> index & 1) for index in range(size)]
        if len(items) > size or (len(items) < size and not self._is_2):
            self._fail(
                node,
                f"a value of {counted(len(items), 'bit')} is given to "
                f"{counted(size, 'bit')}",
            )
        return (*items, *[False] * (size - len(items)))

    def _write_bits(self, bits: Sequence[Bit], items: Sequence[Item]) -> None:
        written = set(bits)
        if any(not written.isdisjoint(bits_read(item)) for item in items):
            # The new values are all computed before the first is written.
            scratch = [self._out.scratch_bit() for _ in bits]
            for bit, item in zip(scratch, items, strict=True):
                self._write_bit(bit, item)
            items = scratch
        for bit, item in zip(bits, items, strict=True):
            self._write_bit(bit, item)

    def _write_bit(self, bit: Bit, item: Item) -> None:
        if isinstance(item, bool):
            self._add(OpType.SetBits, [bit], [item], writes=[bit])
        elif isinstance(item, Bit):
            self._add(OpType.CopyBits, [item, bit], writes=[bit])
        else:
            self._add(item, [bit], writes=[bit])
