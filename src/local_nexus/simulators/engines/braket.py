"""Simulation by the local simulators of Amazon Braket."""

import numpy as np
from pytket.backends.backendresult import BackendResult
from pytket.circuit import Circuit, OpType
from pytket.extensions.braket.backends.braket import BraketBackend
from pytket.passes import RemoveBarriers, RemovePhaseOps
from pytket.predicates import NoMidMeasurePredicate

from local_nexus.simulators.circuits.classical import classical_operations
from local_nexus.simulators.circuits.run import (
    CircuitRun,
    Shots,
    check_has_qubits,
    flatten,
)
from local_nexus.simulators.errors import SimulationError


def run(job: CircuitRun) -> Shots | BackendResult:
    """Simulate a circuit whose measurements are all final.

    :returns: Shots with one column per bit of the circuit, where bits never written are
        0; or the state.
    :raises SimulationError: When the config asks for a device of Amazon, or the circuit
        has other operations than gates and final measurements.
    """
    if not job.config.get("local"):
        raise SimulationError(
            "Devices of Amazon Braket cannot be reached from here: use "
            "BraketConfig(local=True)."
        )
    refused = {
        command.op.type.name
        for command in job.circuit
        if command.op.type in (OpType.Conditional, OpType.Reset)
    }.union(classical_operations(job.circuit))
    if refused:
        raise SimulationError(
            "The simulators of Amazon Braket run gates and final measurements only, "
            f"and the circuit has {', '.join(sorted(refused))}: use an AerConfig."
        )
    if not NoMidMeasurePredicate().verify(job.circuit):
        raise SimulationError(
            "The simulators of Amazon Braket measure only at the end of a circuit: use "
            "an AerConfig for measurements in its middle."
        )
    flat, qubits, bits = flatten(job.circuit)
    check_has_qubits(flat)
    # Braket has neither barriers nor gates without qubits.
    RemoveBarriers().apply(flat)
    RemovePhaseOps().apply(flat)
    backend = BraketBackend(
        local=True, local_device=job.config.get("local_device", "default")
    )
    backend.default_compilation_pass(0).apply(flat)
    if job.wants_state:
        state = backend.run_circuit(flat).get_state(flat.qubits)
        return BackendResult(state=state, q_bits=qubits)
    unmeasured, pairs = _separate_measurements(flat)
    measured = unmeasured.measure_all()
    shots = backend.run_circuit(measured, n_shots=job.n_shots).get_shots(measured.bits)
    table = np.zeros((job.n_shots, len(bits)), dtype=np.bool_)
    for qubit, bit in pairs:
        table[:, bit] = shots[:, qubit]
    return Shots(table, bits)


def _separate_measurements(flat: Circuit) -> tuple[Circuit, list[tuple[int, int]]]:
    """Return a circuit without its measurements, and their qubits and bits.

    Braket measures all qubits, and pytket-braket wants as many bits as qubits.
    """
    rest, pairs = Circuit(flat.n_qubits), []
    for command in flat:
        if command.op.type == OpType.Measure:
            pairs.append((command.qubits[0].index[0], command.bits[0].index[0]))
        else:
            rest.add_gate(command.op, command.args)
    return rest, pairs
