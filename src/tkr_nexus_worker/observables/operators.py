"""Pauli operators of pytket, as sums of terms with real coefficients."""

import math

from pytket.pauli import QubitPauliString
from pytket.utils.operators import QubitPauliOperator

from tkr_nexus_worker.errors import InvalidInputError

FEWEST_SHOTS = 2
"""The number of shots of a circuit that a standard error needs."""


def preload() -> None:
    """Import what tasks with operators and symbols need, for forks to have it."""
    QubitPauliOperator({QubitPauliString(): 1.0}).to_list()


def coefficients(operator: QubitPauliOperator) -> dict[QubitPauliString, float]:
    """Return the coefficients of an operator, by its terms without identities.

    :param operator: The operator.
    :raises InvalidInputError: If a coefficient is not a real number.
    """
    found: dict[QubitPauliString, float] = {}
    for string, expression in operator.get_dict().items():
        try:
            coefficient = complex(expression)
        except TypeError:
            raise InvalidInputError(
                f"The coefficient of {string} is {expression}; give a number."
            ) from None
        if coefficient.imag or not math.isfinite(coefficient.real):
            raise InvalidInputError(
                f"The coefficient of {string} is {coefficient}; give a real number, as "
                "an observable has."
            )
        term = QubitPauliString(string.map)
        term.compress()
        found[term] = found.get(term, 0.0) + coefficient.real
    return found
