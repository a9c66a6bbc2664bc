"""Receipts: what a job was and cost, in a small file beside the outputs of a task.

After a submission, and again after results were fetched, the worker writes the file
``receipt.json`` into the folder of the node. With it alone the results can be fetched
again, for as long as Nexus keeps them. It holds no secrets.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal, cast
from uuid import UUID

import qnexus as qnx
from pydantic import AwareDatetime, BaseModel, Field, ValidationError
from pytket.backends.backendresult import BackendResult
from qnexus.config import CONFIG
from qnexus.models import BackendConfig
from qnexus.models.references import ExecuteJobRef

from tkr_nexus_worker._version import __version__
from tkr_nexus_worker.cloud import NEXUS
from tkr_nexus_worker.errors import InvalidInputError, NexusRefusedError
from tkr_nexus_worker.jobs.submit import Program
from tkr_nexus_worker.nexus.client import call
from tkr_nexus_worker.nexus.idempotency import billed_duplicates
from tkr_nexus_worker.results.download import JobOutcome, get_results
from tkr_runtime.tasks.receipts import RECEIPT_FILE, find_receipts, write_receipt

__all__ = [
    "RECEIPT_FILE",
    "Receipt",
    "ReceiptItem",
    "find_job_of_receipt",
    "find_receipts",
    "read_receipt",
    "receipt_of",
    "results_from_receipt",
    "write_outcome",
    "write_submission",
]


def _versions() -> dict[str, str]:
    others = ("qnexus", "pytket", "tierkreis")
    return {"tkr-nexus-worker": __version__} | {name: version(name) for name in others}


class ReceiptItem(BaseModel):
    """One program of a job.

    :param program_id: Its id on Nexus.
    :param program_name: Its name on Nexus, where it is known.
    :param program_type: ``circuit``, ``hugr`` or ``qir``.
    :param n_shots: The number of shots asked for.
    :param state: Its state, where it is known.
    :param times: When it entered each state, in ISO 8601.
    :param cost: Its cost in HQC, where Nexus tells.
    :param result_id: The id of its result, where there is one.
    """

    program_id: str
    program_name: str | None
    program_type: str
    n_shots: int | None
    state: str | None = None
    times: dict[str, str] = Field(default_factory=dict)
    cost: float | None = None
    result_id: str | None = None


class Receipt(BaseModel):
    """A job, as it was when the receipt was written.

    :param format: The version of this form.
    :param written: When the receipt was written.
    :param nexus_url: The address of Nexus.
    :param versions: The versions of what wrote it, by distribution.
    :param job_id: The id of the job.
    :param job_name: The name of the job.
    :param project_id: The id of its project.
    :param project_name: The name of its project.
    :param backend_config: Where and how it runs.
    :param state: The state of the job.
    :param times: When it entered each state, in ISO 8601.
    :param cost: Its cost in HQC, where Nexus tells.
    :param items: Its programs, in their order.
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
    times: dict[str, str]
    cost: float | None
    items: list[ReceiptItem]
    duplicates: list[str] = Field(default_factory=list)


def write_submission(
    job: ExecuteJobRef,
    programs: Sequence[Program],
    n_shots: Sequence[int],
    backend_config: BackendConfig,
) -> None:
    """Write the receipt of a job that the current task has submitted.

    It takes no request to Nexus. A receipt that cannot be written is reported in the
    log and nothing else, because the job is there.

    :param job: The job.
    :param programs: Its programs.
    :param n_shots: One number of shots for each program.
    :param backend_config: Where and how it runs.
    """
    items = [
        ReceiptItem(
            program_id=str(program.id),
            program_name=program.annotations.name,
            program_type=program.type.removesuffix("Ref").lower(),
            n_shots=shots,
        )
        for program, shots in zip(programs, n_shots, strict=True)
    ]
    config = backend_config.model_dump(mode="json")
    detail = job.last_status_detail
    known = detail._asdict() if detail is not None else {}
    times = {
        name.removesuffix("_time"): moment.isoformat()
        for name, moment in known.items()
        if name.endswith("_time") and moment is not None
    }
    _write(_receipt(job, job.last_status.name, times, None, config, items))


def write_outcome(outcome: JobOutcome) -> None:
    """Write the receipt of a job whose results the current task has fetched.

    A receipt that cannot be written is reported in the log and nothing else.

    :param outcome: The job and its results.
    """
    _write(receipt_of(outcome))


def receipt_of(outcome: JobOutcome) -> Receipt:
    """Return the receipt of a job whose results were fetched.

    :param outcome: The job and its results.
    """
    record = outcome.record
    items = [
        ReceiptItem(
            program_id=item.program_id,
            program_name=outcome.program_name(item.index),
            program_type=item.program_type,
            n_shots=item.n_shots,
            state=item.status.state.name,
            times=item.status.times,
            cost=item.status.cost,
            result_id=item.result_id,
        )
        for item in record.items
    ]
    status, config = record.status, record.backend_config
    return _receipt(
        record.job, status.state.name, status.times, status.cost, config, items
    )


def read_receipt(path: Path) -> Receipt:
    """Read a receipt.

    :param path: The file.
    :returns: The receipt.
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


def results_from_receipt(
    path: Path, *, allow_failed: bool = False
) -> list[BackendResult]:
    """Fetch the results of a job again, with nothing but its receipt.

    :param path: The receipt.
    :param allow_failed: Whether to mark programs that failed by an empty result instead
        of raising an error, as in ``get_results``.
    :returns: One result for each program, in the order of the programs.
    :raises InvalidInputError: If the receipt cannot be read.
    :raises NexusWorkerError: If there are no results, or they cannot be downloaded.
    """
    return get_results(find_job_of_receipt(path), allow_failed=allow_failed)


def find_job_of_receipt(path: Path) -> ExecuteJobRef:
    """Find the job of a receipt on Nexus.

    :param path: The receipt.
    :returns: The job.
    :raises InvalidInputError: If the receipt cannot be read.
    :raises NexusWorkerError: If Nexus does not have the job or does not tell.
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


def _receipt(
    job: ExecuteJobRef,
    state: str,
    times: dict[str, str],
    cost: float | None,
    backend_config: dict[str, Any],
    items: list[ReceiptItem],
) -> Receipt:
    return Receipt(
        job_id=job.id,
        job_name=job.annotations.name or "",
        project_id=job.project.id,
        project_name=job.project.annotations.name or "",
        backend_config=backend_config,
        state=state,
        times=times,
        cost=cost,
        items=items,
        duplicates=billed_duplicates(job.annotations.description),
    )


def _write(receipt: Receipt) -> None:
    write_receipt(receipt, NEXUS, f"job {receipt.job_name!r} ({receipt.job_id})")
