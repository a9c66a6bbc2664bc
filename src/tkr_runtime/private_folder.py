"""Folders in shared places, such as ``/tmp``, that only their owner can use.

This module is imported for every task, so it needs the standard library alone.
"""

import os
import stat

_PRIVATE_MODE = 0o700


def private_folder(base: str, name: str) -> str | None:
    """Return a private folder of this user, which is created if it does not exist.

    Whatever is there is used only if it is a folder (not a symbolic link to one) that
    belongs to this user and that nobody else can read or write.

    :param base: The folder that contains it, which others may write to.
    :param name: A name for the purpose of the folder; the id of the user is added.
    :returns: The path; None if there is no safe folder.
    """
    path = f"{base}/{name}-{os.getuid()}"
    try:
        os.mkdir(path, _PRIVATE_MODE)  # noqa: PTH102  pathlib takes longer to import
    except FileExistsError:
        pass
    except OSError:
        return None
    return path if is_private_folder(path) else None


def is_private_folder(path: str) -> bool:
    """Return whether a path is a folder that only this user can use.

    :param path: The path.
    """
    try:
        status = os.lstat(path)
    except OSError:
        return False
    return (
        stat.S_ISDIR(status.st_mode)
        and stat.S_IMODE(status.st_mode) == _PRIVATE_MODE
        and status.st_uid == os.getuid()
    )
