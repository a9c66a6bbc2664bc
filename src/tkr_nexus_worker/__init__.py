"""Run quantum jobs on Quantinuum Nexus from Tierkreis workflows.

The graphs are in :mod:`tkr_nexus_worker.graphs`, the stubs of the worker's tasks in
:mod:`tkr_nexus_worker.stubs`. Importing this package imports none of its modules, nor
tierkreis, qnexus or pytket: the executable starts once for every task.
"""

from tkr_nexus_worker._version import __version__

TYPE_CHECKING = False  # typing itself takes longer to import than all of this

if TYPE_CHECKING:
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
    from tkr_nexus_worker.in_process import InProcessExecutor
    from tkr_nexus_worker.workflow import readable_errors, resume, run

__all__ = [
    "REGISTRY_PATH",
    "CheckpointError",
    "InProcessExecutor",
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

_MODULES = {
    "InProcessExecutor": "in_process",
    "CheckpointError": "errors",
    "InvalidInputError": "errors",
    "JobFailedError": "errors",
    "NexusRefusedError": "errors",
    "NexusUnavailableError": "errors",
    "NexusWorkerError": "errors",
    "NotLoggedInError": "errors",
    "REGISTRY_PATH": "executors",
    "ResultFormatError": "errors",
    "ResultsNotReadyError": "errors",
    "TaskFailure": "failures",
    "WaitTimeoutError": "errors",
    "WorkflowFailedError": "errors",
    "read_failures": "failures",
    "readable_errors": "workflow",
    "resume": "workflow",
    "run": "workflow",
    "uv_executor": "executors",
}


def __getattr__(name: str) -> object:
    """Import a public name from its module when it is first asked for."""
    from importlib import import_module

    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
