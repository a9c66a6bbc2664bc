"""Logging in in every way, and what happens when tokens end."""

import gc
import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import qnexus as qnx
from qnexus.exceptions import AuthenticationError
from tests.conftest import qnexus_connected
from tests.helpers.contract import covers

from local_nexus import LocalNexus

# qnexus leaves the clients open by which it logs in.
pytestmark = pytest.mark.filterwarnings(
    "ignore:unclosed <ssl.SSLSocket:ResourceWarning"
)

BROWSER = Path(__file__).with_name("browser.py")
DAY = 24 * 3600


@pytest.fixture
def tokens(environment, tmp_path) -> Iterator[Path]:
    """A folder without tokens, in which qnexus looks for them."""
    folder = tmp_path / "tokens"
    with qnexus_connected(environment | {"NEXUS_TOKEN_PATH": str(folder)}):
        yield folder
        gc.collect()


@pytest.fixture
def here(nexus, monkeypatch) -> LocalNexus:
    """A server that is the one of region us."""
    monkeypatch.setenv("NEXUS_US_DOMAIN", "127.0.0.1")
    return nexus


def name() -> str:
    return qnx.users.get_self().display_name


@covers("auth.login_no_interaction", "user", "pwd", "force", "region")
@covers("auth.is_logged_in")
@covers("auth.get_token_expiry")
def test_login_by_password(here, tokens):
    assert not qnx.auth.is_logged_in()
    qnx.auth.login_no_interaction(here.email, here.password, force=True, region="us")
    assert qnx.auth.is_logged_in()
    assert name() == "Local User"
    assert 0 < qnx.auth.get_token_expiry() <= 30 * DAY
    assert {path.name for path in tokens.iterdir()} == {"id.json", "token.json"}


@covers("auth.login_no_interaction", "user", "pwd", raises="AuthenticationError")
def test_a_wrong_password_is_refused(nexus, tokens):
    with pytest.raises(AuthenticationError, match="the password is wrong"):
        qnx.auth.login_no_interaction(nexus.email, "guess")
    assert not tokens.exists()


@covers("auth.login_with_credentials", "force", "region")
def test_login_by_password_at_a_prompt(here, tokens, monkeypatch, capsys):
    monkeypatch.setattr("builtins.input", lambda _prompt: here.email)
    monkeypatch.setattr("getpass.getpass", lambda **_prompt: here.password)
    qnx.login_with_credentials(force=True, region="us")
    assert f"logged in as {here.email}" in capsys.readouterr().out
    assert name() == "Local User"


@pytest.fixture
def careful(nexus) -> Iterator[str]:
    """The e-mail address of a user whose logins need the code 123456."""
    nexus.add_user("careful@example.com", "password", "Careful User")
    nexus.set_mfa_code("careful@example.com", "123456")
    yield "careful@example.com"
    nexus.set_mfa_code("careful@example.com", None)


@covers("auth.login_no_interaction", "user", "pwd")
def test_a_second_factor_is_asked_for(careful, tokens, monkeypatch):
    asked = []

    def prompt(text):
        asked.append(text)
        return "123456"

    monkeypatch.setattr("builtins.input", prompt)
    qnx.auth.login_no_interaction(careful, "password", force=True)
    assert asked == ["Enter your MFA verification code: "]
    assert name() == "Careful User"


@covers("auth.login_no_interaction", "user", "pwd", raises="AuthenticationError")
def test_a_wrong_second_factor_is_refused(careful, tokens, monkeypatch):
    monkeypatch.setattr("builtins.input", lambda _prompt: "654321")
    with pytest.raises(AuthenticationError, match="verification code is wrong"):
        qnx.auth.login_no_interaction(careful, "password", force=True)
    assert not tokens.exists()


@covers("auth.login", "force", "region")
def test_login_in_a_browser(here, tokens, monkeypatch, capsys):
    monkeypatch.setenv("NEXUS_TEST_EMAIL", here.email)
    monkeypatch.setenv("NEXUS_TEST_PASSWORD", here.password)
    import webbrowser

    browser = webbrowser.GenericBrowser([sys.executable, str(BROWSER), "%s"])
    monkeypatch.setattr(webbrowser, "_tryorder", ["person"])
    webbrowser.register("person", None, browser)
    qnx.login(force=True, region="us")
    assert f"logged in as {here.email}" in capsys.readouterr().out
    assert name() == "Local User"


@covers("auth.login")
@covers("auth.login_no_interaction")
@covers("auth.login_with_credentials")
def test_who_is_logged_in_need_not_again(nexus, capsys):
    for login in (qnx.login, qnx.login_with_credentials):
        login()
    qnx.auth.login_no_interaction(nexus.email, "not asked for")
    assert capsys.readouterr().out.count("Already logged in") == 3


@covers("auth.login_with_token", "refresh_token")
def test_users_are_exchanged_by_their_tokens(nexus, other_environment, tokens):
    folders = [other_environment["NEXUS_TOKEN_PATH"], nexus.env["NEXUS_TOKEN_PATH"]]
    names = []
    for folder in folders:
        kept = json.loads((Path(folder) / "token.json").read_text())
        qnx.login_with_token(kept["data"]["refresh_token"])
        names.append(name())
    assert names == ["Other User", "Local User"]
    assert not tokens.exists()


@covers("auth.login_with_token", "refresh_token", raises="AuthenticationError")
def test_a_forged_token_is_refused(tokens):
    with pytest.raises(AuthenticationError, match="invalid or expired"):
        qnx.login_with_token("forged")


@covers("auth.logout")
@covers("users.get_self", raises="AuthenticationError")
def test_after_a_logout_the_api_is_closed(nexus, tokens):
    qnx.auth.login_no_interaction(nexus.email, nexus.password)
    qnx.logout()
    assert list(tokens.iterdir()) == []
    assert not qnx.auth.is_logged_in()
    with pytest.raises(AuthenticationError, match="qnx login"):
        qnx.users.get_self()


@pytest.fixture
def own_nexus() -> Iterator[LocalNexus]:
    """A server whose clock a test may move."""
    with LocalNexus() as nexus, qnexus_connected(nexus.env):
        yield nexus
        gc.collect()


@covers("auth.is_logged_in")
@covers("auth.get_token_expiry")
@covers("auth.get_token_expiry", raises="AuthenticationError")
def test_tokens_are_renewed_until_they_end(own_nexus):
    left = qnx.auth.get_token_expiry()
    own_nexus.advance(DAY)
    own_nexus.clear_requests()
    assert qnx.auth.is_logged_in()
    assert [it.status for it in own_nexus.requests()] == [401, 200, 200]
    assert qnx.auth.get_token_expiry() <= left - DAY
    own_nexus.advance(left - 1.5 * DAY)
    with pytest.warns(UserWarning, match="expires in less than 24 hours"):
        assert qnx.auth.is_logged_in()
    own_nexus.advance(DAY)
    assert not qnx.auth.is_logged_in()
    with pytest.raises(AuthenticationError, match="qnx login"):
        qnx.auth.get_token_expiry()
