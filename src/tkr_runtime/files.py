"""Files that are written as a whole: a reader never finds half of one."""

import errno
import os
import secrets
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path

from tkr_runtime.errors import InvalidInputError

_SHARED_MODE = 0o666  # less what the umask takes away
_PRIVATE_MODE = 0o600


def replace_file(path: Path, content: bytes, *, private: bool = False) -> None:
    """Write a file as a whole, in place of one that may exist.

    :param path: The file; its directory must exist.
    :param content: The new content.
    :param private: Whether only the owner may read the file.
    :raises OSError: If the file cannot be written; an earlier file stays as it was.
    """
    with _new_file_beside(path, content, private=private) as new_file:
        new_file.replace(path)


def check_absent(path: Path, *, force: bool) -> None:
    """Check that a new file may be written to a path.

    :param path: The file.
    :param force: Whether it may be overwritten.
    :raises InvalidInputError: If something there may not be overwritten.
    """
    if path.is_dir():
        raise InvalidInputError(f"{path} is a directory; give the name of a file.")
    if path.exists() and not force:
        raise _exists(path)


def check_writable(path: Path, *, force: bool) -> None:
    """Check that a file can be written to a path, before work that it will hold.

    :param path: The file.
    :param force: Whether it may be overwritten.
    :raises InvalidInputError: If something there may not be overwritten, or its
        directory does not exist or takes no new files.
    """
    check_absent(path, force=force)
    directory = path.parent
    if not directory.is_dir():
        reason = os.strerror(errno.ENOENT)
        if directory.exists():
            reason = os.strerror(errno.ENOTDIR)
    elif not os.access(directory, os.W_OK | os.X_OK):
        reason = os.strerror(errno.EACCES)
    else:
        return
    raise _unwritable(path, reason)


def write_file(path: Path, content: bytes, *, force: bool = False) -> Path:
    """Write a file that a person asked for, as a whole.

    :param path: The file; its directory must exist.
    :param content: The content.
    :param force: Whether to overwrite a file that exists.
    :returns: The path.
    :raises InvalidInputError: If the file exists and may not be overwritten, or cannot
        be written; an earlier file stays as it was.
    """
    check_absent(path, force=force)
    try:
        if force:
            replace_file(path, content)
        else:
            with _new_file_beside(path, content) as new_file:
                _move_unless_taken(new_file, path)
    except OSError as error:
        raise _unwritable(path, error.strerror) from error
    return path


def read_file(path: Path) -> bytes:
    """Read a file that a person named.

    :param path: The file.
    :returns: Its content.
    :raises InvalidInputError: If it cannot be read.
    """
    try:
        return path.read_bytes()
    except OSError as error:
        raise InvalidInputError(
            f"{path} cannot be read: {error.strerror}; give another file."
        ) from error


@contextmanager
def _new_file_beside(
    path: Path, content: bytes, *, private: bool = False
) -> Generator[Path]:
    """Write a temporary file, and delete it unless the body moves it."""
    new_file = path.with_name(f".{path.name}.{os.getpid()}-{secrets.token_hex(4)}")
    mode = _PRIVATE_MODE if private else _SHARED_MODE
    try:
        with open(
            new_file, "xb", opener=lambda file, flags: os.open(file, flags, mode)
        ) as file:
            file.write(content)
        yield new_file
    finally:
        with suppress(OSError):
            new_file.unlink(missing_ok=True)


def _move_unless_taken(source: Path, target: Path) -> None:
    """Move a file to a path that another program may take at the same moment."""
    try:
        target.hardlink_to(source)
    except FileExistsError as error:
        raise _exists(target) from error
    except OSError:
        # Some file systems have no links.
        source.replace(target)


def _exists(path: Path) -> InvalidInputError:
    return InvalidInputError(
        f"{path} exists already; give another file, or overwrite it by force."
    )


def _unwritable(path: Path, reason: str | None) -> InvalidInputError:
    return InvalidInputError(f"{path} cannot be written: {reason}; give another file.")
