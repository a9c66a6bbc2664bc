"""The command ``tkr-lightworks`` in this process."""

from collections.abc import Callable

import pytest
from tests.helpers.commands import Command, command_of, refusal_of

from tkr_lightworks_worker.cli import cli


@pytest.fixture
def command() -> Command:
    """Run ``tkr-lightworks`` with some arguments, as at the end of a pipe."""
    return command_of(cli)


@pytest.fixture
def refusal(command) -> Callable[..., str]:
    """Return the one line in which ``tkr-lightworks`` says what is wrong."""
    return refusal_of(command)
