"""A server that runs on this machine, known by its directory."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from local_cloud.admin.client import Administration, call
from local_cloud.cloud import Cloud
from local_cloud.server import server_lock
from local_cloud.server.certificates import bundle_path
from local_cloud.server.instance import Instance

# Seconds that a server may take to end.
_STOP_LIMIT = 15.0


@dataclass(frozen=True)
class RunningServer(Administration):
    """A running server.

    :param cloud: That it embeds.
    :param directory: Where its data, tokens and log are.
    :param url: Where it answers.
    """

    cloud: Cloud
    directory: Path
    url: str

    @classmethod
    def find(cls, cloud: Cloud, directory: Path) -> Self | None:
        """Return the server that is running in a directory; None if there is none."""
        mark = server_lock.find(directory)
        return None if mark is None else cls(cloud, directory, mark.url)

    @property
    def port(self) -> int:
        """The port of the server."""
        return int(self.url.rpartition(":")[2])

    @property
    def env(self) -> dict[str, str]:
        """The environment variables for client programs, logged in."""
        return self.cloud.environment(self.directory, self.url)

    @property
    def instance(self) -> Instance:
        """The identity of the server."""
        return Instance.load(self.cloud, self.directory)

    def stop(self) -> None:
        """End the server and wait for that.

        It is asked, and only it knows the token to be asked with: no signal is sent,
        which another process could get that was given an old id.

        :raises TimeoutError: If it does not end.
        """
        try:
            self._call("POST", "stop", timeout=_STOP_LIMIT)
        except OSError as error:
            reason: OSError | None = error
        else:
            reason = None
        if not server_lock.await_end(self.directory, 0 if reason else _STOP_LIMIT):
            mark = server_lock.find(self.directory)
            known = "" if mark is None else f" It named its process {mark.pid}."
            raise TimeoutError(
                f"The server in {os.fspath(self.directory)} does not end: find and end "
                f"its process by hand.{known}"
            ) from reason

    def _call(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        timeout: float | None = None,
    ) -> Any:
        return call(
            self.url,
            bundle_path(self.directory),
            self.instance.admin_token,
            method,
            path,
            body,
            timeout,
        )
