"""What the pytest plugin of every embedded cloud is made of."""

import contextlib
from collections.abc import Callable, Iterator

import pytest

from local_cloud.server.local_server import LocalServer


class SpareServers[S: LocalServer]:
    """Servers that tests have finished with: emptying one is quicker than a start.

    :param new: Makes a server that is not started.
    """

    def __init__(self, new: Callable[[], S]) -> None:
        self._new = new
        self._spare: list[S] = []

    @contextlib.contextmanager
    def lend(self) -> Iterator[S]:
        """Give a running server without data."""
        if not self._spare:
            self._spare.append(self._new())
            self._spare[0].start()
        server = self._spare.pop()
        yield server
        try:
            server.reset()
        except (OSError, RuntimeError):
            server.stop()  # the test has stopped it, or it has died
        else:
            self._spare.append(server)

    def stop(self) -> None:
        """Stop all servers that are not lent."""
        for server in self._spare:
            server.stop()


@contextlib.contextmanager
def connected(server: LocalServer, reconnect: Callable[[], None]) -> Iterator[None]:
    """Set the environment of a server, in this process and in those that it starts.

    :param reconnect: Lets a client in this process read the environment again.
    """
    with pytest.MonkeyPatch.context() as patch:
        for name, value in server.env.items():
            patch.setenv(name, value)
        reconnect()
        yield
    reconnect()
