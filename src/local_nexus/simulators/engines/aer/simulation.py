"""Simulation by Qiskit Aer: noise models, states, unitaries, many Clifford qubits."""

import dataclasses
import functools
from collections.abc import Sequence
from typing import Any

import numpy as np
from pytket.backends.backend import Backend
from pytket.backends.backendresult import BackendResult
from pytket.circuit import Bit, Circuit, OpType
from pytket.extensions.qiskit.backends import aer
from pytket.extensions.qiskit.result_convert import qiskit_result_to_backendresult
from pytket.passes import AutoRebase
from qiskit import ClassicalRegister, QuantumCircuit, transpile
from qiskit.circuit import Gate
from qiskit.circuit.library import (
    CZGate,
    SdgGate,
    SGate,
    SXdgGate,
    SXGate,
    XGate,
    ZGate,
)
from qiskit_aer import AerSimulator
from qiskit_aer.noise import NoiseModel
from qiskit_ibm_runtime import fake_provider  # type: ignore[import-untyped]

from local_nexus.simulators.circuits.classical import classical_operations
from local_nexus.simulators.circuits.run import (
    CircuitRun,
    Shots,
    check_has_qubits,
    flatten,
)
from local_nexus.simulators.engines.aer.crosstalk import crosstalk_params
from local_nexus.simulators.engines.aer.noise import (
    Steps,
    Translate,
    noisy,
    wrong_outcomes,
)
from local_nexus.simulators.engines.aer.translation import to_qiskit
from local_nexus.simulators.errors import SimulationError
from local_nexus.simulators.noise.configs import emulator_of
from local_nexus.simulators.noise.error_rates import MACHINE_GATES, ErrorRates

Config = dict[str, Any]

TOLERANCE = 1e-9
"""Half turns by which an angle may miss a multiple of a quarter turn."""

QUARTER_X: list[type[Gate] | None] = [None, SXGate, XGate, SXdgGate]
QUARTER_Z: list[type[Gate] | None] = [None, SGate, ZGate, SdgGate]
"""The Clifford gates of a turn by so many quarters."""

NOT_UNITARY = {OpType.Conditional, OpType.Measure, OpType.Reset}
"""What a circuit that has a unitary is without."""

EPSILON = 1e-16
"""Weight that Aer removes from a matrix product state at least."""


def run(job: CircuitRun) -> Shots:
    """Simulate a circuit as an ``AerConfig`` asks for.

    :returns: Shots with one column per bit of the circuit.
    :raises SimulationError: When the config asks for what is not simulated.
    """
    config = job.config
    flat, qubits, bits = flatten(job.circuit)
    noise, crosstalk = config.get("noise_model"), config.get("crosstalk_params")
    renamed = dict(zip(qubits, flat.qubits, strict=True))
    model = noise and NoiseModel.from_dict(_with_complex(noise))
    method = config.get("simulation_method", "automatic")
    backend = aer.AerBackend(
        noise_model=model,
        simulation_method=method,
        crosstalk_params=crosstalk and crosstalk_params(crosstalk, renamed),
        n_qubits=config.get("n_qubits", 40),
    )
    if crosstalk:
        _check_no_classical_operations(flat, "crosstalk_params")
        result = _result(backend, flat, n_shots=job.n_shots, seed=job.seed)
        return Shots(result.get_shots(flat.bits), bits)
    backend.rebase_pass().apply(flat)
    simulator = AerSimulator(method=method, noise_model=model)
    shots = _shots(simulator, to_qiskit(flat), job)
    return Shots(shots.get_shots(flat.bits), bits)


def run_state(job: CircuitRun) -> BackendResult:
    """Return the final state of a circuit; shots have no meaning for it."""
    flat, qubits, _bits = flatten(job.circuit)
    check_has_qubits(flat)
    _check_no_classical_operations(flat, "AerStateConfig")
    result = _result(aer.AerStateBackend(job.config.get("n_qubits", 40)), flat)
    return BackendResult(state=result.get_state(flat.qubits), q_bits=qubits)


def run_unitary(job: CircuitRun) -> BackendResult:
    """Return the unitary of a circuit; shots have no meaning for it.

    :raises SimulationError: When the circuit does more than gates.
    """
    flat, qubits, _bits = flatten(job.circuit)
    check_has_qubits(flat)
    _check_no_classical_operations(flat, "AerUnitaryConfig")
    types = {command.op.type for command in flat}
    if others := sorted(kind.name for kind in types & NOT_UNITARY):
        raise SimulationError(
            f"A circuit with {', '.join(others)} has no unitary: leave that out, or "
            "take an AerConfig and ask for shots."
        )
    result = _result(aer.AerUnitaryBackend(job.config.get("n_qubits", 40)), flat)
    return BackendResult(unitary=result.get_unitary(flat.qubits), q_bits=qubits)


def run_ibm(job: CircuitRun) -> Shots:
    """Simulate one of IBM's devices, with its connectivity, gates and noise.

    A circuit that does not fit the device is routed and translated first. The noise is
    that of the device's snapshot in qiskit-ibm-runtime.
    """
    machine, simulator = _ibm_machine(job.device["backend_info"]["misc"]["snapshot"])
    flat, _qubits, bits = flatten(job.circuit)
    # The translation to the device's gates would drop them without a word.
    _check_no_classical_operations(flat, job.config["type"])
    translated = transpile(
        to_qiskit(flat),
        machine,
        optimization_level=0,
        seed_transpiler=0,
    )
    shots = _shots(simulator, translated, job)
    return Shots(shots.get_shots(flat.bits), bits)


def run_stabilizer(job: CircuitRun) -> Shots:
    """Simulate a circuit of Clifford gates only, which may have many qubits.

    :raises SimulationError: When a gate is not Clifford.
    """
    flat, _qubits, bits = flatten(job.circuit)
    AutoRebase(MACHINE_GATES).apply(flat)
    simulator = AerSimulator(method="stabilizer")
    rates = job.rates or ErrorRates()
    rates = dataclasses.replace(rates, coherent_dephasing=False)
    return _emulated(simulator, flat, bits, job, rates, _clifford)


def run_matrix_product_state(job: CircuitRun) -> Shots:
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
    rates = job.rates or ErrorRates()
    return _emulated(simulator, flat, bits, job, rates, _unchanged)


@functools.cache
def _ibm_machine(snapshot: str) -> tuple[Any, AerSimulator]:
    """Return a device of IBM and a simulator with its noise; making them takes 5 s."""
    machine = getattr(fake_provider, snapshot)()
    return machine, AerSimulator.from_backend(machine)


def _emulated(
    simulator: AerSimulator,
    flat: Circuit,
    bits: list[Bit],
    job: CircuitRun,
    rates: ErrorRates,
    translate: Translate,
) -> Shots:
    """Simulate a circuit with the noise of an emulator, but depolarised for leaked.

    :raises SimulationError: When the circuit has operations that Aer does not run.
    :param flat: The circuit in the machines' gates.
    :param bits: The bits of the user's circuit.
    :param translate: What the simulator takes in place of these gates.
    """
    rates = dataclasses.replace(rates, leak_to_depolar=True)
    simulator.set_options(noise_model=wrong_outcomes(rates))
    translated = noisy(to_qiskit(flat), rates, translate)
    shots = _shots(simulator, translated, job)
    return Shots(shots.get_shots(flat.bits), bits)


def _unchanged(gate: Gate) -> Steps:
    return [(gate, list(range(gate.num_qubits)))]


def _result(backend: Backend, flat: Circuit, **options: Any) -> BackendResult:
    """Rebase a circuit to what Aer simulates and run it."""
    backend.rebase_pass().apply(flat)
    # The user's own circuit runs, whether or not it fits the qubits of a noise model.
    handle = backend.process_circuit(flat, valid_check=False, **options)
    return backend.get_result(handle)


def _check_no_classical_operations(flat: Circuit, what: str) -> None:
    if names := classical_operations(flat):
        raise SimulationError(
            f"A circuit with {what} cannot compute with bits, and this one has "
            f"{', '.join(names)}: take a QuantinuumConfig or a QulacsConfig."
        )


def _with_all_measured(circuit: QuantumCircuit) -> QuantumCircuit:
    """Return a circuit that measures all qubits at its end, if it has conditions.

    Aer leaves out qubits that no outcome depends on, and with them half of a condition
    on a qubit that is measured in its middle alone.
    """
    used = {qubit for instruction in circuit for qubit in instruction.qubits}
    if "if_else" not in circuit.count_ops():
        return circuit
    qubits = [qubit for qubit in circuit.qubits if qubit in used]
    measured, bits = circuit.copy(), ClassicalRegister(len(qubits))
    measured.add_register(bits)
    measured.measure(qubits, bits)
    return measured


def _shots(
    simulator: AerSimulator, circuit: QuantumCircuit, job: CircuitRun
) -> BackendResult:
    started = simulator.run(
        _with_all_measured(circuit),
        shots=job.n_shots,
        memory=True,
        seed_simulator=job.seed,
    )
    (result,) = qiskit_result_to_backendresult(started.result(), include_counts=False)
    return result


def _clifford(gate: Gate) -> Steps:
    """Return one of the machines' gates as Clifford gates.

    :raises SimulationError: When it is not Clifford.
    """
    if gate.name == "rzz":
        turn = _quarters(gate.params[0])
        # An odd number of quarters couples the qubits, and turns each like half of it.
        coupled: Steps = [(CZGate(), [0, 1])] if turn % 2 else []
        return [*coupled, *_turned(QUARTER_Z, turn, 0), *_turned(QUARTER_Z, turn, 1)]
    if gate.name == "rz":
        return _turned(QUARTER_Z, _quarters(gate.params[0]), 0)
    turn, angle = _quarters(gate.params[0]), float(gate.params[1])
    if turn % 2 == 0:
        # Half a turn about an axis is X and twice the angle to that.
        axis = _quarters(2 * angle) if turn % 4 else 0
        return [*_turned(QUARTER_X, turn, 0), *_turned(QUARTER_Z, axis, 0)]
    axis = _quarters(angle)
    return [
        *_turned(QUARTER_Z, -axis, 0),
        *_turned(QUARTER_X, turn, 0),
        *_turned(QUARTER_Z, axis, 0),
    ]


def _turned(
    gates: Sequence[type[Gate] | None], quarters: int, qubit: int
) -> list[tuple[Gate, list[int]]]:
    gate = gates[quarters % 4]
    return [] if gate is None else [(gate(), [qubit])]


def _quarters(angle: float) -> int:
    """Return an angle, in radians, in quarter turns."""
    half_turns = float(angle) / np.pi
    turns = round(2 * half_turns)
    if abs(turns - 2 * half_turns) > TOLERANCE:
        raise SimulationError(
            "The stabilizer simulator runs Clifford gates only, and the circuit has a "
            f"rotation by {half_turns:g} half turns: use the state-vector simulator."
        )
    return turns


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
