"""Errors on the command line: one line on stderr and an exit code.

The exit codes are the same for every command; docs/command_line.md explains them.
"""

import errno
import traceback
from collections.abc import Generator
from contextlib import contextmanager

import click

from tkr_runtime.cli.local import UnlessLocal
from tkr_runtime.cli.terminal_text import printable, printable_lines

_DEBUG = f"{__name__}.debug"

FAILED = 1
"""What was asked for did not happen."""
WRONG_USAGE = 2
"""The command has to be changed: an option, or the name of something unknown."""
NOT_ENDED = 3
"""A job has not ended."""
WITHOUT_RESULTS = 4
"""A job ended without all its results."""


class UsageError(click.ClickException):
    """Wrong usage of a command."""

    exit_code = WRONG_USAGE


class FailureError(click.ClickException):
    """Failure of a command."""

    exit_code = FAILED


class NotEndedError(FailureError):
    """A command that needs a job to have ended, and it has not."""

    exit_code = NOT_ENDED


class WithoutResultsError(FailureError):
    """A command for a job that ended without all its results."""

    exit_code = WITHOUT_RESULTS


def debug_option() -> click.Option:
    """Return the option ``--debug``, which shows the traceback of an error."""

    def note(context: click.Context, _option: click.Parameter, value: bool) -> None:
        context.meta[_DEBUG] = value or context.meta.get(_DEBUG, False)

    return click.Option(
        ["--debug"],
        is_flag=True,
        is_eager=True,
        expose_value=False,
        callback=note,
        help="Show the traceback of an error.",
    )


@contextmanager
def one_line_errors() -> Generator[None]:
    """Turn errors of the body into one line, with a traceback only for ``--debug``.

    :raises UsageError: If the command was used wrongly.
    :raises FailureError: If anything else went wrong.
    """
    try:
        yield
    except (click.exceptions.Exit, click.Abort, click.exceptions.NoArgsIsHelpError):
        raise
    except Exception as error:
        if isinstance(error, OSError) and error.errno == errno.EPIPE:
            raise  # click exits quietly if the reader of a pipe has gone
        context = click.get_current_context(silent=True)
        if context is not None and context.meta.get(_DEBUG):
            traceback.print_exc()
        raise _translate(error) from error


def _translate(error: Exception) -> click.ClickException:
    """Return the error to show, safe for a terminal: messages may quote user input."""
    # Importing Tierkreis takes time, and most commands succeed.
    from tierkreis.exceptions import TierkreisError

    from tkr_runtime.errors import (
        InvalidInputError,
        JobFailedError,
        ResultsNotReadyError,
        WaitTimeoutError,
    )

    match error:
        case click.MissingParameter(ctx=click.Context() as context):
            return UsageError(f"Missing {_missing(context)}.{_hint(context)}")
        case click.UsageError():
            return UsageError(f"{error.format_message()}{_hint(error.ctx)}")
        case click.ClickException():
            return error
        case InvalidInputError():
            return UsageError(printable_lines(str(error)))
        case ResultsNotReadyError() | WaitTimeoutError():
            return NotEndedError(printable_lines(str(error)))
        case JobFailedError():
            return WithoutResultsError(printable_lines(str(error)))
        case TierkreisError():
            return FailureError(printable_lines(str(error)))
        case OSError(strerror=str(reason)):
            where = f": {error.filename}" if error.filename else ""
            return FailureError(f"{reason}{where}.")
        case _:
            text = f"{type(error).__name__}: {printable(str(error))}"
            return FailureError(f"{text} (this is a bug; --debug shows the traceback).")


def _missing(context: click.Context) -> str:
    """Name all that is missing: click names the first and leaves the rest."""
    missing = [
        option
        for option in context.command.params
        if _is_needed(option, context) and option.name not in context.params
    ]
    kinds: dict[str, list[str]] = {"argument": [], "option": []}
    for option in missing:
        kinds[option.param_type_name].append(option.get_error_hint(context))
    text = " and ".join(
        f"{kind}{'s' if len(hints) > 1 else ''} {', '.join(hints)}"
        for kind, hints in kinds.items()
        if hints
    )
    if any(isinstance(option, UnlessLocal) for option in missing):
        text += "; with --local, options have defaults"
    return text


def _is_needed(option: click.Parameter, context: click.Context) -> bool:
    if isinstance(option, UnlessLocal):
        return option.is_needed(context)
    return option.required


def _hint(context: click.Context | None) -> str:
    return "" if context is None else f" Try {context.command_path} --help."
