"""What a task has looked up, for later tasks of the same workflow.

In a loop, each iteration would otherwise ask a cloud the same again. A workflow that is
resumed forgets everything, since what was looked up may be why it failed.
"""

import hashlib
from contextlib import suppress
from pathlib import Path

from tkr_runtime.files import replace_file
from tkr_runtime.tasks import context

_PREFIX = "_memory_"


def recall(subject: str) -> str | None:
    """Return what an earlier task of the workflow has remembered.

    :param subject: What it is about.
    :returns: The text; None if there is none, or outside a workflow with a folder.
    """
    file = _file(subject)
    if file is None:
        return None
    try:
        return file.read_text()
    except OSError:
        return None


def remember(subject: str, text: str) -> None:
    """Keep a text for later tasks of the workflow, if it has a folder.

    :param subject: What it is about.
    :param text: The text.
    """
    file = _file(subject)
    if file is not None:
        # It is looked up again where it cannot be kept.
        with suppress(OSError):
            replace_file(file, text.encode())


def forget(workflow: Path) -> None:
    """Forget everything that the tasks of a workflow have looked up.

    :param workflow: The folder of the workflow.
    """
    for file in workflow.glob(f"{_PREFIX}*"):
        file.unlink(missing_ok=True)


def _file(subject: str) -> Path | None:
    task = context.current()
    if task is None or task.folder is None:
        return None
    digest = hashlib.sha256(subject.encode()).hexdigest()[:16]
    return task.folder.parent / f"{_PREFIX}{digest}"
