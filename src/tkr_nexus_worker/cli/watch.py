"""``tkr-nexus watch``: follow jobs until they have ended."""

import queue
import threading
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING

import click
from rich.live import Live
from rich.table import Table

from tkr_nexus_worker.cli.display import ID_DIGITS, coloured, status_text
from tkr_nexus_worker.cli.jobs import EXIT_CODES, jobs_argument
from tkr_nexus_worker.errors import InvalidInputError, WaitTimeoutError
from tkr_nexus_worker.jobs.models import WaitProgress
from tkr_runtime.cli.output import json_option, new_console, new_table
from tkr_runtime.cli.text import printable
from tkr_runtime.times import age

if TYPE_CHECKING:
    from qnexus.models.references import ExecuteJobRef

_MOST_JOBS = 50

# A job by its number, and what is known of it, or why it is no longer waited for.
type _News = tuple[int, WaitProgress | Exception | None]


@click.command()
@jobs_argument
@click.option(
    "--timeout",
    type=click.FloatRange(min=0, min_open=True),
    help="Give up after so many seconds.  [default: a week]",
)
@click.option(
    "--interval",
    type=click.FloatRange(min=0, min_open=True),
    default=30.0,
    show_default=True,
    help="The longest time between two looks at a job, in seconds; changes are told "
    "at once where Nexus can.",
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
    """Follow jobs until all have ended.

    JOB is its id, at least four digits of the start of its id, or its name. At a
    terminal this is a table, in a pipe a line for each change. The exit code is 0 if
    all have completed, 4 if one ended in another way, 3 if the time was over before.
    """
    if len(jobs) > _MOST_JOBS:
        raise InvalidInputError(
            f"These are {len(jobs)} jobs; give at most {_MOST_JOBS} at once."
        )
    # qnexus takes seconds to import; --help does not need it.
    from tkr_nexus_worker.jobs import A_WEEK, find_job

    found = [find_job(job) for job in jobs]
    latest: dict[int, WaitProgress] = {}
    errors: list[Exception] = []
    try:
        with _shown(latest, as_json=as_json) as show:
            for number, news in _follow(found, timeout or A_WEEK, interval):
                if isinstance(news, WaitProgress):
                    latest[number] = news
                    show(number)
                elif news is not None:
                    errors.append(news)
    except KeyboardInterrupt:
        click.echo("The jobs go on.", err=True)
        raise
    for error in errors:
        if not isinstance(error, WaitTimeoutError):
            raise error
        click.echo(str(error), err=True)
    context.exit(max(EXIT_CODES[it.status.phase] for it in latest.values()))


def _follow(
    jobs: "list[ExecuteJobRef]", timeout: float, interval: float
) -> Iterator[_News]:
    """Give what becomes known of each job, until all have ended or failed."""
    from tkr_nexus_worker.jobs import wait_until_complete

    news: queue.SimpleQueue[_News] = queue.SimpleQueue()

    def wait(number: int) -> None:
        try:
            wait_until_complete(
                jobs[number],
                timeout=timeout,
                poll_interval=interval,
                allow_failed=True,
                on_progress=lambda progress: news.put((number, progress)),
            )
        except Exception as error:  # noqa: BLE001 (raised again by the main thread)
            news.put((number, error))
        else:
            news.put((number, None))

    for number in range(len(jobs)):
        # A thread of a job that never ends must not keep the command from ending.
        threading.Thread(target=wait, args=(number,), daemon=True).start()
    left = len(jobs)
    while left:
        number, item = news.get()
        left -= not isinstance(item, WaitProgress)
        yield number, item


@contextmanager
def _shown(
    latest: dict[int, WaitProgress], *, as_json: bool
) -> Generator[Callable[[int], None]]:
    """Show what is known of jobs, and give what is to be told which job has news."""
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
    """Return a function that prints a line if the status of a job has changed."""
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
