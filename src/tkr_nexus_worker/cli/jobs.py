"""Commands for jobs."""

import click

from tkr_nexus_worker.cli.errors import readable_failures


@click.command()
@click.argument("job")
def cancel(job: str) -> None:
    """Cancel a job on Nexus.

    JOB is its id, as messages and logs name it.
    """
    # qnexus takes seconds to import; --help does not need it.
    from tkr_nexus_worker.jobs import cancel_job, describe, find_job

    with readable_failures():
        ref = find_job(job)
        status = cancel_job(ref)
    click.echo(f"The {describe(ref)} is now in the state {status}.")
