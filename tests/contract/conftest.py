"""The real client in this process, a second user, and proof of what tests claim."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import pytest
import qnexus as qnx
from qnexus.models.references import ProjectRef
from tests.conftest import log_in_other, qnexus_connected
from tests.contract.registry import is_part, public_functions
from tests.helpers import contract
from tests.helpers.contract import Watch

from local_nexus import LocalNexus, Progress


def pytest_configure(config: pytest.Config) -> None:
    contract.register(config)


@pytest.fixture(scope="session")
def watch() -> Iterator[Watch]:
    with Watch.on(public_functions(), tool=4, is_part=is_part) as watch:
        yield watch


@pytest.fixture(autouse=True)
def _claims_are_proved(request: pytest.FixtureRequest, watch: Watch) -> Iterator[None]:
    """Fail a test that does not do what its markers say."""
    with contract.proved(request.node, watch):
        yield


@pytest.fixture(scope="session")
def shared_nexus() -> Iterator[LocalNexus]:
    """One server for these tests alone: they leave jobs that wait, teams and users."""
    with LocalNexus() as nexus:
        nexus.set_admin(nexus.email)
        yield nexus


@pytest.fixture(scope="session")
def environment(shared_nexus: LocalNexus) -> dict[str, str]:
    """The environment of the shared server."""
    return shared_nexus.env


@pytest.fixture(scope="module", autouse=True)
def _connected(environment: dict[str, str]) -> Iterator[None]:
    with qnexus_connected(environment):
        yield


@pytest.fixture(scope="session")
def other_environment(
    shared_nexus: LocalNexus,
    environment: dict[str, str],
    tmp_path_factory: pytest.TempPathFactory,
) -> dict[str, str]:
    """The environment of a second user, who is logged in."""
    tokens = tmp_path_factory.mktemp("tokens")
    return log_in_other(shared_nexus, environment, tokens)


type AsOther = Callable[[], AbstractContextManager[None]]


@pytest.fixture
def as_other(other_environment: dict[str, str]) -> AsOther:
    """A context in which qnexus acts for the second user."""

    @contextmanager
    def act() -> Iterator[None]:
        with qnexus_connected(other_environment):
            yield

    return act


@pytest.fixture
def frozen(nexus: LocalNexus) -> LocalNexus:
    """The shared server, with jobs that stay in the queue."""
    nexus.progress = Progress.seconds(queued=1e6)
    return nexus


@pytest.fixture(scope="module")
def project(request: pytest.FixtureRequest, _connected: None) -> ProjectRef:
    """A project of this module's own."""
    return qnx.projects.create(name=f"contract of {request.module.__name__}")
