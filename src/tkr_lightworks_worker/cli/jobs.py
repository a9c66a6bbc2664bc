"""Commands that show jobs and change them."""

import json
from pathlib import Path

import click

from tkr_lightworks_worker.artemis.states import JOB_STATES
from tkr_lightworks_worker.cli.job_tables import (
    details_tables,
    jobs_list,
    messages,
    payload_table,
)
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
from tkr_runtime.cli.output import json_option, print_json, print_table, print_tables
from tkr_runtime.cli.results import force_option

_CSV_COLUMNS = (
    *("job_id", "name", "qpu_name", "state", "phase", "queue_position"),
    *("created", "updated", "notes"),
)


@click.command()
@listing_options(JOB_STATES)
def jobs(
    everything: bool,
    states: tuple[str, ...],
    limit: int,
    as_json: bool,
    as_csv: bool,
) -> None:
    """List jobs; without options, those that are waiting or running."""
    check_listing(everything=everything, states=states, as_json=as_json, as_csv=as_csv)
    from tkr_lightworks_worker.jobs import list_jobs, list_scheduled_jobs

    if everything or states:
        found = list_jobs(states=states, limit=limit)
    else:
        found = list_scheduled_jobs(limit=limit)
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

    JOB is a job's id, its name, or how its name starts. The exit code is 0 if the job
    has completed or timed out, 3 if it is waiting or running, and 4 if it failed or was
    cancelled.
    """
    from tkr_lightworks_worker.jobs import get_job_status

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
    """Show the details of a job: dates, queue position, notes and log.

    JOB is a job's id, its name, or how its name starts.
    """
    from tkr_lightworks_worker.jobs import get_job_details

    details = get_job_details(job)
    if as_json:
        print_json(details)
    else:
        print_tables(*details_tables(details))


@click.command()
@job_argument
@click.option(
    "--save",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Save the payload as JSON.",
)
@force_option
@json_option
def payload(job: str, save: Path | None, force: bool, as_json: bool) -> None:
    """Show or save what a job submitted, from the receipt of its workflow.

    JOB is a job's id, its name, or how its name starts. Artemis does not give payloads
    back: only those of workflows on this machine are known.
    """
    from tkr_lightworks_worker.jobs import get_job_payload
    from tkr_runtime.files import check_writable, write_file

    if save is not None:
        check_writable(save, force=force)
    submitted = get_job_payload(job)
    if save is not None:
        content = json.dumps(submitted.payload, indent=2, ensure_ascii=False)
        write_file(save, f"{content}\n".encode(), force=force)
        click.echo(f"Saved the payload to {save}.", err=True)
    if as_json:
        print_json(submitted)
    elif save is None:
        print_table(payload_table(submitted))


@click.command()
@jobs_argument
@json_option
def cancel(jobs: tuple[str, ...], as_json: bool) -> None:
    """Cancel jobs. The exit code is 1 if one had ended before.

    JOB is a job's id, its name, or how its name starts.
    """
    from tkr_lightworks_worker.jobs import cancel_job, find_job

    # Find all of them first: a wrong name must not leave half of them cancelled.
    found = [find_job(job) for job in jobs]
    print_cancelled([cancel_job(job) for job in found], as_json=as_json)


@click.command()
@job_argument
@click.option(
    "--force",
    is_flag=True,
    help="Submit it again even if it waits, runs or has completed. Both jobs then run.",
)
@json_option
def retry(job: str, force: bool, as_json: bool) -> None:
    """Submit a job again that failed, was cancelled or timed out, as a new job.

    JOB is a job's id, its name, or how its name starts. The payload is that of the
    receipt of its workflow, on this machine.
    """
    from tkr_lightworks_worker.jobs import get_job_status, retry_job

    new = retry_job(job, force=force)
    print_states([get_job_status(new)], as_json=as_json)
