"""The errors of this package, each with a sentence for a person.

Those that know nothing of Nexus come from :mod:`tkr_runtime.errors`::

    TierkreisError
    └── NexusWorkerError            (tkr_runtime.errors.WorkerError)
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

from tkr_runtime.errors import (
    CheckpointError,
    InvalidInputError,
    JobFailedError,
    ResultFormatError,
    ResultsNotReadyError,
    WaitTimeoutError,
    WorkerError,
    WorkflowFailedError,
)

__all__ = [
    "CheckpointError",
    "InvalidInputError",
    "JobFailedError",
    "NexusRefusedError",
    "NexusUnavailableError",
    "NexusWorkerError",
    "NotLoggedInError",
    "ResultFormatError",
    "ResultsNotReadyError",
    "WaitTimeoutError",
    "WorkflowFailedError",
]

NexusWorkerError = WorkerError
"""Base of all errors of this package."""


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
