"""``tkr-lightworks serve``: start and stop an embedded Artemis from a shell."""

from datetime import UTC, datetime

from rich.table import Table

from local_artemis import ARTEMIS, LocalArtemis
from local_cloud import ServeCommand
from tkr_lightworks_worker.cli.job_tables import jobs_table


def _jobs(artemis: LocalArtemis, rows: int) -> Table:
    return jobs_table(artemis.jobs(latest=rows), datetime.now(UTC))


serve = ServeCommand(
    "tkr-lightworks",
    ARTEMIS,
    LocalArtemis,
    _jobs,
    'Programs that use lightworks.remote itself: HOME="$TKR_LIGHTWORKS_HOME" python …',
).command(
    """Start an embedded Artemis on this machine and serve until Ctrl-C.

    Prints a link to its web page and the environment variables with which this worker
    finds it. A terminal shows its jobs."""
)
