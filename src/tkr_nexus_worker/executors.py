"""Executors for this worker, and the process in which it is preloaded."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from tierkreis.controller.executor.uv_executor import UvExecutor
from tierkreis.controller.storage.protocol import ControllerStorage

from tkr_runtime.tasks import executors

REGISTRY_PATH = Path(__file__).resolve().parent / "registry"
"""The registry for ``UvExecutor``, which holds the worker ``nexus_worker``."""

_READ_BY_QNEXUS = (
    *("NEXUS_CONFIG_FILE", "NEXUS_DOMAIN", "NEXUS_HOST", "NEXUS_PORT"),
    *("NEXUS_PROTOCOL", "NEXUS_WEBSOCKETS_PROTOCOL", "NEXUS_HTTPX_VERIFY"),
    *("NEXUS_STORE_TOKENS", "NEXUS_TOKEN_PATH", "NEXUS_MANAGED_TOKEN_PATH"),
)


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
    :returns: An executor for tasks of ``nexus_worker``. Combine it with executors for
        other workers in Tierkreis's ``MultipleExecutor`` or ``TaskExecutor``.
    """
    return executors.uv_executor(REGISTRY_PATH, storage, env)


def preload() -> None:
    """Start to import this worker, in the process that will run its tasks.

    The first task of a worker waits until that process has imported qnexus, which
    takes seconds. Call this at the start of a program that has other things to do
    first, such as to import pytket or to start an embedded Nexus: it returns in about
    0.1 s. It does nothing if the process runs already, or if tasks use none, as in the
    job of a batch system.
    """
    executors.preload(REGISTRY_PATH, "nexus_worker")


def warm_executor(
    registry: Path | Sequence[Path],
    storage: ControllerStorage,
    env: Mapping[str, str] | None = None,
    *,
    variables: Iterable[str] = (),
) -> executors.WarmExecutor:
    """Return an executor that keeps this worker and those of registries imported.

    Tierkreis's UvExecutor starts Python for each task. This one takes its place: the
    first task of a worker starts a process that imports what the worker's ``main.py``
    imports at its top, and each task runs ``main.py`` in a fork of it. A worker of a
    registry has the environment that uv makes for its folder; it need not have this
    package. This worker, and that of any other cloud, runs in the environment of the
    calling process.

    A preloaded process keeps only those environment variables that Python, its
    libraries and qnexus read when they are imported, none of which is a secret. Name
    further ones that the modules of your workers read.

    :param registry: The folder, or folders, that contain the folders of the workers.
    :param storage: The storage of the workflow.
    :param env: Further environment variables for the tasks.
    :param variables: The names of further environment variables that modules read when
        a worker imports them.
    :returns: An executor for the tasks of all these workers.
    :raises InvalidInputError: If ``TKR_WORKER_WARM_IDLE`` or ``TKR_WORKER_WARM_TASKS``
        is invalid.
    """
    names = {*_READ_BY_QNEXUS, *variables}
    return executors.WarmExecutor(registry, storage, env, variables=names)
