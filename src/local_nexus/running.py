"""A server that runs on this machine, known by its directory."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from local_nexus import presence
from local_nexus.administration import Administration, call
from local_nexus.environment import client_environment
from local_nexus.settings import Settings


@dataclass(frozen=True)
class RunningNexus(Administration):
    """A running server.

    :param directory: where its data, tokens and log are.
    :param url: where it answers.
    """

    directory: Path
    url: str

    @classmethod
    def find(cls, directory: Path) -> RunningNexus | None:
        """Return the server that is running in a directory; None if there is none."""
        server = presence.find(directory)
        return None if server is None else cls(directory, server.url)

    @property
    def port(self) -> int:
        """The port of the server."""
        return int(self.url.rpartition(":")[2])

    @property
    def env(self) -> dict[str, str]:
        """The environment variables for programs that use qnexus, logged in."""
        return client_environment(self.directory, self.url)

    @property
    def settings(self) -> Settings:
        """The identity of the instance."""
        return Settings.load(self.directory)

    def _call(self, method: str, path: str, body: object = None) -> Any:
        return call(self.url, self.directory, method, path, body)
