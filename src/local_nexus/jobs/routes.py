"""Jobs."""

import json
from collections.abc import Sequence
from functools import partial

from local_cloud.clock import to_iso
from local_cloud.errors import ApiError, not_found
from local_cloud.store import Row, Transaction
from local_cloud.web.endpoint import Endpoint, Reply, admin
from local_cloud.web.query import whole
from local_nexus.api.filters import Filters, Page
from local_nexus.api.jsonapi import Json, document, link
from local_nexus.api.listing import by_ids, page
from local_nexus.api.models import ANNOTATIONS, NewInProject
from local_nexus.devices.service import System, system
from local_nexus.jobs import queries, states
from local_nexus.jobs.models import ForcedStatus, JobAttributes, Retry, RuntimeTraces
from local_nexus.jobs.service import require
from local_nexus.resource import NexusCall, Resource, owners, reader_of
from local_nexus.services import Services

# More jobs than any store holds.
_ALL = 2**31


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


def _prepare(services: Services, tx: Transaction, rows: Sequence[Row]) -> None:
    positions = services.jobs.queue_positions(tx, rows)
    for row in rows:
        row["queue_position"] = positions[row["id"]]


def _summary(services: Services, tx: Transaction, row: Row) -> Json:
    return {"job_type": row["job_type"], "status": _status(services, tx, row)}


def _all_of(_services: Services, tx: Transaction, row: Row) -> tuple[Json, Json]:
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
    prepare=_prepare,
    summary=_summary,
    whole=_all_of,
    relationships=lambda row: owners(row) | {"system": link("system", _system(row).id)},
    related=lambda row: [_system_resource(row)],
    parameters={"filter[status][status]": "status", "filter[job_type]": "job_type"},
    choices={
        "filter[status][status]": (*states.FINAL, *states.WAITING),
        "filter[job_type]": ("execute", "compile"),
    },
    before_reading=_before_reading,
    waits=True,
)


def _create(call: NexusCall) -> Reply:
    data = call.parse(NewInProject[JobAttributes]).data
    job_id = call.services.jobs.submit(
        call.user_id,
        data.relationships.project.data.id,
        data.attributes.model_dump(include=ANNOTATIONS),
        data.attributes.job_type,
        data.attributes.definition.model_dump(exclude_none=True),
    )
    return JOBS.reply_whole(call, 202, job_id)


def _get_status(call: NexusCall) -> Reply:
    services, reader, job_id = call.services, reader_of(call), call.path["id"]
    status = job_status(services, reader, job_id)
    # A client that finds a short job done need not open a websocket, or wait between
    # two reads.
    if not states.is_final(status["status"]) and services.execution.ends_soon(job_id):
        status = job_status(services, reader, job_id)
    return Reply(200, status)


def _cancel(call: NexusCall) -> Reply:
    call.services.jobs.cancel(reader_of(call), call.path["id"])
    return Reply(202, {"message": "The job is cancelled."})


def _retry(call: NexusCall) -> Reply:
    retry = call.parse(Retry)
    call.services.jobs.retry(
        reader_of(call), call.path["id"], retry.retry_status, retry.user_group
    )
    return Reply(202, {"message": "The job is queued again."})


def _delete(call: NexusCall) -> Reply:
    call.services.jobs.delete(reader_of(call), call.path["id"])
    return Reply(204)


def _runtime_traces(call: NexusCall) -> Reply:
    key = call.path["id"]
    with call.services.store.read() as tx:
        item = tx.get("job_items", key)
        if item is None:
            raise not_found("job item", key)
        require(tx, reader_of(call), item["job_id"])
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
    if "queue_position" in job:
        position = job["queue_position"]
    else:
        position = services.jobs.queue_position(tx, job)
    status = _state(job)
    return status if position is None else status | {"queue_position": position}


def _state(row: Row) -> Json:
    """Return the status of a job or item; what is not known yet is left out."""
    names = ("status", "message", "error_detail", "cost", "cost_confidence")
    known = {name: row[name] for name in names if row.get(name) is not None}
    return known | {name: to_iso(moment) for name, moment in row["times"].items()}


def _list_all(call: NexusCall) -> Reply:
    services = call.services
    latest = whole(call.query, "latest", _ALL, least=1, most=_ALL)
    services.execution.settle()
    with services.store.read() as tx:
        rows = page(tx, "jobs", Filters(), Page(size=latest))
        _prepare(services, tx, rows)
        projects = by_ids(tx, "projects", {row["project_id"] for row in rows})
        jobs = [
            {
                "id": row["id"],
                "name": row["name"],
                "project_id": row["project_id"],
                "project": projects[row["project_id"]]["name"],
                "job_type": row["job_type"],
                "status": row["status"],
                "queue_position": row["queue_position"],
                "cost": row["cost"],
                "created": to_iso(row["created"]),
                "items": queries.item_states(tx, row["id"]),
            }
            for row in reversed(rows)
        ]
    return Reply(200, jobs)


def _set_status(call: NexusCall) -> Reply:
    forced = call.parse(ForcedStatus)
    call.services.jobs.set_status(
        call.path["id"],
        forced.status,
        forced.message,
        forced.error_detail,
        forced.item,
    )
    return Reply(204)


def _set_runtime_traces(call: NexusCall) -> Reply:
    body = call.parse(RuntimeTraces)
    traces = json.dumps(body.shots)
    call.services.jobs.set_runtime_traces(call.path["id"], body.item, traces)
    return Reply(204)


def _expire_results(call: NexusCall) -> Reply:
    call.services.jobs.expire_results(call.path["id"])
    return Reply(204)


_endpoint = partial(Endpoint, waits=True)

ENDPOINTS = [
    *JOBS.reading(),
    _endpoint("POST", JOBS.path, _create, body=NewInProject[JobAttributes]),
    _endpoint("DELETE", JOBS.one, _delete),
    _endpoint("GET", f"{JOBS.one}/attributes/status", _get_status, query=("scope",)),
    _endpoint("POST", f"{JOBS.one}/rpc/cancel", _cancel),
    Endpoint(
        "GET",
        "/api/job_items/v1beta/{id}/runtime_traces",
        _runtime_traces,
        query=("scope",),
    ),
    _endpoint("POST", f"{JOBS.one}/rpc/retry", _retry, body=Retry),
    admin("GET", "jobs", _list_all, query=("latest",)),
    admin("PUT", "jobs/{id}/status", _set_status, ForcedStatus),
    admin("DELETE", "jobs/{id}/results", _expire_results),
    admin("PUT", "jobs/{id}/traces", _set_runtime_traces, RuntimeTraces),
]
