"""Crosstalk between the qubits of an ``AerConfig``, simulated by pytket-qiskit."""

from collections.abc import Mapping, Sequence
from typing import Any

from pytket.circuit import OpType, Qubit
from pytket.extensions.qiskit.backends.crosstalk_model import CrosstalkParams

from local_nexus.simulators.errors import SimulationError

Given = Mapping[str, Any]


def crosstalk_params(
    given: Given, renamed: Mapping[Qubit, Qubit]
) -> CrosstalkParams | None:
    """Return the parameters of a config as pytket-qiskit takes them.

    :param given: ``CrosstalkParams`` of quantinuum-schemas in JSON. Their keys are
        tuples, which JSON does not have: the client joins their parts by commas, such
        as ``CX,q,0,q,1``.
    :param renamed: The qubits of the circuit with the names that the simulator sees;
        parameters of other qubits have no effect.
    :raises SimulationError: When they are no such parameters.
    """
    try:
        return _params(given, renamed)
    except (AttributeError, KeyError, LookupError, TypeError, ValueError) as error:
        raise SimulationError(
            "The crosstalk_params of the AerConfig cannot be read: "
            f"{type(error).__name__}: {error}"
        ) from error


def _params(given: Given, renamed: Mapping[Qubit, Qubit]) -> CrosstalkParams:
    def of_qubits(name: str) -> dict[tuple[Qubit, ...], Any]:
        parsed = {_qubits(key.split(",")): value for key, value in given[name].items()}
        return {
            tuple(renamed[qubit] for qubit in qubits): value
            for qubits, value in parsed.items()
            if renamed.keys() >= set(qubits)
        }

    def of_qubit(name: str) -> dict[Qubit, float]:
        return {qubit: value for (qubit,), value in of_qubits(name).items()}

    def of_pair(name: str) -> dict[tuple[Qubit, Qubit], Any]:
        return {(one, two): value for (one, two), value in of_qubits(name).items()}

    induced = {
        pair: (renamed[_qubit(spectator)], phase)
        for pair, (spectator, phase) in of_pair("two_q_induced_phase_errors").items()
        if _qubit(spectator) in renamed
    }
    non_markovian = [
        (renamed[_qubit(qubit)], zx, zz)
        for qubit, zx, zz in given["non_markovian_noise"]
        if _qubit(qubit) in renamed
    ]
    times = {}
    for key, time in given["gate_times"].items():
        gate, *parts = key.split(",")
        qubits = _qubits(parts)
        if renamed.keys() >= set(qubits):
            op_type = OpType.from_name(gate)
            times[op_type, tuple(renamed[qubit] for qubit in qubits)] = time
    return CrosstalkParams(
        zz_crosstalks=of_pair("zz_crosstalks"),
        single_q_phase_errors=of_qubit("single_q_phase_errors"),
        two_q_induced_phase_errors=induced,
        non_markovian_noise=non_markovian,
        virtual_z=given["virtual_z"],
        N=given["N"],
        gate_times=times,
        phase_damping_error=of_qubit("phase_damping_error"),
        amplitude_damping_error=of_qubit("amplitude_damping_error"),
    )


def _qubit(stored: tuple[str, Sequence[int]]) -> Qubit:
    name, index = stored
    return Qubit(name, list(index))


def _qubits(parts: Sequence[str]) -> tuple[Qubit, ...]:
    """Return the qubits of a key; a name is followed by the numbers of its index."""
    found: list[tuple[str, list[int]]] = []
    for part in parts:
        if part.isdecimal():
            found[-1][1].append(int(part))
        else:
            found.append((part, []))
    return tuple(map(_qubit, found))
