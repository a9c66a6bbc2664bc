"""One embedded Artemis for these tests, and requests to it without its client."""

from collections.abc import Iterator

import pytest
from tests.helpers.photonics import Api, connect

from local_artemis import LocalArtemis, Progress
from local_artemis.jobs.states import WAITING


@pytest.fixture(scope="session")
def shared_artemis() -> Iterator[LocalArtemis]:
    """One server for all tests; use the fixture ``artemis``."""
    with LocalArtemis() as artemis:
        yield artemis


@pytest.fixture
def artemis(shared_artemis: LocalArtemis) -> Iterator[LocalArtemis]:
    """The shared server: an empty log, jobs that move with reads, nothing that fails.

    The last read of a job waits for the engine.
    """
    shared_artemis.clear_requests()
    shared_artemis.progress = Progress.after_reads(1)
    yield shared_artemis
    shared_artemis.clear_faults()
    _empty_queue(shared_artemis)
    shared_artemis.clear_progress()


def _empty_queue(artemis: LocalArtemis) -> None:
    """Leave no job that the next test would find ahead of its own in the queue."""
    for job in artemis.jobs():
        if job["status"] in WAITING:
            artemis.set_job_status(job["id"], "Cancelled")


@pytest.fixture
def api(artemis: LocalArtemis) -> Iterator[Api]:
    with connect(artemis) as http:
        yield Api(http)
