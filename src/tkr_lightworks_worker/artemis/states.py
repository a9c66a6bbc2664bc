"""The one table of job states: what each state of an Artemis job means here.

The words are those of the API of Artemis. Lightworks's client raises KeyError on
"Compiling" and on every word that it does not know.
"""

from tkr_lightworks_worker.cloud import LIGHTWORKS
from tkr_runtime.jobs.states import JobState, Phase, find_state

__all__ = ["JOB_STATES", "TIMED_OUT", "JobState", "Phase", "job_state"]

_RESUBMIT = "submit the sampler again"

TIMED_OUT = "TimedOut"
"""The state of a job that gives a part of its samples, or none."""

JOB_STATES = {
    state.name: state
    for state in (
        JobState("Accepted", Phase.WAITING, "was accepted and waits to be compiled"),
        JobState("Compiling", Phase.WAITING, "is being compiled"),
        JobState("Scheduled", Phase.WAITING, "waits in the queue"),
        JobState("Running", Phase.WAITING, "is running"),
        JobState("Completed", Phase.SUCCEEDED, "has completed"),
        JobState(
            TIMED_OUT,
            Phase.SUCCEEDED,
            "timed out; what it sampled until then is its result",
            f"if that is too little, {_RESUBMIT}",
        ),
        JobState(
            "Failed",
            Phase.FAILED,
            "failed",
            f"fix what the message says, then {_RESUBMIT}",
        ),
        JobState(
            "Cancelled",
            Phase.FAILED,
            "was cancelled",
            f"if that was not intended, {_RESUBMIT}",
        ),
    )
}

WAITING_STATES = ("Accepted", "Scheduled", "Running")
"""The waiting states by which Artemis is known to filter jobs."""


def job_state(name: str) -> JobState:
    """Look up a state by the word that Artemis gave.

    A word that is not in the table is treated as still waiting, with a warning.

    :param name: The word, for example ``"Scheduled"``.
    :returns: The state of the table, or one that waits.
    """
    word = str(name).replace(" ", "")
    return find_state(word, JOB_STATES, LIGHTWORKS.log_prefix, "tkr-nexus-worker")
