"""What the names of a program stand for."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from openqasm3 import ast
from pytket.circuit import Bit, Qubit

from tkr_nexus_worker.program_files.openqasm.expressions import (
    Bits,
    Item,
    Number,
    Value,
)
from tkr_nexus_worker.program_files.openqasm.gates import StandardGate
from tkr_nexus_worker.program_files.openqasm.syntax import Statement

# What a circuit of pytket has no counterpart for, and what a message calls it.
NOT_EXPRESSED: Mapping[type, str] = {
    ast.ExternDeclaration: "an external function (extern)",
    ast.DelayInstruction: "delay",
    ast.Box: "box",
    ast.CalibrationDefinition: "a calibration (defcal)",
    ast.CalibrationStatement: "a calibration (cal)",
    ast.CalibrationGrammarDeclaration: "a calibration grammar (defcalgrammar)",
    ast.ExpressionStatement: "an expression as a statement",
    ast.ComplexType: "complex numbers",
    ast.ArrayType: "arrays",
    ast.DurationType: "durations",
    ast.StretchType: "stretch",
    ast.DurationLiteral: "durations",
    ast.DurationOf: "durationof",
    ast.ImaginaryLiteral: "complex numbers",
    ast.ArrayLiteral: "arrays",
}


@dataclass(frozen=True, slots=True)
class Place:
    """A statement of a file, which its integers and lines belong to."""

    statement: Statement
    source: str


@dataclass(frozen=True)
class Qubits:
    """Qubits of a circuit.

    :param qubits: The qubits.
    :param single: Whether it is one qubit and no register.
    """

    qubits: tuple[Qubit, ...]
    single: bool = False


@dataclass(frozen=True)
class DefinedGate:
    """A gate that the program defines.

    :param parameters: The names of its parameters.
    :param qubits: The names of its qubits.
    :param body: Its statements.
    :param place: Where it is defined.
    :param scope: The names that its body knows beside its own.
    """

    parameters: tuple[str, ...]
    qubits: tuple[str, ...]
    body: Sequence[Any]
    place: Place
    scope: "Scope"

    @property
    def n_parameters(self) -> int:
        """How many parameters it takes."""
        return len(self.parameters)

    @property
    def n_qubits(self) -> int:
        """How many qubits it acts on."""
        return len(self.qubits)


@dataclass(frozen=True)
class OpaqueGate:
    """A gate that is declared opaque.

    :param where: The line.
    """

    where: str


@dataclass(frozen=True)
class Subroutine:
    """A subroutine that the program defines.

    :param node: Its definition.
    :param place: Where it is defined.
    :param scope: The names that its body knows beside its own.
    """

    node: ast.SubroutineDefinition
    place: Place
    scope: "Scope"


Gate = StandardGate | DefinedGate | OpaqueGate


@dataclass
class Variable:
    """A number with a name.

    :param value: The number, or the bits that keep it if it was measured; None before
        it is assigned.
    :param type: Its type.
    :param constant: Whether it keeps its value.
    :param depth: How many branches that a measurement decides it is declared in.
    """

    value: Number | Bits | None
    type: Any = None
    constant: bool = True
    depth: int = 0


Meaning = Qubits | Bits | Variable | DefinedGate | OpaqueGate | Subroutine
KINDS: Mapping[type, str] = {
    Qubits: "a quantum register",
    Bits: "a classical register",
    Variable: "a number",
    DefinedGate: "a gate",
    OpaqueGate: "a gate",
    Subroutine: "a subroutine",
}


@dataclass
class Scope:
    """The names that a part of a program knows.

    :param outer: Those of the part around it.
    :param names: What its own names stand for.
    :param gates: The gates that it means, whatever is defined after it.
    """

    outer: "Scope | None" = None
    names: dict[str, Meaning] = field(default_factory=dict)
    gates: dict[str, Gate] = field(default_factory=dict)

    def find(self, name: str) -> Meaning | None:
        """Return what a name stands for, here or in a part around."""
        scope: Scope | None = self
        while scope is not None:
            if name in scope.names:
                return scope.names[name]
            scope = scope.outer
        return None


class BreakError(Exception):
    """A loop is left."""


class ContinueError(Exception):
    """A round of a loop ends."""


class EndError(Exception):
    """The program ends."""


class ReturnError(Exception):
    """A subroutine ends.

    :param value: What it returns; None for nothing.
    """

    def __init__(self, value: Value | None) -> None:
        super().__init__()
        self.value = value


def own_qubits(names: Iterable[str]) -> dict[str, Meaning]:
    """Return the qubits of a gate that is checked before it is used."""
    return {name: Qubits((Qubit(name, 0),), single=True) for name in names}


def base_name(node: Any) -> str:
    """Return the name of a register, whether or not it has an index."""
    while True:
        if isinstance(node, ast.IndexExpression):
            node = node.collection
        elif isinstance(node, ast.IndexedIdentifier):
            node = node.name
        else:
            break
    return node.name if isinstance(node, ast.Identifier) else ""


def shown(node: Any) -> str:
    """Return how a message calls a register or a part of one."""
    name = base_name(node)
    if not name:
        return "an expression"
    return repr(name if isinstance(node, ast.Identifier) else f"{name}[…]")


def counted(number: float, what: str) -> str:
    """Return a number of things as a message has it."""
    return f"{number:g} {what}{'' if number == 1 else 's'}"


def at_place(place: Any, node: Any) -> Any:
    """Give a node that has no place the place of another."""
    node.span = node.span or place.span
    return node


def bits_read(item: Item) -> set[Any]:
    """Return the bits that a value is computed from."""
    if isinstance(item, bool):
        return set()
    return {item} if isinstance(item, Bit) else set(item.all_inputs())
