"""Jobs as tables and lines of text for a terminal."""

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

from rich.table import Table
from rich.text import Text

from tkr_nexus_worker.jobs.models import (
    JobDetails,
    JobPayload,
    JobStatusReport,
    JobSummary,
    StatusReport,
)
from tkr_nexus_worker.nexus.states import JOB_STATES
from tkr_runtime.cli.output import new_table
from tkr_runtime.cli.terminal_text import printable
from tkr_runtime.times import age

ID_DIGITS = 8
"""How many digits of an id tables show; enough to identify a job."""

_COLOURS = {
    "COMPLETED": "green",
    "RUNNING": "cyan",
    "SUBMITTED": "cyan",
    "QUEUED": "yellow",
}
_WAITING = [state.name for state in JOB_STATES.values() if not state.is_final]


def jobs_table(jobs: Sequence[dict[str, Any]], now: datetime) -> Table:
    """Return a table of the jobs of an embedded Nexus, which fits into 80 columns.

    :param jobs: The jobs as :meth:`local_nexus.LocalNexus.jobs` returns them.
    :param now: The current time, with its time zone.
    """
    table = Table(expand=True, caption=None if jobs else "No jobs yet.")
    table.add_column("job", ratio=3, no_wrap=True, overflow="ellipsis")
    table.add_column("project", ratio=2, no_wrap=True, overflow="ellipsis")
    table.add_column("status", no_wrap=True)
    for name in ("queue", "items", "HQC", "age"):
        table.add_column(name, justify="right", no_wrap=True)
    for job in jobs:
        table.add_row(*_cells(job, now))
    return table


def _cells(job: dict[str, Any], now: datetime) -> list[Text]:
    states = Counter(job["items"])
    done = states.total() - sum(states[state] for state in _WAITING)
    created = datetime.fromisoformat(job["created"])
    return [
        # As Text, a name that users chose is never parsed as markup.
        Text(job["name"]),
        Text(job["project"]),
        coloured(job["status"]),
        _number(job["queue_position"]),
        Text(f"{done}/{states.total()}"),
        _cost(job["cost"]),
        Text(age((now - created).total_seconds())),
    ]


def coloured(state: str) -> Text:
    """Return the state of a job in its colour.

    :param state: The state as Nexus spells it.
    """
    return Text(state, style=_COLOURS.get(state, "red"))


def jobs_list(jobs: Sequence[JobSummary]) -> Table:
    """Return a table of jobs, which fits into 80 columns.

    :param jobs: The jobs, in the order of the rows.
    """
    now = datetime.now(UTC)
    table = new_table(expand=True)
    table.add_column("name", ratio=3, no_wrap=True, overflow="ellipsis", min_width=8)
    table.add_column("id", no_wrap=True)
    table.add_column("project", ratio=2, no_wrap=True, overflow="ellipsis", min_width=6)
    table.add_column("backend", ratio=2, no_wrap=True, overflow="ellipsis", min_width=6)
    table.add_column("status", no_wrap=True)
    for name in ("queue", "items", "HQC", "age"):
        table.add_column(name, justify="right", no_wrap=True)
    for job in jobs:
        table.add_row(
            printable(job.name),
            job.job_id[:ID_DIGITS],
            printable(job.project),
            job.backend or "",
            coloured(job.state),
            _number(job.queue_position),
            "" if job.items_total is None else f"{job.items_done}/{job.items_total}",
            _cost(job.cost),
            age((now - job.created).total_seconds()),
        )
    return table


def job_line(report: JobStatusReport) -> str:
    """Return the status of a job as one line.

    :param report: The status.
    """
    return f"{printable(report.name)}  {report.job_id}  {status_text(report)}"


def status_text(report: StatusReport) -> str:
    """Return a state with its queue position and the messages of Nexus.

    :param report: The status of a job or of one of its items.
    """
    parts = [report.state]
    if report.queue_position is not None and not report.is_final:
        parts.append(f"queue position {report.queue_position}")
    parts += [printable(it) for it in (report.message, report.error_detail) if it]
    return ", ".join(parts)


def details_tables(details: JobDetails) -> Iterator[Table]:
    """Return the details of a job as tables: the job, its items, its log.

    :param details: The details.
    """
    yield _facts(
        {
            "name": details.name,
            "id": details.job_id,
            "description": details.description,
            "project": details.project,
            "backend": details.backend or "",
            "config": _options(details.backend_config),
            "status": status_text(details),
            "items": f"{details.items_done} of {details.items_total} done",
            "cost": "" if details.cost is None else f"{details.cost:.2f} HQC",
            "created": _moment(details.created),
            "modified": _moment(details.modified),
        }
    )
    items = new_table()
    for name in ("item", "shots", "HQC"):
        items.add_column(name, justify="right", no_wrap=True)
    items.add_column("program", no_wrap=True)
    items.add_column("status", overflow="fold")
    for item in details.items:
        items.add_row(
            str(item.index),
            _number(item.n_shots),
            _cost(item.cost),
            f"{item.program_type} {item.program_id[:ID_DIGITS]}",
            status_text(item),
        )
    yield items
    log = new_table()
    for name in ("time", "subject"):
        log.add_column(name, no_wrap=True)
    log.add_column("state", overflow="fold")
    for event in details.log:
        message = f", {printable(event.message)}" if event.message else ""
        log.add_row(_moment(event.time), event.subject, f"{event.state}{message}")
    yield log


def payload_table(payload: JobPayload) -> Table:
    """Return a table of what a job submitted, without the contents of programs.

    :param payload: What the job submitted.
    """
    facts = {
        "name": payload.name,
        "id": payload.job_id,
        "project": payload.project,
        "backend": payload.backend or "",
        "config": _options(payload.backend_config),
        "options": _options(payload.options),
    }
    for program in payload.programs:
        shots = "" if program.n_shots is None else f", {program.n_shots} shots"
        more = f", {_options(program.options)}" if program.options else ""
        facts[f"program {program.index}"] = (
            f"{program.program_type} {program.name}{shots}{more}"
        )
    return _facts(facts)


def _facts(facts: dict[str, str]) -> Table:
    table = new_table()
    table.show_header = False
    table.add_column(no_wrap=True, style="bold")
    table.add_column(overflow="fold")
    for name, text in facts.items():
        if text:
            table.add_row(name, printable(text))
    return table


def _options(options: dict[str, Any]) -> str:
    return ", ".join(f"{name}={value}" for name, value in options.items())


def _moment(moment: datetime) -> str:
    return moment.astimezone().strftime("%Y-%m-%d %H:%M:%S %Z")


def _number(value: int | None) -> Text:
    return Text("" if value is None else str(value))


def _cost(value: float | None) -> Text:
    return Text("" if value is None else f"{value:.2f}")
