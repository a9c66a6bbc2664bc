"""Errors of the command line: one line on stderr, and an exit code."""

from collections.abc import Generator
from contextlib import contextmanager

import click


class UsageError(click.ClickException):
    """The command was called in a wrong way; the exit code is 2."""

    exit_code = 2


class FailureError(click.ClickException):
    """The command failed; the exit code is 1."""


@contextmanager
def readable_failures() -> Generator[None]:
    """Show known errors of the body as a sentence, without a traceback.

    :raises UsageError: If an argument is wrong.
    :raises FailureError: If anything else is.
    """
    from tierkreis.exceptions import TierkreisError

    from tkr_nexus_worker.errors import InvalidInputError

    try:
        yield
    except InvalidInputError as error:
        raise UsageError(str(error)) from error
    except TierkreisError as error:
        raise FailureError(str(error)) from error
