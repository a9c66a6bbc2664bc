"""Tokens, the check of the installation, and what a shell sees of a server."""

import json
import os
import shutil
import stat
import subprocess
import sys
from pathlib import Path
from uuid import uuid4

import click
import pytest
from click.testing import CliRunner
from pydantic import TypeAdapter
from tests.helpers.commands import command_of
from tierkreis.executor import ShellExecutor
from tierkreis.storage import FileStorage

from local_artemis import ARTEMIS, Fault
from local_cloud import RunningServer
from tkr_lightworks_worker import lightworks
from tkr_lightworks_worker.artemis import settings
from tkr_lightworks_worker.cli import cli
from tkr_lightworks_worker.graphs import lightworks_submit_and_poll
from tkr_runtime.cli.checks import Check
from tkr_runtime.cli.local import UnlessLocal
from tkr_runtime.errors import WorkflowFailedError
from tkr_runtime.workflows.run import run

COMMAND = Path(sys.executable).with_name("tkr-lightworks")
SECRET = "ey-a-secret-token"


@pytest.fixture
def empty_home(tmp_path, monkeypatch) -> Path:
    """A home without settings; returns the folder in which they will be."""
    monkeypatch.setenv("TKR_LIGHTWORKS_HOME", str(tmp_path / "new"))
    return settings.folder()


def test_a_token_is_stored_for_the_user_alone_and_never_shown(empty_home, command):
    result = command("token", "save", stdin=f"{SECRET}\n")
    assert result.exit_code == 0, result.output
    assert "--url" in result.stderr
    assert "--certificate" in result.stderr
    path = empty_home / "tokens.json"
    assert json.loads(path.read_text()) == {"artemis": SECRET}
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    command("token", "save", "second", stdin="another")
    listed = command("token", "list")
    assert listed.stdout == "artemis\nsecond\n"
    assert json.loads(command("token", "list", "--json").stdout) == [
        "artemis",
        "second",
    ]
    removed = command("token", "remove", "second")
    assert list(json.loads(path.read_text())) == ["artemis"]
    for output in (result, listed, removed):
        assert SECRET not in output.output


def test_a_token_is_replaced_only_by_force(empty_home, command, refusal):
    command("token", "save", stdin=SECRET)
    line = refusal("token", "save", exit_code=2, stdin="another")
    assert "already" in line
    assert json.loads((empty_home / "tokens.json").read_text()) == {"artemis": SECRET}
    assert command("token", "save", "--force", stdin="another").exit_code == 0
    assert "another" in (empty_home / "tokens.json").read_text()


@pytest.mark.parametrize("text", ["", "two words", "line\nline", "ü"])
def test_what_is_no_token_is_refused_without_repeating_it(empty_home, refusal, text):
    line = refusal("token", "save", exit_code=1, stdin=text)
    assert "is not an access token" in line
    assert not text or text not in line
    assert not (empty_home / "tokens.json").exists()


def test_address_and_certificate_are_stored_with_a_token(
    artemis, empty_home, command, monkeypatch
):
    theirs = Path(artemis.env["HOME"]).glob("**/*.*")
    files = {path.name: path for path in theirs}
    secret = json.loads(files["tokens.json"].read_text())["local"]
    options = ["--url", artemis.url, "--certificate", files["certificate.pem"]]
    result = command("token", "save", *options, stdin=secret)
    assert (result.exit_code, result.stderr) == (0, ""), result.output
    assert secret not in result.stdout
    assert "Artemis" in command("qpus").stdout
    # The unmodified client finds them as well.
    monkeypatch.setenv("HOME", os.environ["TKR_LIGHTWORKS_HOME"])
    client = lightworks.remote()
    monkeypatch.setattr(client.token, "_Token__token", None)
    client.token.load("artemis")
    assert client.token.get() == secret
    saved = sys.modules["lightworks_remote.utils.configuration"].read_settings()
    assert saved["api_url"] == f"{artemis.url}/"


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--url", "artemis.example"], "give one like https"),
        (["--url", "https://artemis.example:port/"], "give one like https"),
        (["--url", "https://"], "give one like https"),
        (["--certificate", __file__], "is not a certificate"),
        (["--certificate", os.devnull], "is not a certificate"),
    ],
)
def test_wrong_settings_are_refused_and_nothing_is_stored(
    empty_home, refusal, options, words
):
    assert words in refusal("token", "save", *options, exit_code=2, stdin=SECRET)
    assert not empty_home.exists()


def test_a_token_that_is_not_there_cannot_be_removed(empty_home, command, refusal):
    assert "there are none" in refusal("token", "remove", "mine", exit_code=2)
    assert "There are no tokens" in command("token", "list").stderr


@pytest.fixture
def checks(command, monkeypatch, tmp_path):
    """Run ``doctor`` in an environment that is good; return its findings."""
    tools = Path(sys.executable).parent
    monkeypatch.setenv("PATH", f"{tools}:{os.environ['PATH']}")
    monkeypatch.setenv("TKR_DIR", str(tmp_path))
    monkeypatch.setattr(sys, "dont_write_bytecode", False)

    def run() -> dict[str, Check]:
        result = command("doctor", "--json")
        found = TypeAdapter(list[Check]).validate_json(result.stdout)
        failed = any(check.outcome == "failure" for check in found)
        assert result.exit_code == failed
        return {check.name: check for check in found}

    return run


def test_doctor_finds_nothing_wrong_with_a_good_installation(artemis, checks):
    found = checks()
    bad = {name: it for name, it in found.items() if it.outcome == "failure"}
    assert bad == {}
    assert found["QPUs"].finding == "Artemis"
    assert found["token"].finding.startswith("local in ")
    assert list(found)[-1] == "QPUs"


def test_doctor_says_what_to_store(empty_home, checks):
    found = checks()["settings"]
    assert found.outcome == "failure"
    assert "token save" in found.remedy


@pytest.mark.parametrize(
    ("spoil", "name", "outcome", "remedy"),
    [
        ("remote_settings.yaml", "Artemis address", "failure", "--url"),
        ("certificate.pem", "certificate", "failure", "--certificate"),
        ("tokens.json", "token", "failure", "token save"),
    ],
)
def test_doctor_says_what_is_missing(
    own_settings, checks, spoil, name, outcome, remedy
):
    (own_settings / spoil).unlink()
    check = checks()[name]
    assert check.outcome == outcome
    assert remedy in check.remedy


def test_doctor_tells_of_a_token_that_others_can_read_or_artemis_refuses(
    own_settings, checks
):
    tokens = own_settings / "tokens.json"
    tokens.write_text(json.dumps({"mine": SECRET}))
    tokens.chmod(0o644)
    found = checks()
    assert found["token"].remedy == f"chmod 600 {tokens}"
    assert found["QPUs"].outcome == "failure"
    assert "new token" in found["QPUs"].remedy
    assert SECRET not in str(found)


def test_doctor_tells_of_another_certificate_and_of_no_answer(
    artemis, own_settings, checks, monkeypatch
):
    import certifi

    shutil.copy(certifi.where(), own_settings / "certificate.pem")
    assert "is not trusted" in checks()["connection"].finding
    (own_settings / "remote_settings.yaml").write_text("api_url: http://127.0.0.1:1/")
    found = checks()
    assert "not encrypted" in found["Artemis address"].finding
    assert "no answer from http://127.0.0.1:1/" in found["connection"].finding
    assert list(found)[-1] == "connection"


def test_without_a_server_a_command_says_so_soon(own_settings, refusal, command):
    (own_settings / "remote_settings.yaml").write_text("api_url: http://127.0.0.1:1/")
    result = command("jobs")
    assert result.exit_code == 1
    assert "no answer from Artemis at http://127.0.0.1:1/" in result.stderr


def test_no_command_shows_a_token_that_is_refused(artemis, command):
    token = settings.token()
    with artemis.fault(Fault("answer", status=401, path="/*")):
        for arguments in (["jobs"], ["status", 1], ["qpus"], ["doctor"]):
            result = command(*arguments, "--debug")
            assert result.exit_code == 1
            assert token not in result.output


@pytest.mark.parametrize("name", sorted(set(cli.list_commands(None))))
def test_without_lightworks_a_command_says_what_to_install(name, monkeypatch):
    import importlib.util

    found = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util,
        "find_spec",
        lambda it, *rest: None if it == "lightworks_remote" else found(it, *rest),
    )
    assert CliRunner().invoke(cli, [name, "--help"]).exit_code == 0
    command = cli.get_command(click.Context(cli), name)
    if name in ("completion", "doctor", "serve"):
        return
    if isinstance(command, click.Group):
        arguments = ["list"]
    else:
        arguments = ["x" for it in command.params if isinstance(it, click.Argument)]
        for option in command.params:
            is_needed = option.required or isinstance(option, UnlessLocal)
            if isinstance(option, click.Option) and is_needed:
                arguments += [option.opts[0], "x"]
    result = CliRunner().invoke(cli, [name, *arguments])
    assert result.exit_code == 1
    assert result.stderr == (
        "Error: Lightworks is not installed; install it with "
        "`uv sync --inexact --extra lightworks` in the checkout of tkr-nexus-worker, "
        "or elsewhere with pip install 'PATH[lightworks]', where PATH is the checkout "
        "or wheel of tkr-nexus-worker.\n"
    )


def test_the_help_of_no_command_loads_lightworks():
    code = """
import sys
import click
from tkr_lightworks_worker.cli import cli
for name in cli.list_commands(click.Context(cli)):
    cli([name, "--help"], standalone_mode=False)
heavy = "lightworks", "lightworks_remote", "qnexus", "pytket", "pandas", "numpy"
print([m for m in heavy if m in sys.modules])
"""
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True
    )
    assert result.stdout.splitlines()[-1] == "[]", result.stderr


def test_a_shell_uses_a_server_keeps_its_home_and_stops_it(tmp_path):
    names = ("LOCAL_ARTEMIS", "TKR_LIGHTWORKS")
    environment = {k: v for k, v in os.environ.items() if not k.startswith(names)}
    environment |= {
        "PATH": f"{COMMAND.parent}{os.pathsep}{os.environ['PATH']}",
        "HOME": str(tmp_path),
        "NO_PROXY": "example.com",
        "TMPDIR": str(tmp_path),
    }
    script = """
    eval "$(tkr-lightworks serve --print-env)"
    tkr-lightworks qpus
    echo "$HOME $LOCAL_ARTEMIS_DIRECTORY"
    eval "$(tkr-lightworks serve --stop)"
    echo "$HOME $NO_PROXY"
    env | grep -E "^(LOCAL_ARTEMIS|TKR_LIGHTWORKS)"
    """
    ended = subprocess.run(
        ["bash", "-c", script], capture_output=True, text=True, env=environment
    )
    _, row, during, after = ended.stdout.splitlines()
    assert row.split()[0] == "Artemis"
    home, directory = during.split()
    assert home == str(tmp_path)
    assert RunningServer.find(ARTEMIS, Path(directory)) is None
    assert after == f"{tmp_path} example.com,127.0.0.1"
    assert 'HOME="$TKR_LIGHTWORKS_HOME"' in ended.stderr
    assert not list(tmp_path.glob("local-artemis-*"))


@pytest.mark.parametrize("lacks", ["a server", "a token"])
def test_resume_warns_at_once_of_what_its_tasks_need(
    lacks, own_settings, photonic_environment, tmp_path
):
    if lacks == "a server":
        (own_settings / "remote_settings.yaml").write_text(
            "api_url: http://127.0.0.1:1"
        )
    else:
        (own_settings / "tokens.json").unlink()
    home = os.environ["TKR_LIGHTWORKS_HOME"]
    environment = photonic_environment | {
        "TKR_LIGHTWORKS_HOME": home,
        "TKR_LIGHTWORKS_RETRY_TIME": "0.1",
    }
    storage = FileStorage(uuid4(), tierkreis_directory=tmp_path)
    with pytest.MonkeyPatch.context() as patch:
        for name, value in environment.items():
            patch.setenv(name, value)
        inputs = {"qpu_name": "Artemis", "job_name": "x", "samplers": []}
        executor = ShellExecutor(None, storage.workflow_dir)
        with pytest.raises(WorkflowFailedError):
            run(lightworks_submit_and_poll(), inputs, storage, executor)
        result = command_of(cli)("resume", storage.workflow_id, "--directory", tmp_path)
    warnings = [it for it in result.stderr.splitlines() if it.startswith("Warning: ")]
    assert len(warnings) == 1
    assert {"a server": "no answer", "a token": "no access token"}[lacks] in warnings[0]
