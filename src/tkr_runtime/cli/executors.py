"""Executors for ``resume``: some for the workers of clouds, others for the user's."""

from collections.abc import Sequence
from pathlib import Path

from tierkreis.consts import TKR_DIR_KEY
from tierkreis.controller.executor.protocol import ControllerExecutor
from tierkreis.controller.storage.data import ExecutorDebugData
from tierkreis.controller.storage.protocol import ControllerStorage
from tierkreis.exceptions import TierkreisError
from tierkreis.executor import MultipleExecutor, ShellExecutor, UvExecutor

from tkr_runtime.cloud import clouds
from tkr_runtime.errors import InvalidInputError
from tkr_runtime.tasks.executors import (
    WarmExecutor,
    registry_of,
    shell_path,
    uv_executor,
)


class _KnownWorkers(MultipleExecutor):
    """A MultipleExecutor that says what to do if it cannot start a worker."""

    def run(self, launcher_name: str, worker_call_args_path: Path) -> ExecutorDebugData:
        try:
            return super().run(launcher_name, worker_call_args_path)
        except (TierkreisError, ExceptionGroup) as error:
            if any(cloud.worker_name == launcher_name for cloud in clouds()):
                raise
            raise InvalidInputError(
                f"Cannot start the worker {launcher_name!r} of the workflow ({error}); "
                "name its folder with --registry, and how to start it with --executor."
            ) from error


def make_executor(
    kind: str, storage: ControllerStorage, registries: Sequence[Path] = ()
) -> ControllerExecutor:
    """Return an executor for the workers of all clouds and those in some folders.

    :param kind: ``uv`` for UvExecutor, ``warm`` for preloaded processes, or ``shell``
        for ShellExecutor.
    :param storage: The storage of the workflow.
    :param registries: Folders of workers; if two hold the same worker, the first wins.
    :returns: The executor.
    """
    if kind == "warm":
        return _KnownWorkers(WarmExecutor(registries, storage), {}, {})
    make = _make_uv if kind == "uv" else _make_shell
    ours = {cloud.worker_name: cloud for cloud in clouds()}
    executors = {str(registry): make(storage, registry) for registry in registries}
    assignments = {
        path.name: str(registry)
        for registry in reversed(registries)
        for path in registry.iterdir()
        if path.name not in ours
    }
    if kind == "shell":
        return _KnownWorkers(_make_shell(storage, None), executors, assignments)
    for name, cloud in ours.items():
        executors[name] = uv_executor(registry_of(cloud), storage)
        assignments[name] = name
    return _KnownWorkers(executors[next(iter(ours))], executors, assignments)


def _make_uv(storage: ControllerStorage, registry: Path) -> ControllerExecutor:
    return UvExecutor(
        registry,
        shell_path(storage.logs_path),
        env={TKR_DIR_KEY: str(storage.tkr_dir.absolute())},
        log_env_in_debug=False,
    )


def _make_shell(
    storage: ControllerStorage, registry: Path | None
) -> ControllerExecutor:
    return ShellExecutor(registry, storage.workflow_dir, log_env_in_debug=False)
