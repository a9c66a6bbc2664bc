"""The real client in this process, and proof of what tests claim."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from tests.helpers import contract
from tests.helpers.contract import Watch
from tests.helpers.lightworks import client
from tests.local_artemis.contract.registry import public_functions

from local_artemis import LocalArtemis, Progress
from local_artemis.pytest_plugin import client_connected


def pytest_configure(config: pytest.Config) -> None:
    contract.register(config)


@pytest.fixture(scope="session")
def watch() -> Iterator[Watch]:
    with Watch.on(public_functions(), tool=5) as watch:
        yield watch


@pytest.fixture(autouse=True)
def _claims_are_proved(request: pytest.FixtureRequest, watch: Watch) -> Iterator[None]:
    with contract.proved(request.node, watch):
        yield


@pytest.fixture
def lw(artemis: LocalArtemis) -> Iterator[Any]:
    """Lightworks, with its client connected to the shared server."""
    lightworks = client()
    with client_connected(artemis):
        yield lightworks


@pytest.fixture
def remote(lw: Any) -> Any:
    return lw.remote


@pytest.fixture
def qpu(remote: Any) -> Any:
    return remote.QPU("Artemis")


type MakeSampler = Callable[..., Any]


@pytest.fixture
def sampler(lw: Any) -> MakeSampler:
    """Make samplers of a random circuit of four modes."""

    def make(n_samples: int = 100, **others: Any) -> Any:
        circuit = lw.Unitary(lw.random_unitary(4, seed=1))
        arguments = {"min_detection": 1, **others}
        return lw.Sampler(circuit, lw.State([1, 0, 1, 0]), n_samples, **arguments)

    return make


@pytest.fixture
def at_once(artemis: LocalArtemis) -> LocalArtemis:
    """The shared server, with jobs that nothing but the engine holds back."""
    artemis.progress = Progress.immediate()
    return artemis


@pytest.fixture
def frozen(artemis: LocalArtemis) -> LocalArtemis:
    """The shared server, with jobs that stay in the queue."""
    artemis.progress = Progress.seconds(submitted=1e6)
    return artemis
