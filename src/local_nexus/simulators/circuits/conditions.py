"""Boxes with classical bits, written out so that each condition is read at its time.

A condition holds for a box as a whole: it is read once, before the box, also if the box
writes a bit of the condition. pytket's own pass puts the condition on every operation
of the box instead, which reads it again after the write, and aborts the process on some
circuits. Here such a condition is kept in a scratch bit first.

A pair of boxes that pytket-qiskit names ``If`` and ``Else``, with opposite conditions,
comes from one statement: its condition is read once for both.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from pytket.circuit import Circuit

SCRATCH = "tk_SCRATCH_BIT"
"""The register in which pytket's compiler keeps bits of its own."""

Json = Any
Unit = tuple[str, tuple[int, ...]]
Condition = tuple[Unit, int]
"""A bit, and the value that it has to have."""

MOST_BITS = 32
"""Bits whose values fit the condition of one operation in pytket."""


def is_scratch(register: str) -> bool:
    """Return whether a register holds bits of compilers, which no user has made."""
    return register.startswith(SCRATCH)


def unfold(circuit: Circuit) -> Circuit:
    """Return a circuit without boxes that have bits, and without nested conditions."""
    stored = circuit.to_dict()
    if not any(_needs_work(command["op"]) for command in stored["commands"]):
        return circuit
    taken = [bit.index[0] for bit in circuit.bits if bit.reg_name == SCRATCH]
    writer = _Writer(max(taken, default=-1) + 1)
    writer.write(stored["commands"], {}, ())
    bits = [*stored["bits"], *map(_listed, writer.scratch)]
    unfolded = Circuit.from_dict(stored | {"bits": bits, "commands": writer.commands})
    for phase in writer.phases:
        unfolded.add_phase(phase)
    return unfolded


def _needs_work(op: Json) -> bool:
    depth = 0
    while op["type"] == "Conditional":
        op, depth = op["conditional"]["op"], depth + 1
    if _is_box(op) and op["box"]["circuit"]["bits"]:
        return True
    return depth > 1 or (depth == 1 and _resets(op))


def _resets(op: Json) -> bool:
    """Return whether an operation prepares a state, and resets its qubits first.

    pytket forgets the resets when it takes such a box apart under a condition.
    """
    while op["type"] == "Conditional":
        op = op["conditional"]["op"]
    if op["type"] == "StatePreparationBox":
        return bool(op["box"]["with_initial_reset"])
    if not _is_box(op):
        return False
    return any(_resets(one["op"]) for one in op["box"]["circuit"]["commands"])


def _is_box(op: Json) -> bool:
    return bool(op["type"] == "CircBox")


@dataclass
class _Command:
    """A command without its conditions.

    :param stored: The command as pytket stores it.
    :param op: What is done if all conditions hold.
    :param units: What it is done on.
    :param conditions: Its own conditions.
    """

    stored: Json
    op: Json
    units: list[Unit]
    conditions: tuple[Condition, ...]

    @property
    def branch(self) -> str | None:
        """``If`` or ``Else`` for a branch of a statement, else None."""
        if len(self.conditions) != 1 or not _is_box(self.op):
            return None
        name = self.op["box"]["circuit"].get("name")
        return name if name in ("If", "Else") else None


def _command(stored: Json, renamed: Mapping[Unit, Unit]) -> _Command:
    units = [renamed.get(unit, unit) for unit in map(_unit, stored["args"])]
    op, conditions = stored["op"], []
    while op["type"] == "Conditional":
        value, width = op["conditional"]["value"], op["conditional"]["width"]
        conditions += [(bit, value >> n & 1) for n, bit in enumerate(units[:width])]
        op, units = op["conditional"]["op"], units[width:]
    return _Command(stored, op, units, tuple(conditions))


@dataclass
class _Writer:
    """Writes commands, with as many scratch bits as they need."""

    next_scratch: int
    commands: list[Json] = field(default_factory=list)
    scratch: list[Unit] = field(default_factory=list)
    phases: list[Any] = field(default_factory=list)

    def write(
        self,
        stored: Iterable[Json],
        renamed: Mapping[Unit, Unit],
        outer: tuple[Condition, ...],
    ) -> None:
        """Write commands that are done if some outer conditions hold."""
        commands = [_command(command, renamed) for command in stored]
        statements = _statements(commands)
        kept: dict[int, tuple[Condition, ...]] = {}
        for index, command in enumerate(commands):
            conditions = command.conditions
            if index in statements:
                # The other branch may have written what decided.
                ((bit, value),) = kept[statements[index]]
                conditions = ((bit, 1 - value),)
            elif index in statements.values():
                conditions = kept[index] = self._keep(conditions)
            self._write_one(command, outer, conditions)

    def _write_one(
        self,
        command: _Command,
        outer: tuple[Condition, ...],
        own: tuple[Condition, ...],
    ) -> None:
        conditions = dict(outer)
        for bit, value in own:
            if conditions.setdefault(bit, value) != value:
                return  # It asks for 0 and for 1.
        if not _is_box(command.op) or not (
            command.op["box"]["circuit"]["bits"] or (conditions and _resets(command.op))
        ):
            self._write_plain(command, tuple(conditions.items()))
            return
        circuit = Circuit.from_dict(command.op["box"]["circuit"])
        circuit.replace_implicit_wire_swaps()
        inner = _units(circuit)
        renamed = dict(zip(inner, command.units, strict=False))
        decisive = tuple(conditions.items())
        if not conditions.keys().isdisjoint(_written(command)):
            decisive = self._keep(decisive)
        if not decisive:
            self.phases.append(circuit.phase)
        self.write(circuit.to_dict()["commands"], renamed, decisive)

    def _write_plain(
        self, command: _Command, conditions: tuple[Condition, ...]
    ) -> None:
        while len(conditions) > MOST_BITS:
            first = self._keep(conditions[:MOST_BITS])
            conditions = (*conditions[MOST_BITS:], *first)
        op = command.op
        if conditions and _resets(op):
            for unit in command.units:
                reset = _Command({}, {"type": "Reset"}, [unit], ())
                self._write_plain(reset, conditions)
            op = op | {"box": op["box"] | {"with_initial_reset": False}}
        if conditions:
            value = sum(value << n for n, (_bit, value) in enumerate(conditions))
            facts = {"op": op, "value": value, "width": len(conditions)}
            op = {"type": "Conditional", "conditional": facts}
        units = [*(bit for bit, _value in conditions), *command.units]
        args = list(map(_listed, units))
        self.commands.append(command.stored | {"op": op, "args": args})

    def _keep(self, conditions: tuple[Condition, ...]) -> tuple[Condition, ...]:
        """Return conditions that now hold if others do, and that nothing changes."""
        while len(conditions) > MOST_BITS:
            first = self._keep(conditions[:MOST_BITS])
            conditions = (*conditions[MOST_BITS:], *first)
        bit: Unit = (SCRATCH, (self.next_scratch,))
        self.next_scratch += 1
        self.scratch.append(bit)
        op: Json
        if len(conditions) == 1:
            ((source, value),) = conditions
            op = {"type": "CopyBits", "classical": {"n_i": 1}}
            sources = [source]
        else:
            whole = sum(value << n for n, (_bit, value) in enumerate(conditions))
            facts = {"lower": whole, "upper": whole, "n_i": len(conditions)}
            op = {"type": "RangePredicate", "classical": facts}
            sources, value = [source for source, _value in conditions], 1
        args = list(map(_listed, [*sources, bit]))
        self.commands.append({"op": op, "args": args})
        return ((bit, value),)


def _statements(commands: list[_Command]) -> dict[int, int]:
    """Return the indices of ``Else`` branches, each with that of its ``If`` branch.

    Only those are returned whose ``If`` branch writes what the condition depends on.
    """
    sources: dict[Unit, tuple[str, list[Unit]]] = {}
    open_branches: dict[tuple[object, int], list[int]] = {}
    found: dict[int, int] = {}
    for index, command in enumerate(commands):
        if branch := command.branch:
            ((bit, value),) = command.conditions
            # The compiler computes a condition on a register for each branch anew.
            origin = sources.get(bit)
            key = bit if origin is None else json.dumps(origin)
            if branch == "If":
                depends_on = {bit, *([] if origin is None else origin[1])}
                if not depends_on.isdisjoint(_written(command)):
                    open_branches.setdefault((key, value), []).append(index)
            elif partners := open_branches.get((key, 1 - value)):
                found[index] = partners.pop()
        elif not command.conditions and command.op["type"] in (
            "RangePredicate",
            "ClExpr",
        ):
            *inputs, output = command.units
            if is_scratch(output[0]):
                sources[output] = (json.dumps(command.op, sort_keys=True), inputs)
    return found


def _written(command: _Command) -> Iterator[Unit]:
    """Yield the units that a command may write, qubits included."""
    op, units = command.op, command.units
    match op["type"]:
        case "CircBox":
            inner = Circuit.from_dict(op["box"]["circuit"])
            names = _units(inner)
            renamed = dict(zip(names, units, strict=False))
            for stored in op["box"]["circuit"]["commands"]:
                yield from _written(_command(stored, renamed))
        case "ClExpr":
            yield from (units[at] for at in op["expr"]["output_posn"])
        case "CopyBits":
            yield from units[op["classical"]["n_i"] :]
        case "RangePredicate" | "ExplicitPredicate" | "ExplicitModifier":
            yield units[-1]
        case _:
            yield from units


def _units(circuit: Circuit) -> list[Unit]:
    """Return the units of the circuit of a box, in the order of the box's arguments."""
    units = [*circuit.qubits, *circuit.bits]
    return [(unit.reg_name, tuple(unit.index)) for unit in units]


def _unit(stored: Json) -> Unit:
    name, index = stored
    return name, tuple(index)


def _listed(unit: Unit) -> Json:
    return [unit[0], list(unit[1])]
