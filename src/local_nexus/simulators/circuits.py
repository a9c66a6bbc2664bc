"""Circuits as simulators take them, and results as their owners expect them."""

import json

import numpy as np
import numpy.typing as npt
from pytket.backends.backendresult import BackendResult
from pytket.circuit import Bit, Circuit, OpType, Qubit
from pytket.passes import DecomposeBoxes
from pytket.predicates import NoClassicalControlPredicate, NoMidMeasurePredicate
from pytket.utils.outcomearray import OutcomeArray

from local_nexus.simulators.errors import SimulationError

PASSIVE = {OpType.Barrier, OpType.Measure}


def parse(text: str | bytes) -> Circuit:
    """Return the circuit of a JSON text, its boxes decomposed.

    :raises SimulationError: when the text is no circuit, or one with free symbols.
    """
    try:
        circuit = Circuit.from_dict(json.loads(text))
    except (ValueError, KeyError, TypeError, RuntimeError) as error:
        raise SimulationError(
            f"The program is not a pytket circuit: {error}"
        ) from error
    DecomposeBoxes().apply(circuit)
    if symbols := sorted(map(str, circuit.free_symbols())):
        raise SimulationError(
            f"The circuit has free symbols ({', '.join(symbols)}): substitute numbers "
            "before you submit it."
        )
    return circuit


def is_plain(circuit: Circuit) -> bool:
    """Tell whether all measurements are final and nothing depends on them.

    :param circuit: a circuit without boxes.
    """
    return (
        NoMidMeasurePredicate().verify(circuit)
        and NoClassicalControlPredicate().verify(circuit)
        and all(
            command.op.type in PASSIVE
            or (command.op.is_gate() and command.op.type != OpType.Reset)
            for command in circuit
        )
    )


def flatten(circuit: Circuit) -> tuple[Circuit, list[Qubit], list[Bit]]:
    """Rename all qubits to ``q[i]`` and all bits to ``c[i]``, as simulators ask for.

    :returns: the renamed circuit, and the qubits and bits of the original, such that
        the one at position i became ``q[i]`` or ``c[i]``.
    """
    flat = circuit.copy()
    flat.flatten_registers()
    return flat, circuit.qubits, circuit.bits


def shots_result(table: npt.NDArray[np.bool_], bits: list[Bit]) -> BackendResult:
    """Return the result of one row per shot and one column per bit."""
    return BackendResult(shots=OutcomeArray.from_readouts(table), c_bits=bits)
