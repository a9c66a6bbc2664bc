"""What compile jobs made."""

from __future__ import annotations

from local_nexus.clock import to_iso
from local_nexus.errors import ApiError
from local_nexus.jsonapi import Json, document, last, link
from local_nexus.routes.endpoint import Call, Endpoint, Reply
from local_nexus.routes.resource import Resource, owners
from local_nexus.store import Row

_OF = "filter[compilation][id]"


def _circuits(row: Row) -> Json:
    return {
        "original_circuit": link("circuit", row["original_circuit_id"]),
        "compiled_circuit": link("circuit", row["compiled_circuit_id"]),
    }


_COMPILATIONS = Resource(
    "compilation",
    "/api/compilations/v1beta3",
    "compilations",
    relationships=lambda row: (
        owners(row) | _circuits(row) | {"job": link("job", row["job_id"])}
    ),
)


def _passes(call: Call) -> Reply:
    key = last(call.query, _OF, str, None)
    if key is None:
        raise ApiError(
            422,
            f"Say of which compilation: {_OF} is missing.",
            field=_OF,
        )
    with call.services.store.read() as tx:
        _COMPILATIONS.require(tx, call.reader, key)
        rows = tx.find("compilation_passes", compilation_id=key)
    return Reply(200, document([_pass(row) for row in rows]))


def _pass(row: Row) -> Json:
    return {
        "type": "compilation_pass",
        "id": row["id"],
        "attributes": {
            "pass_name": row["pass_name"],
            "timestamps": {"created": to_iso(row["created"])},
        },
        "relationships": _circuits(row)
        | {"compilation": link("compilation", row["compilation_id"])},
    }


ENDPOINTS = [
    *_COMPILATIONS.reading(),
    Endpoint("GET", "/api/compilation_passes/v1beta2", _passes, query=("scope", _OF)),
]
