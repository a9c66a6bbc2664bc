"""The operands and values of statements."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from math import tau
from pathlib import Path
from typing import Any, NoReturn, cast

from openqasm3 import ast
from pytket.circuit import Bit, Qubit
from pytket.circuit.logic_exp import LogicExp
from pytket.unit_id import UnitID

from tkr_nexus_worker.program_files.conditions import Condition, ConditionalCircuit
from tkr_nexus_worker.program_files.openqasm.expressions import (
    CONSTANTS,
    FUNCTIONS,
    FUNCTIONS_2,
    OPERATORS_2,
    Bits,
    ExpressionError,
    Item,
    Number,
    Value,
    binary,
    narrowed,
    negate_bits,
    on_numbers,
    rotated,
    truth,
    widened,
)
from tkr_nexus_worker.program_files.openqasm.gates import BUILT_IN, StandardGate
from tkr_nexus_worker.program_files.openqasm.names import (
    KINDS,
    NOT_EXPRESSED,
    Meaning,
    Place,
    Qubits,
    Scope,
    Subroutine,
    Variable,
    at_place,
    base_name,
    counted,
    shown,
)
from tkr_nexus_worker.program_files.openqasm.syntax import OpenQasmError, Statement

LARGEST_REGISTER = 100_000
"""How many qubits or bits a register may have."""

_PHYSICAL = "q"
_USUAL_INTEGER = 64
_TURNS: Mapping[str, int] = {"rotl": 1, "rotr": -1}


class Evaluation(ABC):
    """The state of a program that is carried out, and its operands and values.

    :param version: The version of OpenQASM.
    :param folder: The folder of files that the program includes.
    """

    def __init__(self, version: int, folder: Path) -> None:
        self._version = version
        self._folder = folder.resolve()
        self._including: list[Path] = []
        self._library: dict[str, StandardGate] = dict(BUILT_IN)
        if not self._is_2:
            del self._library["CX"]
        self._libraries: set[str] = set()
        self._out = ConditionalCircuit()
        self._phase = 0.0
        self._condition: Condition | None = None
        self._qubits: dict[str, int] = {}
        self._bits: dict[str, int] = {}
        self._physical: dict[int, Qubit] = {}
        self._scope = Scope()
        self._depth = 0  # in branches that a measurement decides
        self._loops: list[int] = []  # the depth of each
        self._calls: list[int] = []  # the depth of each
        self._real = False  # whether 1/2 is a half, as always in OpenQASM 2
        self._steps = 0
        self._node: Any = ast.EndStatement()  # the one that is carried out
        self._place = Place(Statement(self._node), "")

    @abstractmethod
    def _execute(self, node: Any) -> None:
        """Carry out a statement."""

    @abstractmethod
    def _call_subroutine(self, node: Any, subroutine: Subroutine) -> Value:
        """Carry out a subroutine that returns a value."""

    @property
    def _is_2(self) -> bool:
        return self._version == 2

    def _fail(self, node: Any, reason: str) -> NoReturn:
        raise OpenQasmError(reason, self._line(node), self._place.source)

    def _line(self, node: Any) -> int:
        span = getattr(node, "span", None)
        return self._place.statement.line + (span.start_line - 1 if span else 0)

    def _refuse(self, node: Any) -> NoReturn:
        what = NOT_EXPRESSED.get(type(node), type(node).__name__)
        self._fail(node, f"a circuit of pytket cannot express {what}")

    def _name(self, node: ast.Identifier, meaning: Meaning) -> None:
        if node.name in (BUILT_IN if self._is_2 else ("U",)):
            self._fail(node, f"gate {node.name!r} is built in; take another name")
        known = self._scope.names.get(node.name)
        if known is not None:
            self._fail(
                node,
                f"{node.name!r} is declared twice; it is {KINDS[type(known)]} already",
            )
        self._scope.names[node.name] = meaning

    @contextmanager
    def _inner(self, scope: Scope, place: Place | None = None) -> Iterator[None]:
        before = self._scope, self._place
        self._scope, self._place = scope, place or self._place
        try:
            yield
        finally:
            # An error is told with the place that it has.
            self._scope, self._place = before

    def _add(
        self,
        op: Any,
        units: Sequence[UnitID],
        parameters: Sequence[float] = (),
        writes: Sequence[Bit] = (),
    ) -> None:
        self._out.add(op, units, parameters, writes=writes, condition=self._condition)

    def _operand(self, node: Any) -> Qubits:
        name = base_name(node)
        if name.startswith("$"):
            return Qubits((self._physical_qubit(node, name),), single=True)
        meaning = self._scope.find(name)
        if meaning is None:
            self._fail(node, f"register {name!r} is not declared")
        if not isinstance(meaning, Qubits):
            self._fail(node, f"{name!r} is {KINDS[type(meaning)]}, not qubits")
        if isinstance(node, ast.Identifier):
            return meaning
        if meaning.single:
            self._fail(node, f"{name!r} is one qubit and has no index")
        places, single = self._indices(node, len(meaning.qubits), "qubit")
        return Qubits(tuple(meaning.qubits[place] for place in places), single)

    def _physical_qubit(self, node: Any, name: str) -> Qubit:
        if self._qubits:
            self._fail(node, "a program has either declared or physical qubits ($0)")
        index = int(name[1:])
        return self._physical.setdefault(index, Qubit(_PHYSICAL, index))

    def _bits_of(self, node: Any) -> Bits:
        name = base_name(node)
        meaning = self._scope.find(name)
        if meaning is None:
            self._fail(node, f"register {name!r} is not declared")
        if not isinstance(meaning, Bits):
            self._fail(node, f"{name!r} is {KINDS[type(meaning)]}, not bits")
        if isinstance(node, ast.Identifier):
            return meaning
        if meaning.single:
            self._fail(node, f"{name!r} is one bit and has no index")
        places, single = self._indices(node, len(meaning.items), "bit")
        return Bits(tuple(meaning.items[place] for place in places), single)

    def _indices(self, node: Any, size: int, what: str) -> tuple[Sequence[int], bool]:
        name = base_name(node)
        indices = (
            node.indices if isinstance(node, ast.IndexedIdentifier) else [node.index]
        )
        if len(indices) != 1:
            self._fail(node, f"{name!r} has one index, not {len(indices)}")
        [index] = indices
        single = False
        if isinstance(index, ast.DiscreteSet):
            places: Sequence[int] = [self._whole(one) for one in index.values]
        elif len(index) != 1:
            self._fail(node, f"{name!r} has one index, not {len(index)}")
        elif isinstance(index[0], ast.RangeDefinition):
            places = self._range(index[0], size)
        else:
            places, single = [self._whole(index[0])], True
        if not self._is_2:
            places = [at + size if at < 0 else at for at in places]
        for place in places:
            if not 0 <= place < size:
                self._fail(
                    node,
                    f"{name}[{place}] is out of range: {name!r} has "
                    f"{counted(size, what)}",
                )
        return places, single

    def _alias(self, node: Any) -> Qubits | Bits:
        if isinstance(node, ast.Concatenation):
            left, right = self._alias(node.lhs), self._alias(node.rhs)
            if isinstance(left, Qubits) and isinstance(right, Qubits):
                return Qubits(left.qubits + right.qubits)
            if isinstance(left, Bits) and isinstance(right, Bits):
                return Bits(left.items + right.items)
            self._fail(node, "qubits and bits are joined in one alias")
        if not isinstance(node, ast.Identifier | ast.IndexExpression):
            self._fail(node, "an alias is of a register or a part of one")
        meaning = self._scope.find(base_name(node))
        return self._bits_of(node) if isinstance(meaning, Bits) else self._operand(node)

    def _range(self, node: ast.RangeDefinition, size: int | None) -> range:
        step = 1 if node.step is None else self._whole(node.step)
        if step == 0:
            self._fail(node, "the step of a range is 0")
        ends = (0, size - 1) if size is not None else (None, None)
        first, last = ends if step > 0 else ends[::-1]
        first = first if node.start is None else self._whole(node.start)
        last = last if node.end is None else self._whole(node.end)
        if first is None or last is None:
            self._fail(node, "a range of a for loop has a start and an end: [0:3]")
        if size is not None:
            first, last = (at + size if at < 0 else at for at in (first, last))
        return range(first, last + (1 if step > 0 else -1), step)

    def _parameter(self, node: Any) -> float:
        value = self._number(node)
        try:
            return float(value)
        except OverflowError:
            self._fail(node, "the number is too large")

    def _whole(self, node: Any) -> int:
        value = self._number(node)
        if not isinstance(value, int):
            hint = f"; write {value:.0f}" if value.is_integer() else ""
            self._fail(node, f"a whole number is needed, not {value}{hint}")
        return int(value)

    def _number(self, node: Any) -> Number:
        value = self._evaluate(node)
        if isinstance(value, Bits | LogicExp):
            self._fail(
                node,
                f"{shown(node)} is measured, and a circuit of pytket needs a number",
            )
        return value

    def _evaluate(self, node: Any) -> Value:
        match node:
            case ast.IntegerLiteral(value=value):
                numbers = self._place.statement.numbers
                return value if numbers is None else numbers[value - 1]
            case ast.FloatLiteral(value=value) | ast.BooleanLiteral(value=value):
                number: Number = value
                return number
            case ast.BitstringLiteral():
                items = (bool(node.value >> at & 1) for at in range(node.width))
                return Bits(tuple(items))
            case ast.Identifier(name=name):
                return self._named_value(node, name)
            case ast.IndexExpression() | ast.IndexedIdentifier():
                meaning = self._scope.find(base_name(node))
                if isinstance(meaning, Variable):
                    return self._digits(node, meaning)
                return self._bits_of(node)
            case ast.UnaryExpression():
                return self._unary(node, self._evaluate(node.expression))
            case ast.BinaryExpression():
                left, right = self._evaluate(node.lhs), self._evaluate(node.rhs)
                return self._compute(node, node.op.name, left, right)
            case ast.FunctionCall():
                return self._function(node)
            case ast.Cast():
                return self._cast_value(node)
            case ast.SizeOf():
                return len(self._alias_size(node.target))
            case ast.Concatenation():
                joined = self._alias(node)
                if isinstance(joined, Bits):
                    return joined
        return self._refuse(node)

    def _alias_size(self, node: Any) -> Sequence[Any]:
        meaning = self._alias(node)
        return meaning.items if isinstance(meaning, Bits) else meaning.qubits

    def _named_value(self, node: Any, name: str) -> Value:
        meaning = self._scope.find(name)
        if meaning is None:
            if name in CONSTANTS[self._version]:
                return CONSTANTS[self._version][name]
            self._fail(node, f"{name!r} is not declared")
        if isinstance(meaning, Bits):
            return meaning
        if not isinstance(meaning, Variable):
            self._fail(node, f"{name!r} is {KINDS[type(meaning)]}, not a number")
        if meaning.value is None:
            self._fail(node, f"{name!r} has no value yet")
        if isinstance(meaning.value, Bits):
            return widened(meaning.value, self._type_width(meaning.type))
        return meaning.value

    def _type_width(self, kind: Any) -> int:
        """Return how many bits the whole numbers of a type have; 1 for other types."""
        if not isinstance(kind, ast.IntType | ast.UintType):
            return 1
        return _USUAL_INTEGER if kind.size is None else self._size(kind.size)

    def _digits(self, node: Any, variable: Variable) -> Value:
        """Return binary digits of a whole number."""
        name = base_name(node)
        value = self._named_value(node, name)
        if not isinstance(variable.type, ast.IntType | ast.UintType):
            self._fail(node, f"{name!r} is not a register and has no index")
        if isinstance(value, Bits):
            items: Sequence[Item] = value.items
        else:
            width = self._type_width(variable.type)
            items = [bool(int(cast("Number", value)) >> at & 1) for at in range(width)]
        places, single = self._indices(node, len(items), "bit")
        return Bits(tuple(items[place] for place in places), single)

    def _compute(self, node: Any, name: str, left: Value, right: Value) -> Value:
        numbers = not isinstance(left, Bits | LogicExp) and not isinstance(
            right, Bits | LogicExp
        )
        if self._is_2 and numbers and name not in OPERATORS_2:
            self._fail(node, f"'{name}' is not an operator of numbers in OpenQASM 2")
        if numbers and (self._is_2 or (self._real and name == "/")):
            left = float(cast("Number", left))  # 1/2 is a half
        try:
            return binary(name, left, right)
        except ExpressionError as error:
            reason = str(error)
            self._fail(node, reason.replace("'**'", "'^'") if self._is_2 else reason)

    def _unary(self, node: ast.UnaryExpression, value: Value) -> Value:
        name = node.op.name
        try:
            if name == "!":
                item = truth(value)
                return (
                    not item
                    if isinstance(item, bool)
                    else negate_bits(Bits((item,), single=True))
                )
            if isinstance(value, Bits) and name == "~":
                return negate_bits(value)
        except ExpressionError as error:
            self._fail(node, str(error))
        if isinstance(value, Bits | LogicExp) or name == "~":
            self._fail(node, f"a circuit of pytket cannot express '{name}' here")
        return -value

    def _function(self, node: ast.FunctionCall) -> Value:
        name = node.name.name
        subroutine = self._scope.find(name)
        if isinstance(subroutine, Subroutine):
            return self._call_subroutine(node, subroutine)
        functions = FUNCTIONS_2 if self._is_2 else FUNCTIONS
        if not self._is_2 and name in _TURNS and len(node.arguments) == 2:
            value = self._evaluate(node.arguments[0])
            if not isinstance(value, Bits):
                self._fail(node, f"{name} takes bits")
            return rotated(value, _TURNS[name] * self._whole(node.arguments[1]))
        if name not in functions:
            known = ", ".join(sorted(functions))
            self._fail(node, f"the function {name!r} is not known; known are {known}")
        values = [self._number(argument) for argument in node.arguments]
        try:
            return on_numbers(name, functions[name], *values)
        except ExpressionError as error:
            self._fail(node, str(error))

    def _cast_value(self, node: ast.Cast) -> Value:
        value = self._evaluate(node.argument)
        if type(node.type) in NOT_EXPRESSED:
            self._refuse(at_place(node, node.type))
        if isinstance(value, Bits):
            return self._cast_bits(node, node.type, value)
        if isinstance(value, LogicExp):
            self._fail(node, "a circuit of pytket cannot express a cast of a sum")
        return self._cast(node, node.type, value)

    def _cast_bits(self, node: Any, kind: Any, value: Bits) -> Bits:
        match kind:
            case ast.BoolType():
                return Bits((truth(value),), single=True)
            case ast.FloatType() | ast.AngleType():
                self._fail(node, "bits cannot become an angle of a circuit of pytket")
            case ast.IntType() | ast.UintType() | ast.BitType():
                value = narrowed(value)
                if isinstance(kind, ast.UintType) and value.signed:
                    value = widened(value, self._type_width(kind))
                size = len(value.items) if kind.size is None else self._size(kind.size)
                if size < len(value.items):
                    name = type(kind).__name__.removesuffix("Type").lower()
                    bits = counted(len(value.items), "bit")
                    self._fail(node, f"a value of {bits} does not fit {name}[{size}]")
                fills = kind.size is not None and size == len(value.items)
                signed = isinstance(kind, ast.IntType) and (fills or value.signed)
                return replace(widened(value, size), signed=signed)
        return value

    def _cast(self, node: Any, kind: Any, value: Value) -> Number:
        if isinstance(value, Bits):
            if not all(isinstance(item, bool) for item in value.items):
                self._fail(node, "the value is measured, and a number is needed")
            value = sum(bool(item) << at for at, item in enumerate(value.items))
        if isinstance(value, LogicExp):
            self._fail(node, "the value is measured, and a number is needed")
        match kind:
            case ast.BoolType():
                return bool(value)
            case ast.FloatType():
                return float(value)
            case ast.AngleType():
                return float(value) % tau
            case ast.IntType() | ast.UintType():
                size = self._type_width(kind)
                number = int(value) % (1 << size)
                if isinstance(kind, ast.IntType) and number >> (size - 1):
                    number -= 1 << size
                return number
        return value

    def _size(self, node: Any) -> int:
        if node is None:
            return 1
        size = self._whole(node)
        if not 1 <= size <= LARGEST_REGISTER:
            self._fail(
                node,
                f"the size of a register is {size}; give 1 to {LARGEST_REGISTER:,}",
            )
        return size
