"""Declarations, measurements and computations with bits."""

from collections.abc import Sequence
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
)
from tkr_nexus_worker.program_files.openqasm.gate_calls import EXTENDED_2, GateCalls
from tkr_nexus_worker.program_files.openqasm.names import (
    NOT_EXPRESSED,
    Qubits,
    Variable,
    at_place,
    base_name,
    bits_read,
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
        if self._scope.outer is None:
            self._check_free(node, name)
            register = name
        else:
            number = 1
            while (register := f"{name}_{number}") in {*self._bits, *self._qubits}:
                number += 1
        bits = BitRegister(register, size)
        self._name(
            node.identifier, Bits(tuple(bits.to_list()), kind.size is None, bits)
        )
        self._bits[register] = size
        if register == SCRATCH:
            self._out.reserve_scratch(size)

    def _check_free(self, node: Any, name: str) -> None:
        if name in self._qubits or name in self._bits:
            self._fail(node, f"register {name!r} is declared twice")

    def _declare_number(
        self, node: Any, kind: Any, initial: Any, *, constant: bool = True
    ) -> None:
        if isinstance(initial, ast.QuantumMeasurement):
            self._fail(node, "only a bit can keep the result of a measurement")
        if type(kind) in NOT_EXPRESSED:
            self._refuse(kind if kind.span else at_place(node, kind))
        value = None
        if initial is not None:
            value = self._cast(node, kind, self._number(initial))
        self._name(node.identifier, Variable(value, kind, constant, self._depth))

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
        source = self._operand(measure.qubit)
        if target is None and self._is_2:
            self._fail(node, "a measurement has no bit; write measure q -> c;")
        if target is None:
            bits: Sequence[Any] = [self._out.scratch_bit() for _ in source.qubits]
        else:
            found = self._bits_of(target)
            bits = found.items
            both = len(source.qubits), len(bits)
            if both[0] != both[1] or (self._is_2 and source.single != found.single):
                self._fail(
                    node,
                    f"{both[0]} qubits of {shown(measure.qubit)} are measured into "
                    f"{both[1]} bits of {shown(target)}; give as many",
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
            if isinstance(value, Bits | LogicExp) or meaning.depth < self._depth:
                self._fail(
                    node,
                    f"a measurement decides the value of {name!r}, which a circuit of "
                    "pytket cannot express; use bits",
                )
            meaning.value = self._cast(node, meaning.type, value)
            return
        bits: list[Any] = list(self._bits_of(target).items)
        if isinstance(value, LogicExp):
            self._add(value, bits, writes=bits)
            return
        self._write_bits(bits, self._fitted(node, value, len(bits)))

    def _fitted(self, node: Any, value: Number | Bits, size: int) -> Sequence[Item]:
        if isinstance(value, Bits):
            items = value.items
        elif isinstance(value, float) or not 0 <= value < 1 << size:
            self._fail(node, f"the value {value} does not fit {size} bits")
        else:
            return [bool(int(value) >> index & 1) for index in range(size)]
        if len(items) > size or (len(items) < size and not self._is_2):
            self._fail(node, f"a value of {len(items)} bits is given to {size} bits")
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
