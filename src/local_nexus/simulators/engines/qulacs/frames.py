"""Rz in software: as on the machines, it turns the axes of later gates."""

from collections import defaultdict

from pytket.circuit import Circuit, OpType, UnitID


def without_rz(circuit: Circuit) -> Circuit:
    """Return a circuit of the machines' gates that does the same with fewer of them.

    Rz commutes with the diagonal gates; with all errors of the machines, since X and Y
    have equal chances; and it does nothing to a qubit that is measured or reset. It is
    done only before what depends on a condition.
    """
    stored = circuit.to_dict()
    half_turns: defaultdict[UnitID, float] = defaultdict(float)
    commands = []
    for command, kept in zip(circuit, stored["commands"], strict=True):
        match command.op.type:
            case OpType.Rz:
                half_turns[command.qubits[0]] += float(command.op.params[0])
                continue
            case OpType.PhasedX:
                turn, axis = map(float, command.op.params)
                axis -= half_turns[command.qubits[0]]
                kept["op"]["params"] = [str(turn), str(axis % 2)]
            case OpType.Measure | OpType.Reset:
                half_turns.pop(command.qubits[0], None)
            case OpType.Conditional:
                for qubit in command.qubits:
                    angle = half_turns.pop(qubit, 0.0)
                    rz = {"type": "Rz", "params": [str(angle)]}
                    if angle:
                        commands.append({"op": rz, "args": [qubit.to_list()]})
        commands.append(kept)
    return Circuit.from_dict(stored | {"commands": commands})
