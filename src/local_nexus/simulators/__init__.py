"""Run, compile and price programs without a cloud.

What belongs here: devices, noise, compilation, simulators. Users, jobs and their states
do not: a request goes in, an outcome comes out.

Importing this package imports no simulator; those are loaded only in the worker
processes of :class:`SimulatorPool`.
"""

from local_cloud.pool import RunHandle
from local_nexus.simulators.requests import (
    CompileOutcome,
    CompileRequest,
    Outcome,
    RunRequest,
)
from local_nexus.simulators.simulator_pool import SimulatorPool

__all__ = [
    "CompileOutcome",
    "CompileRequest",
    "Outcome",
    "RunHandle",
    "RunRequest",
    "SimulatorPool",
]
