"""A full disk loses no job: it ends once there is room, and requests say why they fail.

The disk is full for the server alone: its process may write short files, such as its
log, but no page of its database.
"""

import contextlib
import resource
from collections.abc import Iterator

import psutil
import pytest
from tests.helpers.waiting import wait_until

from local_nexus import LocalNexus, Progress


@pytest.fixture
def nexus(tmp_path) -> Iterator[LocalNexus]:
    with LocalNexus(directory=tmp_path) as nexus:
        yield nexus


@contextlib.contextmanager
def full_disk(nexus: LocalNexus) -> Iterator[None]:
    server = psutil.Process(nexus.pid)
    before = server.rlimit(resource.RLIMIT_FSIZE)
    server.rlimit(resource.RLIMIT_FSIZE, (4096, before[1]))
    try:
        yield
    finally:
        server.rlimit(resource.RLIMIT_FSIZE, before)


def test_a_job_that_ends_while_the_disk_is_full_ends_once_there_is_room(
    nexus, new_client
):
    nexus.progress = Progress.seconds(running=10)
    new_client(nexus.env).run(
        """
        project = qnx.projects.create(name="full")
        qnx.start_execute_job(
            programs=qnx.circuits.upload(bell(), project=project), n_shots=10,
            project=project, name="full", backend_config=qnx.models.QulacsConfig(),
        )
        """
    )
    assert wait_until(lambda: nexus.jobs()[0]["status"] == "RUNNING")
    log = nexus.directory / "server.log"
    with full_disk(nexus):
        assert wait_until(lambda: "until there is room" in log.read_text(), 120)
        assert nexus.jobs()[0]["status"] != "COMPLETED"
    assert wait_until(lambda: nexus.jobs()[0]["status"] == "COMPLETED", 60)


def test_a_request_that_finds_the_disk_full_says_so(nexus, http):
    with full_disk(nexus):
        answer = http.post(
            "/api/projects/v1beta2", json={"data": {"attributes": {"name": "full"}}}
        )
    assert (
        "The disk of the database is full"
        in (nexus.directory / "server.log").read_text()
    )
    assert answer.status_code == 507
    assert answer.headers["connection"] == "close"
    assert answer.json()["message"].startswith("The disk of the server is full")
    again = http.post(
        "/api/projects/v1beta2", json={"data": {"attributes": {"name": "full"}}}
    )
    assert again.status_code == 201
