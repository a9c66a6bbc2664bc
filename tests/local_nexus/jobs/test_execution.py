"""Jobs in the hands of a pool that the test decides about."""

import threading

import pytest

from local_cloud.clock import Clock
from local_cloud.progress.tracker import ProgressTracker
from local_cloud.store import Store
from local_nexus.jobs.execution import Execution
from local_nexus.jobs.service import Jobs
from local_nexus.projects.service import Projects
from local_nexus.simulators import Outcome, RunHandle
from local_nexus.tables import metadata
from local_nexus.uploads.service import Uploads
from local_nexus.users.roles import OWNER, grant
from local_nexus.users.service import Users

NAMED = {"name": "mine", "description": None, "properties": {}}


class Pool:
    """Keeps what it is given, until the test ends it."""

    def __init__(self):
        self.ends = []

    def submit(self, _request, on_start, on_done):
        on_start()
        self.ends.append(lambda: on_done(Outcome("COMPLETED")))
        return RunHandle(lambda: None)


@pytest.fixture
def pool():
    return Pool()


@pytest.fixture
def execution(tmp_path, pool):
    store = Store(f"sqlite:///{tmp_path / 'nexus.db'}", metadata)
    yield Execution(
        store, Clock(), pool, ProgressTracker(), strict=True, changed=lambda _job: None
    )
    store.close()


@pytest.fixture
def job(execution, tmp_path):
    """A job of two circuits, both under way."""
    store, clock = Store(f"sqlite:///{tmp_path / 'nexus.db'}", metadata), Clock()
    user = Users(store, clock).ensure("me@example.com", "password", None)
    project = Projects(store, clock).create(user["id"], NAMED)
    with store.write() as tx:
        grant(tx, project["id"], OWNER.id, to_user=user["id"])
    circuit, _project = Uploads(store, clock).create(
        user["id"], "circuit", project["id"], NAMED, b"{}"
    )
    definition = {
        "backend_config": {"type": "QulacsConfig"},
        "items": [{"program_id": circuit["id"], "n_shots": 1} for _ in range(2)],
    }
    jobs = Jobs(store, clock, execution)
    yield jobs.submit(user["id"], project["id"], NAMED, "execute", definition)
    store.close()


def test_a_job_ends_soon_if_all_its_items_do(execution, pool, job):
    assert not execution.ends_soon(job)
    first, second = pool.ends
    first()
    assert not execution.ends_soon(job)
    threading.Timer(0.01, second).start()
    while not execution.ends_soon(job):
        pass
