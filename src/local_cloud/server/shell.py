"""The command with which people start, use and stop a server from a shell."""

import contextlib
import os
import signal
import threading
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.live import Live
from rich.table import Table

from local_cloud.cloud import Cloud
from local_cloud.errors import StartError
from local_cloud.server.addresses import exposure
from local_cloud.server.child import start_in_background
from local_cloud.server.command_line import server_options, shell_exports
from local_cloud.server.local_server import LocalServer
from local_cloud.server.options import ServerOptions
from local_cloud.server.running import RunningServer

_REFRESH_SECONDS = 0.5
# Terminal lines for the frame of the table and for the prompt.
_FRAME_LINES = 6
# A shell keeps its own home, or all its other programs would lose their files.
_NEVER_EXPORTED = frozenset({"HOME"})
# What a shell may have had before, with less in it.
_NEVER_UNSET = frozenset({"NO_PROXY", "no_proxy"})


@dataclass(frozen=True)
class ServeCommand[S: LocalServer]:
    """A command that serves an embedded cloud.

    :param program: The command line that it belongs to.
    :param cloud: The cloud.
    :param server: The type of its servers, which takes the options by name.
    :param jobs: Returns a table of so many of the latest jobs of a server.
    :param note: What a person has to know beside the variables; may be empty.
    """

    program: str
    cloud: Cloud
    server: Callable[..., S]
    jobs: Callable[[S, int], Table]
    note: str = ""

    def command(self, help_text: str) -> click.Command:
        """Return the command.

        :param help_text: Its help.
        """
        serve = f"{self.program} serve"

        @click.command(
            "serve",
            help=help_text,
            context_settings={"help_option_names": ["-h", "--help"]},
        )
        @server_options
        @click.option(
            "--print-env",
            "action",
            flag_value="start",
            help="Start a server in the background and print its environment "
            f'variables: eval "$({serve} --print-env)".',
        )
        @click.option(
            "--stop",
            "action",
            flag_value="stop",
            help="Stop the server of this shell, or of --directory, and unset its "
            f'variables: eval "$({serve} --stop)".',
        )
        @click.option(
            "--link",
            "action",
            flag_value="link",
            help="Print a new link to the web page of the server of this shell, or of "
            "--directory.",
        )
        def command(options: ServerOptions, action: str | None) -> None:
            try:
                match action:
                    case "start":
                        self._start(options)
                    case "stop":
                        self._stop(self._directory(options))
                    case "link":
                        self._print_link(self._directory(options))
                    case _:
                        self._serve(options)
            except (StartError, TimeoutError) as error:
                raise click.ClickException(str(error)) from error

        return command

    def _start(self, options: ServerOptions) -> None:
        server = start_in_background(self.cloud, options)
        self._print_notes(server, options)
        click.echo(
            f'Stop the server with: eval "$({self.program} serve --stop)"', err=True
        )
        click.echo(_exports(server), nl=False)

    def _stop(self, directory: Path) -> None:
        server = RunningServer.find(self.cloud, directory)
        if server is not None:
            server.stop()
        if os.environ.get(self.cloud.directory_variable) == str(directory):
            names = self.cloud.environment(directory, "")
            kept = _NEVER_EXPORTED | _NEVER_UNSET
            click.echo(f"unset {' '.join(name for name in names if name not in kept)}")
        if server is None:
            raise self._not_running(directory)

    def _print_link(self, directory: Path) -> None:
        server = RunningServer.find(self.cloud, directory)
        if server is None:
            raise self._not_running(directory)
        click.echo(server.page_link())

    def _directory(self, options: ServerOptions) -> Path:
        """Return the directory of the server: of the option, or of this shell."""
        if options.directory is not None:
            return options.directory.resolve()
        if self.cloud.directory_variable in os.environ:
            return Path(os.environ[self.cloud.directory_variable])
        raise click.ClickException(
            f"This shell uses no {self.cloud.title}; name the directory of one with "
            "--directory."
        )

    def _not_running(self, directory: Path) -> click.ClickException:
        return click.ClickException(f"No {self.cloud.title} is running in {directory}.")

    def _serve(self, options: ServerOptions) -> None:
        """Serve until a signal arrives."""
        stopped = threading.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda _signal, _frame: stopped.set())
        given: dict[str, Any] = asdict(options)
        strict = not given.pop("lenient")
        with self.server(**given, strict=strict) as server:
            click.echo(server.url)
            click.echo(_exports(server), nl=False)
            self._print_notes(server, options)
            with self._shown_jobs(server) as show:
                while not stopped.is_set() and server.exit_code is None:
                    show()
                    time.sleep(_REFRESH_SECONDS)
            if server.exit_code:
                log = (server.directory / "server.log").read_text()
                ended = f"The server ended with exit code {server.exit_code}. {log}"
                raise click.ClickException(ended.rstrip())

    def _print_notes(
        self, server: LocalServer | RunningServer, options: ServerOptions
    ) -> None:
        """Print to standard error what only a person needs."""
        warning = exposure(options.host)
        if warning is not None:
            click.echo(f"Warning: {warning}", err=True)
        click.echo(f"Web page (the link works once): {server.page_link()}", err=True)
        if self.note:
            click.echo(self.note, err=True)

    @contextmanager
    def _shown_jobs(self, server: S) -> Generator[Callable[[], None]]:
        """Yield a function that shows the latest jobs, if this is a terminal."""
        console = Console()
        if not console.is_interactive:
            yield lambda: None
            return
        with Live(console=console, auto_refresh=False) as live:

            def show() -> None:
                rows = max(console.height - _FRAME_LINES, 1)
                # The main loop notices a server that has just ended.
                with contextlib.suppress(OSError):
                    live.update(self.jobs(server, rows), refresh=True)

            yield show


@contextmanager
def started(server: LocalServer) -> Generator[None]:
    """Start a server for this process and those that it starts, until the body ends.

    :param server: The server.
    :raises click.ClickException: If it does not start.
    """
    try:
        server.start()
    except StartError as error:
        raise click.ClickException(str(error)) from error
    try:
        os.environ.update(_for_shells(server))
        yield
    finally:
        server.stop()


def _exports(server: LocalServer | RunningServer) -> str:
    return shell_exports(_for_shells(server))


def _for_shells(server: LocalServer | RunningServer) -> dict[str, str]:
    """Return the variables with which programs that are not clients keep working."""
    return {
        name: value for name, value in server.env.items() if name not in _NEVER_EXPORTED
    }
