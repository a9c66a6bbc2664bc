"""What commands for results share: options, tables of counts, CSV, histograms."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import click
from rich.table import Table
from rich.text import Text

from tkr_runtime.cli.jobs import Decorator
from tkr_runtime.cli.output import new_console, new_table, print_rows, print_table
from tkr_runtime.cli.terminal_text import printable
from tkr_runtime.counts import COLUMNS, rows_of
from tkr_runtime.histograms import (
    DEFAULT_TOP,
    Histogram,
    standard_error,
    terminal_histogram,
)

MOST_PLOTS = 12
"""How many histograms to draw if none are chosen: more are hard to compare."""

_PIPE_WIDTH = 80
_FILE = click.Path(path_type=Path, dir_okay=False)

top_option: Decorator = click.option(
    "--top",
    type=click.IntRange(min=1),
    default=DEFAULT_TOP,
    show_default=True,
    help="Show at most this many outcomes of each result.",
)
save_option: Decorator = click.option(
    "--save", type=_FILE, help="Save the results to a file; .gz compresses it."
)
force_option: Decorator = click.option(
    "--force", is_flag=True, help="Overwrite an existing file."
)
output_option: Decorator = click.option(
    "-o",
    "--output",
    type=_FILE,
    help="Write a PNG or SVG file.  [default: draw in the terminal]",
)
plot_option: Decorator = click.option(
    "--plot", is_flag=True, help="Draw histograms in the terminal."
)


def counts_table(counts: Mapping[str, int], top: int) -> Table:
    """Return a table of outcomes with their counts and probabilities.

    :param counts: The counts, in the order of the rows; at least one.
    :param top: How many to show; the others are added up.
    """
    n = sum(counts.values())
    table = new_table()
    # In full, over several lines: wide outcomes may differ in any digit.
    table.add_column("outcome", overflow="fold")
    table.add_column("count", justify="right", no_wrap=True)
    table.add_column("probability", justify="right", no_wrap=True)
    shown = list(counts.items())[:top]
    for outcome, count in shown:
        p = count / n
        table.add_row(
            Text(printable(outcome)),
            str(count),
            f"{p:.4f} ± {standard_error(p, n):.4f}",
        )
    others = len(counts) - len(shown)
    if others:
        rest = n - sum(count for _, count in shown)
        table.add_row(f"{others} others", str(rest), f"{rest / n:.4f}")
    return table


def print_csv(
    headings: Sequence[str],
    results: Iterable[tuple[Sequence[object], Mapping[str, int]]],
) -> None:
    """Print counts as CSV, a row for each outcome.

    :param headings: The first columns, which say of what the counts are.
    :param results: Their values, and the counts.
    """
    print_rows(
        [*headings, *COLUMNS],
        ([*named, *row] for named, counts in results for row in rows_of(counts)),
    )


def print_histograms(shown: Iterable[Histogram]) -> None:
    """Draw histograms in the terminal.

    :param shown: What to draw.
    """
    console = new_console()
    width = console.width if console.is_terminal else _PIPE_WIDTH
    for index, one in enumerate(shown):
        if index:
            click.echo()
        print_table(terminal_histogram(one, width=width), width=width)
