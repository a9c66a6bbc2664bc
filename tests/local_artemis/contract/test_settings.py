"""Tokens, the address of the server and its certificate."""

import os
from pathlib import Path

import pytest
from tests.helpers.contract import covers
from tests.helpers.lightworks import client
from tests.helpers.photonics import files_of

from local_artemis.pytest_plugin import client_connected


@pytest.fixture
def home(tmp_path, monkeypatch) -> Path:
    """The home of a user who has no settings yet."""
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


@covers("Token.set", "token")
@covers("Token.get")
@covers("Token.save", "name", "overwrite")
@covers("Token.save", "name", raises="TokenError")
@covers("Token.load", "name")
@covers("Token.load", "name", raises="TokenError")
@covers("Token.delete_saved", "name")
@covers("Token.delete_saved", "name", raises="TokenError")
@covers("Token.list_saved")
@covers("Token.list_saved", raises="TokenError")
def test_tokens_are_kept_under_names(remote, home, capsys):
    for ask in (
        lambda: remote.token.load("mine"),
        lambda: remote.token.delete_saved("mine"),
        remote.token.list_saved,
    ):
        with pytest.raises(remote.TokenError):
            ask()
    remote.token.set("secret")
    remote.token.save("mine")
    with pytest.raises(remote.TokenError):
        remote.token.save("mine")
    remote.token.save("mine", overwrite=True)
    remote.token.set("other")
    remote.token.load("mine")
    assert remote.token.get() == "secret"
    remote.token.list_saved()
    assert "['mine']" in capsys.readouterr().out
    remote.token.delete_saved("mine")
    remote.token.list_saved()
    assert "[]" in capsys.readouterr().out


@covers("list_qpus", raises="AuthenticationError")
@covers("list_all_jobs", raises="AuthenticationError")
@covers("list_scheduled_jobs", raises="AuthenticationError")
@covers("show_scheduled", raises="AuthenticationError")
def test_a_wrong_token_is_an_error(remote, artemis):
    remote.token.set("forged")
    for ask in (
        remote.list_qpus,
        remote.list_all_jobs,
        remote.list_scheduled_jobs,
        remote.show_scheduled,
    ):
        with pytest.raises(remote.AuthenticationError, match="Unable to authenticate"):
            ask()


@covers("get_job_status", "job_id", raises="AuthenticationError")
def test_the_jobs_of_somebody_else_are_forbidden(remote, frozen, qpu, sampler):
    job = qpu.run_async(sampler())
    remote.token.set(frozen.add_user("other"))
    with pytest.raises(remote.AuthenticationError, match="Not authenticated to access"):
        remote.get_job_status(job.job_id)
    assert job.job_id not in remote.list_all_jobs()


@covers("set_api_url", "url")
@covers("install_certificate", "filename")
@covers("list_qpus", raises="FileNotFoundError")
def test_a_client_is_set_up_by_hand(remote, artemis, home):
    remote.set_api_url(f"{artemis.url}/")
    with pytest.raises(FileNotFoundError, match="certificate"):
        remote.list_qpus()
    remote.install_certificate(str(files_of(artemis) / "certificate.pem"))
    assert remote.list_qpus() == ["Artemis"]
    settings = home / ".local/share/Aegiq/lightworks/remote_settings.yaml"
    assert artemis.url in settings.read_text()
    assert os.environ["HOME"] == str(home)


@covers("Token.get", raises="AuthenticationError")
def test_fixtures_leave_the_client_as_it_was(artemis, home):
    remote = client().remote
    with client_connected(artemis):
        assert remote.list_qpus() == ["Artemis"]
    with pytest.raises(remote.AuthenticationError):
        remote.token.get()
