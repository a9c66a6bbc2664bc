"""The command for budgets: what is reserved, spent and left."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click
from pydantic import BaseModel

from tkr_runtime.cli.errors import UsageError
from tkr_runtime.cli.output import (
    json_option,
    new_table,
    print_json,
    print_table,
    print_tables,
)
from tkr_runtime.cli.terminal_text import printable
from tkr_runtime.cli.workflows import directory_option, find_workflow
from tkr_runtime.jobs.ledger import Balance

if TYPE_CHECKING:
    from rich.table import Table

    from tkr_runtime.jobs.ledger import Ledger


class BudgetReport(BaseModel):
    """A budget as the command prints it.

    :param workflow: The id of its workflow; None for a ledger that was named.
    :param ledger: The file of its ledger.
    :param balance: What is reserved, spent and left.
    """

    workflow: str | None
    ledger: str
    balance: Balance


@click.command()
@click.argument("workflow", required=False)
@directory_option
@click.option(
    "--limit",
    metavar="HQC",
    type=click.FloatRange(min=0.0, min_open=True),
    help="Change what may be spent; at least what is spent or reserved already.",
)
@click.option(
    "--update", is_flag=True, help="Ask Nexus first what jobs that have ended cost."
)
@click.option(
    "--release",
    metavar="KEY",
    help="Give back what a submission has reserved, if you know that it has no job on "
    "Nexus.",
)
@json_option
def budget(
    workflow: str | None,
    directory: Path,
    limit: float | None,
    update: bool,
    release: str | None,
    as_json: bool,
) -> None:
    """Show what is reserved, spent and left of budgets.

    WORKFLOW is the id of a workflow or its first characters, or the file of a ledger;
    without it, the budgets of all workflows are listed.
    """
    if workflow is None and (limit is not None or release is not None):
        raise UsageError("Name the workflow or the file of the ledger to change.")
    found = list(_ledgers(workflow, directory.expanduser().absolute()))
    if update:
        from tkr_nexus_worker.jobs.duplicates import settle_ledger

        for _, ledger in found:
            settle_ledger(ledger)
    if limit is not None or release is not None:
        _change(found, limit, release)
    reports = [
        BudgetReport(
            workflow=workflow_id, ledger=str(ledger.path), balance=ledger.balance()
        )
        for workflow_id, ledger in found
    ]
    if as_json:
        print_json(reports)
    elif not reports:
        click.echo("There are no budgets.", err=True)
    elif workflow is None:
        print_table(_balances_table(reports))
    else:
        print_tables(_balances_table(reports), *map(_entries_table, reports))


def _change(
    found: "list[tuple[str | None, Ledger]]", limit: float | None, release: str | None
) -> None:
    if len(found) != 1:
        raise UsageError(
            f"There are {len(found)} budgets; name the file of the ledger to change."
        )
    [(_, ledger)] = found
    if limit is not None:
        ledger.set_limit(limit)
    if release is not None:
        keys = [one.key for one in ledger.balance().entries]
        matching = [key for key in keys if key.startswith(release)]
        if len(matching) != 1 or not ledger.release(matching[0]):
            raise UsageError(
                f"No single submission without a job has a key that starts with "
                f"{release!r}; the command lists the keys."
            )


def _ledgers(
    name: str | None, directory: Path
) -> "Iterator[tuple[str | None, Ledger]]":
    """Yield the ledgers of a workflow or file, or of all, the newest first."""
    from tkr_runtime.jobs.budget import FOLDER, ledgers_of_workflow
    from tkr_runtime.jobs.ledger import Ledger

    if name is not None and Path(name).expanduser().is_file():
        yield None, Ledger(Path(name).expanduser().resolve())
        return
    if name is not None:
        folders = [directory / str(find_workflow(name, directory))]
    else:
        folders = [folder.parent for folder in directory.glob(f"*/{FOLDER}")]
        folders.sort(key=lambda folder: folder.stat().st_mtime, reverse=True)
    for folder in folders:
        for ledger in ledgers_of_workflow(folder):
            yield folder.name, ledger


def _balances_table(reports: list[BudgetReport]) -> "Table":
    table = new_table()
    table.add_column("budget", overflow="fold")
    table.add_column("workflow", overflow="fold")
    for heading in ("limit", "reserved", "spent", "left", "unit"):
        table.add_column(heading, justify="right", no_wrap=True)
    for report in reports:
        balance = report.balance
        amounts = (balance.limit, balance.reserved, balance.spent, balance.left)
        table.add_row(
            printable(balance.name),
            report.workflow or "",
            *(f"{amount:.2f}" for amount in amounts),
            printable(balance.unit),
        )
    return table


def _entries_table(report: BudgetReport) -> "Table":
    table = new_table()
    table.add_column("submission", overflow="fold")
    table.add_column("key", no_wrap=True)
    table.add_column("state", no_wrap=True)
    for heading in ("reserved", "spent"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("job", overflow="fold")
    for entry in report.balance.entries:
        table.add_row(
            printable(entry.what),
            entry.key[:8],
            entry.state,
            f"{entry.reserved:.2f}" if entry.reserved else "",
            f"{entry.spent:.2f}" if entry.spent else "",
            entry.job_id or "",
        )
    return table
