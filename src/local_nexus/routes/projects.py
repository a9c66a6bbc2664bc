"""Projects and the definitions of their properties."""

from dataclasses import replace

from local_nexus import bodies
from local_nexus.jsonapi import flag, link, project_attributes
from local_nexus.routes.endpoint import Call, Endpoint, Reply
from local_nexus.routes.resource import Resource
from local_nexus.store import Filters


def _restrict(call: Call, filters: Filters) -> Filters:
    own_column = {"project_id": "id"}
    any_of = {own_column.get(it, it): values for it, values in filters.any_of.items()}
    filters = replace(filters, any_of=any_of)
    if flag(call.query, "filter[archived]"):
        return filters
    return replace(filters, equal={"archived": False})


PROJECTS = Resource(
    "project",
    "/api/projects/v1beta2",
    "projects",
    summary=lambda _services, _tx, row: project_attributes(row),
    relationships=lambda row: {"creator": link("user", row["creator_id"])},
    flags=("filter[archived]",),
    restrict=_restrict,
)

_DEFINITIONS = Resource(
    "property",
    "/api/property_definitions/v1beta2",
    "property_definitions",
    summary=lambda _services, _tx, row: {
        name: row[name] for name in ("property_type", "required", "color")
    },
)


def _create(call: Call) -> Reply:
    new = call.parse(bodies.Change[bodies.Annotations]).data.attributes
    row = call.services.projects.create(call.user_id, new.model_dump())
    return PROJECTS.reply(call, 201, row)


def _update(call: Call) -> Reply:
    changes = call.parse(bodies.Change[bodies.ProjectChanges]).data.attributes
    given = changes.model_dump(exclude_none=True)
    row = call.services.projects.update(call.reader, call.path["id"], given)
    return PROJECTS.reply(call, 200, row)


def _delete(call: Call) -> Reply:
    items = call.services.projects.delete(call.reader, call.path["id"])
    call.services.execution.drop(items)
    return Reply(204)


def _define(call: Call) -> Reply:
    data = call.parse(bodies.NewInProject[bodies.PropertyDefinition]).data
    row = call.services.projects.define_property(
        call.user_id,
        data.relationships.project.data.id,
        data.attributes.model_dump(),
    )
    return _DEFINITIONS.reply(call, 201, row)


ENDPOINTS = [
    *PROJECTS.reading(),
    Endpoint("POST", PROJECTS.path, _create, body=bodies.Change[bodies.Annotations]),
    Endpoint("PATCH", PROJECTS.one, _update, body=bodies.Change[bodies.ProjectChanges]),
    Endpoint("DELETE", PROJECTS.one, _delete),
    *_DEFINITIONS.reading(),
    Endpoint(
        "POST",
        _DEFINITIONS.path,
        _define,
        body=bodies.NewInProject[bodies.PropertyDefinition],
    ),
]
