"""The command ``tkr-nexus`` in this process."""

from collections.abc import Callable

import pytest
from tests.helpers.commands import Command, command_of, refusal_of

from tkr_nexus_worker.cli import cli


@pytest.fixture
def command() -> Command:
    """Run ``tkr-nexus`` with some arguments, as at the end of a pipe."""
    return command_of(cli)


@pytest.fixture
def refusal(command) -> Callable[..., str]:
    """Return the one line in which ``tkr-nexus`` says what is wrong."""
    return refusal_of(command)
