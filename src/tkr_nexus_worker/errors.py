"""The errors of this package, each with a message of one sentence.

Those that do not depend on Nexus come from :mod:`tkr_runtime.errors`::

    TierkreisError
    └── NexusWorkerError            (tkr_runtime.errors.WorkerError)
        ├── InvalidInputError       bad input, found before anything is sent
        ├── NotLoggedInError        no login, or an expired one
        ├── NexusUnavailableError   Nexus is unreachable or overloaded
        ├── NexusRefusedError       Nexus refused a request
        │   └── UnknownNameError    there is no such job or project; also bad input
        ├── JobFailedError          a job ended without all its results
        ├── WaitTimeoutError        a job did not end in time
        ├── ResultsNotReadyError    a job has not ended yet
        ├── ResultFormatError       a result does not have the requested format
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
    "UnknownNameError",
    "WaitTimeoutError",
    "WorkflowFailedError",
]

NexusWorkerError = WorkerError
"""The base class of all errors of this package."""


class NotLoggedInError(NexusWorkerError):
    """There is no valid login to Nexus."""


class NexusUnavailableError(NexusWorkerError):
    """Nexus is unreachable or overloaded; retrying later may help."""


class NexusRefusedError(NexusWorkerError):
    """Nexus refused a request; the same request would be refused again.

    :param message: The message, one sentence.
    :param status_code: The HTTP status of the response, or None.
    """

    def __init__(self, message: str, status_code: int | None = None) -> None:
        super().__init__(message)
        self.status_code = status_code


class UnknownNameError(NexusRefusedError, InvalidInputError):
    """There is no job or project of the given name or id that the user may see."""
