"""The errors of this package, each with a message of one sentence.

Those that do not depend on Artemis come from :mod:`tkr_runtime.errors`::

    TierkreisError
    └── LightworksWorkerError         (tkr_runtime.errors.WorkerError)
        ├── InvalidInputError         bad input, found before anything is sent
        ├── SetupError                no Lightworks, address or certificate
        ├── TokenError                no access token, or Artemis does not accept it
        ├── ArtemisUnavailableError   Artemis is unreachable or overloaded
        ├── ArtemisRefusedError       Artemis refused a request
        │   └── UnknownJobError       there is no such job; also bad input
        ├── SubmissionUnclearError    whether a job was submitted cannot be found out
        ├── JobFailedError            a job ended without results
        ├── WaitTimeoutError          a job did not end in time
        ├── ResultsNotReadyError      a job has not ended yet
        └── ResultFormatError         a result cannot be read
"""

from tkr_runtime.errors import (
    InvalidInputError,
    JobFailedError,
    ResultFormatError,
    ResultsNotReadyError,
    WaitTimeoutError,
    WorkerError,
)

__all__ = [
    "ArtemisRefusedError",
    "ArtemisUnavailableError",
    "InvalidInputError",
    "JobFailedError",
    "LightworksWorkerError",
    "ResultFormatError",
    "ResultsNotReadyError",
    "SetupError",
    "SubmissionUnclearError",
    "TokenError",
    "UnknownJobError",
    "WaitTimeoutError",
]

LightworksWorkerError = WorkerError
"""The base class of all errors of this package."""


class SetupError(LightworksWorkerError):
    """Lightworks is not installed, or its address or certificate is not set."""


class TokenError(LightworksWorkerError):
    """There is no access token, or Artemis does not accept it."""


class ArtemisUnavailableError(LightworksWorkerError):
    """Artemis is unreachable or overloaded; retrying later may help."""


class ArtemisRefusedError(LightworksWorkerError):
    """Artemis refused a request; the same request would be refused again.

    :param message: The message, one sentence.
    :param status_code: The HTTP status of the response, or None.
    """

    def __init__(self, message: str, status_code: int | None = None) -> None:
        super().__init__(message)
        self.status_code = status_code


class UnknownJobError(ArtemisRefusedError, InvalidInputError):
    """There is no job of the given name or id."""


class SubmissionUnclearError(LightworksWorkerError):
    """Whether a job was submitted cannot be found out; a person has to look."""
