"""The receipt of a job: what it was and cost, in a small file beside the outputs.

After a submission, and again after a download of results, the worker writes the file
``receipt.json`` into the folder of the node. With it alone the results can be
downloaded again, for as long as Nexus keeps them. It contains no secrets.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal, cast
from uuid import UUID

import qnexus as qnx
from pydantic import AwareDatetime, BaseModel, Field, ValidationError, model_validator
from qnexus.config import CONFIG
from qnexus.models import BackendConfig
from qnexus.models.references import ExecuteJobRef

from tkr_nexus_worker._version import __version__
from tkr_nexus_worker.cloud import NEXUS
from tkr_nexus_worker.errors import InvalidInputError, NexusRefusedError
from tkr_nexus_worker.jobs.models import Job, JobItem, Moment
from tkr_nexus_worker.jobs.submit import Program
from tkr_nexus_worker.nexus.client import call
from tkr_nexus_worker.nexus.idempotency import billed_duplicates
from tkr_nexus_worker.nexus.states import job_state
from tkr_runtime.tasks.receipts import RECEIPT_FILE
from tkr_runtime.tasks.receipts import write_receipt as write_receipt_file


def _versions() -> dict[str, str]:
    others = ("qnexus", "pytket", "tierkreis")
    return {"tkr-nexus-worker": __version__} | {name: version(name) for name in others}


class Receipt(BaseModel):
    """A job at the time when the receipt was written.

    :param format: The version of this format.
    :param written: When the receipt was written.
    :param nexus_url: The address of Nexus.
    :param versions: The versions of the packages that wrote it, by distribution.
    :param job_id: The id of the job.
    :param job_name: The name of the job.
    :param project_id: The id of the project.
    :param project_name: The name of the project.
    :param backend_config: Where and how the job runs.
    :param state: The state of the job.
    :param times: When each state was entered.
    :param cost: The cost in HQC, where Nexus reports it.
    :param items: The programs, in their order.
    :param duplicates: The ids of jobs that the same submission made beside it, because
        a request arrived late, and that may be billed.
    """

    format: Literal[1] = 1
    written: AwareDatetime = Field(default_factory=lambda: datetime.now(UTC))
    nexus_url: str = Field(default_factory=lambda: str(CONFIG.url))
    versions: dict[str, str] = Field(default_factory=_versions)
    job_id: UUID
    job_name: str
    project_id: UUID
    project_name: str
    backend_config: dict[str, Any]
    state: str
    times: dict[str, Moment]
    cost: float | None
    items: list[JobItem]
    duplicates: list[str] = Field(default_factory=list)

    @model_validator(mode="before")
    @classmethod
    def _complete_items(cls, content: Any) -> Any:
        """Add what receipts of earlier versions lack: index and state of each item."""
        match content:
            case {"items": [*items], "state": state} if all(
                isinstance(item, dict) for item in items
            ):
                complete = [
                    {"index": index} | item | {"state": item.get("state") or state}
                    for index, item in enumerate(items)
                ]
                return content | {"items": complete}
        return content

    @classmethod
    def of(cls, job: Job) -> "Receipt":
        """Return the receipt of a job.

        :param job: The job, with its items.
        """
        return cls(
            nexus_url=job.nexus_url,
            job_id=UUID(job.job_id),
            job_name=job.name,
            project_id=UUID(job.project_id),
            project_name=job.project,
            backend_config=job.backend_config,
            state=job.state.name,
            times=job.times,
            cost=job.cost,
            items=job.items,
            duplicates=billed_duplicates(job.description),
        )

    def to_job(self) -> Job:
        """Return the job as far as the receipt describes it."""
        return Job(
            job_id=str(self.job_id),
            name=self.job_name,
            project=self.project_name,
            project_id=str(self.project_id),
            nexus_url=self.nexus_url,
            backend_config=self.backend_config,
            state=job_state(self.state),
            times=self.times,
            cost=self.cost,
            created=min([self.written, *self.times.values()]),
            modified=self.written,
            items_done=sum(item.is_final for item in self.items),
            items_total=len(self.items),
            items=self.items,
        )


def write_submission(
    job: ExecuteJobRef,
    programs: Sequence[Program],
    n_shots: Sequence[int],
    backend_config: BackendConfig,
) -> None:
    """Write the receipt of a job that the current task has submitted.

    It sends no request to Nexus. A receipt that cannot be written is only a warning in
    the log, because the job was submitted all the same.

    :param job: The job.
    :param programs: The programs of the job.
    :param n_shots: The number of shots of each program.
    :param backend_config: Where and how the job runs.
    """
    state = job.last_status.name
    detail = job.last_status_detail
    known = detail._asdict() if detail is not None else {}
    receipt = Receipt(
        job_id=job.id,
        job_name=job.annotations.name or "",
        project_id=job.project.id,
        project_name=job.project.annotations.name or "",
        backend_config=backend_config.model_dump(mode="json"),
        state=state,
        times={
            name.removesuffix("_time"): moment.isoformat()
            for name, moment in known.items()
            if name.endswith("_time") and moment is not None
        },
        cost=None,
        items=[
            JobItem(
                state=job_state(state),
                index=index,
                program_id=str(program.id),
                program_name=program.annotations.name,
                program_type=program.type.removesuffix("Ref").lower(),
                n_shots=shots,
            )
            for index, (program, shots) in enumerate(
                zip(programs, n_shots, strict=True)
            )
        ],
        duplicates=billed_duplicates(job.annotations.description),
    )
    _write(receipt)


def write_receipt(job: Job) -> None:
    """Write the receipt of a job whose results the current task has downloaded.

    A receipt that cannot be written is only a warning in the log.

    :param job: The job, with its items.
    """
    _write(Receipt.of(job))


def read_receipt(path: Path) -> Receipt:
    """Return the receipt in a file.

    :param path: The file.
    :raises InvalidInputError: If the file cannot be read or is not a receipt.
    """
    try:
        return Receipt.model_validate_json(path.read_bytes())
    except OSError as error:
        raise InvalidInputError(
            f"The receipt {path} cannot be read: {error.strerror}."
        ) from error
    except ValidationError as error:
        raise InvalidInputError(
            f"{path} is not a receipt of this version of tkr-nexus-worker; give a file "
            f"{RECEIPT_FILE} from the folder of a task."
        ) from error


def find_job_of_receipt(path: Path) -> ExecuteJobRef:
    """Find the job of a receipt on Nexus.

    :param path: The receipt.
    :returns: A reference to the job.
    :raises InvalidInputError: If the receipt cannot be read.
    :raises NexusWorkerError: If Nexus does not have the job or does not answer.
    """
    receipt = read_receipt(path)
    what = f"find job {receipt.job_name!r} ({receipt.job_id}) of {receipt.nexus_url}"
    try:
        found = call(what, lambda: qnx.jobs.get(id=receipt.job_id))
    except NexusRefusedError as error:
        if receipt.nexus_url == CONFIG.url:
            raise
        raise NexusRefusedError(
            f"{error} You are connected to {CONFIG.url}.", error.status_code
        ) from error
    # qnexus declares the base class; a receipt is written of execute jobs only.
    return cast("ExecuteJobRef", found)


def _write(receipt: Receipt) -> None:
    write_receipt_file(receipt, NEXUS, f"job {receipt.job_name!r} ({receipt.job_id})")
