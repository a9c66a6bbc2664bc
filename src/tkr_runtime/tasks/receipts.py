"""Receipts: what a job was and cost, in a file beside the outputs of a task.

The package of a worker defines what is in a receipt of its cloud.
"""

import logging
from pathlib import Path

from pydantic import BaseModel
from tierkreis.controller.storage.protocol import ControllerStorage

from tkr_runtime.cloud import Cloud
from tkr_runtime.files import replace_file
from tkr_runtime.tasks import context

logger = logging.getLogger(__name__)

RECEIPT_FILE = "receipt.json"
"""The name of a receipt in the folder of a node."""


def write_receipt(receipt: BaseModel, cloud: Cloud, job: str) -> None:
    """Write a receipt to the folder of the running task; outside a task, do nothing.

    A receipt that cannot be written is only a warning, because the job exists.

    :param receipt: The receipt.
    :param cloud: The cloud of the job.
    :param job: The job in messages, as in "job 'bell' (3f…)".
    """
    task = context.current()
    if task is None or task.folder is None:
        return
    path = task.folder / RECEIPT_FILE
    try:
        replace_file(path, f"{receipt.model_dump_json(indent=2)}\n".encode())
    except OSError as error:
        logger.warning(
            "%sthe receipt of %s could not be written to %s (%s); the job itself is "
            "not affected",
            cloud.log_prefix,
            job,
            path,
            error.strerror,
        )


def find_receipts(storage: ControllerStorage) -> list[Path]:
    """Find the receipts that the tasks of a workflow have written.

    :param storage: The storage of the workflow.
    :returns: Their paths, sorted; none where the workflow is in memory.
    """
    return sorted(storage.workflow_dir.glob(f"*/{RECEIPT_FILE}"))
