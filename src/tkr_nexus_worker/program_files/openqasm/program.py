"""Programs in OpenQASM, carried out statement by statement.

All that depends on no measurement is carried out when a file is read, loops and
variables too. The gates that a program defines are replaced by those of the standard
libraries.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn

from openqasm3 import ast
from pytket.circuit import Circuit, OpType
from pytket.circuit.logic_exp import LogicExp

from tkr_nexus_worker.program_files.conditions import Condition, ConditionalCircuit
from tkr_nexus_worker.program_files.openqasm.expressions import (
    Bits,
    ExpressionError,
    Number,
    Value,
    condition_of,
)
from tkr_nexus_worker.program_files.openqasm.gate_calls import EXTENDED_2
from tkr_nexus_worker.program_files.openqasm.gates import LIBRARIES
from tkr_nexus_worker.program_files.openqasm.names import (
    NOT_EXPRESSED,
    BreakError,
    ContinueError,
    EndError,
    Place,
    Scope,
    Subroutine,
    Variable,
    at_place,
)
from tkr_nexus_worker.program_files.openqasm.subroutines import SubroutineCalls
from tkr_nexus_worker.program_files.openqasm.syntax import (
    OpenQasmError,
    decode,
    parse_statements,
    version_of,
)
from tkr_runtime.files import read_file

_IN_IF_2 = (
    ast.QuantumGate,
    ast.QuantumMeasurementStatement,
    ast.QuantumReset,
    ast.QuantumBarrier,
    ast.ClassicalAssignment,
)


def circuit_from_openqasm(text: str, folder: Path) -> Circuit:
    """Return the circuit that a program in OpenQASM 2 or 3 describes.

    The condition of a broadcast statement of OpenQASM 2, such as
    ``if(c==1) measure q -> c;``, is read anew for each bit, as Qiskit does.

    :param text: The program; its lines end in line feeds.
    :param folder: The folder of files that it includes.
    :returns: The circuit, without a name.
    :raises OpenQasmError: If the program is wrong or cannot be expressed.
    """
    program = Program(version_of(text), folder)
    program.run(text, "")
    return program.circuit()


class Program(SubroutineCalls):
    """A program while it is carried out."""

    def run(self, text: str, source: str) -> None:
        """Carry out the statements of a file.

        :param text: The file.
        :param source: Its name, if it is included.
        """
        try:
            for statement in parse_statements(text, self._version):
                self._place = Place(statement, source)
                self._execute(statement.node)
        except EndError:
            if source:
                raise
        except RecursionError as error:
            reason = "it is nested too deeply"
            raise OpenQasmError(reason, self._line(self._node), source) from error
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

    def _execute(self, node: Any) -> None:
        self._node = node
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
            case ast.SwitchStatement():
                self._switch(node)
            case ast.SubroutineDefinition():
                meaning = Subroutine(node, self._place, self._scope)
                self._name(node.name, meaning)
            case ast.ExpressionStatement(expression=ast.FunctionCall() as call):
                self._call_alone(node, call)
            case ast.ReturnStatement():
                self._return(node)
            case ast.ForInLoop():
                self._for(node)
            case ast.WhileLoop():
                self._while(node)
            case ast.BreakStatement():
                self._leave(node, "break", BreakError())
            case ast.ContinueStatement():
                self._leave(node, "continue", ContinueError())
            case ast.EndStatement():
                self._leave(node, "end", EndError())
            case ast.CompoundStatement():
                self._block(node.statements)
            case ast.Include():
                self._include(node)
            case ast.Pragma():
                pass  # it is for other tools
            case _:
                self._refuse(node)

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

    def _branch(self, node: ast.BranchingStatement) -> None:
        if self._is_2:
            self._branch_2(node)
            return
        condition = self._condition_of(node, self._evaluate(node.condition))
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

    def _condition_of(self, node: Any, value: Value) -> Any:
        try:
            return condition_of(value)
        except ExpressionError as error:
            self._fail(node, str(error))

    def _switch(self, node: ast.SwitchStatement) -> None:
        value = self._evaluate(node.target)

        def run(number: int) -> None:
            if number == len(node.cases):
                self._block(node.default.statements if node.default else ())
                return
            labels, block = node.cases[number]
            found: Value = False
            for label in labels:
                equal = self._compute(label, "==", value, self._number(label))
                found = self._compute(label, "||", found, equal)
            condition = self._condition_of(labels[0], found)
            if isinstance(condition, bool):
                if condition:
                    self._block(block.statements)
                else:
                    run(number + 1)
                return
            self._depth += 1
            self._out.branch(
                condition,
                lambda: self._block(block.statements),
                lambda: run(number + 1),
            )
            self._depth -= 1

        run(0)

    def _branch_2(self, node: ast.BranchingStatement) -> None:
        [statement] = node.if_block
        if isinstance(statement, ast.BranchingStatement):
            self._fail(statement, "OpenQASM 2 has no if within an if")
        if not isinstance(statement, _IN_IF_2):
            self._fail(statement, "if has a gate, a measurement or a reset")
        test, numbers = node.condition, self._place.statement.numbers
        plain = (
            isinstance(test, ast.BinaryExpression)
            and test.op.name == "=="
            and isinstance(test.lhs, ast.Identifier)
            and isinstance(test.rhs, ast.IntegerLiteral)
            and numbers is not None
            and isinstance(numbers[test.rhs.value - 1], int)
        )
        if not plain and EXTENDED_2 not in self._libraries:
            self._fail(node, "OpenQASM 2 compares a register with a number: if(c==1)")
        condition = self._condition_of(node, self._evaluate(test))
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
        if type(node.type) in NOT_EXPRESSED:
            self._refuse(at_place(node, node.type))
        with self._loop():
            for value in values:
                self._count(node)
                variable = Variable(
                    self._cast(node, node.type, value), node.type, depth=self._depth
                )
                scope = Scope(self._scope, {node.identifier.name: variable})
                try:
                    with self._inner(scope):
                        self._block(node.block)
                except BreakError:
                    break
                except ContinueError:
                    continue

    def _loop_values(self, node: ast.ForInLoop) -> Iterable[Number]:
        values = node.set_declaration
        if isinstance(values, ast.DiscreteSet):
            return [self._number(one) for one in values.values]
        if isinstance(values, ast.RangeDefinition):
            return self._range(values, None)
        return self._fail(node, "a for loop runs over a range [0:3] or a set {0, 1, 3}")

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
                except BreakError:
                    break
                except ContinueError:
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
