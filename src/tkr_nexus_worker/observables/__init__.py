"""Observables: circuits that measure Pauli operators, and their expectation values.

pytket divides the terms of an operator into sets that one circuit measures together
(``pytket.partition.measurement_reduction``). What is here makes these circuits for many
states, and reads the values of the operator from their results. It asks Nexus nothing.
"""

from tkr_nexus_worker.observables.circuits import (
    Measurements,
    bind_parameters,
    measurement_circuits,
)
from tkr_nexus_worker.observables.values import ExpectationValues, expectation_values

__all__ = [
    "ExpectationValues",
    "Measurements",
    "bind_parameters",
    "expectation_values",
    "measurement_circuits",
]
