"""``python -m local_nexus``: serve until stopped."""

from __future__ import annotations

import argparse
import logging
import shlex
import sys
import tempfile
from pathlib import Path

from local_nexus.environment import client_environment


def main(arguments: list[str] | None = None) -> int:
    """Run the command line.

    :returns: the exit code.
    """
    options = _parser().parse_args(arguments)
    # The web and database libraries are not needed to refuse wrong options.
    from local_nexus import serving
    from local_nexus.settings import Settings
    from local_nexus.store import DatabaseError

    logging.basicConfig(
        level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s: %(message)s"
    )
    try:
        listener = serving.bind(options.port)
    except OSError as error:
        sys.stderr.write(
            f"Cannot listen on port {options.port}: {error.strerror}. "
            "Choose another one, or none for a free one.\n"
        )
        return 1
    directory = options.directory or Path(tempfile.mkdtemp(prefix="local-nexus-"))
    directory.mkdir(parents=True, exist_ok=True)
    directory = directory.resolve()
    try:
        settings = Settings.load(directory, options.database)
        port = listener.getsockname()[1]

        def announce() -> None:
            _announce(directory, port)

        serving.serve(
            listener,
            directory,
            settings,
            ready=announce,
            with_parent=options.with_parent,
        )
    except DatabaseError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    finally:
        if options.directory is None or options.remove_directory:
            serving.remove(directory)
    return 0


def _announce(directory: Path, port: int) -> None:
    environment = client_environment(directory, port)
    lines = [f"export {key}={shlex.quote(text)}" for key, text in environment.items()]
    sys.stdout.write(f"https://127.0.0.1:{port}\n" + "\n".join(lines) + "\n")
    sys.stdout.flush()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m local_nexus",
        description="Serve an embedded Nexus on this machine until stopped. It prints "
        "its URL and the lines to export for programs that use qnexus.",
    )
    parser.add_argument("--port", type=_port, help="a free one by default")
    parser.add_argument(
        "--directory",
        type=Path,
        help="where to keep data and tokens; by default a temporary one, removed at "
        "the end",
    )
    parser.add_argument(
        "--database",
        metavar="URL",
        help="an SQLAlchemy URL; by default SQLite in the directory",
    )
    parser.add_argument("--with-parent", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument(
        "--remove-directory", action="store_true", help=argparse.SUPPRESS
    )
    return parser


def _port(text: str) -> int:
    if text.isdecimal() and 1 <= int(text) <= 65535:
        return int(text)
    raise argparse.ArgumentTypeError(f"{text!r} is no port: take 1 to 65535")


if __name__ == "__main__":
    sys.exit(main())
