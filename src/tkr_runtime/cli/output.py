"""The output of commands: tables for a person, JSON for a program."""

import json
from collections.abc import Callable, Sequence
from typing import Any

import click
from pydantic import BaseModel
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

# Wide enough for any line, so that programs that read a pipe find everything.
_PIPE_WIDTH = 100_000

json_option: Callable[[Callable[..., Any]], Callable[..., Any]] = click.option(
    "--json",
    "as_json",
    is_flag=True,
    help="Print JSON; docs/command_line.md describes its shape.",
)
"""The option ``--json`` of a command, given to it as ``as_json``."""


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


def new_table(*, expand: bool = False, caption: str | None = None) -> Table:
    """Return an empty table in the common style.

    :param expand: Whether it fills the width of the terminal.
    :param caption: A line below it.
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


def new_console(*, stderr: bool = False) -> Console:
    """Return a console: coloured at a terminal, plain and without a width in a pipe.

    :param stderr: Whether it writes to standard error.
    """
    # Names come from users and are never markup.
    console = Console(stderr=stderr, markup=False, emoji=False, highlight=False)
    if not console.is_terminal:
        console.width = _PIPE_WIDTH
    return console


def print_table(table: Table) -> None:
    """Print a table.

    :param table: The table; in a pipe, its cells are two spaces apart.
    """
    console = new_console()
    if not console.is_terminal:
        table.box = None
        table.collapse_padding = False
        table.expand = False
    console.print(table)
