"""What all commands have in common."""

import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import click
import pytest
from click.testing import CliRunner

from tkr_lightworks_worker.cli import cli as tkr_lightworks
from tkr_nexus_worker.cli import cli
from tkr_nexus_worker.errors import (
    InvalidInputError,
    JobFailedError,
    NexusRefusedError,
    ResultsNotReadyError,
    UnknownNameError,
    WaitTimeoutError,
)
from tkr_runtime.cli import errors
from tkr_runtime.cli.group import LazyGroup
from tkr_runtime.cli.jobs import EXIT_CODES

COMMANDS = {"tkr-nexus": cli, "tkr-lightworks": tkr_lightworks}
FAILURES = {
    "wrong-input": (InvalidInputError("The job is wrong."), 2, "The job is wrong."),
    "unknown": (UnknownNameError("There is no job 'x'."), 2, "There is no job 'x'."),
    "refused": (NexusRefusedError("Nexus refused."), 1, "Nexus refused."),
    "waiting": (ResultsNotReadyError("It is running."), 3, "It is running."),
    "too-slow": (WaitTimeoutError("It is running."), 3, "It is running."),
    "failed": (JobFailedError("The job failed."), 4, "The job failed."),
    "no-file": (
        FileNotFoundError(2, "No such file", "a.qasm"),
        1,
        "No such file: a.qasm.",
    ),
    "a-bug": (
        ZeroDivisionError("by\nzero"),
        1,
        "ZeroDivisionError: by zero (this is a bug; --debug shows the traceback).",
    ),
}


def failing(name: str) -> click.Command:
    def fail() -> None:
        raise FAILURES[name][0]

    return click.Command(name, callback=fail)


@pytest.fixture
def group(monkeypatch) -> click.Group:
    """A group of commands that fail, each in a way of its own."""
    module = SimpleNamespace(**{n.replace("-", "_"): failing(n) for n in FAILURES})
    monkeypatch.setitem(sys.modules, "tkr_nexus_worker.cli.failing", module)
    modules = dict.fromkeys(FAILURES, ("failing", "Fail."))
    return LazyGroup("group", package="tkr_nexus_worker.cli", modules=modules)


@pytest.mark.parametrize("name", FAILURES)
def test_an_error_is_one_line_and_an_exit_code(group, name):
    _, exit_code, line = FAILURES[name]
    result = CliRunner().invoke(group, [name])
    assert (result.exit_code, result.stdout) == (exit_code, "")
    assert result.stderr == f"Error: {line}\n"


@pytest.mark.parametrize("arguments", [["a-bug", "--debug"], ["--debug", "a-bug"]])
def test_debug_shows_where_an_error_comes_from(group, arguments):
    result = CliRunner().invoke(group, arguments)
    assert result.exit_code == 1
    assert "Traceback" in result.stderr
    assert "in fail" in result.stderr
    assert result.stderr.splitlines()[-1].startswith("Error: ZeroDivisionError")


def test_every_exit_code_is_documented():
    text = (Path(__file__).parents[3] / "docs" / "command_line.md").read_text()
    table = text[text.index("| exit code") : text.index("**Errors**")]
    rows = [row for row in table.splitlines()[2:] if row.startswith("|")]
    documented = {int(row.split("|")[1]) for row in rows}
    used = {exit_code for _, exit_code, _ in FAILURES.values()}
    assert documented == {0} | used | set(EXIT_CODES.values())


def test_ctrl_c_is_no_bug():
    @click.command()
    def interrupted() -> None:
        with errors.one_line_errors():
            raise KeyboardInterrupt

    result = CliRunner().invoke(interrupted)
    assert (result.exit_code, result.stderr.strip()) == (1, "Aborted!")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--nonsense"], "No such option"),
        (["nonsense"], "No such command 'nonsense'. Try tkr-nexus --help."),
        (["stat"], "No such command 'stat'. Did you mean 'status'?"),
        (["Device"], "Did you mean 'device' or 'devices'?"),
        (["run", "--devic", "x"], "Did you mean '--device'?"),
        (["status"], "Missing argument 'JOB'. Try tkr-nexus status --help."),
        (["cancel", "--nonsense", "x"], "No such option"),
    ],
)
def test_wrong_use_is_one_line_that_names_the_help(arguments, words):
    result = CliRunner().invoke(cli, arguments, prog_name="tkr-nexus")
    (line,) = result.stderr.splitlines()
    assert words in line
    assert "--help" in line
    assert (result.exit_code, result.stdout) == (2, "")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (
            ["run"],
            (
                "Missing argument 'FILE...' and options '--device', '--shots'; with "
                "--local, options have defaults."
            ),
        ),
        (["run", "--local"], "Missing argument 'FILE...'."),
        (
            ["check", "--shots", "1"],
            "Missing argument 'FILE...' and option '--device'.",
        ),
    ],
)
def test_all_that_is_missing_is_named_at_once(arguments, words):
    result = CliRunner().invoke(cli, arguments, prog_name="tkr-nexus")
    line = f"Error: {words} Try tkr-nexus {arguments[0]} --help.\n"
    assert result.stderr == line
    assert result.exit_code == 2


def test_a_command_can_do_something_first_and_shows_its_help_without(monkeypatch):
    module = SimpleNamespace(a_command=click.Command("a", callback=lambda: None))
    monkeypatch.setitem(sys.modules, "tkr_runtime.cli.first", module)
    before = []
    group = LazyGroup(
        "group",
        package="tkr_runtime.cli",
        modules={"a-command": ("first", "A.")},
        before=before.append,
    )
    assert CliRunner().invoke(group, ["a-command", "--help"]).exit_code == 0
    assert before == []
    for _ in range(2):
        assert CliRunner().invoke(group, ["a-command"]).exit_code == 0
    assert before == ["a-command", "a-command"]


@pytest.mark.parametrize("cli", COMMANDS.values(), ids=COMMANDS)
def test_every_command_has_help_and_debug(cli):
    for name in cli.list_commands(click.Context(cli)):
        result = CliRunner().invoke(cli, [name, "-h"])
        assert result.exit_code == 0
        assert "--debug" in result.stdout


@pytest.mark.parametrize("cli", COMMANDS.values(), ids=COMMANDS)
def test_the_list_and_the_help_of_a_command_begin_with_the_same_action(cli):
    result = CliRunner().invoke(cli, ["--help"])
    listed = result.stdout.split("Commands:")[1].split("\n")
    summaries = dict(line.split(maxsplit=1) for line in listed if line.strip())
    context = click.Context(cli)
    assert set(summaries) == set(cli.list_commands(context))
    for name, summary in summaries.items():
        help_text = cli.get_command(context, name).help
        # The help of the command may say more, but begins with the same action.
        assert help_text.split()[0].strip(".;,") == summary.split()[0].strip(".;,")


@pytest.mark.parametrize("program", COMMANDS)
def test_the_shell_completes_commands(program):
    variable = f"_{program.replace('-', '_').upper()}_COMPLETE"
    words = {"COMP_WORDS": f"{program} can", "COMP_CWORD": "1"}
    result = subprocess.run(
        [Path(sys.executable).with_name(program)],
        capture_output=True,
        text=True,
        env=os.environ | {variable: "bash_complete"} | words,
    )
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout.splitlines() == ["plain,cancel"]
