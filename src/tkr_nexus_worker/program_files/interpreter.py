"""OpenQASM to circuits: what the statements of a program do.

All that depends on no measurement is carried out here, loops and variables too. The
gates that a program defines are replaced by those of the standard libraries.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, fields
from math import pi, tau
from pathlib import Path
from typing import Any, NoReturn

from openqasm3 import ast
from pytket.circuit import Bit, Circuit, OpType, Qubit
from pytket.circuit.logic_exp import LogicExp
from pytket.unit_id import BitRegister, UnitID

from tkr_nexus_worker.program_files.conditions import (
    SCRATCH,
    Condition,
    ConditionalCircuit,
)
from tkr_nexus_worker.program_files.expressions import (
    CONSTANTS,
    FUNCTIONS,
    Bits,
    ExpressionError,
    Item,
    Number,
    Value,
    binary,
    condition_of,
    negate_bits,
    on_numbers,
    truth,
)
from tkr_nexus_worker.program_files.gates import (
    BUILT_IN,
    LIBRARIES,
    ModifierError,
    StandardGate,
    controlled_phase,
    modified,
)
from tkr_nexus_worker.program_files.openqasm import (
    OpenQasmError,
    Statement,
    decode,
    parse_statements,
    version_of,
)
from tkr_runtime.files import read_file

MOST_STEPS = 1_000_000
"""How many statements the loops of a program may carry out."""

LARGEST_REGISTER = 100_000
"""How many qubits or bits a register may have."""

_PHYSICAL = "q"
_FUNCTIONS_2 = frozenset({"sin", "cos", "tan", "exp", "log", "sqrt"})
_EXTENDED_2 = "hqslib1.inc"
# What a circuit of pytket has no counterpart for, and what a message calls it.
_NOT_EXPRESSED: Mapping[type, str] = {
    ast.SubroutineDefinition: "a subroutine (def)",
    ast.ExternDeclaration: "an external function (extern)",
    ast.ReturnStatement: "return",
    ast.SwitchStatement: "switch",
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
_IN_GATES = (
    ast.QuantumGate,
    ast.QuantumPhase,
    ast.QuantumBarrier,
    ast.ForInLoop,
    ast.WhileLoop,
    ast.BranchingStatement,
    ast.ConstantDeclaration,
    ast.ClassicalDeclaration,
    ast.ClassicalAssignment,
    ast.CompoundStatement,
)


@dataclass(frozen=True, slots=True)
class _Place:
    """A statement of a file, which its integers and lines belong to."""

    statement: Statement
    source: str


@dataclass(frozen=True)
class _Qubits:
    qubits: tuple[Qubit, ...]
    single: bool = False


@dataclass(frozen=True)
class _DefinedGate:
    parameters: tuple[str, ...]
    qubits: tuple[str, ...]
    body: Sequence[Any]
    place: _Place
    scope: "_Scope"

    @property
    def n_parameters(self) -> int:
        return len(self.parameters)

    @property
    def n_qubits(self) -> int:
        return len(self.qubits)


@dataclass(frozen=True)
class _OpaqueGate:
    where: str


_Gate = StandardGate | _DefinedGate | _OpaqueGate


@dataclass
class _Variable:
    """A number with a name.

    :param value: The number; None before it is assigned.
    :param type: Its type.
    :param constant: Whether it keeps its value.
    :param depth: How many branches that a measurement decides it is declared in.
    """

    value: Number | None
    type: Any = None
    constant: bool = True
    depth: int = 0


_Meaning = _Qubits | Bits | _Variable | _DefinedGate | _OpaqueGate
_KINDS: Mapping[type, str] = {
    _Qubits: "a quantum register",
    Bits: "a classical register",
    _Variable: "a number",
    _DefinedGate: "a gate",
    _OpaqueGate: "a gate",
}


@dataclass
class _Scope:
    outer: "_Scope | None" = None
    names: dict[str, _Meaning] = field(default_factory=dict)
    # The gates that a body means, whatever is defined after it.
    gates: dict[str, _Gate] = field(default_factory=dict)

    def find(self, name: str) -> _Meaning | None:
        scope: _Scope | None = self
        while scope is not None:
            if name in scope.names:
                return scope.names[name]
            scope = scope.outer
        return None


class _BreakError(Exception):
    pass


class _ContinueError(Exception):
    pass


class _EndError(Exception):
    pass


def circuit_from_openqasm(text: str, folder: Path) -> Circuit:
    """Return the circuit that a program in OpenQASM 2 or 3 describes.

    The condition of a broadcast statement of OpenQASM 2, such as
    ``if(c==1) measure q -> c;``, is read anew for each bit, as Qiskit does.

    :param text: The program; its lines end in line feeds.
    :param folder: The folder of files that it includes.
    :returns: The circuit, without a name.
    :raises OpenQasmError: If the program is wrong or cannot be expressed.
    """
    program = _Program(version_of(text), folder)
    program.run(text, "")
    return program.circuit()


class _Program:
    """A program while it is carried out."""

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
        self._scope = _Scope()
        self._depth = 0  # in branches that a measurement decides
        self._loops: list[int] = []  # the depth of each
        self._steps = 0
        self._place = _Place(Statement(ast.EndStatement()), "")

    @property
    def _is_2(self) -> bool:
        return self._version == 2

    def run(self, text: str, source: str) -> None:
        """Carry out the statements of a file.

        :param text: The file.
        :param source: Its name, if it is included.
        """
        try:
            for statement in parse_statements(text, self._version):
                self._place = _Place(statement, source)
                self._execute(statement.node)
        except _EndError:
            if source:
                raise
        except RecursionError as error:
            line = self._place.statement.line
            raise OpenQasmError("it is nested too deeply", line, source) from error
        except OpenQasmError as error:
            if error.source or not source:
                raise
            raise OpenQasmError(error.reason, error.line, source) from error

    def circuit(self) -> Circuit:
        """Return the circuit of what was carried out."""
        circuit = Circuit()
        for name, size in self._qubits.items():
            circuit.add_q_register(name, size)
        for index in sorted(self._physical):
            circuit.add_qubit(self._physical[index])
        for name, size in self._bits.items():
            circuit.add_c_register(name, size)
        self._out.append_to(circuit)
        circuit.add_phase(self._phase)
        return circuit

    def _fail(self, node: Any, reason: str) -> NoReturn:
        span = getattr(node, "span", None)
        line = self._place.statement.line + (span.start_line - 1 if span else 0)
        raise OpenQasmError(reason, line, self._place.source)

    def _refuse(self, node: Any) -> NoReturn:
        what = _NOT_EXPRESSED.get(type(node), type(node).__name__)
        self._fail(node, f"a circuit of pytket cannot express {what}")

    # Statements

    def _execute(self, node: Any) -> None:
        if self._loops:
            self._count(node)
        match node:
            case ast.QuantumGate():
                self._call(node)
            case ast.QuantumMeasurementStatement():
                self._measure(node, node.measure, node.target)
            case ast.QuantumBarrier():
                self._barrier(node)
            case ast.QuantumReset():
                for qubit in self._operand(node.qubits).qubits:
                    self._add(OpType.Reset, [qubit])
            case ast.QuantumPhase():
                self._apply_phase(node)
            case ast.BranchingStatement():
                self._branch(node)
            case ast.QubitDeclaration():
                self._declare_qubits(node)
            case ast.ClassicalDeclaration():
                self._declare(node)
            case ast.ConstantDeclaration():
                self._declare_number(node, node.type, node.init_expression)
            case ast.IODeclaration():
                self._declare_io(node)
            case ast.QuantumGateDefinition():
                self._define(node)
            case ast.ClassicalAssignment():
                self._assign(node)
            case ast.AliasStatement():
                self._name(node.target, self._alias(node.value))
            case ast.ForInLoop():
                self._for(node)
            case ast.WhileLoop():
                self._while(node)
            case ast.BreakStatement():
                self._leave(node, "break", _BreakError())
            case ast.ContinueStatement():
                self._leave(node, "continue", _ContinueError())
            case ast.EndStatement():
                self._leave(node, "end", _EndError())
            case ast.CompoundStatement():
                self._block(node.statements)
            case ast.Include():
                self._include(node)
            case ast.Pragma():
                pass  # it is for other tools
            case _:
                self._refuse(node)

    def _count(self, node: Any) -> None:
        self._steps += 1
        if self._steps > MOST_STEPS:
            self._fail(
                node,
                f"the loops carry out more than {MOST_STEPS:,} statements; bound them",
            )

    def _block(self, statements: Iterable[Any]) -> None:
        with self._inner(_Scope(self._scope)):
            for statement in statements:
                self._execute(statement)

    @contextmanager
    def _inner(self, scope: _Scope, place: _Place | None = None) -> Iterator[None]:
        before = self._scope, self._place
        self._scope, self._place = scope, place or self._place
        try:
            yield
        finally:
            # An error is told with the place that it has.
            self._scope, self._place = before

    def _include(self, node: ast.Include) -> None:
        name = node.filename
        if name in LIBRARIES:
            self._library |= LIBRARIES[name]
            self._libraries.add(name)
            return
        path = (self._folder / name).resolve()
        known = ", ".join(sorted(LIBRARIES))
        if not path.is_relative_to(self._folder):
            self._fail(
                node,
                f"include {name!r} leads out of the folder of the program; put the "
                f"file there, or include what is built in: {known}",
            )
        if not path.is_file():
            self._fail(
                node,
                f"include {name!r} is neither a file in the folder of the program nor "
                f"built in; built in are {known}",
            )
        if path in self._including:
            self._fail(node, f"include {name!r} includes itself")
        place = self._place
        self._including.append(path)
        self.run(decode(read_file(path)), name)
        self._including.pop()
        self._place = place

    # Declarations

    def _name(self, node: ast.Identifier, meaning: _Meaning) -> None:
        known = self._scope.names.get(node.name)
        if known is not None:
            self._fail(
                node,
                f"{node.name!r} is declared twice; it is {_KINDS[type(known)]} already",
            )
        self._scope.names[node.name] = meaning

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
        self._name(node.qubit, _Qubits(qubits, node.size is None))
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

    def _size(self, node: Any) -> int:
        if node is None:
            return 1
        size = self._number(node)
        if not isinstance(size, int) or not 1 <= size <= LARGEST_REGISTER:
            self._fail(
                node,
                f"the size of a register is {size}; give 1 to {LARGEST_REGISTER:,}",
            )
        return size

    def _declare_number(
        self, node: Any, kind: Any, initial: Any, *, constant: bool = True
    ) -> None:
        if isinstance(initial, ast.QuantumMeasurement):
            self._fail(node, "only a bit can keep the result of a measurement")
        if type(kind) in _NOT_EXPRESSED:
            self._refuse(kind if kind.span else _at(node, kind))
        value = None
        if initial is not None:
            value = self._cast(node, kind, self._number(initial))
        self._name(node.identifier, _Variable(value, kind, constant, self._depth))

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

    # Gates

    def _define(self, node: ast.QuantumGateDefinition) -> None:
        name = node.name.name
        if self._place.statement.opaque:
            span = node.name.span
            line = self._place.statement.line + (span.start_line - 1 if span else 0)
            where = f"{self._place.source} line {line}".strip()
            self._name(node.name, _OpaqueGate(where))
            return
        parameters = tuple(one.name for one in node.arguments)
        qubits = tuple(one.name for one in node.qubits)
        for names in (parameters, qubits):
            for one in names:
                if names.count(one) > 1:
                    self._fail(node, f"gate {name!r} has {one!r} twice")
        scope = _Scope(self._scope)
        arguments = {one: _Variable(1.0) for one in parameters}
        checked = _Scope(scope, {**arguments, **_own_qubits(qubits)})
        with self._inner(checked):
            self._check_body(node.body, set(qubits), scope.gates)
        self._name(
            node.name, _DefinedGate(parameters, qubits, node.body, self._place, scope)
        )

    def _check_body(
        self,
        body: Sequence[Any],
        qubits: set[str],
        gates: dict[str, _Gate],
        local: frozenset[str] = frozenset(),
    ) -> None:
        """Check what can be known of a gate before it is used."""
        local |= {one.identifier.name for one in body if hasattr(one, "identifier")}
        for node in body:
            if not isinstance(node, _IN_GATES):
                what = type(node).__name__.removeprefix("Quantum")
                self._fail(node, f"{what} cannot be part of a gate")
            if isinstance(node, ast.QuantumGate):
                gate = gates[node.name.name] = self._gate(node)
                if not node.modifiers and not isinstance(gate, _OpaqueGate):
                    self._check_counts(node, gate)
            if isinstance(node, ast.QuantumGate | ast.QuantumBarrier):
                used = [getattr(one, "name", None) for one in node.qubits]
                for operand, one in zip(node.qubits, used, strict=True):
                    if not isinstance(one, str) or one not in qubits:
                        shown = _shown(operand)
                        self._fail(operand, f"{shown} is no qubit of the gate")
            if isinstance(node, ast.QuantumGate):
                for argument in node.arguments:
                    self._check_names(argument, local)
            for part in ("block", "if_block", "else_block", "statements"):
                self._check_body(getattr(node, part, ()), qubits, gates, local)

    def _check_names(self, node: Any, local: frozenset[str]) -> None:
        """Check that the names in an expression are declared."""
        if isinstance(node, ast.FunctionCall):
            for argument in node.arguments:
                self._check_names(argument, local)
        elif isinstance(node, ast.Identifier):
            if node.name not in local and self._scope.find(node.name) is None:
                self._evaluate(node)  # a constant, or an error
        elif isinstance(node, ast.QASMNode):
            for part in fields(node):
                self._check_names(getattr(node, part.name), local)

    def _gate(self, node: ast.QuantumGate) -> _Gate:
        name = node.name.name
        scope: _Scope | None = self._scope
        while scope is not None:
            if name in scope.gates:
                return scope.gates[name]
            meaning = scope.names.get(name)
            if isinstance(meaning, _DefinedGate | _OpaqueGate):
                return meaning
            scope = scope.outer
        if name in self._library:
            return self._library[name]
        order = ("qelib1.inc", _EXTENDED_2) if self._is_2 else ("stdgates.inc",)
        libraries = (one for one in (*order, *LIBRARIES) if name in LIBRARIES[one])
        hint = "".join(f'; include "{one}" first' for one in [*libraries][:1])
        return self._fail(node, f"gate {name!r} is not defined{hint}")

    def _check_counts(
        self, node: ast.QuantumGate, gate: StandardGate | _DefinedGate, more: int = 0
    ) -> None:
        name = node.name.name
        wanted, given = gate.n_parameters, len(node.arguments)
        if given != wanted:
            self._fail(node, f"gate {name!r} takes {wanted} parameters, not {given}")
        wanted, given = gate.n_qubits + more, len(node.qubits)
        if given != wanted:
            self._fail(node, f"gate {name!r} takes {wanted} qubits, not {given}")

    def _call(self, node: ast.QuantumGate) -> None:
        gate = self._gate(node)
        name = node.name.name
        if isinstance(gate, _OpaqueGate):
            self._fail(
                node,
                f"gate {name!r} is opaque (declared in {gate.where}), so what it "
                "does is unknown; define it with gate",
            )
        if node.duration is not None:
            self._fail(node, f"{name!r} is no gate with a duration")
        modifiers = [self._modifier(one) for one in node.modifiers]
        controls = sum(count for kind, count in modifiers if kind.endswith("ctrl"))
        self._check_counts(node, gate, int(controls))
        parameters = [self._parameter(argument) for argument in node.arguments]
        for qubits in self._broadcast(node):
            if not modifiers:
                self._apply(gate, parameters, qubits)
                continue
            own = self._separately(gate, parameters)
            self._insert(node, own, modifiers, qubits)

    def _apply(
        self,
        gate: StandardGate | _DefinedGate,
        parameters: Sequence[float],
        qubits: Sequence[Qubit],
    ) -> None:
        if isinstance(gate, StandardGate):
            for kind, angles, places in gate.pieces(parameters):
                self._add(kind, [qubits[place] for place in places], angles)
            if not self._is_2:
                self._phase += gate.phase(parameters)
            return
        names: dict[str, _Meaning] = {
            **{
                name: _Variable(value)
                for name, value in zip(gate.parameters, parameters, strict=True)
            },
            **{
                name: _Qubits((qubit,), single=True)
                for name, qubit in zip(gate.qubits, qubits, strict=True)
            },
        }
        with self._inner(_Scope(gate.scope, names), gate.place):
            for statement in gate.body:
                self._execute(statement)

    def _separately(
        self, gate: StandardGate | _DefinedGate, parameters: Sequence[float]
    ) -> Circuit:
        """Return what a gate does as a circuit of its own."""
        circuit = Circuit(gate.n_qubits)
        before = self._out, self._phase, self._condition
        self._out, self._phase, self._condition = ConditionalCircuit(), 0.0, None
        try:
            self._apply(gate, parameters, circuit.qubits)
            self._out.append_to(circuit)
            circuit.add_phase(self._phase)
        finally:
            self._out, self._phase, self._condition = before
        return circuit

    def _insert(
        self,
        node: Any,
        circuit: Circuit,
        modifiers: Sequence[tuple[str, float]],
        qubits: Sequence[Qubit],
    ) -> None:
        try:
            circuit = modified(circuit, modifiers)
        except ModifierError as error:
            self._fail(node, str(error))
        for command in circuit:
            units = [qubits[unit.index[0]] for unit in command.args]
            self._add(command.op, units)
        self._phase += float(circuit.phase)

    def _modifier(self, node: ast.QuantumGateModifier) -> tuple[str, float]:
        kind = node.modifier.name
        if node.argument is None:
            return kind, 1
        value = self._number(node.argument)
        if kind != "pow" and (not isinstance(value, int) or value < 1):
            self._fail(node, f"{kind} has the number {value}; give 1 or more")
        return kind, value

    def _apply_phase(self, node: ast.QuantumPhase) -> None:
        angle = self._parameter(node.argument) / pi
        modifiers = [self._modifier(one) for one in node.modifiers]
        qubits = [qubit for one in node.qubits for qubit in self._operand(one).qubits]
        controls = sum(count for kind, count in modifiers if kind.endswith("ctrl"))
        if len(qubits) != controls:
            self._fail(node, f"gphase takes {controls:g} qubits, not {len(qubits)}")
        if not modifiers:
            self._phase += angle
            return
        circuit, left = controlled_phase(angle, modifiers)
        self._insert(node, circuit, left, qubits)

    def _broadcast(self, node: ast.QuantumGate) -> Iterator[Sequence[Qubit]]:
        operands = [self._operand(one) for one in node.qubits]
        sizes = {len(one.qubits) for one in operands if not one.single}
        name = node.name.name
        if len(sizes) > 1:
            shown = " and ".join(map(str, sorted(sizes)))
            self._fail(
                node, f"gate {name!r} is given registers of unequal sizes: {shown}"
            )
        for index in range(sizes.pop() if sizes else 1):
            qubits = [
                one.qubits[0] if one.single else one.qubits[index] for one in operands
            ]
            if len(set(qubits)) < len(qubits):
                again = next(one for one in qubits if qubits.count(one) > 1)
                self._fail(node, f"gate {name!r} is given the qubit {again} twice")
            yield qubits

    def _add(
        self,
        op: Any,
        units: Sequence[UnitID],
        parameters: Sequence[float] = (),
        writes: Sequence[Bit] = (),
    ) -> None:
        self._out.add(op, units, parameters, writes=writes, condition=self._condition)

    # Measurements and bits

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
                    f"{both[0]} qubits of {_shown(measure.qubit)} are measured into "
                    f"{both[1]} bits of {_shown(target)}; give as many",
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
        if self._is_2 and _EXTENDED_2 not in self._libraries:
            self._fail(
                node, f'OpenQASM 2 has no assignments; those of "{_EXTENDED_2}" need it'
            )
        value = self._evaluate(node.rvalue)
        if node.op.name != "=":
            left = self._evaluate(node.lvalue)
            value = self._compute(node, node.op.name.removesuffix("="), left, value)
        self._write(node, node.lvalue, value)

    def _write(self, node: Any, target: Any, value: Value) -> None:
        name = _base(target)
        meaning = self._scope.find(name)
        if isinstance(meaning, _Variable):
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
        if any(not written.isdisjoint(_read(item)) for item in items):
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

    # Control flow

    def _branch(self, node: ast.BranchingStatement) -> None:
        value = self._evaluate(node.condition)
        try:
            condition = condition_of(value)
        except ExpressionError as error:
            self._fail(node, str(error))
        if self._is_2:
            self._branch_2(node, condition)
            return
        if isinstance(condition, bool):
            self._block(node.if_block if condition else node.else_block)
            return

        def run(block: Iterable[Any]) -> Callable[[], None]:
            return lambda: self._block(block)

        self._depth += 1
        self._out.branch(
            condition,
            run(node.if_block),
            run(node.else_block) if node.else_block else None,
        )
        self._depth -= 1

    def _branch_2(self, node: ast.BranchingStatement, condition: Any) -> None:
        [statement] = node.if_block
        if isinstance(statement, ast.BranchingStatement):
            self._fail(statement, "OpenQASM 2 has no if within an if")
        test = node.condition
        plain = (
            isinstance(test, ast.BinaryExpression)
            and test.op.name == "=="
            and isinstance(test.lhs, ast.Identifier)
            and isinstance(test.rhs, ast.IntegerLiteral)
        )
        if not plain and _EXTENDED_2 not in self._libraries:
            self._fail(node, "OpenQASM 2 compares a register with a number: if(c==1)")
        if isinstance(condition, Condition):
            self._condition = condition
            self._execute(statement)
            self._condition = None
        elif isinstance(condition, bool):
            # It is carried out to find mistakes, and dropped if it never runs.
            before = self._out
            if not condition:
                self._out = ConditionalCircuit()
            self._execute(statement)
            self._out = before
        else:
            self._out.branch(condition, lambda: self._execute(statement))

    def _for(self, node: ast.ForInLoop) -> None:
        values = self._loop_values(node)
        if type(node.type) in _NOT_EXPRESSED:
            self._refuse(_at(node, node.type))
        with self._loop():
            for value in values:
                self._count(node)
                variable = _Variable(
                    self._cast(node, node.type, value), node.type, depth=self._depth
                )
                scope = _Scope(self._scope, {node.identifier.name: variable})
                try:
                    with self._inner(scope):
                        self._block(node.block)
                except _BreakError:
                    break
                except _ContinueError:
                    continue

    def _loop_values(self, node: ast.ForInLoop) -> Iterable[Number]:
        values = node.set_declaration
        if isinstance(values, ast.DiscreteSet):
            return [self._number(one) for one in values.values]
        if isinstance(values, ast.RangeDefinition):
            return self._range(values, None)
        return self._fail(node, "a for loop runs over a range [0:3] or a set {0, 1, 3}")

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

    def _while(self, node: ast.WhileLoop) -> None:
        with self._loop():
            while True:
                self._count(node)
                value = self._evaluate(node.while_condition)
                if isinstance(value, Bits | LogicExp):
                    self._fail(
                        node,
                        "a measurement decides how often while repeats, which a "
                        "circuit of pytket cannot express; use for with a bound",
                    )
                if not value:
                    break
                try:
                    self._block(node.block)
                except _BreakError:
                    break
                except _ContinueError:
                    continue

    @contextmanager
    def _loop(self) -> Iterator[None]:
        self._loops.append(self._depth)
        try:
            yield
        finally:
            self._loops.pop()

    def _leave(self, node: Any, what: str, signal: Exception) -> NoReturn:
        if what != "end" and not self._loops:
            self._fail(node, f"{what} is outside of a loop")
        if self._depth > (0 if what == "end" else self._loops[-1]):
            self._fail(
                node,
                f"a measurement decides whether {what} is reached, which a circuit of "
                "pytket cannot express",
            )
        raise signal

    # Names

    def _operand(self, node: Any) -> _Qubits:
        name = _base(node)
        if name.startswith("$"):
            return _Qubits((self._physical_qubit(node, name),), single=True)
        meaning = self._scope.find(name)
        if meaning is None:
            self._fail(node, f"register {name!r} is not declared")
        if not isinstance(meaning, _Qubits):
            self._fail(node, f"{name!r} is {_KINDS[type(meaning)]}, not qubits")
        if isinstance(node, ast.Identifier):
            return meaning
        places, single = self._indices(node, len(meaning.qubits), "qubits")
        return _Qubits(tuple(meaning.qubits[place] for place in places), single)

    def _physical_qubit(self, node: Any, name: str) -> Qubit:
        if self._qubits:
            self._fail(node, "a program has either declared or physical qubits ($0)")
        index = int(name[1:])
        return self._physical.setdefault(index, Qubit(_PHYSICAL, index))

    def _bits_of(self, node: Any) -> Bits:
        name = _base(node)
        meaning = self._scope.find(name)
        if meaning is None:
            self._fail(node, f"register {name!r} is not declared")
        if not isinstance(meaning, Bits):
            self._fail(node, f"{name!r} is {_KINDS[type(meaning)]}, not bits")
        if isinstance(node, ast.Identifier):
            return meaning
        places, single = self._indices(node, len(meaning.items), "bits")
        return Bits(tuple(meaning.items[place] for place in places), single)

    def _indices(self, node: Any, size: int, what: str) -> tuple[Sequence[int], bool]:
        name = _base(node)
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
                    f"{name}[{place}] is out of range: {name!r} has {size} {what}",
                )
        return places, single

    def _alias(self, node: Any) -> _Qubits | Bits:
        if isinstance(node, ast.Concatenation):
            left, right = self._alias(node.lhs), self._alias(node.rhs)
            if isinstance(left, _Qubits) and isinstance(right, _Qubits):
                return _Qubits(left.qubits + right.qubits)
            if isinstance(left, Bits) and isinstance(right, Bits):
                return Bits(left.items + right.items)
            self._fail(node, "qubits and bits are joined in one alias")
        if not isinstance(node, ast.Identifier | ast.IndexExpression):
            self._fail(node, "an alias is of a register or a part of one")
        meaning = self._scope.find(_base(node))
        return self._bits_of(node) if isinstance(meaning, Bits) else self._operand(node)

    # Values

    def _parameter(self, node: Any) -> float:
        value = self._number(node)
        try:
            return float(value)
        except OverflowError:
            self._fail(node, "the number is too large")

    def _whole(self, node: Any) -> int:
        value = self._number(node)
        if not isinstance(value, int):
            self._fail(node, f"{value:g} is no whole number")
        return int(value)

    def _number(self, node: Any) -> Number:
        value = self._evaluate(node)
        if isinstance(value, Bits | LogicExp):
            self._fail(
                node,
                f"{_shown(node)} is measured, and a circuit of pytket needs a number",
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
        if not isinstance(meaning, _Variable):
            self._fail(node, f"{name!r} is {_KINDS[type(meaning)]}, not a number")
        if meaning.value is None:
            self._fail(node, f"{name!r} has no value yet")
        return meaning.value

    def _compute(self, node: Any, name: str, left: Value, right: Value) -> Value:
        if self._is_2 and not isinstance(left, Bits | LogicExp):
            left = float(left)  # its numbers are real: 1/2 is a half
        try:
            return binary(name, left, right)
        except ExpressionError as error:
            self._fail(node, str(error))

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
        known = name in FUNCTIONS and (not self._is_2 or name in _FUNCTIONS_2)
        shown = "ln" if self._is_2 and name == "log" else name
        if not known:
            self._fail(node, f"the function {shown!r} is not known")
        values = [self._number(argument) for argument in node.arguments]
        try:
            return on_numbers(shown, FUNCTIONS[name], *values)
        except ExpressionError as error:
            self._fail(node, str(error))

    def _cast_value(self, node: ast.Cast) -> Value:
        value = self._evaluate(node.argument)
        if type(node.type) in _NOT_EXPRESSED:
            self._refuse(_at(node, node.type))
        if not isinstance(value, Bits | LogicExp):
            return self._cast(node, node.type, value)
        if isinstance(node.type, ast.BoolType):
            return Bits((truth(value),), single=True)
        if isinstance(node.type, ast.FloatType | ast.AngleType):
            self._fail(node, "bits cannot become an angle of a circuit of pytket")
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
                number = int(value)
                if kind.size is None:
                    return number
                size = self._size(kind.size)
                number %= 1 << size
                if isinstance(kind, ast.IntType) and number >> (size - 1):
                    number -= 1 << size
                return number
        return value


def _own_qubits(names: Iterable[str]) -> dict[str, _Meaning]:
    return {name: _Qubits((Qubit(name, 0),), single=True) for name in names}


def _base(node: Any) -> str:
    """Return the name of a register, whether or not it has an index."""
    while True:
        if isinstance(node, ast.IndexExpression):
            node = node.collection
        elif isinstance(node, ast.IndexedIdentifier):
            node = node.name
        else:
            break
    return node.name if isinstance(node, ast.Identifier) else "an expression"


def _shown(node: Any) -> str:
    name = _base(node)
    return repr(name if isinstance(node, ast.Identifier) else f"{name}[…]")


def _at(place: Any, node: Any) -> Any:
    """Give a node that has no place the place of another."""
    node.span = node.span or place.span
    return node


def _read(item: Item) -> set[Any]:
    """Return the bits that a value is computed from."""
    if isinstance(item, bool):
        return set()
    return {item} if isinstance(item, Bit) else set(item.all_inputs())
