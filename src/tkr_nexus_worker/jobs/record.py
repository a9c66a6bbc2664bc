"""The record that Nexus keeps of an execute job: its status, and that of each item."""

from dataclasses import dataclass
from typing import Any

from qnexus.models.references import ExecuteJobRef

from tkr_nexus_worker.jobs.status import JOBS_PATH, JobStatus, describe
from tkr_nexus_worker.nexus.client import get_json
from tkr_nexus_worker.nexus.states import Phase


@dataclass(frozen=True)
class JobItem:
    """One program of a job.

    :param index: Its place among the programs of the job, from 0.
    :param program_id: The id of the program.
    :param program_type: ``circuit``, ``hugr`` or ``qir``.
    :param n_shots: The number of shots asked for.
    :param status: Its status.
    :param result_id: The id of its result, where there is one.
    :param result_type: ``PYTKET`` or ``QSYS``, where there is a result.
    """

    index: int
    program_id: str
    program_type: str
    n_shots: int | None
    status: JobStatus
    result_id: str | None = None
    result_type: str | None = None

    @property
    def succeeded(self) -> bool:
        """Whether it has run all its shots and has a result."""
        return self.status.state.phase is Phase.SUCCEEDED and self.result_id is not None


@dataclass(frozen=True)
class JobRecord:
    """An execute job at one moment.

    :param job: The job.
    :param status: Its status as a whole.
    :param backend_config: Where and how it runs.
    :param items: Its programs, in the order in which they were submitted.
    """

    job: ExecuteJobRef
    status: JobStatus
    backend_config: dict[str, Any]
    items: list[JobItem]

    @property
    def failed_items(self) -> list[JobItem]:
        """The items without a complete result."""
        return [item for item in self.items if not item.succeeded]


def get_record(job: ExecuteJobRef) -> JobRecord:
    """Ask Nexus for everything that it knows of a job, its results excepted.

    :param job: The job.
    :returns: The record as it is now.
    :raises NexusWorkerError: If Nexus does not tell.
    """
    data = get_json(f"look up {describe(job)}", f"{JOBS_PATH}/{job.id}")["data"]
    return JobRecord(
        job=job,
        status=JobStatus.from_dict(data["attributes"]["status"]),
        backend_config=data["attributes"]["definition"]["backend_config"],
        items=read_items(data),
    )


def read_items(data: dict[str, Any]) -> list[JobItem]:
    """Read the items of a job as the Nexus API writes it.

    :param data: The job, read by its id.
    :returns: Its items, in the order in which they were submitted.
    """
    programs = data["relationships"]["programs"]["data"]
    types = {program["id"]: program["type"] for program in programs}
    return [
        _read_item(index, item, types[item["program_id"]])
        for index, item in enumerate(data["attributes"]["definition"]["items"])
    ]


def _read_item(index: int, item: dict[str, Any], program_type: str) -> JobItem:
    return JobItem(
        index=index,
        program_id=item["program_id"],
        program_type=program_type,
        n_shots=item.get("n_shots"),
        status=JobStatus.from_dict(item["status"]),
        result_id=item.get("result_id"),
        result_type=item.get("result_type"),
    )
