"""The simulators of the embedded Nexus: programs go in, results and costs come out.

Importing this package imports no simulator; those are loaded only in the worker
processes of :class:`SimulatorPool`.
"""

from local_nexus.simulators.messages import (
    CompileOutcome,
    CompileRequest,
    Outcome,
    RunRequest,
)
from local_nexus.simulators.pool import RunHandle, SimulatorPool

__all__ = [
    "CompileOutcome",
    "CompileRequest",
    "Outcome",
    "RunHandle",
    "RunRequest",
    "SimulatorPool",
]
