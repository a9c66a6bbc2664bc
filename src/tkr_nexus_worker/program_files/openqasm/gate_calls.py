"""The definition and the use of gates."""

from collections.abc import Iterator, Sequence
from dataclasses import fields
from math import pi
from typing import Any

from openqasm3 import ast
from pytket.circuit import Circuit, Qubit

from tkr_nexus_worker.program_files.conditions import ConditionalCircuit
from tkr_nexus_worker.program_files.openqasm.evaluation import Evaluation
from tkr_nexus_worker.program_files.openqasm.gates import (
    LIBRARIES,
    ModifierError,
    StandardGate,
    controlled_phase,
    modified,
)
from tkr_nexus_worker.program_files.openqasm.names import (
    DefinedGate,
    Gate,
    Meaning,
    OpaqueGate,
    Qubits,
    Scope,
    Variable,
    counted,
    own_qubits,
    shown,
)

EXTENDED_2 = "hqslib1.inc"
"""The library whose programs in OpenQASM 2 may compute with bits."""

_IN_GATES_2 = (ast.QuantumGate, ast.QuantumBarrier)
_IN_GATES_3 = (
    *_IN_GATES_2,
    ast.QuantumPhase,
    ast.ForInLoop,
    ast.WhileLoop,
    ast.BranchingStatement,
    ast.ConstantDeclaration,
    ast.ClassicalDeclaration,
    ast.ClassicalAssignment,
    ast.CompoundStatement,
)


class GateCalls(Evaluation):
    """A program whose gates can be defined and used."""

    def _define(self, node: ast.QuantumGateDefinition) -> None:
        name = node.name.name
        if self._place.statement.opaque:
            where = f"{self._place.source} line {self._line(node.name)}".strip()
            self._name(node.name, OpaqueGate(where))
            return
        parameters = tuple(one.name for one in node.arguments)
        qubits = tuple(one.name for one in node.qubits)
        for names in (parameters, qubits):
            for one in names:
                if names.count(one) > 1:
                    self._fail(node, f"gate {name!r} has {one!r} twice")
        scope = Scope(self._scope)
        arguments = {one: Variable(1.0) for one in parameters}
        checked = Scope(scope, {**arguments, **own_qubits(qubits)})
        with self._inner(checked):
            self._check_body(node.body, set(qubits), scope.gates)
        self._name(
            node.name, DefinedGate(parameters, qubits, node.body, self._place, scope)
        )

    def _check_body(
        self,
        body: Sequence[Any],
        qubits: set[str],
        gates: dict[str, Gate],
        local: frozenset[str] = frozenset(),
    ) -> None:
        """Check what can be known of a gate before it is used."""
        local |= {one.identifier.name for one in body if hasattr(one, "identifier")}
        for node in body:
            if not isinstance(node, _IN_GATES_2 if self._is_2 else _IN_GATES_3):
                what = type(node).__name__.removeprefix("Quantum")
                self._fail(node, f"{what} cannot be part of a gate")
            if isinstance(node, ast.QuantumGate):
                gate = gates[node.name.name] = self._gate(node)
                if not node.modifiers and not isinstance(gate, OpaqueGate):
                    self._check_counts(node, gate)
            if isinstance(node, ast.QuantumGate | ast.QuantumBarrier):
                used = [getattr(one, "name", None) for one in node.qubits]
                for operand, one in zip(node.qubits, used, strict=True):
                    if not isinstance(one, str) or one not in qubits:
                        reason = f"{shown(operand)} is not a qubit of the gate"
                        self._fail(operand, reason)
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

    def _gate(self, node: ast.QuantumGate) -> Gate:
        name = node.name.name
        scope: Scope | None = self._scope
        while scope is not None:
            if name in scope.gates:
                return scope.gates[name]
            meaning = scope.names.get(name)
            if isinstance(meaning, DefinedGate | OpaqueGate):
                return meaning
            scope = scope.outer
        if name in self._library:
            return self._library[name]
        order = ("qelib1.inc", EXTENDED_2) if self._is_2 else ("stdgates.inc",)
        libraries = (one for one in (*order, *LIBRARIES) if name in LIBRARIES[one])
        hint = "".join(f'; include "{one}" first' for one in [*libraries][:1])
        return self._fail(node, f"gate {name!r} is not defined{hint}")

    def _check_counts(
        self, node: ast.QuantumGate, gate: StandardGate | DefinedGate, more: int = 0
    ) -> None:
        name = node.name.name
        wanted, given = gate.n_parameters, len(node.arguments)
        if given != wanted:
            takes = counted(wanted, "parameter")
            self._fail(node, f"gate {name!r} takes {takes}, not {given}")
        wanted, given = gate.n_qubits + more, len(node.qubits)
        if given != wanted:
            takes = counted(wanted, "qubit")
            self._fail(node, f"gate {name!r} takes {takes}, not {given}")

    def _call(self, node: ast.QuantumGate) -> None:
        gate = self._gate(node)
        name = node.name.name
        if isinstance(gate, OpaqueGate):
            self._fail(
                node,
                f"gate {name!r} is opaque (declared in {gate.where}), so what it "
                "does is unknown; define it with gate",
            )
        if node.duration is not None:
            self._fail(node, f"{name!r} is not a gate with a duration")
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
        gate: StandardGate | DefinedGate,
        parameters: Sequence[float],
        qubits: Sequence[Qubit],
    ) -> None:
        if isinstance(gate, StandardGate):
            for kind, angles, places in gate.pieces(parameters):
                self._add(kind, [qubits[place] for place in places], angles)
            if not self._is_2:
                self._phase += gate.phase(parameters)
            return
        names: dict[str, Meaning] = {
            **{
                name: Variable(value)
                for name, value in zip(gate.parameters, parameters, strict=True)
            },
            **{
                name: Qubits((qubit,), single=True)
                for name, qubit in zip(gate.qubits, qubits, strict=True)
            },
        }
        with self._inner(Scope(gate.scope, names), gate.place):
            for statement in gate.body:
                self._execute(statement)

    def _separately(
        self, gate: StandardGate | DefinedGate, parameters: Sequence[float]
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
        # The standard library itself writes pow(1/2) for a square root.
        self._real = kind == "pow"
        value = self._number(node.argument)
        self._real = False
        if kind != "pow" and (not isinstance(value, int) or value < 1):
            self._fail(node, f"{kind} has the number {value}; give 1 or more")
        return kind, value

    def _apply_phase(self, node: ast.QuantumPhase) -> None:
        angle = self._parameter(node.argument) / pi
        modifiers = [self._modifier(one) for one in node.modifiers]
        qubits = [qubit for one in node.qubits for qubit in self._operand(one).qubits]
        controls = sum(count for kind, count in modifiers if kind.endswith("ctrl"))
        if len(qubits) != controls:
            takes = counted(controls, "qubit")
            self._fail(node, f"gphase takes {takes} here, not {len(qubits)}")
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
