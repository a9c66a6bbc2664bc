"""``tkr-nexus serve``: start and stop an embedded Nexus from a shell."""

from datetime import UTC, datetime

from rich.table import Table

from local_cloud import ServeCommand
from local_nexus import NEXUS, LocalNexus
from tkr_nexus_worker.cli.job_tables import jobs_table


def _jobs(nexus: LocalNexus, rows: int) -> Table:
    return jobs_table(nexus.jobs(latest=rows), datetime.now(UTC))


serve = ServeCommand("tkr-nexus", NEXUS, LocalNexus, _jobs).command(
    """Start an embedded Nexus on this machine and serve until Ctrl-C.

    Prints a link to its web page and the environment variables with which programs
    that use qnexus find it. A terminal shows its jobs."""
)
