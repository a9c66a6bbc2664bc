import json
import stat
from pathlib import Path
from typing import ClassVar

import httpx
import pytest

from local_nexus import Fault
from tkr_nexus_worker.errors import (
    InvalidInputError,
    NexusRefusedError,
    NexusUnavailableError,
    NotLoggedInError,
)
from tkr_nexus_worker.nexus import account
from tkr_nexus_worker.nexus.account import get_account, log_in

AUTHORIZATION = "/auth/device/device_authorization"
TOKEN = "/auth/device/token"


@pytest.fixture
def tokens(nexus, connect_qnexus, tmp_path) -> Path:
    """Where a login is to be stored that there is not yet."""
    folder = tmp_path / "new" / "tokens"
    connect_qnexus(nexus.env | {"NEXUS_TOKEN_PATH": str(folder)})
    return folder


@pytest.fixture
def confirm(nexus):
    """Do what the person does in the browser."""

    def confirm(code: str, address: str) -> None:
        assert code in address
        form = {"user_code": code, "email": nexus.email, "password": nexus.password}
        httpx.post(address, data=form, verify=True).raise_for_status()

    return confirm


def test_the_account_tells_who_where_and_for_how_long(connected):
    account = get_account()
    assert account.email == connected.email
    assert account.nexus_url == connected.url
    assert account.login_seconds_left > 24 * 3600
    assert all(Path(path).exists() for path in account.login_files)


def test_a_login_is_stored_for_its_owner_alone(nexus, tokens, confirm):
    with pytest.raises(NotLoggedInError):
        get_account()
    assert log_in(confirm, open_browser=False) == nexus.email
    assert get_account().email == nexus.email
    files = sorted(tokens.glob("*.json"))
    assert [path.name for path in files] == ["id.json", "token.json"]
    assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o600}


def test_a_damaged_login_does_not_keep_from_a_new_one(nexus, tokens, confirm):
    tokens.mkdir(parents=True)
    (tokens / "token.json").write_text("damaged")
    (tokens / "id.json").write_text("damaged")
    log_in(confirm, open_browser=False)
    assert json.loads((tokens / "token.json").read_text())["data"]["refresh_token"]
    assert get_account().email == nexus.email


def test_the_browser_is_opened_where_that_is_wanted(tokens, monkeypatch, confirm):
    opened, shown = [], []
    monkeypatch.setattr("webbrowser.open", lambda address, **_: opened.append(address))

    def show_code(code: str, address: str) -> None:
        shown.append(address)
        confirm(code, address)

    log_in(show_code, open_browser=True)
    assert opened == shown


def test_what_passes_by_itself_is_no_end_of_a_login(nexus, tokens, confirm):
    with (
        nexus.fault(Fault("answer", status=503, path=TOKEN, times=1)),
        nexus.fault(Fault("drop", path=TOKEN, skip=1, times=1)),
    ):
        assert log_in(confirm, open_browser=False) == nexus.email


def test_a_code_that_nobody_confirms_ends(nexus, tokens):
    offer = {
        "user_code": "A",
        "device_code": "b",
        "verification_uri_complete": "https://127.0.0.1/",
        "expires_in": 2,
        "interval": 1,
    }
    pending = {"error": "AUTHORIZATION_PENDING", "message": "wait"}
    with (
        nexus.fault(Fault("answer", status=200, body=offer, path=AUTHORIZATION)),
        nexus.fault(Fault("answer", status=400, body=pending, path=TOKEN)),
        pytest.raises(NotLoggedInError, match="Nobody has confirmed"),
    ):
        log_in(lambda *_: None, open_browser=False)
    assert not tokens.exists()


def test_a_login_asks_less_often_when_nexus_tells_it_to_slow_down(
    nexus, tokens, monkeypatch
):
    class Clock:
        now = 0.0
        pauses: ClassVar[list[float]] = []

        def monotonic(self) -> float:
            return self.now

        def sleep(self, seconds: float) -> None:
            self.pauses.append(seconds)
            self.now += seconds

    monkeypatch.setattr(account, "time", Clock())
    offer = {
        "user_code": "A",
        "device_code": "b",
        "verification_uri_complete": "https://127.0.0.1/",
        "expires_in": 25,
        "interval": 1,
    }
    slower, slower_still = {"error": "slow_down"}, {"error": "SLOW_DOWN"}
    pending = {"error": "authorization_pending"}
    where = {"status": 400, "path": TOKEN}
    with (
        nexus.fault(Fault("answer", status=200, body=offer, path=AUTHORIZATION)),
        nexus.fault(Fault("answer", body=slower, times=1, **where)),
        nexus.fault(Fault("answer", body=slower_still, times=1, **where)),
        nexus.fault(Fault("answer", body=pending, **where)),
        pytest.raises(NotLoggedInError, match="Nobody has confirmed"),
    ):
        log_in(lambda *_: None, open_browser=False)
    assert Clock.pauses == [1, 6, 11]


@pytest.mark.parametrize(
    ("fault", "error", "words"),
    [
        (
            Fault("answer", status=403, body={"message": "No."}, path=AUTHORIZATION),
            NexusRefusedError,
            "403: No",
        ),
        (
            Fault("malformed", shape="html", path=AUTHORIZATION),
            NexusUnavailableError,
            "check NEXUS_HOST",
        ),
        (Fault("drop", path=AUTHORIZATION), NexusUnavailableError, "tkr-nexus doctor"),
        (
            Fault("answer", status=400, body={"message": "Denied."}, path=TOKEN),
            NexusRefusedError,
            "Denied",
        ),
    ],
)
def test_a_login_that_is_not_possible_is_one_sentence(
    nexus, tokens, fault, error, words
):
    with nexus.fault(fault), pytest.raises(error, match=words):
        log_in(lambda *_: None, open_browser=False)
    assert not tokens.exists()


def test_a_login_names_certificates_that_cannot_be_read(tokens, monkeypatch, tmp_path):
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "removed.pem"))
    monkeypatch.setattr(account.CONFIG, "httpx_verify", True)
    with pytest.raises(NexusUnavailableError, match=r"removed\.pem.*SSL_CERT_FILE"):
        log_in(lambda *_: None, open_browser=False)


@pytest.mark.parametrize(
    ("name", "value"), [("NEXUS_STORE_TOKENS", "false"), ("NEXUS_MANAGED_TOKENS", "1")]
)
def test_where_no_login_can_be_kept_none_is_begun(nexus, connect_qnexus, name, value):
    connect_qnexus(nexus.env | {name: value})
    with pytest.raises(InvalidInputError, match=name):
        log_in(lambda *_: None, open_browser=False)
    assert nexus.requests() == []
