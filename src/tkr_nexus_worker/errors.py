"""The errors of this package, each with a sentence for a person.

All derive from Tierkreis's own error, so that code which already handles Tierkreis
handles ours::

    TierkreisError
    └── NexusWorkerError
        ├── InvalidInputError       refused before anything was sent
        ├── NotLoggedInError        no login, or one that has expired
        ├── NexusUnavailableError   Nexus could not be reached, or is overloaded
        ├── NexusRefusedError       Nexus answered, and the answer is no
        ├── JobFailedError          the job ended without results
        ├── WaitTimeoutError        the job had not ended when the time was over
        ├── ResultsNotReadyError    the job has not ended yet
        ├── ResultFormatError       the result has no form of the kind asked for
        ├── CheckpointError         the files of a workflow cannot be written
        └── WorkflowFailedError     a task of a workflow failed
"""

from tierkreis.exceptions import TierkreisError


class NexusWorkerError(TierkreisError):
    """Base of all errors of this package."""


class InvalidInputError(NexusWorkerError):
    """An input is wrong; nothing was uploaded and nothing was billed."""


class NotLoggedInError(NexusWorkerError):
    """There is no valid login to Nexus."""


class NexusUnavailableError(NexusWorkerError):
    """Nexus could not be reached or could not answer now; trying later may help."""


class NexusRefusedError(NexusWorkerError):
    """Nexus refused a request; sending the same again gives the same answer.

    :param message: One sentence for a person.
    :param status_code: The HTTP status of the answer, where there was one.
    """

    def __init__(self, message: str, status_code: int | None = None) -> None:
        super().__init__(message)
        self.status_code = status_code


class JobFailedError(NexusWorkerError):
    """A job, or some of its items, ended in a state that gives no results."""


class WaitTimeoutError(NexusWorkerError):
    """A job had not ended when the time to wait for it was over; it goes on."""


class ResultsNotReadyError(NexusWorkerError):
    """Results were asked for while the job still waits or runs."""


class ResultFormatError(NexusWorkerError):
    """A result exists, but cannot be expressed in the form that was asked for."""


class CheckpointError(NexusWorkerError):
    """The files of a workflow cannot be written; what was done before is not lost."""


class WorkflowFailedError(NexusWorkerError):
    """A task of a workflow failed; says which, why, and where its log is."""
