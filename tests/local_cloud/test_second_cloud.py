"""A cloud with an API of its own gets everything else from ``local_cloud``."""

import json
import os
import ssl
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from tests.local_cloud.toy_cloud import TOY

from local_cloud import Fault, LocalServer, Progress, RunningServer, ServerOptions
from local_cloud.pytest_helper import SpareServers, connected


def connect(server: LocalServer) -> httpx.Client:
    env = server.env
    context = ssl.create_default_context(cafile=env["TOY_CERTIFICATE"])
    token = json.loads(Path(env["TOY_TOKENS"]).read_text())["token"]
    headers = {"x-access-token": token}
    return httpx.Client(base_url=env["TOY_URL"], verify=context, headers=headers)


def status(http: httpx.Client, job: str) -> str:
    return http.get(f"/jobs/{job}").raise_for_status().json()["status"]


def submit(http: httpx.Client, name: str) -> str:
    answer = http.post("/jobs", json={"name": name})
    assert answer.status_code == 202
    return answer.headers["X-Job-Id"]


@pytest.fixture(scope="module")
def spare() -> Iterator[SpareServers[LocalServer]]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(Path(__file__).parent))
        servers = SpareServers(lambda: LocalServer(TOY, ServerOptions()))
        yield servers
        servers.stop()


@pytest.fixture
def server(spare) -> Iterator[LocalServer]:
    with spare.lend() as server:
        yield server


@pytest.fixture
def http(server) -> Iterator[httpx.Client]:
    with connect(server) as http:
        yield http


def test_jobs_move_with_reads(server, http):
    server.progress = Progress.after_reads(1)
    job = submit(http, "mine")
    seen = [status(http, job) for _ in range(4)]
    assert seen == ["Accepted", "Scheduled", "Running", "Completed"]


def test_jobs_move_with_the_clock(server, http):
    server.progress = Progress.seconds(queued=3600, submitted=3600, running=3600)
    job = submit(http, "mine")
    assert status(http, job) == "Accepted"
    server.advance(3600)
    assert status(http, job) == "Scheduled"
    server.advance(7200)
    assert status(http, job) == "Completed"


def test_faults_hit_requests_and_the_log_notes_them(server, http):
    with server.fault(Fault("answer", path="/jobs", status=503, retry_after=7)) as key:
        answer = http.post("/jobs", json={"name": "mine"})
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "7")
    (request,) = server.requests(method="POST")
    assert (request.path, request.status, request.faults) == ("/jobs", 503, (key,))


def test_a_token_expires_on_demand(server, http):
    job = submit(http, "mine")
    server.add_fault(Fault("expire", token="access", times=1))
    answer = http.get(f"/jobs/{job}")
    assert (answer.status_code, answer.json()["message"]) == (
        401,
        "The token is wrong.",
    )


def test_wrong_requests_are_refused_in_one_sentence(http):
    answer = http.post("/jobs", json={"name": 3})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "name"
    assert http.put("/jobs/3/cancel").status_code in {404, 405, 501}
    assert http.get("/jobs/nothing").json() == {"message": "There is no job 'nothing'."}


def test_a_server_that_was_lent_comes_back_empty(spare):
    with spare.lend() as server, connect(server) as http:
        job = submit(http, "mine")
        port = server.port
    with spare.lend() as server, connect(server) as http:
        assert server.port == port
        assert http.get(f"/jobs/{job}").status_code == 404


def test_client_programs_get_the_environment_while_connected(server):
    with connected(server, lambda: None):
        assert os.environ["TOY_URL"] == server.url
    assert "TOY_URL" not in os.environ


def test_jobs_survive_a_restart(tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parent))
    options = ServerOptions(directory=tmp_path / "data")
    with LocalServer(TOY, options) as server, connect(server) as http:
        job = submit(http, "mine")
    with LocalServer(TOY, options) as server, connect(server) as http:
        assert RunningServer.find(TOY, server.directory).url == server.url
        assert status(http, job) == "Completed"
