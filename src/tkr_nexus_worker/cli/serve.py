"""``tkr-nexus serve``: start and stop an embedded Nexus from a shell."""

import contextlib
import os
import signal
import threading
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

import click
from rich.console import Console
from rich.live import Live

from local_cloud import (
    RunningServer,
    ServerOptions,
    StartError,
    exposure,
    server_options,
    shell_exports,
    start_in_background,
)
from local_nexus import NEXUS, LocalNexus
from tkr_nexus_worker.cli.job_tables import jobs_table

_REFRESH_SECONDS = 0.5
# Terminal lines for the frame of the table and for the prompt.
_FRAME_LINES = 6


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@server_options
@click.option(
    "--print-env",
    "action",
    flag_value="start",
    help="Start a server in the background and print its environment variables: "
    'eval "$(tkr-nexus serve --print-env)".',
)
@click.option(
    "--stop",
    "action",
    flag_value="stop",
    help="Stop the server of this shell, or of --directory, and unset its variables: "
    'eval "$(tkr-nexus serve --stop)".',
)
@click.option(
    "--link",
    "action",
    flag_value="link",
    help="Print a new link to the web page of the server of this shell, or of "
    "--directory.",
)
def serve(options: ServerOptions, action: str | None) -> None:
    """Start an embedded Nexus on this machine and serve until Ctrl-C.

    Prints a link to its web page and the environment variables with which programs
    that use qnexus find it. A terminal shows its jobs.
    """
    try:
        match action:
            case "start":
                _start(options)
            case "stop":
                _stop(_directory(options))
            case "link":
                _print_link(_directory(options))
            case _:
                _serve(options)
    except (StartError, TimeoutError) as error:
        raise click.ClickException(str(error)) from error


def _start(options: ServerOptions) -> None:
    nexus = start_in_background(NEXUS, options)
    _print_notes(nexus, options)
    click.echo('Stop the server with: eval "$(tkr-nexus serve --stop)"', err=True)
    click.echo(shell_exports(nexus.env), nl=False)


def _stop(directory: Path) -> None:
    nexus = RunningServer.find(NEXUS, directory)
    if nexus is not None:
        nexus.stop()
    if os.environ.get(NEXUS.directory_variable) == str(directory):
        names = NEXUS.environment(directory, "")
        click.echo(f"unset {' '.join(names)}")
    if nexus is None:
        raise _not_running(directory)


def _print_link(directory: Path) -> None:
    nexus = RunningServer.find(NEXUS, directory)
    if nexus is None:
        raise _not_running(directory)
    click.echo(nexus.page_link())


def _directory(options: ServerOptions) -> Path:
    """Return the directory of the server: of the option, or of this shell."""
    if options.directory is not None:
        return options.directory.resolve()
    if NEXUS.directory_variable in os.environ:
        return Path(os.environ[NEXUS.directory_variable])
    raise click.ClickException(
        "This shell uses no embedded Nexus; name the directory of one with --directory."
    )


def _not_running(directory: Path) -> click.ClickException:
    return click.ClickException(f"No embedded Nexus is running in {directory}.")


def _serve(options: ServerOptions) -> None:
    """Serve until a signal arrives."""
    stopped = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda _signal, _frame: stopped.set())
    given = asdict(options)
    strict = not given.pop("lenient")
    with LocalNexus(**given, strict=strict) as nexus:
        click.echo(nexus.url)
        click.echo(shell_exports(nexus.env), nl=False)
        _print_notes(nexus, options)
        with _shown_jobs(nexus) as show:
            while not stopped.is_set() and nexus.exit_code is None:
                show()
                time.sleep(_REFRESH_SECONDS)
        if nexus.exit_code:
            log = (nexus.directory / "server.log").read_text()
            raise click.ClickException(
                f"The server ended with exit code {nexus.exit_code}. {log}".rstrip()
            )


def _print_notes(nexus: LocalNexus | RunningServer, options: ServerOptions) -> None:
    """Print to standard error what only a person needs."""
    warning = exposure(options.host)
    if warning is not None:
        click.echo(f"Warning: {warning}", err=True)
    click.echo(f"Web page (the link works once): {nexus.page_link()}", err=True)


@contextmanager
def _shown_jobs(nexus: LocalNexus) -> Generator[Callable[[], None]]:
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
                jobs = nexus.jobs(latest=rows)
                live.update(jobs_table(jobs, datetime.now(UTC)), refresh=True)

        yield show
