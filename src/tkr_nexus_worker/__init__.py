"""Run quantum jobs on Quantinuum Nexus from Tierkreis workflows.

The graphs are in :mod:`tkr_nexus_worker.graphs`, the stubs of the worker's tasks in
:mod:`tkr_nexus_worker.stubs`. Importing this package imports neither qnexus nor pytket.
"""

from tkr_nexus_worker._version import __version__
from tkr_nexus_worker.errors import (
    CheckpointError,
    InvalidInputError,
    JobFailedError,
    NexusRefusedError,
    NexusUnavailableError,
    NexusWorkerError,
    NotLoggedInError,
    ResultFormatError,
    ResultsNotReadyError,
    WaitTimeoutError,
    WorkflowFailedError,
)
from tkr_nexus_worker.executors import REGISTRY_PATH, uv_executor
from tkr_nexus_worker.failures import TaskFailure, read_failures
from tkr_nexus_worker.workflow import readable_errors, resume, run

__all__ = [
    "REGISTRY_PATH",
    "CheckpointError",
    "InvalidInputError",
    "JobFailedError",
    "NexusRefusedError",
    "NexusUnavailableError",
    "NexusWorkerError",
    "NotLoggedInError",
    "ResultFormatError",
    "ResultsNotReadyError",
    "TaskFailure",
    "WaitTimeoutError",
    "WorkflowFailedError",
    "__version__",
    "read_failures",
    "readable_errors",
    "resume",
    "run",
    "uv_executor",
]
