"""An embedded Nexus that holds many jobs, written into its database directly."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

import qnexus as qnx
from tests.conftest import qnexus_connected

from local_nexus import LocalNexus
from local_nexus.clock import Clock
from local_nexus.services.projects import new_row
from local_nexus.store import Store

PROJECT = "many jobs"
_A_SECOND = 1_000_000


@contextmanager
def nexus_with_jobs(
    number: int, ids: Sequence[str] = (), waiting: int = 0
) -> Iterator[LocalNexus]:
    """Serve jobs of two circuits each, called ``job 0``, the newest, and so on.

    :param number: how many jobs there are.
    :param ids: the ids of the newest ones; the others have any.
    :param waiting: how many of the newest ones are in the queue, one circuit done.
    """
    with LocalNexus() as nexus:
        with qnexus_connected(nexus.env):
            project = str(qnx.projects.create(name=PROJECT).id)
        store = Store(f"sqlite:///{nexus.directory / 'nexus.db'}")
        with store.write() as tx:
            owner = tx.find("users")[0]["id"]
            now = Clock().now()
            keys = [*ids, *(str(uuid4()) for _ in range(number - len(ids)))]
            jobs = [
                _job(owner, project, key, i, now - i * _A_SECOND, waits=i < waiting)
                for i, key in enumerate(keys)
            ]
            items = [_item(job, n) for job in jobs for n in range(2)]
            tx.insert("jobs", jobs)
            tx.insert("job_items", items)
        store.close()
        yield nexus


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
