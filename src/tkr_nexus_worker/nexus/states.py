"""The one table of job states: what each state of a Nexus job means here.

The names are those of ``qnexus.models.job_status.JobStatusEnum`` (qnexus 0.51.1).
They are compared as strings, so that a state that Nexus adds later is still read.
"""

from tkr_nexus_worker.cloud import NEXUS
from tkr_runtime.jobs.states import JobState, Phase, find_state

__all__ = ["JOB_STATES", "JobState", "Phase", "job_state"]

_RESUBMIT = "submit it again as a new job"

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
            f"fix what the message says, then {_RESUBMIT}",
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

    A name that is not in the table is treated as still waiting, with a warning.

    :param name: The state as Nexus spells it, for example ``"QUEUED"``.
    :returns: The state of the table, or one that waits.
    """
    return find_state(name, JOB_STATES, NEXUS.log_prefix, "tkr-nexus-worker")
