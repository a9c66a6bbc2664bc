"""Run quantum jobs on Quantinuum Nexus from Tierkreis workflows.

The graphs are in :mod:`tkr_nexus_worker.graphs`, the stubs of the worker's tasks in
:mod:`tkr_nexus_worker.stubs`. Importing this package imports none of its modules, nor
tierkreis, qnexus or pytket: the executable starts once for every task. Type checkers
read ``__init__.pyi``.
"""

from tkr_nexus_worker._version import __version__ as __version__

_MODULES = {
    "BudgetExceededError": "tkr_runtime.errors",
    "InProcessExecutor": "tkr_runtime.tasks.in_process",
    "CheckpointError": "tkr_runtime.errors",
    "InvalidInputError": "tkr_runtime.errors",
    "JobFailedError": "tkr_runtime.errors",
    "NexusRefusedError": "tkr_nexus_worker.errors",
    "NexusUnavailableError": "tkr_nexus_worker.errors",
    "NexusWorkerError": "tkr_nexus_worker.errors",
    "NotLoggedInError": "tkr_nexus_worker.errors",
    "REGISTRY_PATH": "tkr_nexus_worker.executors",
    "ResultFormatError": "tkr_runtime.errors",
    "ResultsNotReadyError": "tkr_runtime.errors",
    "TaskFailure": "tkr_runtime.workflows.failures",
    "WaitTimeoutError": "tkr_runtime.errors",
    "WorkflowFailedError": "tkr_runtime.errors",
    "budget": "tkr_nexus_worker.costs.budgets",
    "read_failures": "tkr_runtime.workflows.failures",
    "readable_errors": "tkr_runtime.workflows.run",
    "resume": "tkr_runtime.workflows.run",
    "run": "tkr_runtime.workflows.run",
    "uv_executor": "tkr_nexus_worker.executors",
    "warm_executor": "tkr_nexus_worker.executors",
}

__all__ = ["__version__", *_MODULES]  # noqa: PLE0604 (names all the same)


def __getattr__(name: str) -> object:
    """Import a public name from its module when it is first asked for."""
    from importlib import import_module

    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(_MODULES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
