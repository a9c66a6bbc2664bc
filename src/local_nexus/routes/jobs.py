"""Jobs."""

from __future__ import annotations

import json
from functools import partial

from local_nexus import bodies
from local_nexus.clock import to_iso
from local_nexus.errors import ApiError, not_found
from local_nexus.jsonapi import Json, document, link
from local_nexus.routes.endpoint import Call, Endpoint, Reply
from local_nexus.routes.resource import Resource, owners
from local_nexus.services import Services, statuses
from local_nexus.services.backends import System, system
from local_nexus.services.jobs import require
from local_nexus.store import Row, Transaction


def job_status(services: Services, reader: str | None, job_id: str) -> Json:
    """Return the status of a job as it is shown, and count that as a read of it.

    :raises ApiError: 404 if it is not there for the reader.
    """
    services.execution.note_read(job_id)
    with services.store.read() as tx:
        return _status(services, tx, require(tx, reader, job_id))


def _before_reading(services: Services, job_id: str | None) -> None:
    if job_id is None:
        services.execution.settle()
    else:
        services.execution.note_read(job_id)


def _summary(services: Services, tx: Transaction, row: Row) -> Json:
    return {"job_type": row["job_type"], "status": _status(services, tx, row)}


def _whole(_services: Services, tx: Transaction, row: Row) -> tuple[Json, Json]:
    items = tx.find("job_items", sort="item_id", job_id=row["id"])
    definition = row["definition"] | {"items": [_item(item) for item in items]}
    types = {item["program_id"]: item["program_type"] for item in items}
    programs = [{"type": kind, "id": key} for key, kind in types.items()]
    return {"definition": definition}, {"programs": {"data": programs}}


def _system(job: Row) -> System:
    return system(job["definition"]["backend_config"])


def _system_resource(job: Row) -> Json:
    where = _system(job)
    names = {"name": where.name, "provider_name": where.provider_name}
    return {"type": "system", "id": where.id, "attributes": names}


JOBS = Resource(
    "job",
    "/api/jobs/v1beta3",
    "jobs",
    summary=_summary,
    whole=_whole,
    relationships=lambda row: owners(row) | {"system": link("system", _system(row).id)},
    related=lambda row: [_system_resource(row)],
    parameters={"filter[status][status]": "status", "filter[job_type]": "job_type"},
    choices={
        "filter[status][status]": (*statuses.FINAL, *statuses.WAITING),
        "filter[job_type]": ("execute", "compile"),
    },
    before_reading=_before_reading,
    waits=True,
)


def _create(call: Call) -> Reply:
    data = call.parse(bodies.NewInProject[bodies.JobAttributes]).data
    job_id = call.services.jobs.submit(
        call.user_id,
        data.relationships.project.data.id,
        data.attributes.model_dump(include=bodies.ANNOTATIONS),
        data.attributes.job_type,
        data.attributes.definition.model_dump(exclude_none=True),
    )
    return JOBS.reply_whole(call, 202, job_id)


def _get_status(call: Call) -> Reply:
    services, reader, job_id = call.services, call.reader, call.path["id"]
    status = job_status(services, reader, job_id)
    # A client that finds a short job done need not open a websocket, or wait between
    # two reads.
    if not statuses.is_final(status["status"]) and services.execution.ends_soon(job_id):
        status = job_status(services, reader, job_id)
    return Reply(200, status)


def _cancel(call: Call) -> Reply:
    call.services.jobs.cancel(call.reader, call.path["id"])
    return Reply(202, {"message": "The job is cancelled."})


def _retry(call: Call) -> Reply:
    retry = call.parse(bodies.Retry)
    call.services.jobs.retry(
        call.reader, call.path["id"], retry.retry_status, retry.user_group
    )
    return Reply(202, {"message": "The job is queued again."})


def _delete(call: Call) -> Reply:
    call.services.jobs.delete(call.reader, call.path["id"])
    return Reply(204)


def _runtime_traces(call: Call) -> Reply:
    key = call.path["id"]
    with call.services.store.read() as tx:
        item = tx.get("job_items", key)
        if item is None:
            raise not_found("job item", key)
        require(tx, call.reader, item["job_id"])
        traces = item["traces_id"] and tx.get("runtime_traces", item["traces_id"])
    if not traces:
        raise ApiError(404, f"Job item {key!r} has no runtime traces.")
    shots = [{"trace": trace} for trace in json.loads(traces["shots"])]
    data = {
        "type": "runtime_traces",
        "id": key,
        "attributes": {"shots": shots},
        "relationships": {"job": link("job", item["job_id"])},
    }
    return Reply(200, document(data))


def _item(item: Row) -> Json:
    shown = {
        "program_id": item["program_id"],
        "item_id": item["item_id"],
        "item_uuid": item["id"],
        "external_handle": item["id"],
        **item["options"],
        "status": _state(item),
        "has_runtime_traces": item["traces_id"] is not None,
    }
    outcome = ("result_id", "result_type", "compilation_id")
    return shown | {name: item[name] for name in outcome if item[name] is not None}


def _status(services: Services, tx: Transaction, job: Row) -> Json:
    position = services.jobs.queue_position(tx, job)
    status = _state(job)
    return status if position is None else status | {"queue_position": position}


def _state(row: Row) -> Json:
    """Return the status of a job or item; what is not known yet is left out."""
    names = ("status", "message", "error_detail", "cost", "cost_confidence")
    known = {name: row[name] for name in names if row.get(name) is not None}
    return known | {name: to_iso(moment) for name, moment in row["times"].items()}


_endpoint = partial(Endpoint, waits=True)

ENDPOINTS = [
    *JOBS.reading(),
    _endpoint(
        "POST", JOBS.path, _create, body=bodies.NewInProject[bodies.JobAttributes]
    ),
    _endpoint("DELETE", JOBS.one, _delete),
    _endpoint("GET", f"{JOBS.one}/attributes/status", _get_status, query=("scope",)),
    _endpoint("POST", f"{JOBS.one}/rpc/cancel", _cancel),
    Endpoint(
        "GET",
        "/api/job_items/v1beta/{id}/runtime_traces",
        _runtime_traces,
        query=("scope",),
    ),
    _endpoint("POST", f"{JOBS.one}/rpc/retry", _retry, body=bodies.Retry),
]
