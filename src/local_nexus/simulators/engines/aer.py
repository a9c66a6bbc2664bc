"""Simulation by Qiskit Aer: noise models, states, unitaries, many Clifford qubits."""

import functools
import itertools
from typing import Any

import numpy as np
from pytket.backends.backend import Backend
from pytket.backends.backendresult import BackendResult
from pytket.circuit import Circuit, OpType
from pytket.extensions.qiskit.backends import aer
from pytket.extensions.qiskit.qiskit_convert import tk_to_qiskit
from pytket.extensions.qiskit.result_convert import qiskit_result_to_backendresult
from pytket.passes import RebaseCustom
from qiskit import QuantumCircuit, transpile
from qiskit_aer import AerSimulator
from qiskit_aer.noise import NoiseModel, ReadoutError, pauli_error
from qiskit_ibm_runtime import fake_provider  # type: ignore[import-untyped]

from local_nexus.simulators.circuits import CircuitRun, flatten
from local_nexus.simulators.errors import SimulationError
from local_nexus.simulators.noise import ErrorRates

Config = dict[str, Any]

TOLERANCE = 1e-9
"""Half turns by which an angle may miss a multiple of a quarter turn."""

QUARTER_X = [[], [OpType.V], [OpType.X], [OpType.Vdg]]
QUARTER_Z = [[], [OpType.S], [OpType.Z], [OpType.Sdg]]
CLIFFORD_GATES = {
    OpType.CX,
    OpType.S,
    OpType.Sdg,
    OpType.V,
    OpType.Vdg,
    OpType.X,
    OpType.Z,
}
PULSED = ["sx", "sxdg", "x"]
"""Qiskit's names of the Clifford gates on one qubit that are not done in software."""


def run(job: CircuitRun) -> BackendResult:
    """Simulate a circuit as an ``AerConfig`` asks for.

    :returns: shots with one column per bit of the circuit.
    :raises SimulationError: when the config asks for what is not simulated.
    """
    config = job.config
    if config.get("crosstalk_params"):
        raise SimulationError(
            "The crosstalk_params of an AerConfig are not simulated here: leave them "
            "out, or describe the noise by a noise_model."
        )
    noise = config.get("noise_model")
    backend = aer.AerBackend(
        noise_model=noise and NoiseModel.from_dict(_with_complex(noise)),
        simulation_method=config.get("simulation_method", "automatic"),
        n_qubits=config.get("n_qubits", 40),
    )
    flat, _qubits, bits = flatten(job.circuit)
    result = _result(backend, flat, n_shots=job.n_shots, seed=job.seed)
    return BackendResult(shots=result.get_result(flat.bits).shots, c_bits=bits)


def run_state(job: CircuitRun) -> BackendResult:
    """Return the final state of a circuit; shots have no meaning for it."""
    flat, qubits, _bits = flatten(job.circuit)
    result = _result(aer.AerStateBackend(job.config.get("n_qubits", 40)), flat)
    return BackendResult(state=result.get_state(flat.qubits), q_bits=qubits)


def run_unitary(job: CircuitRun) -> BackendResult:
    """Return the unitary of a circuit; shots have no meaning for it."""
    flat, qubits, _bits = flatten(job.circuit)
    result = _result(aer.AerUnitaryBackend(job.config.get("n_qubits", 40)), flat)
    return BackendResult(unitary=result.get_unitary(flat.qubits), q_bits=qubits)


def run_ibm(job: CircuitRun) -> BackendResult:
    """Simulate one of IBM's devices, with its connectivity, gates and noise.

    A circuit that does not fit the device is routed and translated first. The noise is
    that of the device's snapshot in qiskit-ibm-runtime.
    """
    machine, simulator = _ibm_machine(job.device["backend_info"]["misc"]["snapshot"])
    flat, _qubits, bits = flatten(job.circuit)
    translated = transpile(
        tk_to_qiskit(flat, perm_warning=False),
        machine,
        optimization_level=0,
        seed_transpiler=0,
    )
    shots = _shots(simulator, translated, job)
    return BackendResult(shots=shots.get_result(flat.bits).shots, c_bits=bits)


def run_stabilizer(job: CircuitRun) -> BackendResult:
    """Simulate a circuit of Clifford gates only, which may have many qubits.

    :raises SimulationError: when a gate is not Clifford.
    """
    flat, _qubits, bits = flatten(job.circuit)
    RebaseCustom(CLIFFORD_GATES, Circuit(2).CX(0, 1), _clifford).apply(flat)
    noise = None if job.rates is None else _noise_model(job.rates)
    simulator = AerSimulator(method="stabilizer", noise_model=noise)
    translated = tk_to_qiskit(flat, perm_warning=False)
    shots = _shots(simulator, translated, job)
    return BackendResult(shots=shots.get_result(flat.bits).shots, c_bits=bits)


@functools.cache
def _ibm_machine(snapshot: str) -> tuple[Any, AerSimulator]:
    """Return a device of IBM and a simulator with its noise; making them takes 5 s."""
    machine = getattr(fake_provider, snapshot)()
    return machine, AerSimulator.from_backend(machine)


def _result(backend: Backend, flat: Circuit, **options: Any) -> BackendResult:
    """Rebase a circuit to what Aer simulates and run it."""
    backend.rebase_pass().apply(flat)
    # The user's own circuit runs, whether or not it fits the qubits of a noise model.
    handle = backend.process_circuit(flat, valid_check=False, **options)
    return backend.get_result(handle)


def _shots(
    simulator: AerSimulator, circuit: QuantumCircuit, job: CircuitRun
) -> BackendResult:
    started = simulator.run(
        circuit, shots=job.n_shots, memory=True, seed_simulator=job.seed
    )
    (result,) = qiskit_result_to_backendresult(started.result(), include_counts=False)
    return result


def _clifford(a: float, b: float, c: float) -> Circuit:
    """Return the gate TK1(a, b, c), in half turns, as Clifford gates.

    :raises SimulationError: when it is not Clifford.
    """
    circuit = Circuit(1)
    for angle, quarters in ((c, QUARTER_Z), (b, QUARTER_X), (a, QUARTER_Z)):
        turns = round(2 * float(angle))
        if abs(turns - 2 * float(angle)) > TOLERANCE:
            raise SimulationError(
                "The stabilizer simulator runs Clifford gates only, and the circuit "
                f"has a rotation by {float(angle):g} half turns: use the state-vector "
                "simulator."
            )
        for gate in quarters[turns % 4]:
            circuit.add_gate(gate, [0])
    return circuit


def _noise_model(rates: ErrorRates) -> NoiseModel:
    """Return the model of :mod:`local_nexus.simulators.noise` on Clifford gates."""
    model = NoiseModel()
    model.add_all_qubit_quantum_error(_pauli_error(rates.p1, 1), PULSED)
    model.add_all_qubit_quantum_error(_pauli_error(rates.p2, 2), ["cx"])
    flip = pauli_error([("X", rates.p_init), ("I", 1 - rates.p_init)])
    model.add_all_qubit_quantum_error(flip, ["reset"])
    read_out = [
        [1 - rates.p_meas_0, rates.p_meas_0],
        [rates.p_meas_1, 1 - rates.p_meas_1],
    ]
    model.add_all_qubit_readout_error(ReadoutError(read_out))
    return model


def _pauli_error(probability: float, n_qubits: int) -> Any:
    identity, *errors = map("".join, itertools.product("IXYZ", repeat=n_qubits))
    return pauli_error(
        [(identity, 1 - probability)]
        + [(error, probability / len(errors)) for error in errors]
    )


def _with_complex(noise: Config) -> Config:
    """Return a noise model whose Kraus matrices have complex numbers, not pairs."""

    def instruction(given: Config) -> Config:
        if given["name"] != "kraus":
            return given
        matrices = [np.array(matrix) for matrix in given["params"]]
        params = [matrix[..., 0] + 1j * matrix[..., 1] for matrix in matrices]
        return given | {"params": params}

    errors = [
        error
        | {
            "instructions": [
                [instruction(step) for step in steps] for steps in error["instructions"]
            ]
        }
        if error["type"] == "qerror"
        else error
        for error in noise["errors"]
    ]
    return {"errors": errors}
