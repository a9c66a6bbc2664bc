"""What tests of other programs do with a server, below ``/_local/``."""

from __future__ import annotations

from dataclasses import asdict

from local_nexus import bodies
from local_nexus.clock import to_iso
from local_nexus.progress import Progress
from local_nexus.routes.endpoint import Call, Endpoint, Reply
from local_nexus.store import Filters


def _requests(call: Call) -> Reply:
    return Reply(200, [asdict(entry) for entry in call.services.request_log.entries()])


def _clear_requests(call: Call) -> Reply:
    call.services.request_log.clear()
    return Reply(204)


def _jobs(call: Call) -> Reply:
    with call.services.store.read() as tx:
        rows = tx.find("jobs", Filters())
        items = tx.find("job_items", Filters())
    by_job: dict[str, list[str]] = {row["id"]: [] for row in rows}
    for item in items:
        by_job[item["job_id"]].append(item["status"])
    jobs = [
        {
            "id": row["id"],
            "name": row["name"],
            "project_id": row["project_id"],
            "job_type": row["job_type"],
            "status": row["status"],
            "cost": row["cost"],
            "created": to_iso(row["created"]),
            "items": by_job[row["id"]],
        }
        for row in rows
    ]
    return Reply(200, jobs)


def _set_status(call: Call) -> Reply:
    forced = call.parse(bodies.ForcedStatus)
    call.services.jobs.set_status(
        call.path["id"],
        forced.status,
        forced.message,
        forced.error_detail,
        forced.item,
    )
    return Reply(204)


def _set_progress(call: Call) -> Reply:
    rule = call.parse(bodies.ProgressRule)
    call.services.execution.set_progress(Progress(**rule.model_dump()))
    return Reply(204)


def _advance_clock(call: Call) -> Reply:
    call.services.clock.advance(call.parse(bodies.ClockAdvance).seconds)
    call.services.execution.settle()
    return Reply(204)


ENDPOINTS = [
    Endpoint("GET", "/_local/requests", _requests, access="admin"),
    Endpoint("DELETE", "/_local/requests", _clear_requests, access="admin"),
    Endpoint("GET", "/_local/jobs", _jobs, access="admin"),
    Endpoint("PUT", "/_local/jobs/{id}/status", _set_status, access="admin"),
    Endpoint("PUT", "/_local/progress", _set_progress, access="admin"),
    Endpoint("POST", "/_local/clock", _advance_clock, access="admin"),
]
