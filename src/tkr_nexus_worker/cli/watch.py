"""``tkr-nexus watch``: show the progress of jobs until they have ended."""

from typing import TYPE_CHECKING

import click

from tkr_runtime.cli.jobs import jobs_argument
from tkr_runtime.cli.output import json_option
from tkr_runtime.cli.watch import WatchedJobs, watch_jobs, watch_options

if TYPE_CHECKING:
    from tkr_nexus_worker.jobs.models import JobStatusReport


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

    JOB is a job's id, the start of its id (at least four digits), or its name.
    A terminal shows a table, a pipe gets one line for each change. The exit code is 0
    if all jobs have completed, 4 if one ended without all its results, and 3 at a
    time-out.
    """
    context.exit(
        watch_jobs(_load, jobs, timeout=timeout, interval=interval, as_json=as_json)
    )


def _load() -> WatchedJobs:
    # Importing qnexus takes seconds, and --help does not need it.
    from tkr_nexus_worker.cli.job_tables import ID_DIGITS, messages
    from tkr_nexus_worker.cloud import NEXUS
    from tkr_nexus_worker.jobs import find_job, wait_until_complete

    return WatchedJobs(
        NEXUS.name, find_job, wait_until_complete, messages, ID_DIGITS, {"HQC": _cost}
    )


def _cost(status: "JobStatusReport") -> str:
    return "" if status.cost is None else f"{status.cost:.2f}"
