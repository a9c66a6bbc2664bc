"""What a device of Quantinuum runs as it is, as its backend in pytket checks it.

The check is that of ``QuantinuumBackend.required_predicates`` in pytket-quantinuum: the
gates, and the number of classical registers. It is left out where that backend compiles
the circuit itself, which it does to detect leakage, or checks nothing, which it does in
machine debug mode.
"""

from pytket.circuit import Circuit, OpType

from local_nexus.simulators.circuits.classical import inner
from local_nexus.simulators.devices import Config, Device
from local_nexus.simulators.errors import SimulationError

CHECKED_BACKENDS = {"HeliosBackend", "QuantinuumBackend"}

ANY_DEVICE = {
    "Barrier",
    "ClExpr",
    "CopyBits",
    "ExplicitModifier",
    "ExplicitPredicate",
    "MultiBit",
    "Phase",
    "RangePredicate",
    "SetBits",
}
"""Operations of no qubit; Helios has them, too, though its list names gates only.

Rebasing leaves a global phase, also under a condition; pytket's predicate takes it.
"""

OF_QUBITS = {"PhasedX", "Rz", "TK2", "ZZMax", "ZZPhase"}


def check_gates(circuit: Circuit, config: Config, device: Device) -> None:
    """Refuse a circuit that a device of Quantinuum does not run as it is.

    :param circuit: The circuit as it was sent, with its boxes.
    :raises SimulationError: When it has other gates than the device, or more classical
        registers; devices of others take any circuit here.
    """
    if device["backend_name"] not in CHECKED_BACKENDS or config.get("machine_debug"):
        return
    info, name = device["backend_info"], device["device_name"]
    allowed = ANY_DEVICE.union(info["gate_set"])
    types = {inner(command.op).type for command in circuit}
    if config.get("leakage_detection"):
        types = set[OpType]()
    if foreign := sorted({kind.name for kind in types} - allowed):
        gates = ", ".join(sorted(OF_QUBITS & allowed))
        raise SimulationError(
            f"{name} does not run {', '.join(foreign)}: its gates are {gates}. Compile "
            f"the circuit for {name} before you execute it."
        )
    most, registers = info["n_cl_reg"], len(circuit.c_registers)
    if most is not None and registers > most:
        raise SimulationError(
            f"The circuit has {registers} classical registers, and {name} takes {most}."
        )
