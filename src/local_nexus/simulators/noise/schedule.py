"""When the operations of a circuit happen, and how long its qubits wait and move.

Every operation starts as soon as its qubits and bits are ready. Before a gate on two
qubits both are transported; gates that are done in software take no time.
"""

from collections.abc import Hashable, Iterable
from dataclasses import dataclass, field
from typing import cast

from pytket.circuit import Command, Conditional, OpType

from local_nexus.simulators.noise.error_rates import (
    MEASURE_SECONDS,
    ONE_QUBIT_SECONDS,
    RESET_SECONDS,
    TRANSPORT_SECONDS,
    TWO_QUBIT_SECONDS,
    ErrorRates,
)

NANOSECOND_DIGITS = 9

SOFTWARE = {OpType.Rz, OpType.Phase}
"""Gates that are done in software, in no time and without an error."""
DIAGONAL = {OpType.Rz, OpType.Phase, OpType.ZZPhase}
KINDS = {
    OpType.Barrier: "barrier",
    OpType.Measure: "measure",
    OpType.Reset: "reset",
} | dict.fromkeys(SOFTWARE, "software")


@dataclass(frozen=True)
class Operation:
    """What a schedule needs to know of an operation.

    :param kind: ``gate``, ``software``, ``barrier``, ``measure``, ``reset`` or
        ``classical``.
    :param qubits: The qubits that it acts on.
    :param bits: The bits that it reads or writes.
    :param is_diagonal: Whether it is a gate that commutes with Z on its qubits.
    :param is_conditional: Whether bits decide if it is done; it takes its time anyway.
    """

    kind: str
    qubits: tuple[Hashable, ...]
    bits: tuple[Hashable, ...] = ()
    is_diagonal: bool = False
    is_conditional: bool = False

    @property
    def seconds(self) -> float:
        """How long the operation takes, without transport."""
        match self.kind:
            case "gate":
                one = len(self.qubits) == 1
                return ONE_QUBIT_SECONDS if one else TWO_QUBIT_SECONDS
            case "measure":
                return MEASURE_SECONDS
            case "reset":
                return RESET_SECONDS
            case _:
                return 0.0

    @property
    def moves(self) -> bool:
        """Whether its qubits have to be transported before."""
        return self.kind == "gate" and len(self.qubits) > 1

    @property
    def projects(self) -> bool:
        """Whether its qubit is in 0 or 1 after it."""
        return self.kind in ("measure", "reset")

    @property
    def prepares(self) -> bool:
        """Whether it is a gate on one qubit that can be put off."""
        is_gate = self.kind in ("gate", "software") and len(self.qubits) == 1
        return is_gate and not self.is_conditional

    @property
    def ends(self) -> bool:
        """Whether it leaves its qubit in 0."""
        return self.kind == "reset" and not self.is_conditional


@dataclass
class Slot:
    """When an operation happens.

    :param start: Seconds after the begin of the circuit.
    :param exposed: For each of its qubits, the seconds since the last operation on it
        in which it has memory errors; a qubit that has not been used has none.
    """

    start: float
    exposed: dict[Hashable, float] = field(default_factory=dict)


def operation_of(command: Command) -> Operation:
    """Return what a schedule needs to know of a command in the machines' gates."""
    op = command.op
    while op.type == OpType.Conditional:
        op = cast("Conditional", op).op
    kind = KINDS.get(op.type, "gate" if op.is_gate() else "classical")
    return Operation(
        kind,
        tuple(command.qubits),
        tuple(command.bits),
        is_diagonal=op.type in DIAGONAL,
        is_conditional=command.op.type == OpType.Conditional,
    )


def schedule(operations: Iterable[Operation], rates: ErrorRates) -> list[Slot]:
    """Return when operations happen, each as soon as possible, in their order.

    Gates on a qubit alone that come first, or after a reset, are done right before the
    next operation on it, or barrier: nothing prepares a state to let it wait.
    """
    ready: dict[Hashable, float] = {}
    touched: dict[Hashable, float] = {}
    prepared: set[Hashable] = set()
    slots = []
    for operation in operations:
        units = (*operation.qubits, *operation.bits)
        begin = max((ready.get(unit, 0.0) for unit in units), default=0.0)
        transport = TRANSPORT_SECONDS if operation.moves else 0.0
        slot = Slot(_rounded(begin + transport))
        end = _rounded(slot.start + operation.seconds)
        ready.update(dict.fromkeys(units, end))
        slots.append(slot)
        for qubit in operation.qubits:
            if operation.kind == "barrier":
                if qubit in prepared:
                    touched.setdefault(qubit, end)
                continue
            since = touched.get(qubit, begin)
            if qubit in prepared or qubit in touched:
                waiting = (begin - since) * rates.idle_dephasing
                moving = transport * rates.transport_dephasing
                slot.exposed[qubit] = _rounded(waiting + moving)
            if operation.ends:
                prepared.discard(qubit)
                touched.pop(qubit, None)
            elif qubit in touched or not operation.prepares:
                touched[qubit] = end
            else:
                prepared.add(qubit)
    return slots


def _rounded(seconds: float) -> float:
    return round(seconds, NANOSECOND_DIGITS)
