"""Errors of the phase: of memory, and crosstalk, a measurement that nobody sees."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

from local_nexus.simulators.noise.error_rates import ErrorRates, either
from local_nexus.simulators.noise.schedule import Operation, Slot, schedule


@dataclass(frozen=True)
class Dephasing:
    """An error of the phase of a qubit: Rz, and Z by chance."""

    qubit: Hashable
    half_turns: float
    p_z: float


@dataclass(frozen=True)
class PhaseErrors:
    """The errors of the phase around an operation.

    :param before: Those that come before it.
    :param with_it: Those that come after it, if it is done.
    """

    before: list[Dephasing]
    with_it: list[Dephasing]


def phase_errors(
    operations: Sequence[Operation], rates: ErrorRates
) -> list[PhaseErrors]:
    """Return for each operation the errors of the phase around it.

    Z by chance commutes with all other errors and with diagonal gates, and does nothing
    to a qubit in 0, nor before a measurement or reset: it is put off, together with
    others, and often dropped.
    """
    if not (rates.dephases or rates.p_crosstalk_meas or rates.p_crosstalk_init):
        return [PhaseErrors([], []) for _operation in operations]
    slots = schedule(operations, rates)
    qubits = dict.fromkeys(
        qubit for operation in operations for qubit in operation.qubits
    )
    last_turn = {
        qubit: index
        for index, operation in enumerate(operations)
        for qubit in operation.qubits
        if operation.kind == "gate" and not operation.is_diagonal
    }
    chances = _crosstalk_chances(operations, slots, rates)
    waiting: dict[Hashable, float] = {}
    found = []
    for index, (operation, slot) in enumerate(zip(operations, slots, strict=True)):
        errors = PhaseErrors([], [])
        found.append(errors)
        if operation.kind == "barrier":
            continue
        for qubit in operation.qubits:
            p_z = waiting.pop(qubit, 0.0)
            seconds = slot.exposed.get(qubit)
            if seconds is None or (operation.projects and not operation.is_conditional):
                continue
            p_z = either(p_z, rates.p_dephasing(seconds))
            if operation.projects or operation.is_diagonal:
                waiting[qubit], p_z = p_z, 0.0
            half_turns = rates.dephasing_half_turns(seconds)
            if p_z or half_turns:
                errors.before.append(Dephasing(qubit, half_turns, p_z))
        chance, beside = chances.get(index, (0.0, set()))
        # Half of the measurements that nobody sees are a Z.
        for qubit in qubits if chance else ():
            if qubit in beside or last_turn.get(qubit, -1) < index:
                continue
            if operation.is_conditional:
                errors.with_it.append(Dephasing(qubit, 0.0, chance / 2))
            else:
                waiting[qubit] = either(waiting.get(qubit, 0.0), chance / 2)
    return found


def _crosstalk_chances(
    operations: Sequence[Operation], slots: Sequence[Slot], rates: ErrorRates
) -> dict[int, tuple[float, set[Hashable]]]:
    """Return the crosstalk of operations: its probability, and whom it leaves alone.

    It leaves the operation's own qubits alone, and those that are measured, or reset,
    together with them if that counts as one operation, which then is the first.
    """
    rate = {"measure": rates.p_crosstalk_meas, "reset": rates.p_crosstalk_init}
    found: dict[int, tuple[float, set[Hashable]]] = {}
    first: dict[tuple[str, float], int] = {}
    for index, (operation, slot) in enumerate(zip(operations, slots, strict=True)):
        if not operation.projects:
            continue
        leader = index
        # Whether a conditional one takes place is not known beforehand.
        if not (rates.crosstalk_per_gate or operation.is_conditional):
            leader = first.setdefault((operation.kind, slot.start), index)
        chance = rate[operation.kind]
        found.setdefault(leader, (chance, set()))[1].update(operation.qubits)
    return found
