"""Commands that look at jobs and change them."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from tkr_nexus_worker.cli.display import (
    details_tables,
    job_line,
    jobs_list,
    payload_table,
)
from tkr_nexus_worker.jobs.models import JobStatusReport, PayloadProgram
from tkr_nexus_worker.nexus.states import JOB_STATES
from tkr_runtime.cli.output import (
    json_option,
    print_json,
    print_table,
)
from tkr_runtime.cli.text import printable

# What the exit codes of `status` and `watch` tell; 0 to 2 are as for all commands.
EXIT_CODES = {"succeeded": 0, "waiting": 3, "failed": 4}

_DRAWN_COMMANDS = 500

job_argument: Callable[[Callable[..., Any]], Callable[..., Any]] = click.argument(
    "job", metavar="JOB"
)

jobs_argument: Callable[[Callable[..., Any]], Callable[..., Any]] = click.argument(
    "jobs", metavar="JOB...", nargs=-1, required=True
)

# qnexus takes seconds to import, and --help does not need it: it is imported where it
# is used.


@click.command()
@click.option("--all", "everything", is_flag=True, help="Also jobs that have ended.")
@click.option("--project", help="Only jobs of the project of this name.")
@click.option(
    "--status",
    "states",
    multiple=True,
    type=click.Choice(list(JOB_STATES), case_sensitive=False),
    help="Only jobs in this state; may be given several times.",
)
@click.option(
    "--limit",
    type=click.IntRange(min=1),
    default=20,
    show_default=True,
    help="How many jobs to show, the newest first.",
)
@json_option
def jobs(
    everything: bool,
    project: str | None,
    states: tuple[str, ...],
    limit: int,
    as_json: bool,
) -> None:
    """List jobs on Nexus; without options those that wait or run."""
    if everything and states:
        raise click.UsageError("Give either --all or --status.")
    from tkr_nexus_worker.jobs import list_jobs, list_scheduled_jobs

    if everything or states:
        found = list_jobs(project=project, states=states, limit=limit)
    else:
        found = list_scheduled_jobs(project, limit=limit)
    if as_json:
        print_json(found)
    elif found:
        print_table(jobs_list(found))
    if not found:
        hint = "" if everything or states else " --all shows those that have ended."
        click.echo(f"There is no such job.{hint}", err=True)
    elif len(found) == limit:
        click.echo(f"These are the newest {limit}; --limit shows more.", err=True)


@click.command()
@job_argument
@json_option
@click.pass_context
def status(context: click.Context, job: str, as_json: bool) -> None:
    """Tell in one line where a job stands.

    JOB is its id, at least four digits of the start of its id, or its name. The exit
    code is 0 if it has completed, 3 if it waits or runs, 4 if it ended in another way.
    """
    from tkr_nexus_worker.jobs import get_job_status

    report = get_job_status(job)
    if as_json:
        print_json(report)
    else:
        click.echo(job_line(report))
    context.exit(EXIT_CODES[report.phase])


@click.command()
@job_argument
@json_option
def show(job: str, as_json: bool) -> None:
    """Show everything about a job but its programs and results.

    JOB is its id, at least four digits of the start of its id, or its name.
    """
    from tkr_nexus_worker.jobs import get_job_details

    details = get_job_details(job)
    if as_json:
        print_json(details)
        return
    for number, table in enumerate(details_tables(details)):
        if number:
            click.echo()
        print_table(table)


@click.command()
@job_argument
@click.option(
    "--save",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="Write all programs into this directory, circuits as QASM, pytket JSON and "
    "drawing.",
)
@click.option("--force", is_flag=True, help="Overwrite files that exist.")
@json_option
def payload(job: str, save: Path | None, force: bool, as_json: bool) -> None:
    """Show what was submitted: programs, shots, backend config and options.

    JOB is its id, at least four digits of the start of its id, or its name.
    """
    from tkr_nexus_worker.jobs import get_job_payload
    from tkr_nexus_worker.jobs.payload import save_payload

    submitted = get_job_payload(job)
    if save is not None:
        files = save_payload(submitted, save, force=force)
        click.echo(f"Wrote {len(files)} files to {save}.", err=True)
    if as_json:
        print_json(submitted)
    elif save is None:
        print_table(payload_table(submitted))
        _print_drawings(submitted.programs)


def _print_drawings(programs: list[PayloadProgram]) -> None:
    from pytket.circuit import Circuit

    from tkr_nexus_worker.program_files.drawing import draw

    shown = set()
    for program in programs:
        if program.circuit is None or program.program_id in shown:
            continue
        shown.add(program.program_id)
        circuit = Circuit.from_dict(program.circuit)
        click.echo(f"\n{program.index}  {printable(program.name)}")
        if circuit.n_gates > _DRAWN_COMMANDS:
            click.echo(f"{circuit.n_gates} gates; --save draws them into a file.")
        else:
            click.echo(draw(circuit), nl=False)


@click.command()
@jobs_argument
@json_option
def cancel(jobs: tuple[str, ...], as_json: bool) -> None:
    """Cancel jobs on Nexus; what has ended stays as it is.

    JOB is its id, at least four digits of the start of its id, or its name.
    """
    from tkr_nexus_worker.jobs import cancel_job, find_job

    # All are found before the first is cancelled.
    found = [find_job(job) for job in jobs]
    _tell([cancel_job(job) for job in found], as_json=as_json)


@click.command()
@job_argument
@click.option(
    "--force",
    is_flag=True,
    help="Also if some programs of the job could still run. Those are not submitted "
    "again, but one that Nexus counts as failed and a device still runs is billed "
    "twice.",
)
@json_option
def retry(job: str, force: bool, as_json: bool) -> None:
    """Let Nexus run again those programs of a job that ended badly.

    JOB is its id, at least four digits of the start of its id, or its name. The
    programs are billed again. A job that could still run is refused.
    """
    from tkr_nexus_worker.jobs import retry_job

    _tell([retry_job(job, force=force)], as_json=as_json)


@click.command()
@jobs_argument
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option(
    "--force",
    is_flag=True,
    help="Also jobs that could still run; what a device has begun is billed, and its "
    "results are lost.",
)
@json_option
def delete(jobs: tuple[str, ...], yes: bool, force: bool, as_json: bool) -> None:
    """Delete jobs and their results on Nexus, for ever.

    JOB is its id, at least four digits of the start of its id, or its name.
    """
    from tkr_nexus_worker.jobs import delete_job, find_job, get_job_status

    found = [find_job(job) for job in jobs]
    reports = [get_job_status(job) for job in found]
    if not yes:
        for report in reports:
            click.echo(job_line(report), err=True)
        click.confirm(
            "Delete with all results, for ever?", default=False, abort=True, err=True
        )
    for job in found:
        delete_job(job, force=force)
    if as_json:
        print_json(reports)
    else:
        for report in reports:
            click.echo(f"Deleted job {report.name!r} ({report.job_id}).")


def _tell(reports: list[JobStatusReport], *, as_json: bool) -> None:
    if as_json:
        print_json(reports)
        return
    for report in reports:
        click.echo(
            f"The job {report.name!r} ({report.job_id}) is now in the state "
            f"{report.state}."
        )
