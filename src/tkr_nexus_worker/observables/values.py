"""Expectation values of an operator, and their standard errors, from results."""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from pytket.backends.backendresult import BackendResult
from pytket.partition import MeasurementSetup
from pytket.utils.operators import QubitPauliOperator
from tierkreis.models import portmapping

from tkr_nexus_worker.errors import InvalidInputError
from tkr_nexus_worker.observables.operators import FEWEST_SHOTS, coefficients


# Tierkreis declares the decorator for dataclasses, and takes named tuples only.
@portmapping
class ExpectationValues(NamedTuple):  # type: ignore[misc]
    """The expectation values of an operator in some states.

    :param values: The value for each state.
    :param standard_errors: The standard error of each value.
    """

    values: list[float]
    standard_errors: list[float]


def expectation_values(
    results: Sequence[BackendResult],
    operator: QubitPauliOperator,
    setup: MeasurementSetup,
) -> ExpectationValues:
    """Estimate an operator in some states from results of its measurement circuits.

    The terms of one set are measured in the same shots. The standard error is that of
    the sum of the terms in each shot, so that it contains their covariances.

    :param results: The results of all circuits of :func:`measurement_circuits`, in
        their order.
    :param operator: The operator.
    :param setup: What :func:`measurement_circuits` returned with the circuits.
    :returns: The value and the standard error for each state.
    :raises InvalidInputError: If the results do not fit the setup or the operator.
    """
    n_sets = len(setup.measurement_circs)
    if not n_sets or len(results) % n_sets:
        raise InvalidInputError(
            f"There are {len(results)} results for {n_sets} measurement circuits of "
            "each state; give the results of all circuits that measurement_circuits "
            "made."
        )
    constant, sets = _terms_of_sets(operator, setup)
    values, errors = [], []
    for first in range(0, len(results), n_sets):
        of_state = results[first : first + n_sets]
        estimates = [
            _mean_and_variance(result, terms, first + index)
            for index, (result, terms) in enumerate(zip(of_state, sets, strict=True))
        ]
        values.append(constant + sum(mean for mean, _ in estimates))
        errors.append(math.sqrt(sum(variance for _, variance in estimates)))
    return ExpectationValues(values, errors)


class _Term(NamedTuple):
    """A term of an operator, as a set measures it.

    :param coefficient: Its coefficient, with the sign of the measurement.
    :param bits: The bits whose parity is the term.
    """

    coefficient: float
    bits: list[int]


def _terms_of_sets(
    operator: QubitPauliOperator, setup: MeasurementSetup
) -> tuple[float, list[list[_Term]]]:
    """Return the constant of an operator, and its terms in each set."""
    constant = 0.0
    sets: list[list[_Term]] = [[] for _ in setup.measurement_circs]
    for string, coefficient in coefficients(operator).items():
        if not string.map:
            constant += coefficient
            continue
        maps = setup.results.get(string)
        if not maps:
            raise InvalidInputError(
                f"The term {string} of the operator was not measured; give the setup "
                "that measurement_circuits returned for this operator."
            )
        for it in maps:
            weight = coefficient * (-1) ** it.invert / len(maps)
            sets[it.circ_index].append(_Term(weight, it.bits))
    return constant, sets


def _mean_and_variance(
    result: BackendResult, terms: list[_Term], number: int
) -> tuple[float, float]:
    """Return the mean of the sum of terms over all shots, and its variance."""
    counts = result.get_counts()
    n_shots = sum(counts.values())
    if n_shots < FEWEST_SHOTS:
        raise InvalidInputError(
            f"The result {number} has {n_shots} shots; a standard error needs at "
            "least 2."
        )
    outcomes = np.array(list(counts))
    weights = np.array(list(counts.values())) / n_shots
    sums = np.zeros(len(weights))
    for term in terms:
        parity = outcomes[:, term.bits].sum(axis=1) % 2
        sums += term.coefficient * (1 - 2 * parity)
    mean = float(weights @ sums)
    return mean, float(weights @ (sums - mean) ** 2) / (n_shots - 1)
