"""The errors that all workers share; the text of each is a sentence for a person.

All derive from Tierkreis's own error, so that code which already handles Tierkreis
handles these::

    TierkreisError
    └── WorkerError
        ├── InvalidInputError       an input is wrong; nothing was sent
        │   └── BudgetExceededError a budget has too little left for it
        ├── JobFailedError          the job ended without results
        ├── WaitTimeoutError        the job did not end in the given time
        ├── ResultsNotReadyError    the job has not ended yet
        ├── ResultFormatError       the result has no such form
        ├── CheckpointError         the files of a workflow cannot be written
        └── WorkflowFailedError     a task of a workflow failed

The package of a worker adds the errors of its cloud.
"""

from tierkreis.exceptions import TierkreisError


class WorkerError(TierkreisError):
    """Base of all errors of workers and workflows."""


class InvalidInputError(WorkerError):
    """An input is wrong; nothing was uploaded and nothing was billed."""


class BudgetExceededError(InvalidInputError):
    """A submission would cost more than is left or allowed; nothing was sent."""


class JobFailedError(WorkerError):
    """A job, or some of its items, ended in a state that gives no results."""


class WaitTimeoutError(WorkerError):
    """A job did not end in the given time; it continues."""


class ResultsNotReadyError(WorkerError):
    """Results were requested while the job still waits or runs."""


class ResultFormatError(WorkerError):
    """A result exists, but cannot be converted to the requested form."""


class CheckpointError(WorkerError):
    """The files of a workflow cannot be written; what was done before is not lost."""


class WorkflowFailedError(WorkerError):
    """A task of a workflow failed; the text names the task, the reason and the log."""
