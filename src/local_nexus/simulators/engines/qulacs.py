"""State vector simulation of plain circuits by Qulacs."""

import resource
from typing import Any, cast

import numpy as np
import numpy.typing as npt
from pytket.backends.backendinfo import BackendInfo
from pytket.backends.backendresult import BackendResult
from pytket.circuit import Circuit, OpType
from pytket.extensions.qulacs.backends.qulacs_backend import QulacsBackend
from pytket.extensions.qulacs.qulacs_convert import tk_to_qulacs
from qulacs import QuantumState

from local_nexus.simulators.circuits import flatten, shots_result
from local_nexus.simulators.errors import SimulationError

GIB = 2**30
SEEDS = 2**32
AMPLITUDE = 16
"""Bytes of one complex number."""


def backend_info(config: dict[str, Any]) -> BackendInfo:
    """Return what the simulator can do."""
    info = QulacsBackend(config.get("result_type", "state_vector")).backend_info
    return cast("BackendInfo", info)


def run(circuit: Circuit, config: dict[str, Any], n_shots: int | None) -> BackendResult:
    """Simulate a circuit whose measurements are all final.

    :param circuit: a circuit without boxes and symbols.
    :param config: the backend config; its ``seed`` makes the shots reproducible.
    :param n_shots: shots to sample; None returns the state before measurement.
    :returns: shots with one column per bit of the circuit, or the state.
    """
    _check_memory(circuit.n_qubits)
    flat, qubits, bits = flatten(circuit)
    QulacsBackend().rebase_pass().apply(flat)
    state = QuantumState(flat.n_qubits)
    tk_to_qulacs(
        flat, reverse_index=True, replace_implicit_swaps=True
    ).update_quantum_state(state)
    if n_shots is None:
        vector = state.get_vector() * np.exp(1j * np.pi * float(flat.phase))
        return BackendResult(state=vector, q_bits=qubits)
    return shots_result(_shots(flat, state, n_shots, config.get("seed")), bits)


def _check_memory(n_qubits: int) -> None:
    """Refuse what does not fit, because Qulacs then ends its process.

    :raises SimulationError: when the state needs more memory than the process may use.
    """
    needed = AMPLITUDE * 2**n_qubits
    allowed = resource.getrlimit(resource.RLIMIT_DATA)[0]
    if allowed != resource.RLIM_INFINITY and needed > allowed:
        raise SimulationError(
            f"A state vector of {n_qubits} qubits needs {needed / GIB:.3g} GiB of "
            f"memory, the simulator may use {allowed / GIB:.3g} GiB: use fewer qubits, "
            "or a stabilizer simulator if the circuit is Clifford."
        )


def _shots(
    flat: Circuit, state: QuantumState, n_shots: int, seed: int | None
) -> npt.NDArray[np.bool_]:
    """Return one row per shot and one column per bit; bits never written are 0."""
    table = np.zeros((n_shots, len(flat.bits)), dtype=np.bool_)
    measured = [command for command in flat if command.op.type == OpType.Measure]
    if not measured:
        return table
    sampled = (
        state.sampling(n_shots)
        if seed is None
        else state.sampling(n_shots, seed % SEEDS)
    )
    outcomes = np.array(sampled, dtype=np.int64)
    # The conversion puts implicit swaps at the end of the circuit, after measurements.
    wires = flat.implicit_qubit_permutation()
    for command in measured:
        position = wires[command.qubits[0]].index[0]
        # With reversed indices the first qubit is the most significant digit.
        digits = outcomes >> (flat.n_qubits - 1 - position)
        table[:, command.bits[0].index[0]] = digits & 1
    return table
