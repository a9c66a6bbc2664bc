"""Projects and the definitions of their properties."""

from dataclasses import replace

from local_cloud.web.endpoint import Endpoint, Reply
from local_cloud.web.query import flag
from local_nexus.api.filters import Filters
from local_nexus.api.jsonapi import link, project_attributes
from local_nexus.api.models import Annotations, Change, NewInProject
from local_nexus.projects.models import ProjectChanges, PropertyDefinition
from local_nexus.resource import NexusCall, Resource, reader_of


def _restrict(call: NexusCall, filters: Filters) -> Filters:
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


def _create(call: NexusCall) -> Reply:
    new = call.parse(Change[Annotations]).data.attributes
    row = call.services.projects.create(call.user_id, new.model_dump())
    return PROJECTS.reply(call, 201, row)


def _update(call: NexusCall) -> Reply:
    changes = call.parse(Change[ProjectChanges]).data.attributes
    given = changes.model_dump(exclude_none=True)
    row = call.services.projects.update(reader_of(call), call.path["id"], given)
    return PROJECTS.reply(call, 200, row)


def _delete(call: NexusCall) -> Reply:
    items = call.services.projects.delete(reader_of(call), call.path["id"])
    call.services.execution.drop(items)
    return Reply(204)


def _define(call: NexusCall) -> Reply:
    data = call.parse(NewInProject[PropertyDefinition]).data
    row = call.services.projects.define_property(
        call.user_id,
        data.relationships.project.data.id,
        data.attributes.model_dump(),
    )
    return _DEFINITIONS.reply(call, 201, row)


ENDPOINTS = [
    *PROJECTS.reading(),
    Endpoint("POST", PROJECTS.path, _create, body=Change[Annotations]),
    Endpoint("PATCH", PROJECTS.one, _update, body=Change[ProjectChanges]),
    Endpoint("DELETE", PROJECTS.one, _delete),
    *_DEFINITIONS.reading(),
    Endpoint(
        "POST",
        _DEFINITIONS.path,
        _define,
        body=NewInProject[PropertyDefinition],
    ),
]
