"""A command line in this process: as from a shell, but without its start."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import click
from click.testing import CliRunner, Result
from jsonschema import Draft202012Validator

PROGRAMS = {
    "tkr_nexus_worker": "tkr-nexus",
    "tkr_lightworks_worker": "tkr-lightworks",
}
SCHEMAS = Path(__file__).parents[2] / "docs" / "schemas"

type Command = Callable[..., Result]


def command_of(cli: click.Command) -> Command:
    """Return a function that runs a command line, as at the end of a pipe."""

    def run(*arguments: object, stdin: str | None = None) -> Result:
        words = [str(it) for it in arguments]
        result = CliRunner().invoke(cli, words, input=stdin)
        if "--json" in words and result.stdout:
            validate_json(cli, words, result.stdout)
        return result

    return run


def validate_json(cli: click.Command, words: Sequence[str], output: str) -> None:
    """Check that what a command printed is as its schema in docs/schemas says."""
    name = "token_list" if words[0] == "token" else words[0]
    assert cli.callback is not None
    package = cli.callback.__module__.split(".")[0]
    path = SCHEMAS / PROGRAMS[package] / f"{name}.json"
    validator = Draft202012Validator(json.loads(path.read_text()))
    values = output.splitlines() if name == "watch" else [output]
    for value in values:
        validator.validate(json.loads(value))


def refusal_of(command: Command) -> Callable[..., str]:
    """Return a function that returns the one line that says what is wrong."""

    def run(*arguments: object, exit_code: int, stdin: str | None = None) -> str:
        result = command(*arguments, stdin=stdin)
        assert (result.exit_code, result.stdout) == (exit_code, ""), result.output
        (line,) = result.stderr.splitlines()
        assert line.startswith("Error: ")
        return line.removeprefix("Error: ")

    return run
