"""What was submitted as a job: its programs, shots, backend config and options."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

from pytket.circuit import Circuit
from pytket.utils.serialization.migration import circuit_dict_from_pytket1_dict
from qnexus.models.references import ExecuteJobRef

from tkr_nexus_worker.errors import NexusRefusedError
from tkr_nexus_worker.jobs.find import resolve_job
from tkr_nexus_worker.jobs.listing import read_job
from tkr_nexus_worker.jobs.models import JobPayload, PayloadProgram
from tkr_nexus_worker.jobs.record import JobItem, read_items
from tkr_nexus_worker.jobs.status import JOBS_PATH, describe
from tkr_nexus_worker.nexus.client import get_json

_PATHS = {
    "circuit": "/api/circuits/v1beta2",
    "hugr": "/api/hugr/v1beta",
    "qir": "/api/qir/v1beta",
}
_DOWNLOADS_AT_ONCE = 8
# What Nexus adds to an item when the job is read.
_NOT_SUBMITTED = frozenset(
    {
        "program_id",
        "item_id",
        "item_uuid",
        "external_handle",
        "n_shots",
        "status",
        "has_runtime_traces",
        "result_id",
        "result_type",
    }
)


def get_job_payload(job: ExecuteJobRef | str) -> JobPayload:
    """Download what was submitted as a job.

    :param job: The job, or its id, the start of its id, or its name.
    :returns: Its programs, shots, backend config and options.
    :raises NexusRefusedError: If a program is no longer on Nexus.
    :raises NexusWorkerError: If there is no such job, or Nexus does not tell.
    """
    ref = resolve_job(job)
    body = get_json(f"look up {describe(ref)}", f"{JOBS_PATH}/{ref.id}")
    listed, items = read_job(body["data"], body["included"]), read_items(body["data"])
    definition = dict(listed.attributes["definition"])
    programs = _download({item.program_id: item for item in items}, describe(ref))
    submitted = zip(items, definition.pop("items"), strict=True)
    return JobPayload(
        job_id=listed.id,
        name=listed.name,
        project=listed.project.annotations.name or "",
        backend=listed.backend,
        backend_config=definition.pop("backend_config"),
        options=definition,
        programs=[
            PayloadProgram(
                index=item.index,
                program_id=item.program_id,
                program_type=item.program_type,
                n_shots=item.n_shots,
                options={k: v for k, v in given.items() if k not in _NOT_SUBMITTED},
                **programs[item.program_id],
            )
            for item, given in submitted
        ],
    )


def _download(items: dict[str, JobItem], what: str) -> dict[str, dict[str, Any]]:
    """Download each program once, several at the same time."""

    def download(item: JobItem) -> dict[str, Any]:
        return _download_one(item, f"download program {item.index} of {what}")

    with ThreadPoolExecutor(max_workers=_DOWNLOADS_AT_ONCE) as pool:
        return dict(zip(items, pool.map(download, items.values()), strict=True))


def _download_one(item: JobItem, action: str) -> dict[str, Any]:
    path = _PATHS.get(item.program_type)
    if path is None:
        raise NexusRefusedError(
            f"Could not {action}: it is a {item.program_type!r}, which this version "
            "does not know; update tkr-nexus-worker."
        )
    attributes = get_json(action, f"{path}/{item.program_id}")["data"]["attributes"]
    name = attributes["name"] or ""
    if item.program_type != "circuit":
        return {"name": name, "content": attributes["contents"]}
    known = {key: value for key, value in attributes.items() if value is not None}
    circuit = Circuit.from_dict(circuit_dict_from_pytket1_dict(known))
    return {"name": name, "circuit": circuit.to_dict()}
