"""``tkr-nexus watch``: show the progress of jobs until they have ended."""

import queue
import threading
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING

import click
from rich.live import Live
from rich.table import Table

from tkr_nexus_worker.cli.job_tables import ID_DIGITS, coloured, status_text
from tkr_nexus_worker.cli.jobs import EXIT_CODES, jobs_argument
from tkr_nexus_worker.errors import InvalidInputError, WaitTimeoutError
from tkr_nexus_worker.jobs.models import WaitProgress
from tkr_runtime.cli.output import json_option, new_console, new_table
from tkr_runtime.cli.terminal_text import printable
from tkr_runtime.times import age

if TYPE_CHECKING:
    from qnexus.models.references import ExecuteJobRef

_MAX_JOBS = 50

# The number of a job, and its progress, the error that ended the wait, or None at its
# end.
type _Update = tuple[int, WaitProgress | Exception | None]


@click.command()
@jobs_argument
@click.option(
    "--timeout",
    type=click.FloatRange(min=0, min_open=True),
    help="Stop watching after this many seconds.  [default: one week]",
)
@click.option(
    "--interval",
    type=click.FloatRange(min=0, min_open=True),
    default=30.0,
    show_default=True,
    help="The longest time between two status requests for a job, in seconds. Changes "
    "show at once if Nexus can push them.",
)
@json_option
@click.pass_context
def watch(
    context: click.Context,
    jobs: tuple[str, ...],
    timeout: float | None,
    interval: float,
    as_json: bool,
) -> None:
    """Watch jobs until all have ended.

    JOB is a job's id, the start of its id (at least four digits), or its name.
    A terminal shows a table, a pipe gets one line for each change. The exit code is 0
    if all jobs have completed, 4 if one ended without all its results, and 3 at a
    time-out.
    """
    if len(jobs) > _MAX_JOBS:
        raise InvalidInputError(
            f"Cannot watch {len(jobs)} jobs; give at most {_MAX_JOBS}."
        )
    # Importing qnexus takes seconds, and --help does not need it.
    from tkr_nexus_worker.jobs.submit import A_WEEK, find_job

    found = [find_job(job) for job in jobs]
    latest: dict[int, WaitProgress] = {}
    errors: list[Exception] = []
    try:
        with _shown(latest, as_json=as_json) as show:
            for number, update in _follow(found, timeout or A_WEEK, interval):
                if isinstance(update, WaitProgress):
                    latest[number] = update
                    show(number)
                elif update is not None:
                    errors.append(update)
    except KeyboardInterrupt:
        click.echo("The jobs continue on Nexus.", err=True)
        raise
    for error in errors:
        if not isinstance(error, WaitTimeoutError):
            raise error
        click.echo(str(error), err=True)
    context.exit(max(EXIT_CODES[it.status.phase] for it in latest.values()))


def _follow(
    jobs: "list[ExecuteJobRef]", timeout: float, interval: float
) -> Iterator[_Update]:
    """Yield the updates of each job until all waits have ended."""
    from tkr_nexus_worker.jobs.submit import wait_until_complete

    updates: queue.SimpleQueue[_Update] = queue.SimpleQueue()

    def wait(number: int) -> None:
        try:
            wait_until_complete(
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
        left -= not isinstance(update, WaitProgress)
        yield number, update


@contextmanager
def _shown(
    latest: dict[int, WaitProgress], *, as_json: bool
) -> Generator[Callable[[int], None]]:
    """Show the progress of jobs; yield a function to call with the job that changed."""
    console = new_console()
    if as_json or not console.is_interactive:
        yield _line_printer(latest, as_json=as_json)
        return
    with Live(
        console=console, get_renderable=lambda: _table(latest), refresh_per_second=2
    ):
        yield lambda _number: None


def _line_printer(
    latest: dict[int, WaitProgress], *, as_json: bool
) -> Callable[[int], None]:
    """Return a function that prints a line when the status of a job has changed."""
    printed: dict[int, str] = {}

    def print_line(number: int) -> None:
        progress = latest[number]
        status = progress.status
        text = status_text(status)
        if printed.get(number) == text:
            return
        printed[number] = text
        if as_json:
            click.echo(progress.model_dump_json())
            return
        now = datetime.now().astimezone().strftime("%H:%M:%S")
        start = _start(progress)
        more = f", starts in about {start}" if start else ""
        name, job_id = printable(status.name), status.job_id[:ID_DIGITS]
        click.echo(f"{now}  {name}  {job_id}  {text}{more}")

    return print_line


def _table(latest: dict[int, WaitProgress]) -> Table:
    table = new_table(expand=True)
    table.add_column("name", ratio=2, no_wrap=True, overflow="ellipsis", min_width=8)
    table.add_column("id", no_wrap=True)
    table.add_column("status", no_wrap=True)
    for name in ("queue", "starts in", "HQC", "waited"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("message", ratio=3, no_wrap=True, overflow="ellipsis")
    for _, progress in sorted(latest.items()):
        status = progress.status
        position = status.queue_position
        table.add_row(
            printable(status.name),
            status.job_id[:ID_DIGITS],
            coloured(status.state),
            "" if position is None or status.is_final else str(position),
            _start(progress),
            "" if status.cost is None else f"{status.cost:.2f}",
            age(progress.waited_seconds),
            printable(status.error_detail or status.message),
        )
    return table


def _start(progress: WaitProgress) -> str:
    seconds = progress.starts_in_seconds
    return "" if seconds is None else age(seconds)
