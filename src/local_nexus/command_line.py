"""The options of a server for the command lines that start one."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Any

import click

from local_nexus.addresses import LOOPBACK
from local_nexus.options import ServerOptions

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_OPTIONS = (
    click.option(
        "--host",
        default=LOOPBACK,
        show_default=True,
        help="The name or IPv4 address to listen on. 0.0.0.0 opens the server to "
        "other machines.",
    ),
    click.option(
        "--port", type=click.IntRange(1, 65535), help="A free one by default."
    ),
    click.option(
        "--directory",
        type=click.Path(file_okay=False, path_type=Path),
        help="Where to keep data and tokens; by default a temporary directory, "
        "removed at the end.",
    ),
    click.option(
        "--database",
        metavar="URL",
        help="An SQLAlchemy URL of SQLite or PostgreSQL; by default SQLite in the "
        "directory.",
    ),
    click.option(
        "--device-file",
        type=_FILE,
        help="A JSON file with devices of your own.",
    ),
    click.option(
        "--faults",
        type=_FILE,
        help="A TOML file that says how jobs move and what goes wrong.",
    ),
)


def server_options(command: Callable[..., None]) -> Callable[..., None]:
    """Give a click command the options of a server, as its argument ``options``."""

    @functools.wraps(command)
    def gather(**values: Any) -> None:
        names = [field.name for field in fields(ServerOptions)]
        options = ServerOptions(**{name: values.pop(name) for name in names})
        command(options=options, **values)

    for option in reversed(_OPTIONS):
        gather = option(gather)
    return gather
