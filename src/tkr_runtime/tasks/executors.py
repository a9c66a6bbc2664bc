"""How Tierkreis's UvExecutor starts a worker that is installed already."""

import sys
from collections.abc import Mapping
from pathlib import Path

from tierkreis.consts import TKR_DIR_KEY
from tierkreis.controller.executor.uv_executor import UvExecutor
from tierkreis.controller.storage.protocol import ControllerStorage

from tkr_runtime.workflows.storage import shell_path


def uv_executor(
    registry: Path, storage: ControllerStorage, env: Mapping[str, str] | None = None
) -> UvExecutor:
    """Return Tierkreis's UvExecutor, set up for a worker of this environment.

    The worker runs in the environment of the calling process as it is: uv installs
    nothing and writes nothing, so that read-only installations work too. The values of
    environment variables are not written to the workflow's files. The path of the
    storage may have spaces in it, and may be relative.

    :param registry: The folder that has the folder of the worker.
    :param storage: The storage of the workflow.
    :param env: Environment variables for the worker, beside those of this process.
    :returns: An executor for the tasks of the worker. Combine it with executors for
        other workers by Tierkreis's ``MultipleExecutor`` or ``TaskExecutor``.
    """
    return UvExecutor(
        registry,
        shell_path(storage.logs_path),
        env={
            TKR_DIR_KEY: str(storage.tkr_dir.absolute()),
            "UV_NO_SYNC": "1",
            "UV_PROJECT_ENVIRONMENT": sys.prefix,
            **(env or {}),
        },
        log_env_in_debug=False,
    )
