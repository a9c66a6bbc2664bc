import httpx
import pytest
from pydantic import TypeAdapter

from tkr_nexus_worker.jobs.models import AccountReport, Check


def test_whoami_tells_who_where_and_for_how_long(connected, command):
    result = command("whoami")
    assert connected.email in result.stdout
    assert connected.url in result.stdout
    assert "expires in 29 d" in result.stdout or "expires in 30 d" in result.stdout
    account = AccountReport.model_validate_json(command("whoami", "--json").stdout)
    assert account.email == connected.email


def test_whoami_without_a_login_is_one_line(nexus, connect_qnexus, tmp_path, refusal):
    connect_qnexus(nexus.env | {"NEXUS_TOKEN_PATH": str(tmp_path)})
    assert "not logged in to Nexus" in refusal("whoami", exit_code=1)


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
