"""The use of subroutines, which are carried out where they are called."""

from collections.abc import Iterable
from typing import Any

from openqasm3 import ast
from pytket.circuit.logic_exp import LogicExp

from tkr_nexus_worker.program_files.openqasm.bits import BitStatements
from tkr_nexus_worker.program_files.openqasm.expressions import Bits, Value
from tkr_nexus_worker.program_files.openqasm.names import (
    NOT_EXPRESSED,
    Meaning,
    ReturnError,
    Scope,
    Subroutine,
    Variable,
    counted,
    shown,
)

MOST_STEPS = 1_000_000
"""How many statements the loops and subroutines of a program may carry out."""
DEEPEST_CALL = 20
"""How many subroutines may call each other, or themselves."""


class SubroutineCalls(BitStatements):
    """A program that can carry out blocks and subroutines."""

    def _count(self, node: Any) -> None:
        self._steps += 1
        if self._steps > MOST_STEPS:
            self._fail(
                node,
                f"the loops carry out more than {MOST_STEPS:,} statements; bound them",
            )

    def _block(self, statements: Iterable[Any]) -> None:
        with self._inner(Scope(self._scope)):
            for statement in statements:
                self._execute(statement)

    def _call_alone(self, node: Any, call: ast.FunctionCall) -> None:
        """Carry out a call whose value nobody takes."""
        subroutine = self._scope.find(call.name.name)
        if not isinstance(subroutine, Subroutine):
            self._refuse(node)
        self._carry_out(call, subroutine)

    def _call_subroutine(self, node: Any, subroutine: Subroutine) -> Value:
        value = self._carry_out(node, subroutine)
        if value is None:
            self._fail(node, f"subroutine {node.name.name!r} returns nothing")
        return value

    def _carry_out(
        self, node: ast.FunctionCall, subroutine: Subroutine
    ) -> Value | None:
        """Carry out a subroutine, and return what it returns."""
        self._count(node)
        name, wanted = node.name.name, subroutine.node.arguments
        if len(node.arguments) != len(wanted):
            takes = counted(len(wanted), "argument")
            self._fail(
                node, f"subroutine {name!r} takes {takes}, not {len(node.arguments)}"
            )
        names = {
            own.name.name: self._argument(given, own)
            for given, own in zip(node.arguments, wanted, strict=True)
        }
        if len(self._calls) == DEEPEST_CALL:
            self._fail(node, f"calls of subroutine {name!r} are nested too deeply")
        scope = Scope(subroutine.scope, names)
        before, self._loops = self._loops, []
        self._calls.append(self._depth)
        try:
            with self._inner(scope, subroutine.place):
                self._block(subroutine.node.body)
        except ReturnError as error:
            returned = error.value
        else:
            returned = None
        finally:
            self._calls.pop()
            self._loops = before
        kind = subroutine.node.return_type
        if kind is None or returned is None or isinstance(returned, LogicExp):
            return returned
        if isinstance(returned, Bits):
            return self._cast_bits(node, kind, returned)
        return self._cast(node, kind, returned)

    def _argument(self, given: Any, own: Any) -> Meaning:
        if isinstance(own, ast.QuantumArgument):
            qubits = self._operand(given)
            with self._inner(self._scope):
                size = None if own.size is None else self._size(own.size)
            if (size is None) != qubits.single or len(qubits.qubits) != (size or 1):
                takes = "one qubit" if size is None else counted(size, "qubit")
                self._fail(
                    given,
                    f"{own.name.name!r} stands for {takes}, and {shown(given)} has "
                    f"{counted(len(qubits.qubits), 'qubit')}",
                )
            return qubits
        if type(own.type) in NOT_EXPRESSED or isinstance(
            own.type, ast.ArrayReferenceType
        ):
            self._fail(given, "a circuit of pytket cannot express arrays")
        value = self._evaluate(given)
        variable = Variable(None, own.type, constant=False, depth=self._depth)
        if not isinstance(own.type, ast.BitType):
            self._assign_number(given, variable, value)
            return variable
        size = self._size(own.type.size)
        bits = tuple(self._out.scratch_bit() for _ in range(size))
        if isinstance(value, LogicExp):
            self._fail(given, "a circuit of pytket cannot express a sum of bits here")
        self._write_bits(bits, self._fitted(given, value, size))
        return Bits(bits, own.type.size is None)

    def _return(self, node: ast.ReturnStatement) -> None:
        if self._depth > self._calls[-1]:
            self._fail(
                node,
                "a measurement decides whether return is reached, which a circuit of "
                "pytket cannot express",
            )
        value: Value | None = None
        if isinstance(node.expression, ast.QuantumMeasurement):
            value = self._measured(node.expression)
        elif node.expression is not None:
            value = self._evaluate(node.expression)
        raise ReturnError(value)
