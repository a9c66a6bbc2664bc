import json
import shutil
import socket
import sys
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import certifi
import httpx
import pytest
from qnexus.config import CONFIG

from local_nexus import Fault
from tkr_nexus_worker.cli import diagnostics
from tkr_nexus_worker.cloud import NEXUS
from tkr_nexus_worker.nexus.models import Check
from tkr_runtime.cli import installation
from tkr_runtime.cli.checks import ProblemError

ALL = [
    "Python",
    "bytecode",
    "versions",
    "uv",
    "worker on the PATH",
    "workflow directory",
    "qnexus import",
    "time limits",
    "Nexus address",
    "stored login",
    "connection",
    "clock",
    "login",
]


@pytest.fixture(autouse=True)
def _good_environment(monkeypatch, tmp_path):
    """An environment that passes all checks."""
    monkeypatch.setenv("TKR_DIR", str(tmp_path))
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    tools = Path(sys.executable).parent
    uv = tmp_path / "bin" / "uv"
    uv.parent.mkdir()
    uv.write_text("#!/bin/sh\necho uv 1.2.3\n")
    uv.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tools}:{uv.parent}:/usr/bin:/bin")


@pytest.fixture
def checks() -> Callable[[], dict[str, Check]]:
    return lambda: {check.name: check for check in diagnostics.run_checks()}


def test_a_good_environment_passes_every_check(connected, checks):
    found = checks()
    assert list(found) == ALL
    assert {name for name, it in found.items() if it.outcome != "ok"} == set()
    assert "uv 1.2.3" in found["uv"].finding
    assert connected.email in found["login"].finding


def assert_problem(check: Check, outcome: str, finding: str, remedy: str) -> None:
    assert check.outcome == outcome
    assert finding in check.finding
    assert remedy in check.remedy


def test_a_python_that_is_too_old_is_reported(connected, checks, monkeypatch):
    monkeypatch.setattr(sys, "version_info", (3, 11, 4, "final", 0))
    check = checks()["Python"]
    assert_problem(check, "failure", "Python 3.11.4", "3.12")


def test_what_is_compiled_for_every_task_is_reported(connected, checks, monkeypatch):
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    check = checks()["bytecode"]
    assert_problem(check, "warning", "PYTHONDONTWRITEBYTECODE", "--compile-bytecode")


def test_a_package_of_a_wrong_version_is_named(connected, checks, monkeypatch):
    version = installation.metadata.version
    monkeypatch.setattr(
        installation.metadata,
        "version",
        lambda name: "0.40" if name == "qnexus" else version(name),
    )
    check = checks()["versions"]
    assert_problem(check, "failure", "qnexus<0.52,>=0.51.1 (found 0.40)", "Reinstall")


def test_the_other_worker_of_the_same_name_is_reported(connected, checks, monkeypatch):
    monkeypatch.setattr(installation.metadata, "version", lambda _name: "0.1.6")
    check = checks()["versions"]
    assert_problem(check, "failure", "0.1.6 is installed", "another worker")


def test_tools_that_are_not_on_the_path_are_reported(connected, checks, monkeypatch):
    monkeypatch.setenv("PATH", "/nowhere")
    found = checks()
    assert_problem(found["uv"], "warning", "not on the PATH", "pip install uv")
    worker = found["worker on the PATH"]
    assert_problem(worker, "warning", "not on the PATH", "export PATH=")


def test_a_uv_that_does_not_work_is_reported(connected, checks, tmp_path):
    (tmp_path / "bin" / "uv").write_text("#!/bin/sh\nexit 127\n")
    assert_problem(checks()["uv"], "warning", "status 127", "pip install uv")


def test_the_worker_of_another_environment_is_reported(
    connected, checks, monkeypatch, tmp_path
):
    other = tmp_path / "bin" / "tkr_nexus_worker"
    shutil.copy(tmp_path / "bin" / "uv", other)
    monkeypatch.setenv("PATH", str(other.parent))
    check = checks()["worker on the PATH"]
    assert_problem(check, "warning", str(other), "export PATH=")


def test_a_relative_directory_of_workflows_is_reported(connected, checks, monkeypatch):
    monkeypatch.setenv("TKR_DIR", "runs")
    check = checks()["workflow directory"]
    assert_problem(check, "failure", "relative", f"export TKR_DIR={Path.cwd()}/runs")


def test_a_directory_that_is_a_file_is_reported(
    connected, checks, monkeypatch, tmp_path
):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("TKR_DIR", str(tmp_path / "file" / "runs"))
    check = checks()["workflow directory"]
    assert_problem(check, "failure", "not writable", "set TKR_DIR")


def test_a_full_disk_is_reported(connected, checks, monkeypatch):
    full = shutil.disk_usage("/")._replace(free=5_000_000)
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: full)
    check = checks()["workflow directory"]
    assert_problem(check, "warning", "only 5 MB", "Free some space")


@pytest.mark.parametrize(
    "name",
    ["TKR_NEXUS_RETRY_TIME", "TKR_NEXUS_WARM_IDLE", "TKR_NEXUS_WARM_TASKS"],
)
def test_a_limit_that_is_no_number_is_reported(connected, checks, monkeypatch, name):
    monkeypatch.setenv(name, "soon")
    check = checks()["time limits"]
    assert check.outcome == "failure"
    assert f"{name} is 'soon'" in check.finding


@pytest.mark.parametrize(
    ("name", "value", "outcome", "finding", "remedy"),
    [
        ("protocol", "http", "failure", "unencrypted", "unset NEXUS_PROTOCOL"),
        ("httpx_verify", False, "warning", "NEXUS_HTTPX_VERIFY", "SSL_CERT_FILE"),
        ("domain", "localhost", "failure", "cookies", "NEXUS_HOST=127.0.0.1"),
    ],
)
def test_an_address_that_is_not_safe_or_does_not_work_is_reported(
    connected, checks, monkeypatch, name, value, outcome, finding, remedy
):
    monkeypatch.setattr(CONFIG, name, value)
    monkeypatch.setattr(CONFIG, "port", free_port())
    assert_problem(checks()["Nexus address"], outcome, finding, remedy)


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@pytest.mark.parametrize("embedded", [True, False])
def test_without_an_answer_the_reason_is_reported_and_the_checks_end(
    connected, checks, monkeypatch, embedded
):
    monkeypatch.setattr(CONFIG, "port", free_port())
    if embedded:
        monkeypatch.setenv("LOCAL_NEXUS_DIRECTORY", "/tmp/ended")
    else:
        monkeypatch.delenv("LOCAL_NEXUS_DIRECTORY", raising=False)
    found = checks()
    remedy = "tkr-nexus serve" if embedded else "HTTPS_PROXY"
    assert_problem(found["connection"], "failure", "no answer from", remedy)
    assert list(found) == ALL[:-2]


def test_a_certificate_that_is_not_trusted_is_reported(connected, checks, monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", certifi.where())
    check = checks()["connection"]
    assert_problem(check, "failure", "is not trusted", "SSL_CERT_FILE")


def test_certificates_that_cannot_be_read_are_reported(
    connected, checks, monkeypatch, tmp_path
):
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "removed.pem"))
    check = checks()["connection"]
    assert_problem(check, "failure", "removed.pem", "has stopped")


@pytest.mark.parametrize(("hours", "words"), [(-2.5, "behind"), (2.5, "ahead of")])
def test_a_clock_that_goes_wrong_is_reported(
    connected, checks, monkeypatch, hours, words
):
    class WrongClock(datetime):
        @classmethod
        def now(cls, tz=None):
            return datetime.now(tz) + timedelta(hours=hours)

    monkeypatch.setattr(installation, "datetime", WrongClock)
    check = checks()["clock"]
    assert_problem(check, "failure", f"2 h {words}", "timedatectl")


def test_a_time_without_a_zone_is_in_utc_and_a_malformed_one_says_nothing():
    def compare(date: str) -> str:
        answer = httpx.Response(200, headers={"date": date})
        return installation.check_clock(NEXUS, (answer, 0.0))

    with pytest.raises(ProblemError, match="ahead of"):
        compare("Sun Nov  6 08:49:37 1994")
    assert "does not send" in compare("yesterday")


@pytest.fixture
def login(nexus, connect_qnexus, tmp_path) -> Path:
    """A copy of the login, for changes."""
    folder = tmp_path / "tokens"
    shutil.copytree(nexus.env["NEXUS_TOKEN_PATH"], folder)
    connect_qnexus(nexus.env | {"NEXUS_TOKEN_PATH": str(folder)})
    return folder


def test_a_login_that_others_may_read_is_reported(login, checks):
    (login / "token.json").chmod(0o644)
    check = checks()["stored login"]
    remedy = f"chmod 600 {login / 'token.json'}"
    assert_problem(check, "warning", "can read", remedy)


def test_a_login_that_is_not_there_is_reported(login, checks):
    shutil.rmtree(login)
    found = checks()
    assert_problem(found["stored login"], "failure", "not found", "tkr-nexus login")
    assert_problem(found["login"], "failure", "Not logged in", "tkr-nexus login")


def test_a_damaged_login_is_reported_without_its_content(login, checks):
    (login / "token.json").write_text('{"data": "a secret"}')
    found = checks()
    assert_problem(found["stored login"], "failure", "unreadable", "login")
    assert "a secret" not in json.dumps([it.model_dump() for it in found.values()])


def test_a_login_that_ends_soon_is_reported(connected, checks):
    soon = {"token_status": {"ttl": 7200}}
    with connected.fault(Fault("answer", status=200, body=soon, path="/auth/tokens")):
        check = checks()["login"]
    assert_problem(check, "warning", "expires in 2 h", "login --force")


def test_a_package_that_cannot_be_imported_is_reported_and_the_checks_end(
    connected, checks, monkeypatch
):
    monkeypatch.setitem(sys.modules, "tkr_nexus_worker.tasks", None)
    found = checks()
    check = found["qnexus import"]
    assert_problem(check, "failure", "ModuleNotFoundError", "Reinstall")
    assert list(found) == ALL[:7]
