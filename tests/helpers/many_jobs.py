"""Many jobs for an embedded Nexus, written into its database directly."""

from collections.abc import Sequence
from typing import Any
from uuid import uuid4

from local_cloud.clock import Clock
from local_cloud.store import Store
from local_nexus import LocalNexus
from local_nexus.projects.service import new_row
from local_nexus.tables import metadata

_A_SECOND = 1_000_000


def add_jobs(
    nexus: LocalNexus, project: str, ids: Sequence[str], waiting: int = 0
) -> None:
    """Add jobs of two circuits each, called ``job 0``, the newest, and so on.

    :param project: the id of their project.
    :param ids: their ids, that of the newest first.
    :param waiting: how many of the newest ones are in the queue, one circuit done.
    """
    store = Store(f"sqlite:///{nexus.directory / 'nexus.db'}", metadata)
    now = Clock().now()
    with store.write() as tx:
        owner = tx.find("users")[0]["id"]
        jobs = [
            _job(owner, project, key, i, now - i * _A_SECOND, waits=i < waiting)
            for i, key in enumerate(ids)
        ]
        tx.insert("jobs", jobs)
        tx.insert("job_items", [_item(job, n) for job in jobs for n in range(2)])
    store.close()


def _job(
    owner: str, project: str, key: str, index: int, created: int, *, waits: bool
) -> dict[str, Any]:
    status = "QUEUED" if waits else "COMPLETED"
    annotations = {"name": f"job {index}", "description": None}
    config = {"type": "QuantinuumConfig", "device_name": "H2-1LE"}
    return {
        **new_row(owner, annotations, created),
        "id": key,
        "project_id": project,
        "job_type": "execute",
        "definition": {"backend_config": config},
        "status": status,
        "message": "",
        "cost": 12.5,
        "times": {"queued_time": created},
    }


def _item(job: dict[str, Any], number: int) -> dict[str, Any]:
    return {
        "id": str(uuid4()),
        "job_id": job["id"],
        "item_id": number,
        "program_id": str(uuid4()),
        "program_type": "circuit",
        "options": {"n_shots": 10},
        "status": job["status"] if number else "COMPLETED",
        "message": "",
        "times": job["times"],
        "queued_at": job["created"],
        "held": True,
    }
