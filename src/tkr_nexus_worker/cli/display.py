"""Values as tables for a person at a terminal."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from rich.table import Table
from rich.text import Text

from tkr_nexus_worker.durations import age

_COLOURS = {
    "COMPLETED": "green",
    "RUNNING": "cyan",
    "SUBMITTED": "cyan",
    "QUEUED": "yellow",
}
_WAITING = ("QUEUED", "SUBMITTED", "RUNNING", "RETRYING", "CANCELLING")


def jobs_table(jobs: Sequence[dict[str, Any]], now: datetime) -> Table:
    """Return a table of jobs, the latest last; it is readable at 80 columns.

    :param jobs: as :meth:`local_nexus.LocalNexus.jobs` returns them.
    :param now: the current time, with its time zone.
    """
    table = Table(expand=True, caption=None if jobs else "No job yet.")
    table.add_column("job", ratio=3, no_wrap=True, overflow="ellipsis")
    table.add_column("project", ratio=2, no_wrap=True, overflow="ellipsis")
    table.add_column("status", no_wrap=True)
    for name in ("queue", "items", "HQC", "age"):
        table.add_column(name, justify="right", no_wrap=True)
    for job in jobs:
        table.add_row(*_cells(job, now))
    return table


def _cells(job: dict[str, Any], now: datetime) -> list[Text]:
    states = Counter(job["items"])
    done = states.total() - sum(states[state] for state in _WAITING)
    status, cost = job["status"], job["cost"]
    position = job["queue_position"]
    created = datetime.fromisoformat(job["created"])
    return [
        # Names come from programs: as text they cannot be taken for markup.
        Text(job["name"]),
        Text(job["project"]),
        Text(status, style=_COLOURS.get(status, "red")),
        Text("" if position is None else str(position)),
        Text(f"{done}/{states.total()}"),
        Text("" if cost is None else f"{cost:.2f}"),
        Text(age((now - created).total_seconds())),
    ]
