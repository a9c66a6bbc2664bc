"""Circuits: give their symbols values, and add the measurements of an operator."""

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from pytket.circuit import Circuit, OpType, Qubit
from pytket.partition import (
    MeasurementSetup,
    PauliPartitionStrat,
    measurement_reduction,
)
from pytket.passes import AutoRebase, DecomposeBoxes
from pytket.utils.operators import QubitPauliOperator
from tierkreis.models import portmapping

from tkr_nexus_worker.errors import InvalidInputError
from tkr_nexus_worker.observables.operators import FEWEST_SHOTS, coefficients

_NATIVE = {OpType.PhasedX, OpType.Rz, OpType.ZZPhase}


# Tierkreis declares the decorator for dataclasses, and takes named tuples only.
@portmapping
class Measurements(NamedTuple):  # type: ignore[misc]
    """Circuits that measure an operator in some states.

    :param circuits: For each state in turn, one circuit for each set of terms.
    :param n_shots: The number of shots of each circuit.
    :param setup: Which bits of which circuit of a state give a term.
    """

    circuits: list[Circuit]
    n_shots: list[int]
    setup: MeasurementSetup


def bind_parameters(
    circuit: Circuit, parameters: Sequence[Mapping[str, float]]
) -> list[Circuit]:
    """Give the symbols of a circuit values.

    :param circuit: A circuit with symbols.
    :param parameters: Sets of parameters, each with a value for every symbol by its
        name; angles are in half-turns, as everywhere in pytket.
    :returns: One circuit for each set, with its number added to the name.
    :raises InvalidInputError: If a set lacks a symbol, has another, or has a value that
        is not finite.
    """
    symbols = {str(symbol): symbol for symbol in circuit.free_symbols()}
    bound = []
    for number, values in enumerate(parameters):
        _check_parameters(number, values, set(symbols))
        copy = circuit.copy()
        copy.symbol_substitution({symbols[name]: values[name] for name in symbols})
        if circuit.name:
            copy.name = f"{circuit.name} {number}"
        bound.append(copy)
    return bound


def _check_parameters(
    number: int, values: Mapping[str, float], symbols: set[str]
) -> None:
    problems = {
        "missing": sorted(symbols - values.keys()),
        "unknown": sorted(values.keys() - symbols),
        "not finite": sorted(
            name for name, value in values.items() if not math.isfinite(value)
        ),
    }
    named = [f"{kind}: {', '.join(names)}" for kind, names in problems.items() if names]
    if named:
        raise InvalidInputError(
            f"The set {number} of parameters does not fit the circuit "
            f"({'; '.join(named)}); it has the symbols "
            f"{', '.join(sorted(symbols)) or 'none'}."
        )


def measurement_circuits(
    circuits: Sequence[Circuit],
    operator: QubitPauliOperator,
    n_shots: int,
    strategy: str = "NonConflictingSets",
) -> Measurements:
    """Make the circuits that measure an operator in some states.

    They are in the gates of Quantinuum's devices, so that they can be submitted.

    :param circuits: The circuits that prepare the states, without measurements.
    :param operator: The operator, with real numbers as coefficients.
    :param n_shots: The number of shots of each circuit that measures.
    :param strategy: How pytket divides the terms: ``NonConflictingSets`` needs no
        further two-qubit gates, ``CommutingSets`` fewer circuits.
    :returns: The circuits, and how to read their results.
    :raises InvalidInputError: If the operator or a circuit cannot be measured.
    """
    strategies = PauliPartitionStrat.__members__
    if strategy not in strategies:
        raise InvalidInputError(
            f"The strategy is {strategy!r}; give one of {', '.join(strategies)}."
        )
    if n_shots < FEWEST_SHOTS:
        raise InvalidInputError(
            f"n_shots is {n_shots}; give at least 2, as a standard error needs."
        )
    terms = [term for term in coefficients(operator) if term.map]
    if not terms:
        raise InvalidInputError(
            "The operator has no term to measure; give one with a Pauli matrix."
        )
    setup = measurement_reduction(terms, strategies[strategy])
    qubits = {qubit for term in terms for qubit in term.map}
    made = []
    for number, state in enumerate(circuits):
        _check_state(number, state, qubits)
        for index, measurement in enumerate(setup.measurement_circs):
            circuit = state.copy()
            circuit.append(measurement)
            DecomposeBoxes().apply(circuit)
            AutoRebase(_NATIVE).apply(circuit)
            circuit.name = f"{state.name or f'state {number}'}, set {index}"
            made.append(circuit)
    return Measurements(made, [n_shots] * len(made), setup)


def _check_state(number: int, state: Circuit, qubits: set[Qubit]) -> None:
    if state.n_bits:
        raise InvalidInputError(
            f"The circuit {number} has classical bits; give one that only prepares a "
            "state, as the measurements are added here."
        )
    missing = sorted(map(str, qubits - set(state.qubits)))
    if missing:
        raise InvalidInputError(
            f"The circuit {number} lacks qubits of the operator "
            f"({', '.join(missing)}); give a circuit that has them."
        )
    if state.free_symbols():
        symbols = sorted(map(str, state.free_symbols()))
        raise InvalidInputError(
            f"The circuit {number} has symbols without a value "
            f"({', '.join(symbols)}); bind them before."
        )
