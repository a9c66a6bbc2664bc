"""The worker of a cloud, as its preloaded process imports and runs it."""

import logging
import sys
from collections.abc import Mapping

from tkr_runtime.cloud import clouds
from tkr_runtime.settings.limits import PreloadedProcessSettings
from tkr_runtime.tasks import program
from tkr_runtime.tasks.deferred_imports import defer_imports


class CloudWorker:
    """The worker of a cloud.

    :param package: The package of the worker.
    """

    folder = None
    # Tasks of the same environment share the connection to the cloud for a while.
    fork_seconds = 60.0
    # Its tasks say themselves when they only wait.
    slot_seconds = None

    def __init__(self, package: str) -> None:
        self._cloud = next(it for it in clouds() if it.package == package)
        self.package = package
        self.env_prefix = self._cloud.env_prefix
        self._is_in_fork = False

    def limits(self) -> tuple[int, float]:
        """Return the number of tasks at once, and the idle time in seconds."""
        settings = PreloadedProcessSettings.from_environment(self.env_prefix)
        return settings.warm_tasks, settings.warm_idle

    def preload(self) -> list[str]:
        """Import the worker, and what tasks import only when they need it."""
        defer_imports(self._cloud)
        import tierkreis.worker.worker  # noqa: F401

        self._cloud.load_all()
        return []

    def prepare(self, environment: Mapping[str, str]) -> None:
        """Do what a fork with an environment would otherwise do itself."""
        self._cloud.prepare_fork(environment)

    def run(self, argv: list[str]) -> int:
        """Run a task as the executable would, and return the exit code.

        :param argv: The arguments of the worker.
        """
        from tierkreis.worker.storage.filestorage import WorkerFileStorage

        sys.argv = [sys.argv[0], *argv]
        if not self._is_in_fork:
            self._cloud.read_environment_again()
            self._is_in_fork = True
        self._cloud.load_worker().storage = WorkerFileStorage()
        return program.run(argv, self._cloud)

    def end(self) -> None:
        """Write what is still to be logged."""
        logging.shutdown()
