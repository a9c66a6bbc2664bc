"""What compile jobs made."""

from local_cloud.clock import to_iso
from local_cloud.errors import ApiError
from local_cloud.store import Row
from local_cloud.web.endpoint import Endpoint, Reply
from local_cloud.web.query import last
from local_nexus.api.jsonapi import Json, document, link
from local_nexus.resource import NexusCall, Resource, owners, reader_of

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


def _passes(call: NexusCall) -> Reply:
    key = last(call.query, _OF, str, None)
    if key is None:
        raise ApiError(
            422,
            f"Say of which compilation: {_OF} is missing.",
            field=_OF,
        )
    with call.services.store.read() as tx:
        _COMPILATIONS.require(tx, reader_of(call), key)
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
