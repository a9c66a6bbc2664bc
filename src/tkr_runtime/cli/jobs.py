"""What commands for jobs share: arguments, options, exit codes, cells of tables."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Protocol

import click
from pydantic import BaseModel
from rich.table import Table
from rich.text import Text

from tkr_runtime.cli.completion import JOB, completes
from tkr_runtime.cli.errors import NOT_ENDED, WITHOUT_RESULTS, FailureError
from tkr_runtime.cli.output import (
    check_formats,
    csv_option,
    json_option,
    print_json,
    print_rows,
    print_table,
)
from tkr_runtime.cli.terminal_text import printable
from tkr_runtime.jobs.states import JobState

type Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]

EXIT_CODES = {"succeeded": 0, "waiting": NOT_ENDED, "failed": WITHOUT_RESULTS}
"""The exit codes of ``status`` and ``watch`` for the phases of a job."""

job_argument: Decorator = click.argument(
    "job", metavar="JOB", shell_complete=completes(JOB)
)
"""The argument of a command for one job."""

jobs_argument: Decorator = click.argument(
    "jobs",
    metavar="JOB...",
    nargs=-1,
    required=True,
    shell_complete=completes(JOB),
)
"""The argument of a command for several jobs."""

result_argument: Decorator = click.argument(
    "job", metavar="JOB", shell_complete=completes(JOB, or_file=True)
)
"""The argument of a command for the results of a job, or a file with them."""

results_argument: Decorator = click.argument(
    "jobs",
    metavar="JOB...",
    nargs=-1,
    required=True,
    shell_complete=completes(JOB, or_file=True),
)
"""The argument of a command for the results of several jobs, or files with them."""

_CANCELLED = "cancelled"

_COLOURS = {
    "completed": "green",
    "running": "cyan",
    "submitted": "cyan",
    "accepted": "cyan",
    "compiling": "cyan",
    "queued": "yellow",
    "scheduled": "yellow",
}


class Status(Protocol):
    """The status of a job or of one of its items, of any cloud."""

    @property
    def state(self) -> JobState:
        """The state."""

    @property
    def queue_position(self) -> int | None:
        """The place in the queue, if it has one."""


class NamedStatus(Status, Protocol):
    """The status of a job, with its name and id."""

    @property
    def name(self) -> str:
        """The name of the job."""

    @property
    def job_id(self) -> Any:
        """The id of the job."""


def listing_options(states: Iterable[str]) -> Decorator:
    """Return the options of a command that lists jobs.

    It takes them as ``everything``, ``states``, ``limit``, ``as_json`` and ``as_csv``.

    :param states: The states of the cloud.
    """
    options = (
        click.option(
            "--all", "everything", is_flag=True, help="Include jobs that have ended."
        ),
        click.option(
            "--status",
            "states",
            multiple=True,
            type=click.Choice(list(states), case_sensitive=False),
            help="Show only jobs in this state; repeatable.",
        ),
        click.option(
            "--limit",
            type=click.IntRange(min=1),
            default=20,
            show_default=True,
            help="Show at most this many jobs, newest first.",
        ),
        json_option,
        csv_option,
    )

    def decorate(command: Callable[..., Any]) -> Callable[..., Any]:
        for option in reversed(options):
            command = option(command)
        return command

    return decorate


def check_listing(
    *, everything: bool, states: Sequence[str], as_json: bool, as_csv: bool
) -> None:
    """Refuse options that contradict each other.

    :param everything: Whether all jobs are asked for.
    :param states: The states that are asked for.
    :param as_json: Whether JSON is asked for.
    :param as_csv: Whether CSV is asked for.
    :raises click.UsageError: If two of them exclude each other.
    """
    if everything and states:
        raise click.UsageError("Use either --all or --status.")
    check_formats(as_json=as_json, as_csv=as_csv)


def print_jobs[J: BaseModel](
    found: Sequence[J],
    table: Callable[[Sequence[J]], Table],
    columns: Sequence[str],
    *,
    limit: int,
    selected: bool,
    as_json: bool,
    as_csv: bool,
) -> None:
    """Print a list of jobs, and hints how to see more.

    :param found: The jobs.
    :param table: Makes a table of them.
    :param columns: The fields that are columns in CSV.
    :param limit: How many were asked for at most.
    :param selected: Whether others than the waiting ones were asked for.
    :param as_json: Whether to print JSON.
    :param as_csv: Whether to print CSV.
    """
    if as_json:
        print_json(found)
    elif as_csv:
        values = (job.model_dump(mode="json") for job in found)
        print_rows(columns, ([job[name] for name in columns] for job in values))
    elif found:
        print_table(table(found))
    if not found:
        hint = "" if selected else " Use --all to include ended jobs."
        click.echo(f"No jobs found.{hint}", err=True)
    elif len(found) == limit:
        click.echo(f"Showing the newest {limit}; --limit shows more.", err=True)


def print_states(reports: Sequence[Any], *, as_json: bool) -> None:
    """Print the states of jobs after a change.

    :param reports: The status of each job, a model with the fields of
        :class:`NamedStatus`.
    :param as_json: Whether to print JSON.
    """
    if as_json:
        print_json(reports)
        return
    for report in reports:
        click.echo(
            f"Job {report.name!r} ({report.job_id}) is now in state {report.state}."
        )


def print_cancelled(reports: Sequence[Any], *, as_json: bool) -> None:
    """Print the states of jobs after they were to be cancelled.

    :param reports: The status of each job, as for :func:`print_states`.
    :param as_json: Whether to print JSON.
    :raises FailureError: If a job had ended in another way, so that nothing was
        cancelled.
    """
    ended = [
        it for it in reports if it.state.is_final and it.state.lower() != _CANCELLED
    ]
    shown = reports if as_json else [it for it in reports if it not in ended]
    print_states(shown, as_json=as_json)
    if ended:
        jobs = "; ".join(f"job {it.name!r} ({it.job_id}): {it.state}" for it in ended)
        raise FailureError(f"Not cancelled, because it had ended before: {jobs}.")


def job_line(report: NamedStatus, *messages: str | None) -> str:
    """Return the status of a job as one line.

    :param report: The status.
    :param messages: What the cloud says about it.
    """
    name = printable(report.name)
    return "  ".join(
        filter(None, [name, str(report.job_id), status_text(report, *messages)])
    )


def status_text(report: Status, *messages: str | None) -> str:
    """Return a state with its queue position and the messages of the cloud.

    :param report: The status of a job or of one of its items.
    :param messages: What the cloud says about it.
    """
    parts = [report.state.name]
    if report.queue_position is not None and not report.state.is_final:
        parts.append(f"queue position {report.queue_position}")
    parts += [printable(it) for it in messages if it]
    return ", ".join(parts)


def coloured(state: str) -> Text:
    """Return the state of a job in its colour.

    :param state: The state as the cloud spells it.
    """
    return Text(state, style=_COLOURS.get(state.lower(), "red"))


def place_in_queue(status: Status) -> str:
    """Return the place of a job in the queue, for a cell of a table.

    :param status: The status of the job.
    """
    if status.queue_position is None or status.state.is_final:
        return ""
    return str(status.queue_position)
