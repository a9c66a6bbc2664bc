"""Projects."""

from dataclasses import replace

from local_nexus import bodies
from local_nexus.jsonapi import document, filters_of, flag, page_of, project_resource
from local_nexus.routes.endpoint import Call, Endpoint, Reply
from local_nexus.services.projects import require
from local_nexus.store import Filters, Row

_PATH = "/api/projects/v1beta2"
_ONE = f"{_PATH}/{{id}}"


def _filters(call: Call) -> Filters:
    filters = filters_of(call.query)
    if flag(call.query, "filter[archived]"):
        return filters
    return replace(filters, equal={"archived": False})


def _list(call: Call) -> Reply:
    with call.services.store.read() as tx:
        rows = tx.page("projects", _filters(call), page_of(call.query))
    return Reply(200, document([project_resource(row) for row in rows]))


def _count(call: Call) -> Reply:
    with call.services.store.read() as tx:
        return Reply(200, {"count": tx.count("projects", _filters(call))})


def _get(call: Call) -> Reply:
    with call.services.store.read() as tx:
        return _shown(200, require(tx, call.path["id"]))


def _create(call: Call) -> Reply:
    new = call.parse(bodies.Change[bodies.Annotations]).data.attributes
    return _shown(201, call.services.projects.create(call.user_id, new.model_dump()))


def _update(call: Call) -> Reply:
    changes = call.parse(bodies.Change[bodies.ProjectChanges]).data.attributes
    given = changes.model_dump(exclude_none=True)
    return _shown(200, call.services.projects.update(call.path["id"], given))


def _delete(call: Call) -> Reply:
    call.services.projects.delete(call.path["id"])
    return Reply(204)


def _shown(status: int, row: Row) -> Reply:
    return Reply(status, document(project_resource(row)))


ENDPOINTS = [
    Endpoint("GET", _PATH, _list),
    Endpoint("POST", _PATH, _create, body=bodies.Change[bodies.Annotations]),
    Endpoint("GET", f"{_PATH}/meta/count", _count),
    Endpoint("GET", _ONE, _get),
    Endpoint("PATCH", _ONE, _update, body=bodies.Change[bodies.ProjectChanges]),
    Endpoint("DELETE", _ONE, _delete),
]
