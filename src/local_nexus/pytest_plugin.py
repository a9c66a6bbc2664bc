"""Fixtures of pytest: embedded Nexuses, with qnexus connected to them."""

import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from local_cloud.pytest_helper import SpareServers
    from local_nexus.server import LocalNexus

# Fixtures import what they need, so that the plugin costs nothing where it is not used.


@pytest.fixture(scope="session")
def local_nexus_session() -> "Iterator[LocalNexus]":
    """Give an embedded Nexus that all tests of the session share, with their data."""
    from local_cloud.pytest_helper import connected
    from local_nexus.server import LocalNexus

    with LocalNexus() as nexus, connected(nexus, _reconnect):
        yield nexus


@pytest.fixture
def local_nexus(
    _local_nexus_spare: "SpareServers[LocalNexus]",
) -> "Iterator[LocalNexus]":
    """Give an embedded Nexus without data, for one test."""
    from local_cloud.pytest_helper import connected

    with _local_nexus_spare.lend() as nexus, connected(nexus, _reconnect):
        yield nexus


@pytest.fixture(scope="session")
def _local_nexus_spare() -> "Iterator[SpareServers[LocalNexus]]":
    from local_cloud.pytest_helper import SpareServers
    from local_nexus.server import LocalNexus

    spare = SpareServers(LocalNexus)
    yield spare
    spare.stop()


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
