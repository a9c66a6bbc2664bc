"""Completion in a shell, and its installation."""

import os
import shutil
import subprocess
import sys
import threading
from types import SimpleNamespace

import click
import pytest
from click.shell_completion import BashComplete, get_completion_class
from click.testing import CliRunner
from tests.conftest import EXECUTABLES
from tests.helpers.photonic_workflows import QPU, identity
from tests.helpers.shells import completed_in_shell

from tkr_lightworks_worker.cli import cli as tkr_lightworks
from tkr_lightworks_worker.jobs import submit_job
from tkr_nexus_worker.cli import cli as tkr_nexus
from tkr_nexus_worker.jobs import list_jobs
from tkr_runtime.cli import completion
from tkr_runtime.cli.completion import SHELLS, completes
from tkr_runtime.cli.group import LazyGroup
from tkr_runtime.cli.shells import mend_shells

LOADED = """
import sys
from click.shell_completion import BashComplete
from tkr_nexus_worker.cli import cli
found = BashComplete(cli, {}, "tkr-nexus", "X").get_completions(["status"], "")
print(bool(found), "qnexus" in sys.modules, "pytket" in sys.modules)
"""


def completed(cli: click.Group, *words: str) -> list[str]:
    *before, incomplete = words
    found = BashComplete(cli, {}, "a-command", "X").get_completions(before, incomplete)
    return [item.value for item in found]


def wait_for_ever():
    threading.Event().wait()


def names():
    wrong = ("$(reboot)", "a b", "x;y", "--force", "-x", "=ls")
    return [(name, "") for name in ("good-1", "good_2", *wrong)]


def fail():
    raise RuntimeError


@pytest.fixture(autouse=True)
def patient(monkeypatch):
    """A busy machine may take its time."""
    monkeypatch.setattr(completion, "SECONDS", 60.0)


@pytest.fixture
def group() -> LazyGroup:
    """A group whose only command takes what the tests choose."""
    group = LazyGroup("group", package="", modules={})
    argument = click.Argument(["x"], shell_complete=completes("x"))
    command = click.Command("command", params=[argument])
    group.resolve_command = lambda _context, args: ("command", command, args[1:])
    return group


def test_jobs_devices_and_projects_of_nexus_are_completed(connected, submit):
    submit("a-job-to-complete", project="a-project-to-complete")
    (job,) = list_jobs(limit=1)
    start = job.job_id[:6]
    assert job.job_id in completed(tkr_nexus, "show", start)
    assert all(it.startswith(start) for it in completed(tkr_nexus, "cancel", start))
    assert {"H2-1", "H2-1LE"} <= set(completed(tkr_nexus, "device", "H2"))
    assert "Qulacs" in completed(tkr_nexus, "run", "--device", "Qu")
    assert completed(tkr_nexus, "show", "a-job") == ["a-job-to-complete"]
    projects = completed(tkr_nexus, "jobs", "--project", "a-project-to")
    assert projects == ["a-project-to-complete"]


def test_jobs_and_qpus_of_artemis_are_completed(artemis):
    job = submit_job(QPU, "completed", identity(2, 1))
    assert str(job.job_id) in completed(tkr_lightworks, "show", str(job.job_id))
    assert completed(tkr_lightworks, "run", "--qpu", "Art") == [QPU]


def test_without_a_login_nothing_is_completed_and_nothing_said(
    connected, monkeypatch, tmp_path, capsys
):
    monkeypatch.setenv("NEXUS_TOKEN_PATH", str(tmp_path))
    assert completed(tkr_nexus, "show", "") == []
    assert completed(tkr_nexus, "device", "H") == []
    assert capsys.readouterr() == ("", "")
    assert connected.requests() == []


def test_completion_of_jobs_does_not_load_the_client(connected, waiting_job):
    result = subprocess.run(
        [sys.executable, "-c", LOADED], capture_output=True, text=True, env=os.environ
    )
    assert result.stdout.split() == ["True", "False", "False"], result.stderr


@pytest.mark.parametrize(
    ("function", "expected"),
    [("names", ["good-1", "good_2"]), ("fail", []), ("missing", [])],
)
def test_only_names_that_no_shell_interprets_are_completed(
    group, monkeypatch, capsys, function, expected
):
    monkeypatch.setitem(sys.modules, "candidates_of_a_test", sys.modules[__name__])
    group.candidates = {"x": f"candidates_of_a_test:{function}"}
    assert completed(group, "command", "") == expected
    assert capsys.readouterr() == ("", "")


def test_a_cloud_that_does_not_answer_completes_nothing(group, monkeypatch):
    monkeypatch.setitem(sys.modules, "candidates_of_a_test", sys.modules[__name__])
    monkeypatch.setattr(completion, "SECONDS", 0.01)
    group.candidates = {"x": "candidates_of_a_test:wait_for_ever"}
    assert completed(group, "command", "") == []


def test_commands_are_completed_without_an_import_and_files_where_no_job_fits(
    connected,
):
    assert completed(tkr_nexus, "dev") == ["device", "devices"]
    assert "--debug" in completed(tkr_nexus, "--d")
    assert completed(tkr_nexus, "nonsense", "x") == []
    found = BashComplete(tkr_nexus, {}, "x", "X").get_completions(["results"], "no/su")
    assert [(item.type, item.value) for item in found] == [("file", "no/su")]
    assert completed(tkr_nexus, "show", "no/su") == []


@pytest.fixture
def install(monkeypatch, tmp_path):
    for name in ("XDG_DATA_HOME", "XDG_CONFIG_HOME", "ZDOTDIR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("SHELL", "/bin/bash")

    def run(*arguments: str, program: str = "tkr-nexus") -> list[str]:
        cli = tkr_nexus if program == "tkr-nexus" else tkr_lightworks
        result = CliRunner().invoke(cli, ["completion", *arguments], prog_name=program)
        assert (result.exit_code, result.stderr) == (0, ""), result.output
        return result.stdout.splitlines()

    return run


@pytest.mark.parametrize(
    ("shell", "script", "start"),
    [
        ("bash", ".local/share/tkr-nexus/completion.bash", ".bashrc"),
        ("zsh", ".local/share/tkr-nexus/completion.zsh", ".zshrc"),
        ("fish", ".config/fish/completions/tkr-nexus.fish", None),
    ],
)
def test_completion_is_installed_once(install, tmp_path, shell, script, start):
    path = tmp_path / script
    if start is not None:
        (tmp_path / start).write_text("export MINE=1")
    said = install(shell)
    assert said[0] == f"Wrote {path}."
    assert "_TKR_NEXUS_COMPLETE" in path.read_text()
    if start is not None:
        mine, line = (tmp_path / start).read_text().splitlines()
        assert mine == "export MINE=1"
        assert line.endswith(f". {path}")
        assert said[1] == f"Added to {tmp_path / start}: {line}"
    before = {it: it.read_bytes() for it in tmp_path.rglob("*") if it.is_file()}
    (again,) = install(shell)
    assert "is installed for" in again
    assert before == {it: it.read_bytes() for it in tmp_path.rglob("*") if it.is_file()}


def test_the_script_is_renewed_and_its_line_is_not_repeated(install, tmp_path):
    install()
    path = tmp_path / ".local/share/tkr-nexus/completion.bash"
    path.write_text("of an earlier version")
    wrote, then = install()
    assert wrote == f"Wrote {path}."
    assert then.startswith("Start a new bash to use it")
    assert install("--print") == path.read_text().splitlines()
    assert len((tmp_path / ".bashrc").read_text().splitlines()) == 1


@pytest.mark.parametrize("shell", SHELLS)
def test_tab_completes_in_a_new_shell(shell, connected, submit, install, tmp_path):
    if shutil.which(shell) is None:
        pytest.skip(f"there is no {shell}")
    # Bash divides words at colons and more.
    submit("job:in@a-shell", project="project:in=a-shell")
    install(shell)
    install(shell, program="tkr-lightworks")
    lines = {
        "tkr-nexus show job:in@a-s": "tkr-nexus show job:in@a-shell",
        "tkr-nexus jobs --project=project:in=a-s": (
            "tkr-nexus jobs --project=project:in=a-shell"
        ),
        "tkr-lightworks canc": "tkr-lightworks cancel",
    }
    if shell == "bash":
        lines |= {
            "tkr-nexus show job:in@": "tkr-nexus show job:in@a-shell",
            "tkr-nexus jobs --project project:": (
                "tkr-nexus jobs --project project:in=a-shell"
            ),
        }
    assert completed_in_shell(shell, tmp_path, lines) == list(lines.values())


@pytest.mark.parametrize(
    ("shell", "words", "expected"),
    [
        ("bash", ["jobs", "--type", "=", "comp"], "compile"),
        ("zsh", ["jobs", "--type=comp"], "--type=compile"),
        ("fish", ["jobs", "--type=comp"], "--type=compile"),
    ],
)
def test_a_value_after_an_equals_sign_replaces_what_the_shell_replaces(
    shell, words, expected
):
    mend_shells()
    made = get_completion_class(shell)(tkr_nexus, {}, "tkr-nexus", "X")
    *before, incomplete = words
    (found,) = made.get_completions(before, incomplete)
    assert found.value == expected


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("command a:b:c", "a:b:c-1"),  # as in quotes
        ("command a : b : c", "c-1"),
        ("command a : b :", "c-1"),
        ("command a : b", "b:c-1"),
        ("command a :", "b:c-1"),
        ("command a", "a:b:c-1"),
    ],
)
def test_bash_gets_what_follows_the_sign_at_which_it_divides_words(
    group, monkeypatch, typed, expected
):
    candidates = SimpleNamespace(names=lambda: [("a:b:c-1", ""), ("d", "")])
    monkeypatch.setitem(sys.modules, "candidates_of_a_test", candidates)
    group.candidates = {"x": "candidates_of_a_test:names"}
    mend_shells()
    made = get_completion_class("bash")(group, {}, "a-command", "X")
    *before, incomplete = typed.split()
    (found,) = made.get_completions(before, incomplete)
    assert found.value == expected


def test_fish_shows_whole_descriptions(install):
    assert 'string split --max 1 ","' in "\n".join(install("fish", "--print"))


def test_the_environment_to_activate_is_named(install, monkeypatch):
    monkeypatch.setenv("PATH", str(EXECUTABLES))
    script = EXECUTABLES / "activate.fish"
    assert install("fish")[-1] == (
        f"Start a new fish to use it; there, activate the environment by `source "
        f"{script}`, and type tkr-nexus without `uv run`."
    )


def test_an_unknown_shell_is_refused(monkeypatch):
    monkeypatch.setenv("SHELL", "/bin/tcsh")
    result = CliRunner().invoke(tkr_nexus, ["completion"], prog_name="tkr-nexus")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "'tcsh'; give one of bash, zsh, fish" in result.stderr
