"""The executor of this worker, and the process in which it is preloaded."""

from collections.abc import Mapping
from pathlib import Path

from tierkreis.controller.executor.uv_executor import UvExecutor
from tierkreis.controller.storage.protocol import ControllerStorage

from tkr_runtime.tasks import executors

REGISTRY_PATH = Path(__file__).resolve().parent / "registry"
"""The registry for ``UvExecutor``, which holds the worker ``lightworks_worker``."""


def uv_executor(
    storage: ControllerStorage, env: Mapping[str, str] | None = None
) -> UvExecutor:
    """Return Tierkreis's UvExecutor, set up for this worker in this environment.

    The worker runs in the environment of the calling process: uv installs nothing and
    writes nothing, so read-only installations work too. The executor does not write
    environment variables to the files of the workflow. The path of the storage may
    contain spaces and may be relative.

    :param storage: The storage of the workflow.
    :param env: Further environment variables for the worker.
    :returns: An executor for tasks of ``lightworks_worker``. Combine it with executors
        for other workers in Tierkreis's ``MultipleExecutor`` or ``TaskExecutor``.
    """
    return executors.uv_executor(REGISTRY_PATH, storage, env)


def preload() -> None:
    """Start to import this worker, in the process that will run its tasks.

    The first task of a worker waits until that process has imported lightworks, which
    takes seconds. Call this at the start of a program that has other things to do
    first, such as to start an embedded Artemis: it returns in about 0.1 s. It does
    nothing if the process runs already, or if tasks use none, as in the job of a batch
    system.
    """
    executors.preload(REGISTRY_PATH, "lightworks_worker")
