"""A command line in this process: as from a shell, but without its start."""

from collections.abc import Callable

import click
from click.testing import CliRunner, Result

type Command = Callable[..., Result]


def command_of(cli: click.Command) -> Command:
    """Return a function that runs a command line, as at the end of a pipe."""

    def run(*arguments: object, stdin: str | None = None) -> Result:
        return CliRunner().invoke(cli, [str(it) for it in arguments], input=stdin)

    return run


def refusal_of(command: Command) -> Callable[..., str]:
    """Return a function that returns the one line that says what is wrong."""

    def run(*arguments: object, exit_code: int, stdin: str | None = None) -> str:
        result = command(*arguments, stdin=stdin)
        assert (result.exit_code, result.stdout) == (exit_code, ""), result.output
        (line,) = result.stderr.splitlines()
        assert line.startswith("Error: ")
        return line.removeprefix("Error: ")

    return run
