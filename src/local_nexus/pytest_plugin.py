"""Fixtures of pytest: embedded Nexuses, with qnexus connected to them."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from local_nexus.server import LocalNexus


@pytest.fixture(scope="session")
def local_nexus_session() -> Iterator[LocalNexus]:
    """Give an embedded Nexus that all tests of the session share, with their data."""
    with _new() as nexus, _connected(nexus):
        yield nexus


@pytest.fixture
def local_nexus(_local_nexus_spare: list[LocalNexus]) -> Iterator[LocalNexus]:
    """Give an embedded Nexus without data, for one test."""
    if not _local_nexus_spare:
        _local_nexus_spare.append(_new())
        _local_nexus_spare[0].start()
    nexus = _local_nexus_spare.pop()
    with _connected(nexus):
        yield nexus
    try:
        nexus.reset()
    except (OSError, RuntimeError):
        nexus.stop()  # the test has stopped it, or it has died
    else:
        _local_nexus_spare.append(nexus)


@pytest.fixture(scope="session")
def _local_nexus_spare() -> Iterator[list[LocalNexus]]:
    """Servers that tests have finished with: emptying one is quicker than a start."""
    spare: list[LocalNexus] = []
    yield spare
    for nexus in spare:
        nexus.stop()


def _new() -> LocalNexus:
    # Imported here, so that the plugin costs nothing where it is not used.
    from local_nexus.server import LocalNexus

    return LocalNexus()


@contextlib.contextmanager
def _connected(nexus: LocalNexus) -> Iterator[None]:
    """Connect qnexus to a server, in this process and in those that it starts."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in nexus.env.items():
            patch.setenv(name, value)
        _reconnect()
        yield
    _reconnect()


def _reconnect() -> None:
    """Let qnexus, where it is imported, read the environment again and log in."""
    config: Any = sys.modules.get("qnexus.config")
    client: Any = sys.modules.get("qnexus.client")
    if config is None:
        return
    current = config.Config()
    for name in type(current).model_fields:
        setattr(config.CONFIG, name, getattr(current, name))
    if client is not None and client._nexus_client is not None:  # noqa: SLF001
        # Nothing public closes the client and lets the next request make a new one.
        client._nexus_client.close()  # noqa: SLF001
        client._nexus_client = None  # noqa: SLF001
