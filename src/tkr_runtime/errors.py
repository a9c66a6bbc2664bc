"""The errors that every worker shares, each with a sentence for a person.

All derive from Tierkreis's own error, so that code which already handles Tierkreis
handles these::

    TierkreisError
    └── WorkerError
        ├── InvalidInputError       refused before anything was sent
        ├── JobFailedError          the job ended without results
        ├── WaitTimeoutError        the job had not ended when the time was over
        ├── ResultsNotReadyError    the job has not ended yet
        ├── ResultFormatError       the result has no form of the kind asked for
        ├── CheckpointError         the files of a workflow cannot be written
        └── WorkflowFailedError     a task of a workflow failed

The package of a worker adds the errors of its cloud.
"""

from tierkreis.exceptions import TierkreisError


class WorkerError(TierkreisError):
    """Base of all errors of workers and workflows."""


class InvalidInputError(WorkerError):
    """An input is wrong; nothing was uploaded and nothing was billed."""


class JobFailedError(WorkerError):
    """A job, or some of its items, ended in a state that gives no results."""


class WaitTimeoutError(WorkerError):
    """A job had not ended when the time to wait for it was over; it goes on."""


class ResultsNotReadyError(WorkerError):
    """Results were asked for while the job still waits or runs."""


class ResultFormatError(WorkerError):
    """A result exists, but cannot be expressed in the form that was asked for."""


class CheckpointError(WorkerError):
    """The files of a workflow cannot be written; what was done before is not lost."""


class WorkflowFailedError(WorkerError):
    """A task of a workflow failed; says which, why, and where its log is."""
