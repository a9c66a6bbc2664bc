"""Files that a person asked for: written whole or not at all, never over others."""

import os
from contextlib import suppress
from pathlib import Path

from tkr_runtime.errors import InvalidInputError


def check_absent(path: Path, *, force: bool) -> None:
    """Refuse a place for a new file that is taken.

    :param path: The file.
    :param force: Whether it may be overwritten.
    :raises InvalidInputError: If there is something that may not be overwritten.
    """
    if path.is_dir():
        raise InvalidInputError(f"{path} is a directory; give the name of a file.")
    if path.exists() and not force:
        raise _taken(path)


def write_file(path: Path, content: bytes, *, force: bool = False) -> Path:
    """Write a file, whole or not at all.

    :param path: The file; its directory must exist.
    :param content: What it is to hold.
    :param force: Whether to overwrite a file that exists.
    :returns: The path.
    :raises InvalidInputError: If the file exists and may not be overwritten, or cannot
        be written; a file that was there before is as it was.
    """
    check_absent(path, force=force)
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        unfinished.write_bytes(content)
        if force:
            unfinished.replace(path)
        else:
            _move_unless_taken(unfinished, path)
    except OSError as error:
        raise InvalidInputError(
            f"{path} cannot be written: {error.strerror}; give another file."
        ) from error
    finally:
        with suppress(OSError):
            unfinished.unlink(missing_ok=True)
    return path


def read_file(path: Path) -> bytes:
    """Read a file that a person named.

    :param path: The file.
    :returns: What it holds.
    :raises InvalidInputError: If it cannot be read.
    """
    try:
        return path.read_bytes()
    except OSError as error:
        raise InvalidInputError(
            f"{path} cannot be read: {error.strerror}; give another file."
        ) from error


def _move_unless_taken(source: Path, target: Path) -> None:
    """Move a file to a place that another program may take at the same moment."""
    try:
        target.hardlink_to(source)
    except FileExistsError as error:
        raise _taken(target) from error
    except OSError:
        # Some file systems have no links.
        source.replace(target)


def _taken(path: Path) -> InvalidInputError:
    return InvalidInputError(
        f"{path} exists already; give another file, or overwrite it by force."
    )
