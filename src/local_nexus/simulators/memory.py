"""How much memory a simulation needs and may use."""

import resource

from local_nexus.simulators.errors import SimulationError

GIB = 2**30
AMPLITUDE = 16
"""Bytes of one complex number."""


def check_state_vector(n_qubits: int) -> None:
    """Refuse a state that does not fit, because simulators then end their process.

    :raises SimulationError: When the state needs more memory than the process may use.
    """
    needed = AMPLITUDE * 2**n_qubits
    allowed = resource.getrlimit(resource.RLIMIT_DATA)[0]
    if allowed != resource.RLIM_INFINITY and needed > allowed:
        raise SimulationError(
            f"A state vector of {n_qubits} qubits needs {needed / GIB:.3g} GiB of "
            f"memory, the simulator may use {allowed / GIB:.3g} GiB: use fewer qubits, "
            "or a stabilizer simulator if the program is Clifford."
        )
