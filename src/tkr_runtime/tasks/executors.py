"""Executors of Tierkreis, set up for a worker that is already installed."""

import re
import sys
from collections.abc import Mapping
from pathlib import Path

from tierkreis.consts import TKR_DIR_KEY
from tierkreis.controller.executor.uv_executor import UvExecutor
from tierkreis.controller.storage.protocol import ControllerStorage

SPECIAL_TO_SHELLS = re.compile(r"[^\w@%+=:,./-]")
"""A character that a shell may interpret."""


def shell_path(path: Path) -> Path:
    """Escape a path for executors, which put it into shell commands unquoted.

    :param path: Any path.
    :returns: The absolute path, with a backslash before each character that a shell
        may interpret.
    """
    return Path(SPECIAL_TO_SHELLS.sub(r"\\\g<0>", str(path.absolute())))


def uv_executor(
    registry: Path, storage: ControllerStorage, env: Mapping[str, str] | None = None
) -> UvExecutor:
    """Return Tierkreis's UvExecutor, set up for a worker of this environment.

    The worker runs in the environment of the calling process as it is: uv installs
    nothing and writes nothing, so that read-only installations work too. The values of
    environment variables are not written to the workflow's files. The path of the
    storage may contain spaces and may be relative.

    :param registry: The folder that contains the folder of the worker.
    :param storage: The storage of the workflow.
    :param env: Environment variables for the worker, in addition to those of this
        process.
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
