"""Show the progress of jobs until they have ended, for ``watch`` of each command."""

import queue
import threading
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any, NamedTuple, Protocol, cast

import click
from pydantic import BaseModel
from rich.live import Live
from rich.table import Table

from tkr_runtime.cli.jobs import (
    EXIT_CODES,
    Decorator,
    NamedStatus,
    coloured,
    place_in_queue,
    status_text,
)
from tkr_runtime.cli.output import new_console, new_table
from tkr_runtime.cli.terminal_text import printable
from tkr_runtime.errors import InvalidInputError, WaitTimeoutError
from tkr_runtime.jobs.waits import A_WEEK
from tkr_runtime.times import age

_MAX_JOBS = 50


class Progress(Protocol):
    """The progress of a wait for a job; a pydantic model."""

    @property
    def status(self) -> NamedStatus:
        """The status of the job."""

    @property
    def waited_seconds(self) -> float:
        """The time since the wait began."""

    @property
    def starts_in_seconds(self) -> float | None:
        """The estimated time until the job leaves the queue."""


class WatchedJobs(NamedTuple):
    """How the jobs of a cloud are watched.

    :param cloud: The name of the cloud.
    :param find: Finds a job by what a person knows of it.
    :param wait: Waits for a job as ``wait_until_complete`` of each worker does.
    :param messages: Returns what the cloud says about a status.
    :param id_digits: How many characters of an id are shown.
    :param columns: Further columns of the table, each with its cell for a status.
    """

    cloud: str
    find: Callable[[str], Any]
    wait: Callable[..., Any]
    messages: Callable[[Any], Sequence[str | None]]
    id_digits: int
    columns: Mapping[str, Callable[[Any], str]]


# The number of a job, and its progress, the error that ended the wait, or None at its
# end.
type _Update = tuple[int, Progress | Exception | None]


def watch_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options ``--timeout`` and ``--interval``."""
    options: list[Decorator] = [
        click.option(
            "--timeout",
            type=click.FloatRange(min=0, min_open=True),
            help="Stop watching after this many seconds.  [default: one week]",
        ),
        click.option(
            "--interval",
            type=click.FloatRange(min=0, min_open=True),
            default=30.0,
            show_default=True,
            help="The longest time between two status requests for a job, in seconds. "
            "Changes show at once where the cloud can push them.",
        ),
    ]
    for option in reversed(options):
        command = option(command)
    return command


def watch_jobs(
    load: Callable[[], WatchedJobs],
    names: Sequence[str],
    *,
    timeout: float | None,
    interval: float,
    as_json: bool,
) -> int:
    """Show the progress of jobs until all have ended.

    :param load: Returns how jobs are watched; it may import a client.
    :param names: What a person knows of each job.
    :param timeout: When to stop, in seconds; after a week by default.
    :param interval: The longest time between two requests for a job, in seconds.
    :param as_json: Whether to print each change as JSON.
    :returns: The exit code.
    :raises InvalidInputError: If there are too many jobs.
    :raises WorkerError: If a job cannot be found or watched.
    """
    if len(names) > _MAX_JOBS:
        raise InvalidInputError(
            f"Cannot watch {len(names)} jobs; give at most {_MAX_JOBS}."
        )
    watched = load()
    found = [watched.find(name) for name in names]
    latest: dict[int, Progress] = {}
    errors: list[Exception] = []
    try:
        with _shown(watched, latest, as_json=as_json) as show:
            for number, update in _follow(watched, found, timeout or A_WEEK, interval):
                if isinstance(update, Exception):
                    errors.append(update)
                elif update is not None:
                    latest[number] = update
                    show(number)
    except KeyboardInterrupt:
        click.echo(f"The jobs continue on {watched.cloud}.", err=True)
        raise
    for error in errors:
        if not isinstance(error, WaitTimeoutError):
            raise error
        click.echo(str(error), err=True)
    return max(EXIT_CODES[it.status.state.phase] for it in latest.values())


def _follow(
    watched: WatchedJobs, jobs: Sequence[Any], timeout: float, interval: float
) -> Iterator[_Update]:
    """Yield the updates of each job until all waits have ended."""
    updates: queue.SimpleQueue[_Update] = queue.SimpleQueue()

    def wait(number: int) -> None:
        try:
            watched.wait(
                jobs[number],
                timeout=timeout,
                poll_interval=interval,
                allow_failed=True,
                on_progress=lambda progress: updates.put((number, progress)),
            )
        except Exception as error:  # noqa: BLE001 (raised again by the main thread)
            updates.put((number, error))
        else:
            updates.put((number, None))

    for number in range(len(jobs)):
        # Daemon threads: a job that never ends must not keep the command running.
        threading.Thread(target=wait, args=(number,), daemon=True).start()
    left = len(jobs)
    while left:
        number, update = updates.get()
        left -= update is None or isinstance(update, Exception)
        yield number, update


@contextmanager
def _shown(
    watched: WatchedJobs, latest: dict[int, Progress], *, as_json: bool
) -> Generator[Callable[[int], None]]:
    """Show the progress of jobs; yield a function to call with the job that changed."""
    console = new_console()
    if as_json or not console.is_interactive:
        yield _line_printer(watched, latest, as_json=as_json)
        return
    with Live(
        console=console,
        get_renderable=lambda: _table(watched, latest),
        refresh_per_second=2,
    ):
        yield lambda _number: None


def _line_printer(
    watched: WatchedJobs, latest: dict[int, Progress], *, as_json: bool
) -> Callable[[int], None]:
    """Return a function that prints a line when the status of a job has changed."""
    printed: dict[int, str] = {}

    def print_line(number: int) -> None:
        progress = latest[number]
        status = progress.status
        text = status_text(status, *watched.messages(status))
        if printed.get(number) == text:
            return
        printed[number] = text
        if as_json:
            click.echo(cast("BaseModel", progress).model_dump_json())
            return
        now = datetime.now().astimezone().strftime("%H:%M:%S")
        start = _start(progress)
        more = f", starts in about {start}" if start else ""
        parts = [now, printable(status.name), _id(watched, status), f"{text}{more}"]
        click.echo("  ".join(filter(None, parts)))

    return print_line


def _table(watched: WatchedJobs, latest: dict[int, Progress]) -> Table:
    table = new_table(expand=True)
    table.add_column("name", ratio=2, no_wrap=True, overflow="ellipsis", min_width=8)
    table.add_column("id", no_wrap=True)
    table.add_column("status", no_wrap=True)
    for name in ("queue", "starts in", *watched.columns, "waited"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("message", ratio=3, no_wrap=True, overflow="ellipsis")
    for _, progress in sorted(latest.items()):
        status = progress.status
        messages = [it for it in watched.messages(status) if it]
        table.add_row(
            printable(status.name),
            _id(watched, status),
            coloured(status.state),
            place_in_queue(status),
            _start(progress),
            *(cell(status) for cell in watched.columns.values()),
            age(progress.waited_seconds),
            printable(messages[-1]) if messages else "",
        )
    return table


def _id(watched: WatchedJobs, status: NamedStatus) -> str:
    return str(status.job_id)[: watched.id_digits]


def _start(progress: Progress) -> str:
    seconds = progress.starts_in_seconds
    return "" if seconds is None else age(seconds)
