"""The embedded Nexus as a context manager."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import Any, Self

from local_nexus.addresses import LOOPBACK
from local_nexus.administration import Administration, call
from local_nexus.environment import write_tokens
from local_nexus.launching import Child
from local_nexus.options import ServerOptions
from local_nexus.progress import Progress
from local_nexus.running import RunningNexus
from local_nexus.settings import Settings


class LocalNexus(Administration):
    """An embedded Nexus in a process of its own.

    ::

        with LocalNexus() as nexus:
            subprocess.run(["python", "mine.py"], env=os.environ | nexus.env)

    The server ends with the context, and also when this process dies in any way.

    :param host: name or IPv4 address to listen on; this machine alone by default.
    :param port: to listen on; a free one by default.
    :param directory: where data and tokens are kept from one start to the next; by
        default a temporary one, removed at the end.
    :param progress: how jobs move through their states; at once by default.
    :param database: an SQLAlchemy URL of SQLite or PostgreSQL; by default SQLite in the
        directory.
    :param device_file: a JSON file with devices of your own.
    :param faults: a TOML file that says how jobs move and what goes wrong.
    """

    def __init__(
        self,
        *,
        host: str = LOOPBACK,
        port: int | None = None,
        directory: Path | None = None,
        progress: Progress | None = None,
        database: str | None = None,
        device_file: Path | None = None,
        faults: Path | None = None,
    ) -> None:
        self._options = ServerOptions(
            host, port, directory, database, device_file, faults
        )
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

        :raises RuntimeError: if it is started already or does not start.
        """
        if self._child is not None:
            raise RuntimeError("This embedded Nexus is started already.")
        self._child = Child(self._options, with_parent=True)
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
            raise RuntimeError("This embedded Nexus has not been started.")
        return self._directory

    @property
    def env(self) -> dict[str, str]:
        """The environment variables for programs that use qnexus, logged in."""
        return self._running.env

    @property
    def email(self) -> str:
        """The e-mail address of the user."""
        return self._settings.email

    @property
    def password(self) -> str:
        """The password of the user."""
        return self._settings.password

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
        write_tokens(self.directory, tokens["id"], tokens["refresh"])

    @property
    def _settings(self) -> Settings:
        return self._running.settings

    @property
    def _running(self) -> RunningNexus:
        return self._started.nexus

    @property
    def _started(self) -> Child:
        if self._child is None:
            raise RuntimeError("This embedded Nexus is not running.")
        return self._child

    def _call(self, method: str, path: str, body: object = None) -> Any:
        return call(self.url, self.directory, method, path, body)
