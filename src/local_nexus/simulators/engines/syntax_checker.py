"""Syntax checkers: what comes here has passed all checks; nothing is simulated."""

import numpy as np
from pytket.backends.backendresult import BackendResult

from local_nexus.simulators.circuits.run import CircuitRun, shots_result


def run(job: CircuitRun) -> BackendResult:
    """Return zeros for all shots and bits."""
    bits = job.circuit.bits
    return shots_result(np.zeros((job.n_shots, len(bits)), dtype=np.bool_), bits)
