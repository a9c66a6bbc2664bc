"""Users, teams, roles and who has which role on what."""

from __future__ import annotations

from local_nexus import bodies
from local_nexus.jsonapi import Json, document, last
from local_nexus.routes.endpoint import Call, Endpoint, Reply
from local_nexus.services.access import ROLES
from local_nexus.store import Row

_TEAMS = "/api/teams/v1beta2"


def _plain(kind: str, key: str, attributes: Json) -> Json:
    """Return a resource that has no annotations and belongs to no project."""
    return {"type": kind, "id": key, "attributes": attributes, "relationships": {}}


def _user(row: Row) -> Json:
    attributes = {"display_name": row["display_name"], "email": row["email"]}
    return _plain("user", row["id"], attributes)


def _team(row: Row) -> Json:
    names = ("name", "display_name", "description")
    return _plain("team", row["id"], {name: row[name] for name in names})


def _me(call: Call) -> Reply:
    return Reply(200, document(_user(call.services.users.find(call.user_id))))


def _get_user(call: Call) -> Reply:
    return Reply(200, document(_user(call.services.users.find(call.path["id"]))))


def _list_teams(call: Call) -> Reply:
    name = last(call.query, "filter[team][name]", str, None)
    teams = call.services.teams.of(call.reader, name)
    return Reply(200, document([_team(row) for row in teams]))


def _get_team(call: Call) -> Reply:
    return Reply(200, document(_team(call.services.teams.get(call.path["id"]))))


def _create_team(call: Call) -> Reply:
    attributes = call.parse(bodies.Change[bodies.TeamAttributes]).data.attributes
    row = call.services.teams.create(call.user_id, attributes.model_dump())
    return Reply(201, document(_team(row)))


def _list_roles(_call: Call) -> Reply:
    roles = [
        _plain(
            "role",
            role.id,
            {
                "name": role.name,
                "description": role.description,
                "permissions": list(role.permissions),
            },
        )
        for role in ROLES
    ]
    return Reply(200, document(roles))


def _assignments(call: Call) -> Reply:
    key = call.path["id"]
    rows = call.services.access.assignments(call.reader, key)
    to_users = [row for row in rows if row["user_id"] is not None]
    to_teams = [row for row in rows if row["team_id"] is not None]
    public = [row for row in rows if row not in to_users and row not in to_teams]
    attributes = {
        "user_role_assignments": [_assignment(row, "user_id") for row in to_users],
        "team_role_assignments": [_assignment(row, "team_id") for row in to_teams],
        "public_role_assignments": [_assignment(row) for row in public],
    }
    return Reply(200, document(_plain("assignments", key, attributes)))


def _assignment(row: Row, *assignee: str) -> Json:
    return {name: row[name] for name in ("id", "resource_id", "role_id", *assignee)}


def _assign_team(call: Call) -> Reply:
    body = call.parse(bodies.TeamAssignment)
    row = call.services.access.assign(
        call.reader, body.resource_id, body.role_id, to_team=body.team_id
    )
    return Reply(201, _assignment(row, "team_id"))


def _assign_user(call: Call) -> Reply:
    body = call.parse(bodies.UserAssignment)
    row = call.services.access.assign(
        call.reader, body.resource_id, body.role_id, to_user=body.for_user_id
    )
    return Reply(201, _assignment(row, "user_id"))


ENDPOINTS = [
    Endpoint("GET", "/api/users/v1beta2/me", _me),
    Endpoint("GET", "/api/users/v1beta/{id}", _get_user),
    Endpoint("GET", _TEAMS, _list_teams, query=("scope", "filter[team][name]")),
    Endpoint("POST", _TEAMS, _create_team, body=bodies.Change[bodies.TeamAttributes]),
    Endpoint("GET", f"{_TEAMS}/{{id}}", _get_team),
    Endpoint("GET", "/api/roles/v1beta", _list_roles),
    Endpoint("GET", "/api/resources/v1beta2/{id}/assignments", _assignments),
    Endpoint(
        "POST",
        "/api/assignments/v1beta2/team",
        _assign_team,
        body=bodies.TeamAssignment,
    ),
    Endpoint(
        "POST",
        "/api/assignments/v1beta2/user",
        _assign_user,
        body=bodies.UserAssignment,
    ),
]
