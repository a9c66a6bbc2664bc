"""``tkr-lightworks watch``: show the progress of jobs until they have ended."""

import click

from tkr_runtime.cli.jobs import jobs_argument
from tkr_runtime.cli.output import json_option
from tkr_runtime.cli.watch import WatchedJobs, watch_jobs, watch_options

_ID_DIGITS = 12


@click.command()
@jobs_argument
@watch_options
@json_option
@click.pass_context
def watch(
    context: click.Context,
    jobs: tuple[str, ...],
    timeout: float | None,
    interval: float,
    as_json: bool,
) -> None:
    """Watch jobs until all have ended.

    JOB is a job's id, its name, or how its name starts. A terminal shows a table, a
    pipe gets one line for each change. The exit code is 0 if all jobs have completed or
    timed out, 4 if one failed or was cancelled, and 3 at a time-out of the watch.
    """
    context.exit(
        watch_jobs(_load, jobs, timeout=timeout, interval=interval, as_json=as_json)
    )


def _load() -> WatchedJobs:
    from tkr_lightworks_worker.artemis import settings
    from tkr_lightworks_worker.cli.job_tables import messages
    from tkr_lightworks_worker.cloud import LIGHTWORKS
    from tkr_lightworks_worker.jobs import find_job, wait_until_complete

    # A wait would last a day until there is a token.
    settings.url()
    settings.token()
    return WatchedJobs(
        LIGHTWORKS.name, find_job, wait_until_complete, messages, _ID_DIGITS, {}
    )
