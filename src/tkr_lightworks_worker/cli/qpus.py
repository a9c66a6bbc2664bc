"""Commands for QPUs."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click
from rich.table import Table
from rich.text import Text

from tkr_runtime.cli.completion import completes
from tkr_runtime.cli.output import json_option, new_table, print_json, print_table

if TYPE_CHECKING:
    from tkr_lightworks_worker.artemis.qpus import QpuDetails, QpuSummary


@click.command()
@json_option
def qpus(as_json: bool) -> None:
    """List the QPUs that you can use, and whether they are online."""
    from tkr_lightworks_worker.artemis.qpus import list_qpus

    found = list_qpus()
    if as_json:
        print_json(found)
        return
    table = new_table()
    for name in ("qpu", "id", "status"):
        table.add_column(name, no_wrap=True)
    for qpu in found:
        table.add_row(Text(qpu.name), Text(qpu.id), _status(qpu))
    print_table(table)


@click.command()
@click.argument(
    "names",
    metavar="NAME...",
    nargs=-1,
    required=True,
    shell_complete=completes("qpu"),
)
@json_option
def qpu(names: tuple[str, ...], as_json: bool) -> None:
    """Show the limits of a QPU, or compare several side by side.

    NAME is a name that `tkr-lightworks qpus` lists.
    """
    from tkr_lightworks_worker.artemis.qpus import get_qpu_details

    found = [get_qpu_details(name) for name in names]
    if as_json:
        print_json(found)
    else:
        print_table(_details_table(found))


def _details_table(found: "Sequence[QpuDetails]") -> Table:
    from tkr_lightworks_worker.cli.job_tables import moment_of

    table = new_table()
    table.add_column("", no_wrap=True)
    for one in found:
        table.add_column(Text(one.name), overflow="fold")
    table.add_row("status", *map(_status, found))
    table.add_row("id", *(one.id for one in found))
    table.add_row("modes", *(str(one.n_modes) for one in found))
    table.add_row("photons at most", *(str(one.max_photons) for one in found))
    largest = max(one.max_detection_filter for one in found)
    table.add_row(
        "min_detection at most", *(str(one.max_detection_filter) for one in found)
    )
    for least in range(1, largest + 1):
        table.add_row(
            f"samples at min_detection {least}",
            *(
                f"{one.allowed_samples(least):,}"
                if least <= one.max_detection_filter
                else ""
                for one in found
            ),
        )
    table.add_row("updated", *(moment_of(one.last_updated) for one in found))
    return table


def _status(qpu: "QpuSummary") -> Text:
    if qpu.is_available is None:
        return Text("")
    return Text("online", "green") if qpu.is_available else Text("offline", "yellow")
