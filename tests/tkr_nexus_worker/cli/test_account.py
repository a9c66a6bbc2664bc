import os
import re
import subprocess
import sys
from pathlib import Path
from uuid import UUID

import httpx
import pytest
from pydantic import TypeAdapter

from local_nexus import Fault
from tkr_nexus_worker.nexus.models import AccountReport, Check
from tkr_runtime import patience


def test_whoami_tells_who_where_and_for_how_long(connected, command):
    result = command("whoami")
    assert connected.email in result.stdout
    assert connected.url in result.stdout
    # Other tests advance the clock of the server by days.
    assert re.search(r"the login expires in [12]?\d d\.|in 30 d\.", result.stdout)
    account = AccountReport.model_validate_json(command("whoami", "--json").stdout)
    assert account.email == connected.email


# Where it takes its time for retries, a command takes five minutes.
@pytest.mark.timeout(60)
@pytest.mark.parametrize(
    "arguments",
    [
        ["whoami"],
        ["jobs"],
        ["status", "0b9f1c2e"],
        ["cancel", "a job"],
        ["devices"],
        ["watch", "a job"],
    ],
    ids=" ".join,
)
def test_without_a_server_a_command_says_so_soon(
    nexus, connect_qnexus, command, arguments
):
    connect_qnexus(nexus.env | {"NEXUS_PORT": "1"})
    result = command(*arguments)
    assert result.exit_code == 1
    assert "no answer from Nexus at https://127.0.0.1:1" in result.stderr


def test_a_person_is_told_of_retries_in_words(nexus):
    result = subprocess.run(
        [Path(sys.executable).with_name("tkr-nexus"), "whoami"],
        capture_output=True,
        text=True,
        env={**os.environ, **nexus.env, "NEXUS_PORT": "1"},
        timeout=60,
    )
    *retries, error = result.stderr.splitlines()
    assert error.startswith("Error: Could not look up the user: no answer from Nexus")
    assert retries
    assert all(line.startswith("nexus: could not look up") for line in retries)


def test_a_server_that_answers_is_given_time(nexus, connected, command, monkeypatch):
    monkeypatch.setattr(patience, "_RETRY_TIME", 0.0)
    busy = Fault("answer", status=503, path="/api/users/*", times=2)
    with nexus.fault(busy):
        result = command("whoami")
    assert result.exit_code == 0, result.stderr


@pytest.fixture
def browser(nexus, monkeypatch) -> list[str]:
    """A browser in which the person confirms at once."""
    opened = []

    def open_address(address: str, new: int) -> None:
        opened.append(address)
        code = httpx.URL(address).params["user_code"]
        form = {"user_code": code, "email": nexus.email, "password": nexus.password}
        httpx.post(address, data=form).raise_for_status()

    monkeypatch.setattr("webbrowser.open", open_address)
    return opened


def test_login_shows_the_code_and_tells_who_has_logged_in(
    nexus, connect_qnexus, tmp_path, command, browser
):
    connect_qnexus(nexus.env | {"NEXUS_TOKEN_PATH": str(tmp_path)})
    result = command("login")
    assert result.exit_code == 0, result.output
    (address,) = browser
    assert address in result.stdout
    assert httpx.URL(address).params["user_code"] in result.stdout.splitlines()[1]
    assert nexus.email in result.stdout.splitlines()[-1]
    tokens = [path.read_text() for path in tmp_path.glob("*.json")]
    assert len(tokens) == 2
    again = command("login")
    assert again.stdout.startswith("Already logged in.")
    assert len(browser) == 1
    command("login", "--force")
    assert len(browser) == 2


def test_doctor_tells_what_is_wrong_and_fails_if_nothing_works(
    nexus, connect_qnexus, tmp_path, command, monkeypatch
):
    monkeypatch.setenv("TKR_DIR", str(tmp_path))
    connect_qnexus(nexus.env | {"NEXUS_TOKEN_PATH": str(tmp_path / "nowhere")})
    result = command("doctor")
    assert result.exit_code == 1
    failures = [line for line in result.stdout.splitlines() if "failure" in line]
    assert len(failures) == 2
    assert all("tkr-nexus login" in line for line in failures)


def test_doctor_without_failures_succeeds(connected, tmp_path, command, monkeypatch):
    monkeypatch.setenv("TKR_DIR", str(tmp_path))
    result = command("doctor", "--json")
    found = TypeAdapter(list[Check]).validate_json(result.stdout)
    assert [it.name for it in found if it.outcome == "failure"] == []
    assert result.exit_code == 0


@pytest.mark.parametrize(
    "words",
    [
        *("jobs", "jobs --all", "devices", "device H2-1", "whoami"),
        *("status a", "show a", "payload a", "results a", "plot a", "cancel a"),
        *("retry a", "delete --yes a", "watch a", f"watch {UUID(int=1)}"),
    ],
)
def test_without_a_login_a_command_refuses_before_it_sends_anything(
    words, nexus, connect_qnexus, refusal, tmp_path
):
    connect_qnexus(nexus.env | {"NEXUS_TOKEN_PATH": str(tmp_path)})
    line = refusal(*words.split(), exit_code=1)
    assert line.startswith("Not logged in to Nexus at https://127.0.0.1:")
    assert "run `tkr-nexus login`" in line
    assert nexus.requests() == []
