"""Jobs of Artemis as tables for a terminal."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

from rich.table import Table
from rich.text import Text

from tkr_lightworks_worker.jobs.models import Job, JobPayload, JobStatus
from tkr_runtime.cli.jobs import coloured, place_in_queue, status_text
from tkr_runtime.cli.output import facts_table, moment_text, new_table, number_text
from tkr_runtime.cli.terminal_text import printable
from tkr_runtime.times import age, read_moment


def messages(report: JobStatus) -> tuple[str]:
    """Return what Artemis says about a status.

    :param report: The status of a job.
    """
    return (report.notes,)


def jobs_table(jobs: Sequence[dict[str, Any]], now: datetime) -> Table:
    """Return a table of the jobs of an embedded Artemis, which fits into 80 columns.

    :param jobs: The jobs as :meth:`local_artemis.LocalArtemis.jobs` returns them.
    :param now: The current time, with its time zone.
    """
    table = Table(expand=True, caption=None if jobs else "No jobs yet.")
    table.add_column("job", ratio=3, no_wrap=True, overflow="ellipsis")
    table.add_column("id", justify="right", no_wrap=True)
    table.add_column("qpu", ratio=1, no_wrap=True, overflow="ellipsis")
    table.add_column("status", no_wrap=True)
    for name in ("queue", "samples", "age"):
        table.add_column(name, justify="right", no_wrap=True)
    for job in jobs:
        created = read_moment(job["created"])
        table.add_row(
            # As Text, a name that users chose is never parsed as markup.
            Text(job["name"] or ""),
            str(job["id"]),
            Text(job["qpu"]),
            coloured(job["status"]),
            number_text(job["queue_position"]),
            str(job["n_samples"]),
            age((now - created).total_seconds()),
        )
    return table


def jobs_list(jobs: Sequence[Job]) -> Table:
    """Return a table of jobs, which fits into 80 columns.

    :param jobs: The jobs, in the order of the rows.
    """
    now = datetime.now(UTC)
    table = new_table(expand=True)
    table.add_column("name", ratio=3, no_wrap=True, overflow="ellipsis", min_width=8)
    table.add_column("id", justify="right", no_wrap=True)
    table.add_column("qpu", ratio=1, no_wrap=True, overflow="ellipsis", min_width=6)
    table.add_column("status", no_wrap=True)
    for name in ("queue", "age"):
        table.add_column(name, justify="right", no_wrap=True)
    for job in jobs:
        created = _read(job.created)
        table.add_row(
            printable(job.name),
            str(job.job_id),
            printable(job.qpu_name),
            coloured(job.state),
            place_in_queue(job),
            "" if created is None else age((now - created).total_seconds()),
        )
    return table


def details_tables(details: Job) -> Iterator[Table]:
    """Return the details of a job as tables: the job, and its log.

    :param details: The details.
    """
    yield facts_table(
        {
            "name": details.name,
            "id": str(details.job_id),
            "qpu": details.qpu_name,
            "status": status_text(details, *messages(details)),
            "address": details.url,
            "created": moment_of(details.created),
            "updated": moment_of(details.updated),
        }
    )
    log = new_table()
    for name in ("time", "state"):
        log.add_column(name, no_wrap=True)
    log.add_column("message", overflow="fold")
    for event in details.log:
        texts = [event.message, *event.compilation_errors]
        log.add_row(
            moment_of(event.time),
            printable(event.state),
            printable("; ".join(filter(None, texts))),
        )
    yield log


def payload_table(payload: JobPayload) -> Table:
    """Return a table of what a job submitted, without the matrix of its circuit.

    :param payload: What the job submitted.
    """
    sent = payload.payload
    direct = sent.get("direct_implementation")
    selection = (sent.get("job_data") or {}).get("post_select") or []
    heralds = (sent.get("job_data") or {}).get("herald") or []
    return facts_table(
        {
            "name": payload.name,
            "id": str(payload.job_id),
            "qpu": payload.qpu_name,
            "modes": str(sent.get("n_modes", "")),
            "input": f"|{','.join(map(str, sent.get('input') or []))}>",
            "samples": str(sent.get("n_samples", "")),
            "min_detection": str(sent.get("min_detection", "")),
            "circuit": "its components" if direct else "its unitary",
            "post-selection": _rules(selection),
            "heralds": _rules(heralds),
            "lightworks": str(sent.get("lightworks_version", "")),
            "receipt": payload.receipt,
        }
    )


def _rules(rules: Sequence[Any]) -> str:
    """Return rules of post-selection as a person reads them."""

    def described(modes: Any, photons: Any) -> str:
        numbers = [
            it if isinstance(it, list | tuple) else [it] for it in (modes, photons)
        ]
        where = "mode" if len(numbers[0]) == 1 else "modes"
        return (
            f"{where} {', '.join(map(str, numbers[0]))}: "
            f"{' or '.join(map(str, numbers[1]))} photons"
        )

    return "; ".join(described(modes, photons) for modes, photons in rules)


def _read(text: str) -> datetime | None:
    try:
        return read_moment(text)
    except ValueError:
        return None


def moment_of(text: str) -> str:
    """Return a time in the time zone of this machine; as it is if it cannot be read.

    :param text: The time, as Artemis writes it.
    """
    moment = _read(text)
    return text if moment is None else moment_text(moment)
