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
    from local_cloud.pytest_helper import connected

    with LocalArtemis() as artemis, _client_as_it_was(), connected(artemis, _reconnect):
        _log_in()
        yield artemis


@pytest.fixture
def local_artemis(
    _local_artemis_spare: "SpareServers[LocalArtemis]",
) -> "Iterator[LocalArtemis]":
    """Give an embedded Artemis without jobs, for one test."""
    from local_cloud.pytest_helper import connected

    with (
        _local_artemis_spare.lend() as artemis,
        _client_as_it_was(),
        connected(artemis, _reconnect),
    ):
        _log_in()
        yield artemis


@pytest.fixture(scope="session")
def _local_artemis_spare() -> "Iterator[SpareServers[LocalArtemis]]":
    from local_artemis.server import LocalArtemis
    from local_cloud.pytest_helper import SpareServers

    spare = SpareServers(LocalArtemis)
    yield spare
    spare.stop()


def _reconnect() -> None:
    """Let the client, where it is imported, read its settings again."""
    configuration: Any = sys.modules.get("lightworks_remote.utils.configuration")
    if configuration is not None:
        # It reads them when it is imported, and has no other way to do so again.
        settings = configuration.read_settings()
        configuration.URL._url = settings.get("api_url")  # noqa: SLF001


def _log_in() -> None:
    """Load the token of the server, where the client is imported."""
    from local_artemis.cloud import TOKEN_NAME

    client: Any = sys.modules.get("lightworks_remote")
    if client is not None:
        client.token.load(TOKEN_NAME)


@contextlib.contextmanager
def _client_as_it_was() -> Iterator[None]:
    """Give the client, where it is imported, its token back afterwards."""
    before = _token()
    yield
    client: Any = sys.modules.get("lightworks_remote")
    if client is not None:
        # Nothing public unsets a token.
        client.token._Token__token = before  # noqa: SLF001


def _token() -> str | None:
    client: Any = sys.modules.get("lightworks_remote")
    # To ask for a token that is not set is an error.
    return None if client is None else client.token._Token__token  # noqa: SLF001
