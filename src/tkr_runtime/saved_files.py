"""JSON files with the name and the version of a format, compressed if asked for.

Such a file is an object whose first fields are ``format`` and ``version``. It is
compressed by gzip if its name ends in ``.gz``.
"""

import gzip
import json
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from tkr_runtime.errors import InvalidInputError
from tkr_runtime.files import read_file, write_file

# The name of the format stands among the first characters.
_START = 200
_GZIP_MAGIC = b"\x1f\x8b"


class SavedFormat(NamedTuple):
    """A format of files.

    :param name: The name, which stands in each file.
    :param version: The latest version.
    :param kind: What a file is, for messages, as in "a file of results".
    :param writers: What writes such files, for messages.
    :param distribution: The distribution to update for newer files.
    """

    name: str
    version: int
    kind: str
    writers: str
    distribution: str

    def save(
        self,
        content: Mapping[str, Any],
        path: Path,
        *,
        force: bool = False,
        default: Callable[[Any], Any] | None = None,
    ) -> Path:
        """Write a file.

        :param content: What it holds beside the format.
        :param path: The file; it is compressed if its name ends in ``.gz``.
        :param force: Whether to overwrite a file that exists.
        :param default: Converts what JSON does not know.
        :returns: The path.
        :raises InvalidInputError: If the file exists and may not be overwritten, or
            cannot be written.
        """
        whole = {"format": self.name, "version": self.version, **content}
        data = (json.dumps(whole, default=default) + "\n").encode()
        compressed = path.suffix == ".gz"
        return write_file(
            path, gzip.compress(data, mtime=0) if compressed else data, force=force
        )

    def load(self, path: Path) -> dict[str, Any]:
        """Read a file.

        :param path: The file.
        :returns: Its content.
        :raises InvalidInputError: If the file cannot be read, has another format, or
            has a newer version.
        """
        content = self._parse(path, read_file(path))
        if not isinstance(content, dict) or content.get("format") != self.name:
            raise InvalidInputError(
                f"{path} is not {self.kind}; give one that {self.writers} wrote."
            )
        version = content.get("version")
        if isinstance(version, int) and version > self.version:
            raise InvalidInputError(
                f"{path} was saved by a newer {self.distribution} (its format is "
                f"version {version}, and this one reads up to {self.version}); update "
                f"{self.distribution}."
            )
        return content

    def fits(self, path: Path) -> bool:
        """Return whether a file looks like one of this format.

        :param path: Any file.
        :raises InvalidInputError: If it cannot be read.
        """
        start = read_file(path)[:_START]
        return start.startswith(_GZIP_MAGIC) or self.name.encode() in start

    def _parse(self, path: Path, content: bytes) -> Any:
        try:
            if content.startswith(_GZIP_MAGIC):
                content = gzip.decompress(content)
            return json.loads(content)
        except (ValueError, OSError, EOFError, zlib.error, RecursionError) as error:
            raise InvalidInputError(
                f"{path} is not {self.kind}, or is damaged ({summary(error)}); give "
                f"one that {self.writers} wrote."
            ) from error


def summary(error: Exception) -> str:
    """Return the message of an error as one short line.

    :param error: The error.
    """
    return " ".join(str(error).split())[:200]
