"""Fixtures of pytest: embedded Artemises, with the client connected to them."""

import contextlib
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from local_artemis.server import LocalArtemis
    from local_cloud.pytest_helper import SpareServers

# Fixtures import what they need, so that the plugin costs nothing where it is not used.


@pytest.fixture(scope="session")
def local_artemis_session() -> "Iterator[LocalArtemis]":
    """Give an embedded Artemis that all tests of the session share, with their jobs."""
    from local_artemis.server import LocalArtemis

    with LocalArtemis() as artemis, client_connected(artemis):
        yield artemis


@pytest.fixture
def local_artemis(
    _local_artemis_spare: "SpareServers[LocalArtemis]",
) -> "Iterator[LocalArtemis]":
    """Give an embedded Artemis without jobs, for one test."""
    with _local_artemis_spare.lend() as artemis, client_connected(artemis):
        yield artemis


@pytest.fixture(scope="session")
def _local_artemis_spare() -> "Iterator[SpareServers[LocalArtemis]]":
    from local_artemis.server import LocalArtemis
    from local_cloud.pytest_helper import SpareServers

    spare = SpareServers(LocalArtemis)
    yield spare
    spare.stop()


@contextlib.contextmanager
def client_connected(artemis: "LocalArtemis") -> Iterator[None]:
    """Connect ``lightworks.remote`` to a server, and log in where it is imported."""
    from local_artemis.cloud import TOKEN_NAME
    from local_cloud.pytest_helper import connected

    before = _token()
    with connected(artemis, _reconnect):
        if client := _client():
            client.token.load(TOKEN_NAME)
        yield
    if client := _client():
        # Nothing public takes a token away.
        client.token._Token__token = before  # noqa: SLF001


def _client() -> Any:
    return sys.modules.get("lightworks_remote")


def _token() -> str | None:
    # To ask the client for a token that is not set is an error.
    client = _client()
    token: str | None = client and client.token._Token__token  # noqa: SLF001
    return token


def _reconnect() -> None:
    """Let the client, where it is imported, read its settings again."""
    configuration: Any = sys.modules.get("lightworks_remote.utils.configuration")
    if configuration is not None:
        # It reads them when it is imported, and has no other way to do so again.
        settings = configuration.read_settings()
        configuration.URL._url = settings.get("api_url")  # noqa: SLF001
