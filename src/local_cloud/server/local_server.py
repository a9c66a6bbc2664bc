"""A server as a context manager."""

from pathlib import Path
from types import TracebackType
from typing import Any, Self

from local_cloud.admin.client import Administration
from local_cloud.cloud import Cloud
from local_cloud.progress.rule import Progress
from local_cloud.server.child import Child
from local_cloud.server.options import ServerOptions
from local_cloud.server.running import RunningServer


class LocalServer(Administration):
    """A server in a process of its own.

    The server ends with the context, and also when this process dies in any way.

    :param cloud: That it embeds.
    :param options: Of the server.
    :param progress: How jobs move through their states; as the cloud lets them by
        default.
    """

    def __init__(
        self, cloud: Cloud, options: ServerOptions, progress: Progress | None = None
    ) -> None:
        self._cloud = cloud
        self._options = options
        self._progress = progress
        self._child: Child | None = None
        self._directory: Path | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Start the server and wait until it answers.

        :raises RuntimeError: If it is started already or does not start.
        """
        if self._child is not None:
            raise RuntimeError(f"This {self._cloud.title} is started already.")
        self._child = Child(self._cloud, self._options, with_parent=True)
        self._directory = self._child.directory
        try:
            if self._progress is not None:
                self.progress = self._progress
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """End the server; a temporary directory goes with it. May be repeated."""
        child, self._child = self._child, None
        if child is not None:
            child.stop()

    @property
    def exit_code(self) -> int | None:
        """How a server ended that was not stopped here; None while it runs."""
        return self._started.exit_code

    @property
    def url(self) -> str:
        """The URL of the server."""
        return self._running.url

    @property
    def port(self) -> int:
        """The port of the server."""
        return self._running.port

    @property
    def pid(self) -> int:
        """The id of the server's process."""
        return self._started.pid

    @property
    def directory(self) -> Path:
        """Where data, tokens and the log ``server.log`` are."""
        if self._directory is None:
            raise RuntimeError(f"This {self._cloud.title} has not been started.")
        return self._directory

    @property
    def env(self) -> dict[str, str]:
        """The environment variables for client programs, logged in."""
        return self._running.env

    @property
    def email(self) -> str:
        """The e-mail address of the user."""
        return self._running.instance.email

    @property
    def password(self) -> str:
        """The password of the user."""
        return self._running.instance.password

    @property
    def progress(self) -> Progress:
        """How jobs move through their states, where no other rule is set."""
        return self.progress_rules()[-1].progress

    @progress.setter
    def progress(self, progress: Progress) -> None:
        self.set_progress(progress)

    def reset(self) -> None:
        """Make the server as it was when it first started: no data, nothing set.

        Address, directory, e-mail address and password stay the same. Tokens issued
        before are refused, and :attr:`env` is logged in again.
        """
        self._call("POST", "reset")
        self.log_in()

    def log_in(self) -> None:
        """Write new tokens for :attr:`env`, as after those before have expired."""
        tokens = self._call("POST", "tokens")
        self._cloud.write_login(self.directory, self.url, tokens)

    @property
    def _running(self) -> RunningServer:
        return self._started.server

    @property
    def _started(self) -> Child:
        if self._child is None:
            raise RuntimeError(f"This {self._cloud.title} is not running.")
        return self._child

    def _call(self, method: str, path: str, body: object = None) -> Any:
        return self._running._call(method, path, body)  # noqa: SLF001 - of one family
