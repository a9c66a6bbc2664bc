"""The command ``tkr-nexus`` in this process: as from a shell, but without its start."""

from collections.abc import Callable

import pytest
from click.testing import CliRunner, Result

from tkr_nexus_worker.cli import cli

type Command = Callable[..., Result]


@pytest.fixture
def command() -> Command:
    """Run ``tkr-nexus`` with some arguments, as at the end of a pipe."""

    def run(*arguments: object, stdin: str | None = None) -> Result:
        return CliRunner().invoke(cli, [str(it) for it in arguments], input=stdin)

    return run


@pytest.fixture
def refusal(command) -> Callable[..., str]:
    """Return the one line in which ``tkr-nexus`` says what is wrong."""

    def run(*arguments: object, exit_code: int) -> str:
        result = command(*arguments)
        assert (result.exit_code, result.stdout) == (exit_code, ""), result.output
        (line,) = result.stderr.splitlines()
        assert line.startswith("Error: ")
        return line.removeprefix("Error: ")

    return run
