"""Simulation by the local simulators of Amazon Braket."""

import numpy as np
from pytket.backends.backendresult import BackendResult
from pytket.circuit import OpType
from pytket.extensions.braket import BraketBackend

from local_nexus.simulators.circuits import CircuitRun, flatten, shots_result
from local_nexus.simulators.errors import SimulationError


def run(job: CircuitRun) -> BackendResult:
    """Simulate a circuit whose measurements are all final.

    :returns: shots with one column per bit of the circuit; bits never written are 0.
    :raises SimulationError: when the config asks for a device of Amazon.
    """
    if not job.config.get("local"):
        raise SimulationError(
            "Devices of Amazon Braket cannot be reached from here: use "
            "BraketConfig(local=True)."
        )
    flat, _qubits, bits = flatten(job.circuit)
    backend = BraketBackend(
        local=True, local_device=job.config.get("local_device", "default")
    )
    backend.default_compilation_pass(0).apply(flat)
    table = np.zeros((job.n_shots, len(bits)), dtype=np.bool_)
    if flat.n_gates_of_type(OpType.Measure):
        result = backend.run_circuit(flat, n_shots=job.n_shots)
        for bit in result.c_bits:
            table[:, bit.index[0]] = result.get_shots([bit])[:, 0]
    return shots_result(table, bits)
