"""Starting a server in a process of its own."""

import os
import select
import shutil
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import IO

from local_cloud import files
from local_cloud.cloud import Cloud
from local_cloud.errors import StartError
from local_cloud.server import environment
from local_cloud.server.options import ServerOptions
from local_cloud.server.running import RunningServer

# Seconds to wait for a server to answer, and to end.
_START_LIMIT = 60.0
_STOP_LIMIT = 10.0


class Child:
    """The process of a server that was started.

    :param cloud: That it embeds.
    :param options: Of the server; without a directory it gets a temporary one, which
        it removes at its end.
    :param with_parent: Whether it ends when this process does.
    :raises StartError: If it does not start, saying why.
    """

    def __init__(
        self, cloud: Cloud, options: ServerOptions, *, with_parent: bool
    ) -> None:
        self._cloud = cloud
        self._temporary = options.directory is None
        self.directory = make_directory(cloud, options.directory)
        log_file = files.private_file(self.directory / "server.log")
        with log_file.open("a+") as log:
            before = log.seek(0, os.SEEK_END)
            self._process = self._spawn(options, with_parent, log)
            try:
                url = self._await_url(log, before)
            except BaseException:
                self.stop()
                raise
        self.server = RunningServer(cloud, self.directory, url)

    @property
    def pid(self) -> int:
        """The id of the process."""
        return self._process.pid

    @property
    def exit_code(self) -> int | None:
        """The exit code of the process; None while it runs."""
        return self._process.poll()

    def stop(self) -> None:
        """End the process and wait for that; a temporary directory goes with it."""
        # A server that ends with its parent takes the closed pipe for the parent's end.
        self._close_pipes()
        if self._process.stdin is None:
            self._process.terminate()
        try:
            self._process.wait(_STOP_LIMIT)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        if self._temporary:
            shutil.rmtree(self.directory, ignore_errors=True)

    def _close_pipes(self) -> None:
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()

    def _spawn(
        self, options: ServerOptions, with_parent: bool, log: IO[str]
    ) -> subprocess.Popen[str]:
        arguments = replace(options, directory=self.directory).to_arguments()
        if with_parent:
            arguments.append("--with-parent")
        if self._temporary:
            arguments.append("--remove-directory")
        return subprocess.Popen(
            [sys.executable, "-m", self._cloud.module, *arguments],
            stdin=subprocess.PIPE if with_parent else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            env=environment.kept(os.environ),
            # Ctrl-C in a terminal is for the program, which then stops the server.
            start_new_session=True,
        )

    def _await_url(self, log: IO[str], before: int) -> str:
        """Return the URL, which the server prints once it answers."""
        output = self._process.stdout
        answers = output and select.select([output], [], [], _START_LIMIT)[0]
        line = output.readline() if output and answers else ""
        if line:
            return line.rstrip()
        log.seek(before)
        reason = log.read().strip() or "it gave no reason."
        raise StartError(f"The {self._cloud.title} did not start: {reason}")


def start_in_background(cloud: Cloud, options: ServerOptions) -> RunningServer:
    """Start a server that goes on without this process, until it is stopped.

    :raises StartError: If it does not start, saying why.
    """
    return Child(cloud, options, with_parent=False).server


def make_directory(cloud: Cloud, wanted: Path | None) -> Path:
    """Make the directory of a server, a temporary one if none is wanted."""
    if wanted is None:
        return Path(tempfile.mkdtemp(prefix=f"{cloud.slug}-")).resolve()
    wanted.mkdir(mode=0o700, parents=True, exist_ok=True)
    return wanted.resolve()
