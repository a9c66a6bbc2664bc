"""The command line of a server, and its options for others that start one."""

import functools
import logging
import shlex
import shutil
import sys
from collections.abc import Callable, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

import click

from local_cloud.cloud import Cloud
from local_cloud.errors import StartError
from local_cloud.server.addresses import LOOPBACK, exposure
from local_cloud.server.child import make_directory
from local_cloud.server.options import ServerOptions

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
    click.option(
        "--lenient",
        is_flag=True,
        help="Also take what the cloud refuses, where the server can run it, such as "
        "circuits with gates that the device does not have.",
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


def server_command(cloud: Cloud) -> click.Command:
    """Return the command that serves an embedded cloud until it is stopped."""

    @click.command(
        cloud.slug,
        help=f"""Serve an {cloud.title} on this machine until stopped.

        It prints its URL and the lines to export for client programs.""",
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    @server_options
    @click.option("--with-parent", is_flag=True, hidden=True)
    @click.option("--remove-directory", is_flag=True, hidden=True)
    def serve(
        options: ServerOptions, *, with_parent: bool, remove_directory: bool
    ) -> None:
        logging.basicConfig(
            level=logging.WARNING,
            format="%(asctime)s %(levelname)s %(name)s: %(message)s",
        )
        try:
            # The web and database libraries are not needed to refuse wrong options.
            from local_cloud.server import process
        except ModuleNotFoundError as error:
            distribution, _, extra = cloud.requirement.partition("[")
            sys.exit(
                f"The {cloud.title} needs more packages: pip install 'PATH[{extra}', "
                f"where PATH is the checkout or wheel of {distribution}. There is no "
                f"module {error.name}."
            )
        try:
            listener = process.bind(options.host, options.port)
            warning = exposure(options.host)
            if warning is not None:
                sys.stderr.write(f"Warning: {warning}\n")
            directory = make_directory(cloud, options.directory)
            try:
                process.serve(
                    cloud,
                    listener,
                    directory,
                    options,
                    ready=functools.partial(_announce, cloud, directory),
                    with_parent=with_parent,
                )
            finally:
                if options.directory is None or remove_directory:
                    shutil.rmtree(directory, ignore_errors=True)
        except StartError as error:
            sys.exit(str(error))

    return serve


def shell_exports(environment: Mapping[str, str]) -> str:
    """Return the lines that export variables in a shell."""
    return "".join(
        f"export {name}={shlex.quote(value)}\n" for name, value in environment.items()
    )


def _announce(cloud: Cloud, directory: Path, url: str) -> None:
    sys.stdout.write(f"{url}\n{shell_exports(cloud.environment(directory, url))}")
    sys.stdout.flush()
