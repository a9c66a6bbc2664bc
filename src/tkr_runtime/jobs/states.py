"""What the state of a job means to a workflow; the table of states is its cloud's."""

import logging
from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Self

logger = logging.getLogger(__name__)


class Phase(StrEnum):
    """What the state of a job means to a workflow."""

    WAITING = "waiting"
    SUCCEEDED = "succeeded"
    FAILED = "failed"


class JobState(str):
    """One state of a job: a text, which knows what the state means.

    :param name: The name that the cloud uses.
    :param phase: Whether to wait, to fetch results, or to give up.
    :param meaning: What has happened, to follow "The job".
    :param advice: What a person does next; empty where there is nothing to do.
    """

    __slots__ = ("advice", "meaning", "phase")
    phase: Phase
    meaning: str
    advice: str

    def __new__(cls, name: str, phase: Phase, meaning: str, advice: str = "") -> Self:
        """Return the state as a text with its meaning."""
        state = super().__new__(cls, name)
        state.phase, state.meaning, state.advice = phase, meaning, advice
        return state

    def __getnewargs__(self) -> tuple[Any, ...]:
        """Return what a copy is made of."""
        return self.name, self.phase, self.meaning, self.advice

    @property
    def name(self) -> str:
        """The name alone, as a plain text."""
        return str(self)

    @property
    def is_final(self) -> bool:
        """Whether the job stays in this state unless a person acts."""
        return self.phase is not Phase.WAITING


def find_state(
    name: str, table: Mapping[str, JobState], log_prefix: str, package: str
) -> JobState:
    """Look up a state by the name that the cloud gave.

    A name that is not in the table is treated as still waiting: to take it for an end
    could throw results away or submit twice. A warning says so.

    :param name: The state as the cloud spells it.
    :param table: The states that the worker knows, by name.
    :param log_prefix: The prefix of lines in the log.
    :param package: The distribution to update.
    :returns: The state of the table, or one that waits.
    """
    state = table.get(name)
    if state is not None:
        return state
    logger.warning(
        "%sthe job is in state %r, which this version does not know; it is treated as "
        "still waiting. Update %s if this lasts.",
        log_prefix,
        name,
        package,
    )
    return JobState(name, Phase.WAITING, f"is in the unknown state {name!r}")
