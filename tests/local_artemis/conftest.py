"""Requests to the shared server of photonic jobs without its client."""

from collections.abc import Iterator

import pytest
from tests.helpers.photonics import Api, connect

from local_artemis import LocalArtemis, Progress


@pytest.fixture
def artemis(artemis: LocalArtemis) -> Iterator[LocalArtemis]:
    """The shared server, with jobs that move with reads and a perfect QPU.

    The last read of a job waits for the engine.
    """
    artemis.progress = Progress.after_reads(1)
    yield artemis
    artemis.set_qpu_available(True)
    artemis.set_engine("numpy")
    artemis.set_noise(None)


@pytest.fixture
def api(artemis: LocalArtemis) -> Iterator[Api]:
    with connect(artemis) as http:
        yield Api(http)
