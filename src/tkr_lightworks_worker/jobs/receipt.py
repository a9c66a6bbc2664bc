"""The receipt of jobs: what was submitted, in a small file beside the outputs.

After a submission the worker writes the file ``receipt.json`` into the folder of the
node. It keeps the payload of each job, which Artemis does not give back, and contains
no secrets.
"""

import json
import os
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Literal

from pydantic import AwareDatetime, BaseModel, Field, ValidationError
from tierkreis.consts import TKR_DIR_KEY
from tierkreis.controller.storage.filestorage import DEFAULT_DIRECTORY

from tkr_lightworks_worker._version import __version__
from tkr_lightworks_worker.artemis import settings
from tkr_lightworks_worker.cloud import LIGHTWORKS
from tkr_lightworks_worker.jobs.models import JobRef
from tkr_runtime.tasks.receipts import RECEIPT_FILE
from tkr_runtime.tasks.receipts import write_receipt as write_receipt_file


@cache
def _versions() -> dict[str, str]:
    found = {"tkr-nexus-worker": __version__}
    for name in ("lightworks", "lightworks-remote", "tierkreis"):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


class ReceiptJob(BaseModel):
    """A job in a receipt.

    :param job_id: The id of the job.
    :param job_name: The name of the job.
    :param qpu_name: The name of the QPU.
    :param artemis_url: The address of Artemis.
    :param payload: The payload as it was sent.
    :param duplicates: The ids of jobs that the same submission made beside it, because
        a request arrived late, and that ran.
    """

    job_id: int
    job_name: str
    qpu_name: str
    artemis_url: str
    payload: dict[str, Any]
    duplicates: list[str] = Field(default_factory=list)

    def ref(self) -> JobRef:
        """Return a reference to the job."""
        return JobRef(
            job_id=self.job_id,
            name=self.job_name,
            qpu_name=self.qpu_name,
            url=self.artemis_url,
        )


class Receipt(BaseModel):
    """The jobs of one submission.

    :param format: The version of this format.
    :param cloud: The cloud of the jobs.
    :param written: When the receipt was written.
    :param versions: The versions of the packages that wrote it, by distribution.
    :param jobs: The jobs, in the order of the samplers.
    """

    format: Literal[1] = 1
    cloud: Literal["Artemis"] = "Artemis"
    written: AwareDatetime = Field(default_factory=lambda: datetime.now(UTC))
    versions: dict[str, str] = Field(default_factory=_versions)
    jobs: list[ReceiptJob]


def write_receipt(jobs: Sequence[ReceiptJob]) -> None:
    """Write the receipt of the jobs that the current task has submitted.

    A receipt that cannot be written is only a warning in the log.

    :param jobs: The jobs.
    """
    name = f"job {jobs[0].job_name!r} ({jobs[0].job_id})"
    if len(jobs) > 1:
        name += f" and {len(jobs) - 1} more"
    write_receipt_file(Receipt(jobs=list(jobs)), LIGHTWORKS, name)


def find_receipt(job_id: int) -> tuple[ReceiptJob, Path] | None:
    """Find a job in the receipts of the workflows on this machine.

    :param job_id: The id of the job on the Artemis of the current settings.
    :returns: The job and its receipt; None if there is none.
    """
    return next(_receipts_of(job_id), None)


def receipts_of_jobs(job_id: int | None = None) -> Iterator[ReceiptJob]:
    """Iterate over the jobs in the receipts on this machine, the newest receipt first.

    :param job_id: The id of a job, to find only this.
    """
    for job, _ in _receipts_of(job_id):
        yield job


def _receipts_of(job_id: int | None) -> Iterator[tuple[ReceiptJob, Path]]:
    folder = Path(os.environ.get(TKR_DIR_KEY) or DEFAULT_DIRECTORY)
    address = settings.url()
    paths = sorted(folder.glob(f"*/*/{RECEIPT_FILE}"), key=_modified, reverse=True)
    for path in paths:
        for job in _jobs_in(path):
            if job.artemis_url == address and job_id in (None, job.job_id):
                yield job, path


def _modified(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0


def _jobs_in(path: Path) -> list[ReceiptJob]:
    try:
        content = json.loads(path.read_bytes())
        if content.get("cloud") != LIGHTWORKS.name:
            return []
        return Receipt.model_validate(content).jobs
    except (OSError, ValueError, ValidationError, AttributeError):
        return []
