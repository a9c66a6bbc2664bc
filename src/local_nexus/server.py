"""The embedded Nexus as a context manager."""

from __future__ import annotations

import select
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

from local_nexus.administration import Administration, call
from local_nexus.certificates import bundle_path
from local_nexus.environment import HOST, client_environment
from local_nexus.progress import Progress
from local_nexus.settings import Settings

# Seconds to wait for a server to answer, and to end.
_START_LIMIT = 60.0
_STOP_LIMIT = 10.0


class LocalNexus(Administration):
    """An embedded Nexus in a process of its own.

    ::

        with LocalNexus() as nexus:
            subprocess.run(["python", "mine.py"], env=os.environ | nexus.env)

    The server ends with the context, and also when this process dies in any way.

    :param port: to listen on; a free one by default.
    :param directory: where data and tokens are kept from one start to the next; by
        default a temporary one, removed at the end.
    :param progress: how jobs move through their states; at once by default.
    :param database: an SQLAlchemy URL of SQLite or PostgreSQL; by default SQLite in the
        directory.
    """

    def __init__(
        self,
        *,
        port: int | None = None,
        directory: Path | None = None,
        progress: Progress | None = None,
        database: str | None = None,
    ) -> None:
        self._wanted_port = port
        self._wanted_directory = directory
        self._progress = progress or Progress.immediate()
        self._database = database
        self._process: subprocess.Popen[str] | None = None
        self._directory: Path | None = None
        self._port = 0

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
        if self._process is not None:
            raise RuntimeError("This embedded Nexus is started already.")
        self._directory = self._make_directory()
        self._process = self._spawn()
        try:
            self._port = self._await_answer(self._process.stdout)
            self.progress = self._progress
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """End the server; a temporary directory goes with it. May be repeated."""
        process, self._process = self._process, None
        if process is None:
            return
        # The server ends when the pipe on its standard input closes.
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                pipe.close()
        try:
            process.wait(_STOP_LIMIT)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if self._wanted_directory is None:
            shutil.rmtree(self.directory, ignore_errors=True)

    @property
    def url(self) -> str:
        """The URL of the server."""
        return f"https://{HOST}:{self.port}"

    @property
    def port(self) -> int:
        """The port of the server."""
        self._check_running()
        return self._port

    @property
    def pid(self) -> int:
        """The id of the server's process."""
        return self._check_running().pid

    @property
    def directory(self) -> Path:
        """Where data, tokens and the log ``server.log`` are."""
        if self._directory is None:
            raise RuntimeError("This embedded Nexus has not been started.")
        return self._directory

    @property
    def env(self) -> dict[str, str]:
        """The environment variables for programs that use qnexus, logged in."""
        return client_environment(self.directory, self.port)

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
        """How jobs move through their states."""
        return self._progress

    @progress.setter
    def progress(self, progress: Progress) -> None:
        self._call("PUT", "progress", progress.to_dict())
        self._progress = progress

    @property
    def _settings(self) -> Settings:
        self._check_running()
        return Settings.load(self.directory)

    def _call(self, method: str, path: str, body: object = None) -> Any:
        token = self._settings.admin_token
        authority = bundle_path(self.directory)
        return call(HOST, self._port, authority, token, method, path, body)

    def _check_running(self) -> subprocess.Popen[str]:
        if self._process is None:
            raise RuntimeError("This embedded Nexus is not running.")
        return self._process

    def _make_directory(self) -> Path:
        if self._wanted_directory is None:
            return Path(tempfile.mkdtemp(prefix="local-nexus-")).resolve()
        self._wanted_directory.mkdir(parents=True, exist_ok=True)
        return self._wanted_directory.resolve()

    def _spawn(self) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "local_nexus", "--with-parent"]
        command += ["--directory", str(self.directory)]
        if self._wanted_port is not None:
            command += ["--port", str(self._wanted_port)]
        if self._database is not None:
            command += ["--database", self._database]
        if self._wanted_directory is None:
            command.append("--remove-directory")
        with (self.directory / "server.log").open("a") as log:
            return subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                # Ctrl-C in a terminal is for the program, which then stops the server.
                start_new_session=True,
            )

    def _await_answer(self, output: IO[str] | None) -> int:
        """Return the port, which the server prints once it answers."""
        answers = output and select.select([output], [], [], _START_LIMIT)[0]
        line = output.readline() if output and answers else ""
        if not line:
            log = (self.directory / "server.log").read_text().strip()
            raise RuntimeError(
                f"The embedded Nexus did not start: {log or 'no reason'}"
            )
        return int(line.rpartition(":")[2])
