"""The login, shared by processes that meet its expiry at the same moment."""

import json
import os
import shutil
import stat
import subprocess
import sys
import threading
import traceback
from pathlib import Path

import pytest
import qnexus as qnx
from pytket.circuit import Circuit
from qnexus.exceptions import AuthenticationError
from quantinuum_schemas.models.backend_config import QuantinuumConfig

from tkr_nexus_worker import jobs, programs, tasks
from tkr_nexus_worker.errors import NotLoggedInError
from tkr_nexus_worker.nexus.client import (
    TransientResponseError,
    call,
    get_json,
)

PROJECT = "tests of the login"
A_DAY = 24 * 3600
# Processes that have imported everything, of which each sends one request.
READERS = """
import os, sys
from tkr_nexus_worker.nexus.client import call, get_json
begin, go = os.pipe()
readers = []
for _ in range(3):
    if (reader := os.fork()) == 0:
        os.close(go)
        os.read(begin, 1)
        get_json("see who I am", "/api/users/v1beta2/me")
        os._exit(0)
    readers.append(reader)
print("ready", flush=True)
sys.stdin.readline()
os.close(go)
print([os.waitpid(reader, 0)[1] for reader in readers])
"""


@pytest.fixture
def own_login(nexus, connect_qnexus, tmp_path) -> Path:
    """A copy of the login for this test alone; qnexus is connected with it."""
    folder = tmp_path / "login"
    shutil.copytree(nexus.env["NEXUS_TOKEN_PATH"], folder)
    connect_qnexus({**nexus.env, "NEXUS_TOKEN_PATH": str(folder)})
    return folder


def renewals(nexus) -> int:
    paths = [request.path for request in nexus.requests()]
    return paths.count("/auth/tokens/refresh")


def who_am_i() -> None:
    get_json("see who I am", "/api/users/v1beta2/me")


def test_processes_that_meet_an_expired_login_renew_it_once(nexus, own_login):
    with subprocess.Popen(
        [sys.executable, "-c", READERS],
        stdin=subprocess.PIPE,
        text=True,
        env={**os.environ, **nexus.env, "NEXUS_TOKEN_PATH": str(own_login)},
        stdout=subprocess.PIPE,
    ) as readers:
        assert readers.stdout.readline() == "ready\n"
        nexus.advance(A_DAY)
        nexus.clear_requests()
        output, _ = readers.communicate("go\n")
    assert output == "[0, 0, 0]\n"
    assert renewals(nexus) == 1


def test_threads_that_meet_an_expired_login_renew_it_once(nexus, own_login):
    who_am_i()
    nexus.advance(A_DAY)
    nexus.clear_requests()
    threads = [threading.Thread(target=who_am_i) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert renewals(nexus) == 1


def test_a_renewed_login_is_stored_for_its_owner_alone(nexus, own_login):
    file = own_login / "id.json"
    file.chmod(0o644)
    before = file.read_text()
    nexus.advance(A_DAY)
    who_am_i()
    assert file.read_text() != before
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    names = {path.name for path in own_login.iterdir()}
    assert names == {"id.json", "token.json", ".renewal.lock"}


@pytest.mark.parametrize("damage", ["\n", "\u2019"])
@pytest.mark.parametrize("kind", ["id", "token"])
def test_a_login_that_http_cannot_carry_is_refused_without_being_shown(
    kind, damage, own_login
):
    path = own_login / f"{kind}.json"
    content = json.loads(path.read_text())
    [name] = content["data"].keys() & {"access_token", "refresh_token"}
    token = content["data"][name]
    content["data"][name] = token + damage
    path.write_text(json.dumps(content))
    with pytest.raises(NotLoggedInError, match="qnx login") as caught:
        who_am_i()
    assert token not in "".join(traceback.format_exception(caught.value))


def test_a_login_that_qnexus_keeps_in_memory_is_not_stored(
    nexus, connect_qnexus, tmp_path
):
    stored = json.loads(
        (Path(nexus.env["NEXUS_TOKEN_PATH"]) / "token.json").read_text()
    )
    connect_qnexus(
        {
            **nexus.env,
            "NEXUS_TOKEN_PATH": str(tmp_path),
            "NEXUS_STORE_TOKENS": "false",
        }
    )
    qnx.login_with_token(stored["data"]["refresh_token"])
    who_am_i()
    nexus.advance(A_DAY)
    who_am_i()
    assert list(tmp_path.glob("*.json")) == []


def expire(login: Path) -> None:
    """Leave tokens that Nexus does not know."""
    for file, field in (("token.json", "refresh_token"), ("id.json", "access_token")):
        content = {"data": {field: "expired", "delete_version_after": None}}
        (login / file).write_text(json.dumps(content))
    if qnx.client._nexus_client is not None:
        qnx.client._nexus_client.close()
        qnx.client._nexus_client = None


@pytest.fixture
def job(own_login):
    circuit = Circuit(1, name="one").X(0).measure_all()
    program = programs.upload_circuit(circuit, PROJECT)
    config = QuantinuumConfig(device_name="H2-1LE")
    return jobs.start_execute_job(PROJECT, "a job", [program], [1], config)


def test_an_expired_login_parks_the_wait_until_the_person_has_logged_in(
    nexus, own_login, job, caplog
):
    nexus.set_job_status(job.id, "QUEUED")
    expire(own_login)
    valid = Path(nexus.env["NEXUS_TOKEN_PATH"])

    def log_in() -> None:
        for name in ("token.json", "id.json"):
            shutil.copy(valid / name, own_login / name)

    caplog.set_level("INFO")
    timer = threading.Timer(1.5, log_in)
    timer.start()
    assert jobs.is_running(job) is True
    timer.join()
    assert "run `qnx login`" in caplog.text
    assert "logged in again" in caplog.text


def test_logins_of_the_moment_in_which_the_former_was_refused_are_noticed(own_login):
    answers = iter([True, True, False])
    valid = (own_login / "token.json").read_text()

    def request() -> str:
        if not next(answers):
            return "answered"
        (own_login / "token.json").write_text(valid)
        raise AuthenticationError("expired")

    assert call("ask", request, login_wait=1e6) == "answered"


def test_a_wait_for_a_login_leaves_all_the_time_for_retries(own_login, monkeypatch):
    monkeypatch.setenv("TKR_NEXUS_RETRY_TIME", "0.5")
    monkeypatch.setenv("TKR_NEXUS_RETRY_WAIT", "0.01")
    valid = (own_login / "token.json").read_text()
    failures = iter(
        [AuthenticationError("expired"), TransientResponseError(503, None, "busy")]
    )

    def request() -> str:
        for failure in failures:
            raise failure
        return "answered"

    timer = threading.Timer(1.0, (own_login / "token.json").write_text, [valid])
    timer.start()
    assert call("ask", request, login_wait=1e6) == "answered"
    timer.join()


def test_a_login_that_is_not_renewed_in_time_ends_the_wait_with_the_job_named(
    own_login, job, monkeypatch
):
    monkeypatch.setenv("TKR_NEXUS_LOGIN_WAIT", "0.1")
    expire(own_login)
    with pytest.raises(NotLoggedInError) as caught:
        jobs.is_running(job)
    assert "qnx login" in str(caught.value)
    assert str(job.id) in str(caught.value)


@pytest.mark.parametrize(("interval", "warns"), [(0.0, False), (1e9, True)])
def test_a_login_that_ends_before_the_next_poll_is_warned_of_before_the_uploads(
    own_login, caplog, interval, warns
):
    circuit = Circuit(1, name="one").X(0).measure_all()
    config = QuantinuumConfig(device_name="H2-1LE")
    tasks.prepare_job(PROJECT, "a job", [circuit], [1], config, interval)
    assert ("the login ends in" in caplog.text) is warns
