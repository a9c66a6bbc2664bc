"""Results of execute jobs."""

import json
from typing import Any

from local_cloud.errors import ApiError, not_found
from local_cloud.store import Row
from local_cloud.web.endpoint import Endpoint, Reply
from local_cloud.web.query import last, whole
from local_nexus.api.jsonapi import Json, document, link
from local_nexus.jobs.service import require
from local_nexus.resource import NexusCall, reader_of

# Shots in one part of a long result.
CHUNK = 1000


def _pytket(call: NexusCall) -> Reply:
    row = _stored(call, "PYTKET")
    return Reply(200, _result(row, json.loads(row["contents"])))


def _qsys(call: NexusCall) -> Reply:
    row = _stored(call, "QSYS")
    versions = json.loads(row["contents"])
    version = last(call.query, "version", str, "3")
    if version not in versions:
        raise ApiError(
            422,
            f"There is no result version {version!r}: take {' or '.join(versions)}.",
            field="version",
        )
    chunk = _chunk(versions[version], call)
    return Reply(200, _result(row, {"results": chunk}))


def _chunk(shots: Any, call: NexusCall) -> Any:
    """Return one part of a result; the text of a QIR program is one part."""
    number = whole(call.query, "chunk_number", 0, least=0, most=2**31)
    parts: list[Any] = [shots]
    if not isinstance(shots, str):
        parts = [shots[i : i + CHUNK] for i in range(0, len(shots), CHUNK)] or [[]]
    if number >= len(parts):
        raise not_found("part of this result with number", str(number))
    return parts[number]


def _stored(call: NexusCall, result_type: str) -> Row:
    key = call.path["id"]
    with call.services.store.read() as tx:
        row = tx.get("results", key)
        if row is None or row["result_type"] != result_type:
            raise not_found(f"{result_type} result", key)
        require(tx, reader_of(call), row["job_id"])
    if row["contents"] is None:
        raise ApiError(410, f"The data of result {key!r} is no longer available.")
    return row


def _result(row: Row, attributes: Json) -> Json:
    data = {
        "type": "result",
        "id": row["id"],
        "attributes": attributes,
        "relationships": {
            "program": link(row["program_type"], row["program_id"]),
            "job": link("job", row["job_id"]),
        },
    }
    snapshot = {
        "type": "backend_snapshot",
        "id": row["id"],
        "attributes": json.loads(row["backend_info"] or "{}"),
    }
    return document(data, [snapshot])


ENDPOINTS = [
    Endpoint("GET", "/api/results/v1beta3/{id}", _pytket),
    Endpoint(
        "GET",
        "/api/qsys_results/v1beta2/partial/{id}",
        _qsys,
        query=("version", "chunk_number", "scope"),
    ),
]
