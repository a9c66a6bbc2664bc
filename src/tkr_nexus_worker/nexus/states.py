"""The one table of job states: what each state of a Nexus job means here.

The names are those of ``qnexus.models.job_status.JobStatusEnum`` (qnexus 0.51.1).
They are compared as strings, so that a state that Nexus adds later is still read.
"""

import logging
from enum import StrEnum
from typing import Any, Self

logger = logging.getLogger(__name__)


class Phase(StrEnum):
    """What the state of a job means to a workflow."""

    WAITING = "waiting"
    SUCCEEDED = "succeeded"
    FAILED = "failed"


class JobState(str):
    """One state of a Nexus job: a text, which knows what the state means.

    :param name: The name that Nexus uses.
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


_RESUBMIT = "submit the circuits again as a new job"

JOB_STATES = {
    state.name: state
    for state in (
        JobState("SUBMITTED", Phase.WAITING, "has been handed to the device's queue"),
        JobState("QUEUED", Phase.WAITING, "waits in the queue"),
        JobState("RUNNING", Phase.WAITING, "is running"),
        JobState("RETRYING", Phase.WAITING, "is being retried by Nexus"),
        JobState("CANCELLING", Phase.WAITING, "is being cancelled"),
        JobState("COMPLETED", Phase.SUCCEEDED, "has completed"),
        JobState(
            "ERROR",
            Phase.FAILED,
            "ended with an error",
            f"mend what the message names, then {_RESUBMIT}",
        ),
        JobState(
            "CANCELLED",
            Phase.FAILED,
            "was cancelled",
            f"if that was not intended, {_RESUBMIT}",
        ),
        JobState(
            "TERMINATED",
            Phase.FAILED,
            "was stopped by Nexus or the device before it completed",
            f"look at the limits of cost and time of the job, then {_RESUBMIT}",
        ),
        JobState(
            "DEPLETED",
            Phase.FAILED,
            "stopped because the account has no credits left",
            f"ask the administrator of your account for credits, then {_RESUBMIT}",
        ),
    )
}


def job_state(name: str) -> JobState:
    """Look up a state by the name that Nexus gave.

    A name that is not in the table is treated as still waiting: to take it for an end
    could throw results away or submit twice. A warning says so.

    :param name: The state as Nexus spells it, for example ``"QUEUED"``.
    :returns: The state of the table, or one that waits.
    """
    state = JOB_STATES.get(name)
    if state is not None:
        return state
    logger.warning(
        "nexus: the job is in state %r, which this version does not know; it is "
        "treated as still waiting. Update tkr-nexus-worker if this lasts.",
        name,
    )
    return JobState(name, Phase.WAITING, f"is in the unknown state {name!r}")
