"""Jobs."""

from __future__ import annotations

from dataclasses import replace

from local_nexus import bodies
from local_nexus.clock import to_iso
from local_nexus.jsonapi import (
    Json,
    document,
    filters_of,
    page_of,
    project_resource,
    resource,
)
from local_nexus.routes.endpoint import Call, Endpoint, Reply
from local_nexus.services import Services
from local_nexus.services.jobs import require
from local_nexus.store import Filters, Row, Transaction

PATH = "/api/jobs/v1beta3"
_ONE = f"{PATH}/{{id}}"


def job_status(services: Services, job_id: str) -> Json:
    """Return the status of a job as it is shown, and count that as a read of it.

    :raises ApiError: 404 if there is no such job.
    """
    services.execution.note_read(job_id)
    with services.store.read() as tx:
        return _job_status(services, tx, require(tx, job_id))


def _filters(call: Call) -> Filters:
    filters = filters_of(call.query)
    any_of = dict(filters.any_of)
    for column, name in (
        ("status", "filter[status][status]"),
        ("job_type", "filter[job_type]"),
    ):
        values = call.query.getlist(name)
        if values:
            any_of[column] = values
    return replace(filters, any_of=any_of)


def _list(call: Call) -> Reply:
    call.services.execution.settle()
    with call.services.store.read() as tx:
        rows = tx.page("jobs", _filters(call), page_of(call.query))
        projects = tx.by_ids("projects", (row["project_id"] for row in rows))
        data = [
            _resource(row, {"status": _job_status(call.services, tx, row)})
            for row in rows
        ]
    return Reply(200, document(data, map(project_resource, projects.values())))


def _count(call: Call) -> Reply:
    call.services.execution.settle()
    with call.services.store.read() as tx:
        return Reply(200, {"count": tx.count("jobs", _filters(call))})


def _get(call: Call) -> Reply:
    call.services.execution.note_read(call.path["id"])
    return _shown(200, call.services, call.path["id"])


def _create(call: Call) -> Reply:
    data = call.parse(bodies.NewInProject[bodies.JobAttributes]).data
    job_id = call.services.jobs.submit(
        call.user_id,
        data.relationships.project.data.id,
        data.attributes.model_dump(include=set(bodies.Annotations.model_fields)),
        data.attributes.job_type,
        data.attributes.definition.model_dump(exclude_none=True),
    )
    return _shown(202, call.services, job_id)


def _status(call: Call) -> Reply:
    return Reply(200, job_status(call.services, call.path["id"]))


def _cancel(call: Call) -> Reply:
    call.services.jobs.cancel(call.path["id"])
    return Reply(202, {"message": "The job is cancelled."})


def _retry(call: Call) -> Reply:
    retry = call.parse(bodies.Retry)
    call.services.jobs.retry(call.path["id"], retry.retry_status)
    return Reply(202, {"message": "The job is queued again."})


def _delete(call: Call) -> Reply:
    call.services.jobs.delete(call.path["id"])
    return Reply(204)


def _shown(status: int, services: Services, job_id: str) -> Reply:
    with services.store.read() as tx:
        job = require(tx, job_id)
        project = tx.by_ids("projects", [job["project_id"]])
        items = tx.find("job_items", Filters(equal={"job_id": job_id}), sort="item_id")
        definition = job["definition"] | {"items": [_item(item) for item in items]}
        attributes = {
            "status": _job_status(services, tx, job),
            "definition": definition,
        }
    data = _resource(job, attributes)
    programs = {item["program_id"]: item["program_type"] for item in items}
    data["relationships"]["programs"] = {
        "data": [{"type": kind, "id": key} for key, kind in programs.items()]
    }
    return Reply(status, document(data, map(project_resource, project.values())))


def _resource(job: Row, attributes: Json) -> Json:
    related = {
        "project": ("project", job["project_id"]),
        "creator": ("user", job["creator_id"]),
    }
    return resource("job", job, {"job_type": job["job_type"]} | attributes, related)


def _item(item: Row) -> Json:
    shown = {
        "program_id": item["program_id"],
        "item_id": item["item_id"],
        "item_uuid": item["id"],
        "external_handle": item["id"],
        **item["options"],
        "status": _with_confidence(_state(item), item["cost_confidence"]),
    }
    if item["result_id"] is not None:
        shown |= {"result_id": item["result_id"], "result_type": item["result_type"]}
    return shown


def _with_confidence(status: Json, confidence: float | None) -> Json:
    return status if confidence is None else status | {"cost_confidence": confidence}


def _job_status(services: Services, tx: Transaction, job: Row) -> Json:
    position = services.jobs.queue_position(tx, job)
    status = _state(job)
    return status if position is None else status | {"queue_position": position}


def _state(row: Row) -> Json:
    """Return the status of a job or item; what is not known yet is left out."""
    status = {
        "status": row["status"],
        "message": row["message"],
        "error_detail": row["error_detail"],
        "cost": row["cost"],
        **{name: to_iso(moment) for name, moment in row["times"].items()},
    }
    return {name: value for name, value in status.items() if value is not None}


ENDPOINTS = [
    Endpoint("GET", PATH, _list),
    Endpoint("POST", PATH, _create, body=bodies.NewInProject[bodies.JobAttributes]),
    Endpoint("GET", f"{PATH}/meta/count", _count),
    Endpoint("GET", _ONE, _get),
    Endpoint("DELETE", _ONE, _delete),
    Endpoint("GET", f"{_ONE}/attributes/status", _status),
    Endpoint("POST", f"{_ONE}/rpc/cancel", _cancel),
    Endpoint("POST", f"{_ONE}/rpc/retry", _retry, body=bodies.Retry),
]
