"""How Tierkreis's UvExecutor starts this worker."""

from collections.abc import Mapping
from pathlib import Path

from tierkreis.controller.executor.uv_executor import UvExecutor
from tierkreis.controller.storage.protocol import ControllerStorage

from tkr_runtime.tasks import executors

REGISTRY_PATH = Path(__file__).resolve().parent / "registry"
"""The registry to give to ``UvExecutor``; it holds the worker ``nexus_worker``."""


def uv_executor(
    storage: ControllerStorage, env: Mapping[str, str] | None = None
) -> UvExecutor:
    """Return Tierkreis's UvExecutor, set up for this worker in this environment.

    The worker runs in the environment of the calling process as it is: uv installs
    nothing and writes nothing, so that read-only installations work too. The values of
    environment variables are not written to the workflow's files. The path of the
    storage may have spaces in it, and may be relative.

    :param storage: The storage of the workflow.
    :param env: Environment variables for the worker, beside those of this process.
    :returns: An executor for tasks of ``nexus_worker``. Combine it with executors for
        other workers by Tierkreis's ``MultipleExecutor`` or ``TaskExecutor``.
    """
    return executors.uv_executor(REGISTRY_PATH, storage, env)
