"""Commands that show jobs and change them."""

from pathlib import Path
from typing import Literal

import click

from tkr_nexus_worker.cli.job_tables import (
    details_tables,
    jobs_list,
    messages,
    payload_table,
)
from tkr_nexus_worker.jobs.models import PayloadProgram
from tkr_nexus_worker.nexus.states import JOB_STATES
from tkr_runtime.cli.completion import completes
from tkr_runtime.cli.jobs import (
    EXIT_CODES,
    check_listing,
    job_argument,
    job_line,
    jobs_argument,
    listing_options,
    print_cancelled,
    print_jobs,
    print_states,
)
from tkr_runtime.cli.output import (
    json_option,
    print_json,
    print_table,
    print_tables,
)
from tkr_runtime.cli.terminal_text import printable

_DRAWN_COMMANDS = 500
_CSV_COLUMNS = (
    *("job_id", "name", "project", "backend", "state", "phase", "queue_position"),
    *("items_done", "items_total", "cost", "created", "message", "error_detail"),
)

# Functions import qnexus, which takes seconds and which --help does not need.


@click.command()
@click.option(
    "--project",
    shell_complete=completes("project"),
    help="Show only the jobs of this project.",
)
@click.option(
    "--type",
    "job_type",
    type=click.Choice(["execute", "compile"]),
    default="execute",
    show_default=True,
    help="Show the jobs that run programs, or those that compile them.",
)
@listing_options(JOB_STATES)
def jobs(
    everything: bool,
    project: str | None,
    job_type: Literal["execute", "compile"],
    states: tuple[str, ...],
    limit: int,
    as_json: bool,
    as_csv: bool,
) -> None:
    """List jobs; without options, those that are waiting or running."""
    check_listing(everything=everything, states=states, as_json=as_json, as_csv=as_csv)
    from tkr_nexus_worker.jobs import list_jobs, list_scheduled_jobs

    if everything or states:
        found = list_jobs(
            project=project, states=states, limit=limit, job_type=job_type
        )
    else:
        found = list_scheduled_jobs(project, limit=limit, job_type=job_type)
    print_jobs(
        found,
        jobs_list,
        _CSV_COLUMNS,
        limit=limit,
        selected=everything or bool(states),
        as_json=as_json,
        as_csv=as_csv,
    )


@click.command()
@job_argument
@json_option
@click.pass_context
def status(context: click.Context, job: str, as_json: bool) -> None:
    """Show the status of a job in one line.

    JOB is a job's id, the start of its id (at least four digits), or its name.
    The exit code is 0 if the job has completed, 3 if it is waiting or running, and 4
    if it ended without all its results.
    """
    from tkr_nexus_worker.jobs import get_job_status

    report = get_job_status(job)
    if as_json:
        print_json(report)
    else:
        click.echo(job_line(report, *messages(report)))
    context.exit(EXIT_CODES[report.phase])


@click.command()
@job_argument
@json_option
def show(job: str, as_json: bool) -> None:
    """Show the details of a job: times, items, cost, errors and log.

    JOB is a job's id, the start of its id (at least four digits), or its name.
    """
    from tkr_nexus_worker.jobs import get_job_details
    from tkr_nexus_worker.jobs.payload import with_program_names

    details = with_program_names(get_job_details(job))
    if as_json:
        print_json(details)
        return
    print_tables(*details_tables(details))


@click.command()
@job_argument
@click.option(
    "--save",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="Save all programs in this directory; circuits as QASM, as pytket JSON and "
    "as drawings.",
)
@click.option("--force", is_flag=True, help="Overwrite existing files.")
@json_option
def payload(job: str, save: Path | None, force: bool, as_json: bool) -> None:
    """Show or save what a job submitted: programs, shots, backend config, options.

    JOB is a job's id, the start of its id (at least four digits), or its name.
    """
    from tkr_nexus_worker.jobs import get_job_payload
    from tkr_nexus_worker.jobs.payload import save_payload

    submitted = get_job_payload(job)
    if save is not None:
        files = save_payload(submitted, save, force=force)
        click.echo(f"Saved {len(files)} files in {save}.", err=True)
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
            click.echo(f"Too large to draw here ({circuit.n_gates} gates); use --save.")
        else:
            click.echo(draw(circuit), nl=False)


@click.command()
@jobs_argument
@json_option
def cancel(jobs: tuple[str, ...], as_json: bool) -> None:
    """Cancel jobs. The exit code is 1 if one had ended before.

    JOB is a job's id, the start of its id (at least four digits), or its name.
    """
    from tkr_nexus_worker.jobs import cancel_job, find_job

    # Find all of them first: a wrong name must not leave half of them cancelled.
    found = [find_job(job) for job in jobs]
    print_cancelled([cancel_job(job) for job in found], as_json=as_json)


@click.command()
@job_argument
@click.option(
    "--force",
    is_flag=True,
    help="Retry even if some programs of the job could still run. Nexus does not rerun "
    "those, but a program that it counts as failed while a device still runs it is "
    "billed twice.",
)
@json_option
def retry(job: str, force: bool, as_json: bool) -> None:
    """Rerun the failed programs of a job, in the same job.

    JOB is a job's id, the start of its id (at least four digits), or its name.
    The programs are billed again. A job that could still run is refused.
    """
    from tkr_nexus_worker.jobs import retry_job

    print_states([retry_job(job, force=force)], as_json=as_json)


@click.command()
@jobs_argument
@click.option("--yes", is_flag=True, help="Do not ask for confirmation.")
@click.option(
    "--force",
    is_flag=True,
    help="Delete even jobs that could still run. Programs that a device has started "
    "are billed, and their results are lost.",
)
@json_option
def delete(jobs: tuple[str, ...], yes: bool, force: bool, as_json: bool) -> None:
    """Delete jobs and their results permanently.

    JOB is a job's id, the start of its id (at least four digits), or its name.
    """
    from tkr_nexus_worker.jobs import delete_job, find_job, get_job_status

    found = [find_job(job) for job in jobs]
    reports = [get_job_status(job) for job in found]
    if not yes:
        for report in reports:
            click.echo(job_line(report, *messages(report)), err=True)
        click.confirm(
            "Delete these jobs and their results permanently?",
            default=False,
            abort=True,
            err=True,
        )
    for job in found:
        delete_job(job, force=force)
    if as_json:
        print_json(reports)
    else:
        for report in reports:
            click.echo(f"Deleted job {report.name!r} ({report.job_id}).")
