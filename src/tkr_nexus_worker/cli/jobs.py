"""Commands for jobs."""

import click

from tkr_nexus_worker.cli.output import job_argument


@click.command()
@job_argument
def cancel(job: str) -> None:
    """Cancel a job on Nexus.

    JOB is its id, at least four digits of the start of its id, or its name.
    """
    # qnexus takes seconds to import; --help does not need it.
    from tkr_nexus_worker.jobs import cancel_job, describe, find_job

    ref = find_job(job)
    status = cancel_job(ref)
    click.echo(f"The {describe(ref)} is now in the state {status}.")
