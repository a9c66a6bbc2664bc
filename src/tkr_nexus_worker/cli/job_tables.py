"""Jobs as tables and lines of text for a terminal."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

from rich.table import Table
from rich.text import Text

from tkr_nexus_worker.jobs.models import (
    JobDetails,
    JobPayload,
    JobSummary,
    StatusReport,
)
from tkr_nexus_worker.nexus.states import JOB_STATES
from tkr_runtime.cli.jobs import coloured, status_text
from tkr_runtime.cli.output import facts_table, moment_text, new_table, number_text
from tkr_runtime.cli.terminal_text import printable
from tkr_runtime.times import age

ID_DIGITS = 8
"""How many digits of an id tables show; enough to identify a job."""

_WORKFLOW = re.compile(r"workflow ([0-9a-f-]{36})")
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
        Text(number_text(job["queue_position"])),
        Text(f"{done}/{states.total()}"),
        _cost(job["cost"]),
        Text(age((now - created).total_seconds())),
    ]


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
            number_text(job.queue_position),
            "" if job.items_total is None else f"{job.items_done}/{job.items_total}",
            _cost(job.cost),
            age((now - job.created).total_seconds()),
        )
    return table


def messages(report: StatusReport) -> tuple[str, str | None]:
    """Return what Nexus says about a status.

    :param report: The status of a job or of one of its items.
    """
    return report.message, report.error_detail


def details_tables(details: JobDetails) -> Iterator[Table]:
    """Return the details of a job as tables: the job, its items, its log.

    :param details: The details.
    """
    yield facts_table(
        {
            "name": details.name,
            "id": details.job_id,
            **_description(details.description),
            "project": details.project,
            "backend": details.backend or "",
            "config": _options(details.backend_config),
            "status": status_text(details, *messages(details)),
            "items": f"{details.items_done} of {details.items_total} done",
            "cost": "" if details.cost is None else f"{details.cost:.2f} HQC",
            "created": moment_text(details.created),
            "modified": moment_text(details.modified),
        }
    )
    items = new_table()
    for name in ("item", "shots", "HQC"):
        items.add_column(name, justify="right", no_wrap=True)
    items.add_column("program", overflow="fold")
    items.add_column("status", overflow="fold")
    for item in details.items:
        items.add_row(
            str(item.index),
            number_text(item.n_shots),
            _cost(item.cost),
            f"{item.program_type} "
            f"{printable(item.program_name or item.program_id[:ID_DIGITS])}",
            status_text(item, *messages(item)),
        )
    yield items
    log = new_table()
    for name in ("time", "subject"):
        log.add_column(name, no_wrap=True)
    log.add_column("state", overflow="fold")
    for event in details.log:
        message = f", {printable(event.message)}" if event.message else ""
        log.add_row(moment_text(event.time), event.subject, f"{event.state}{message}")
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
    return facts_table(facts)


def _description(text: str) -> dict[str, str]:
    """Return what a person wrote, or the workflow that submitted the job."""
    # Importing qnexus takes seconds, and the list of an embedded Nexus needs it not.
    from tkr_nexus_worker.nexus.idempotency import digest_in

    if digest_in(text) is None:
        return {"description": text}
    workflow = _WORKFLOW.search(text)
    return {} if workflow is None else {"workflow": workflow[1]}


def _options(options: dict[str, Any]) -> str:
    return ", ".join(f"{name}={value}" for name, value in options.items())


def _cost(value: float | None) -> Text:
    return Text("" if value is None else f"{value:.2f}")
