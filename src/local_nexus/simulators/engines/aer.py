"""Simulation by Qiskit Aer: any circuit, noise, states and unitaries."""

from typing import Any

from pytket.backends.backendinfo import BackendInfo
from pytket.backends.backendresult import BackendResult
from pytket.circuit import Circuit
from pytket.extensions.qiskit.backends.aer import AerBackend

from local_nexus.simulators.circuits import flatten


def backend_info(config: dict[str, Any]) -> BackendInfo:
    """Return what the simulator can do."""
    return _backend(config).backend_info


def run(circuit: Circuit, config: dict[str, Any], n_shots: int | None) -> BackendResult:
    """Simulate a circuit.

    :param circuit: a circuit without boxes and symbols.
    :param config: the backend config; its ``seed`` makes the shots reproducible.
    :param n_shots: shots to take.
    :returns: shots with one column per bit of the circuit.
    """
    flat, _qubits, bits = flatten(circuit)
    backend = _backend(config)
    backend.default_compilation_pass(0).apply(flat)
    handle = backend.process_circuit(flat, n_shots, seed=config.get("seed"))
    result = backend.get_result(handle)
    return BackendResult(shots=result.get_result().shots, c_bits=bits)


def _backend(config: dict[str, Any]) -> AerBackend:
    return AerBackend(
        simulation_method=config.get("simulation_method", "automatic"),
        n_qubits=config.get("n_qubits", 40),
    )
