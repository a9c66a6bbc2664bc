"""Simulation by Qiskit Aer: noise models, states, unitaries, many Clifford qubits."""

import functools
import itertools
from typing import Any

import numpy as np
from pytket.backends.backend import Backend
from pytket.backends.backendresult import BackendResult
from pytket.circuit import Bit, Circuit, OpType
from pytket.extensions.qiskit.backends import aer
from pytket.extensions.qiskit.qiskit_convert import tk_to_qiskit
from pytket.extensions.qiskit.result_convert import qiskit_result_to_backendresult
from pytket.passes import AutoRebase, RebaseCustom
from qiskit import QuantumCircuit, transpile
from qiskit.circuit.library import IGate
from qiskit_aer import AerSimulator
from qiskit_aer.noise import NoiseModel, ReadoutError, pauli_error
from qiskit_ibm_runtime import fake_provider  # type: ignore[import-untyped]

from local_nexus.simulators.circuits import CircuitRun, flatten
from local_nexus.simulators.engines.crosstalk import crosstalk_params
from local_nexus.simulators.errors import SimulationError
from local_nexus.simulators.noise import MACHINE_GATES, ErrorRates
from local_nexus.simulators.noise_configs import emulator_of

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
PULSED = ["r", "sx", "sxdg", "x"]
"""Qiskit's names of the gates on one qubit that are not done in software."""
COUPLING = ["cx", "rzz"]
"""Qiskit's names of the gates on two qubits."""
CROSSTALK = {"measure": "beside_measure", "reset": "beside_reset"}
"""Instruction -> label of the identities on the qubits beside it."""

EPSILON = 1e-16
"""Weight that Aer removes from a matrix product state at least."""


def run(job: CircuitRun) -> BackendResult:
    """Simulate a circuit as an ``AerConfig`` asks for.

    :returns: shots with one column per bit of the circuit.
    :raises SimulationError: when the config asks for what is not simulated.
    """
    config = job.config
    flat, qubits, bits = flatten(job.circuit)
    noise, crosstalk = config.get("noise_model"), config.get("crosstalk_params")
    renamed = dict(zip(qubits, flat.qubits, strict=True))
    backend = aer.AerBackend(
        noise_model=noise and NoiseModel.from_dict(_with_complex(noise)),
        simulation_method=config.get("simulation_method", "automatic"),
        crosstalk_params=crosstalk and crosstalk_params(crosstalk, renamed),
        n_qubits=config.get("n_qubits", 40),
    )
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
    simulator = AerSimulator(method="stabilizer")
    return _emulated(simulator, flat, bits, job)


def run_matrix_product_state(job: CircuitRun) -> BackendResult:
    """Simulate a circuit whose state is a matrix product state of limited size.

    Aer computes in double precision whatever ``precision`` asks for.
    """
    flat, _qubits, bits = flatten(job.circuit)
    AutoRebase(MACHINE_GATES).apply(flat)
    chosen = emulator_of(job.config)["simulator"]
    # Aer bounds the weight that a truncation removes, the sum of squares.
    fidelity = chosen.get("truncation_fidelity") or 1.0
    removed = max(1 - fidelity, (chosen.get("zero_threshold") or 0.0) ** 2)
    limits = {"matrix_product_state_truncation_threshold": max(removed, EPSILON)}
    if chosen.get("chi") is not None:
        limits["matrix_product_state_max_bond_dimension"] = chosen["chi"]
    simulator = AerSimulator(method="matrix_product_state", **limits)
    return _emulated(simulator, flat, bits, job)


@functools.cache
def _ibm_machine(snapshot: str) -> tuple[Any, AerSimulator]:
    """Return a device of IBM and a simulator with its noise; making them takes 5 s."""
    machine = getattr(fake_provider, snapshot)()
    return machine, AerSimulator.from_backend(machine)


def _emulated(
    simulator: AerSimulator, flat: Circuit, bits: list[Bit], job: CircuitRun
) -> BackendResult:
    """Simulate a circuit with the noise of an emulator.

    :param flat: the circuit in the gates that the simulator takes.
    :param bits: the bits of the user's circuit.
    """
    translated = tk_to_qiskit(flat, perm_warning=False)
    if job.rates is not None:
        simulator.set_options(noise_model=_noise_model(job.rates))
        translated = _with_idle_qubits(translated)
    shots = _shots(simulator, translated, job)
    return BackendResult(shots=shots.get_result(flat.bits).shots, c_bits=bits)


def _with_idle_qubits(circuit: QuantumCircuit) -> QuantumCircuit:
    """Return a circuit that names the qubits beside a measurement or reset.

    They get identities, to which a noise model can give errors.
    """
    named = circuit.copy_empty_like()
    for instruction in circuit.data:
        named.append(instruction)
        label = CROSSTALK.get(instruction.operation.name)
        if label is not None:
            for qubit in circuit.qubits:
                if qubit not in instruction.qubits:
                    named.append(IGate(label=label), [qubit])
    return named


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
    """Return the model of :mod:`local_nexus.simulators.noise`."""
    model = NoiseModel()
    model.add_all_qubit_quantum_error(_pauli_error(rates.p1, 1), PULSED)
    model.add_all_qubit_quantum_error(_pauli_error(rates.p2, 2), COUPLING)
    for label, probability in (
        (CROSSTALK["measure"], rates.p_crosstalk_meas),
        (CROSSTALK["reset"], rates.p_crosstalk_init),
    ):
        # A measurement that nobody sees is a Z in half of the cases.
        dephased = pauli_error([("Z", probability / 2), ("I", 1 - probability / 2)])
        model.add_all_qubit_quantum_error(dephased, [label])
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
