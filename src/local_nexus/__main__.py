"""``python -m local_nexus``: serve until stopped."""

from __future__ import annotations

import logging
import sys
import tempfile
from pathlib import Path

import click

from local_nexus.addresses import exposure
from local_nexus.command_line import server_options
from local_nexus.environment import client_environment, shell_exports
from local_nexus.errors import StartError
from local_nexus.options import ServerOptions


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@server_options
@click.option("--with-parent", is_flag=True, hidden=True)
@click.option("--remove-directory", is_flag=True, hidden=True)
def main(options: ServerOptions, *, with_parent: bool, remove_directory: bool) -> None:
    """Serve an embedded Nexus on this machine until stopped.

    It prints its URL and the lines to export for programs that use qnexus.
    """
    logging.basicConfig(
        level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s: %(message)s"
    )
    try:
        # The web and database libraries are not needed to refuse wrong options.
        from local_nexus import serving
    except ModuleNotFoundError as error:
        sys.exit(
            "The embedded Nexus takes the extra 'local', for example pip install "
            f"'tkr-nexus-worker[local]': there is no module {error.name}."
        )
    try:
        listener = serving.bind(options.host, options.port)
        warning = exposure(options.host)
        if warning is not None:
            sys.stderr.write(f"Warning: {warning}\n")
        directory = options.directory or Path(tempfile.mkdtemp(prefix="local-nexus-"))
        directory.mkdir(parents=True, exist_ok=True)
        directory = directory.resolve()
        try:
            serving.serve(
                listener,
                directory,
                options,
                ready=lambda url: _announce(directory, url),
                with_parent=with_parent,
            )
        finally:
            if options.directory is None or remove_directory:
                serving.remove(directory)
    except StartError as error:
        sys.exit(str(error))


def _announce(directory: Path, url: str) -> None:
    sys.stdout.write(f"{url}\n{shell_exports(client_environment(directory, url))}")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
