"""Detection of leaked qubits, the option ``leakage_detection`` of a config.

Before every measurement a fresh qubit is coupled twice to the measured one, which tells
whether that has left its two levels; pytket-quantinuum inserts the same. A leaked qubit
takes no part in that, so that the fresh one is found in 1; errors of the detection are
taken for leakage, too. The device takes a spare qubit for each, or one that has been
measured for the last time; one that is used again and again does the same here and
leaves the state small.
"""

from typing import Any

from pytket.circuit import Circuit, OpType

from local_nexus.simulators.errors import SimulationError

BITS = "leakage_detection_bit"
QUBITS = "leakage_detection_qubit"
SPARE = [QUBITS, [0]]


def with_detection(circuit: Circuit, n_device_qubits: int) -> Circuit:
    """Return a circuit that detects leakage before each of its measurements.

    :param n_device_qubits: Qubits of the device; without a spare one, a measurement
        before all others goes without.
    :returns: The circuit, with a bit ``leakage_detection_bit[i]`` for the measurement
        number i, 1 for a leaked qubit.
    :raises SimulationError: When the circuit uses the names of the new registers.
    """
    names = {unit.reg_name for unit in [*circuit.qubits, *circuit.bits]}
    if taken := sorted(names & {BITS, QUBITS}):
        raise SimulationError(
            f"The circuit has a register {taken[0]!r}, which leakage_detection adds: "
            "rename it."
        )
    stored = circuit.to_dict()
    last_use = {
        qubit: index
        for index, command in enumerate(circuit)
        for qubit in command.qubits
        if command.op.type != OpType.Barrier
    }
    is_free = circuit.n_qubits < n_device_qubits
    commands: list[Any] = []
    n_bits = 0
    for index, command in enumerate(circuit):
        if command.op.type == OpType.Measure:
            if is_free:
                measured = stored["commands"][index]["args"][0]
                commands += _gadget(measured, [BITS, [n_bits]])
                n_bits += 1
            is_free |= last_use[command.qubits[0]] == index
        commands.append(stored["commands"][index])
    if not n_bits:
        return circuit
    bits = [[BITS, [number]] for number in range(n_bits)]
    return Circuit.from_dict(
        stored
        | {
            "qubits": [*stored["qubits"], SPARE],
            "bits": [*stored["bits"], *bits],
            "commands": commands,
            "implicit_permutation": [*stored["implicit_permutation"], [SPARE, SPARE]],
        }
    )


def _gadget(measured: Any, bit: Any) -> list[dict[str, Any]]:
    """Return the commands that set a bit if a qubit has leaked."""

    def command(name: str, *units: Any) -> dict[str, Any]:
        kind = {"type": name}
        if name == "Barrier":
            kind["signature"] = ["Q"] * len(units)  # type: ignore[assignment]
        return {"op": kind, "args": list(units)}

    # Between the barriers nothing may be put together: twice ZZMax is Z on both.
    return [
        command("Reset", SPARE),
        command("X", SPARE),
        command("Barrier", measured, SPARE),
        command("H", SPARE),
        command("ZZMax", SPARE, measured),
        command("Barrier", measured, SPARE),
        command("ZZMax", SPARE, measured),
        command("H", SPARE),
        command("Z", measured),
        command("Barrier", measured, SPARE),
        command("Measure", SPARE, bit),
    ]
