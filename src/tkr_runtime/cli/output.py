"""The output of commands: tables for people, JSON for programs."""

import csv
import json
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

import click
from pydantic import BaseModel
from rich.box import SIMPLE_HEAD
from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

from tkr_runtime.cli.terminal_text import printable

# Wide enough for any line: in a pipe nothing may be cut, so that grep finds it.
_PIPE_WIDTH = 100_000
# Ids and most names are shorter; other rows are not padded to the longest.
_MOST_PADDED = 40
_BETWEEN_COLUMNS = "  "

json_option: Callable[[Callable[..., Any]], Callable[..., Any]] = click.option(
    "--json",
    "as_json",
    is_flag=True,
    help="Print JSON; docs/command_line.md lists its fields.",
)
"""The option ``--json``, which a command takes as the argument ``as_json``."""

csv_option: Callable[[Callable[..., Any]], Callable[..., Any]] = click.option(
    "--csv",
    "as_csv",
    is_flag=True,
    help="Print CSV; docs/command_line.md lists its columns.",
)
"""The option ``--csv``, which a command takes as the argument ``as_csv``."""


def check_formats(*, as_json: bool, as_csv: bool) -> None:
    """Refuse to print in two formats at once.

    :param as_json: Whether JSON is asked for.
    :param as_csv: Whether CSV is asked for.
    :raises click.UsageError: If both are.
    """
    if as_json and as_csv:
        raise click.UsageError("Use either --json or --csv.")


def print_json(value: BaseModel | Sequence[BaseModel]) -> None:
    """Print a model, or a list of models, as JSON.

    :param value: The model or models.
    """
    content = (
        value.model_dump(mode="json")
        if isinstance(value, BaseModel)
        else [model.model_dump(mode="json") for model in value]
    )
    click.echo(json.dumps(content, indent=2, ensure_ascii=False))


def print_rows(headings: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print rows as CSV.

    :param headings: The names of the columns.
    :param rows: The values of each row.
    """
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(headings)
    writer.writerows(rows)


def new_table(*, expand: bool = False, caption: str | None = None) -> Table:
    """Return an empty table in the common style.

    :param expand: Whether the table takes the whole width of the terminal.
    :param caption: A line below the table.
    """
    return Table(
        box=SIMPLE_HEAD,
        show_edge=False,
        pad_edge=False,
        padding=(0, 1),
        collapse_padding=True,
        expand=expand,
        caption=caption,
        caption_justify="left",
    )


def facts_table(facts: Mapping[str, str]) -> Table:
    """Return a table with a fact in each row; those without a text are left out.

    :param facts: The texts by the name of what they tell.
    """
    table = new_table()
    table.show_header = False
    table.add_column(no_wrap=True, style="bold")
    table.add_column(overflow="fold")
    for name, text in facts.items():
        if text:
            table.add_row(name, printable(text))
    return table


def print_tables(*tables: Table) -> None:
    """Print tables with an empty line between them.

    :param tables: The tables.
    """
    for number, table in enumerate(tables):
        if number:
            click.echo()
        print_table(table)


def number_text(value: int | None) -> str:
    """Return a number for a cell of a table, empty where there is none.

    :param value: The number.
    """
    return "" if value is None else str(value)


def moment_text(moment: datetime) -> str:
    """Return a time in the time zone of this machine.

    :param moment: The time, with its time zone.
    """
    return moment.astimezone().strftime("%Y-%m-%d %H:%M:%S %Z")


def new_console(*, stderr: bool = False) -> Console:
    """Return a console: coloured at a terminal, plain and uncut in a pipe.

    :param stderr: Whether it prints to standard error.
    """
    # Users choose names: nothing in them is markup.
    console = Console(stderr=stderr, markup=False, emoji=False, highlight=False)
    if not console.is_terminal:
        console.width = _PIPE_WIDTH
    return console


def print_table(table: Table, *, width: int | None = None) -> None:
    """Print a table; in a pipe, with at least two spaces between columns and no lines.

    In a pipe, nothing is cut, and a long cell moves the rest of its own row alone.

    :param table: The table.
    :param width: How many columns it has in a pipe, if its cells need them all.
    """
    console = new_console()
    if console.is_terminal:
        console.print(table)
        return
    if width is None:
        lines = _plain_lines(table)
    else:
        with console.capture() as captured:
            console.print(table, width=width)
        lines = iter(captured.get().splitlines())
    # Tables pad the cells of the last column as well.
    for line in lines:
        click.echo(line.rstrip())


def _plain_lines(table: Table) -> Iterator[str]:
    """Return the lines of a table of texts; its long cells widen no column."""
    columns = [[_plain(cell) for cell in column.cells] for column in table.columns]
    if table.show_header:
        for column, cells in zip(table.columns, columns, strict=True):
            cells.insert(0, _plain(column.header))
    widths = [
        max((cell_len(it) for it in cells if cell_len(it) <= _MOST_PADDED), default=0)
        for cells in columns
    ]
    for row in zip(*columns, strict=True):
        padded = []
        for column, cell, width in zip(table.columns, row, widths, strict=True):
            space = " " * (width - cell_len(cell))
            padded.append(space + cell if column.justify == "right" else cell + space)
        yield _BETWEEN_COLUMNS.join(padded)


def _plain(cell: object) -> str:
    return " ".join((cell.plain if isinstance(cell, Text) else str(cell)).split())
