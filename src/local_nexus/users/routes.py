"""Users, teams, roles and who has which role on what."""

from local_cloud.store import Row
from local_cloud.web.endpoint import Endpoint, Reply, admin
from local_cloud.web.query import last
from local_nexus.api.jsonapi import Json, document
from local_nexus.api.models import Change
from local_nexus.resource import NexusCall, reader_of
from local_nexus.users.models import (
    Admin,
    NewUser,
    TeamAssignment,
    TeamAttributes,
    UserAssignment,
)
from local_nexus.users.roles import ROLES

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


def _me(call: NexusCall) -> Reply:
    return Reply(200, document(_user(call.services.users.find(call.user_id))))


def _get_user(call: NexusCall) -> Reply:
    return Reply(200, document(_user(call.services.users.find(call.path["id"]))))


def _list_teams(call: NexusCall) -> Reply:
    name = last(call.query, "filter[team][name]", str, None)
    teams = call.services.teams.of(reader_of(call), name)
    return Reply(200, document([_team(row) for row in teams]))


def _get_team(call: NexusCall) -> Reply:
    return Reply(200, document(_team(call.services.teams.get(call.path["id"]))))


def _create_team(call: NexusCall) -> Reply:
    attributes = call.parse(Change[TeamAttributes]).data.attributes
    row = call.services.teams.create(call.user_id, attributes.model_dump())
    return Reply(201, document(_team(row)))


def _list_roles(_call: NexusCall) -> Reply:
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


def _assignments(call: NexusCall) -> Reply:
    key = call.path["id"]
    rows = call.services.roles.assignments(reader_of(call), key)
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


def _assign_team(call: NexusCall) -> Reply:
    body = call.parse(TeamAssignment)
    row = call.services.roles.assign(
        reader_of(call), body.resource_id, body.role_id, to_team=body.team_id
    )
    return Reply(201, _assignment(row, "team_id"))


def _assign_user(call: NexusCall) -> Reply:
    body = call.parse(UserAssignment)
    row = call.services.roles.assign(
        reader_of(call), body.resource_id, body.role_id, to_user=body.for_user_id
    )
    return Reply(201, _assignment(row, "user_id"))


def _add_user(call: NexusCall) -> Reply:
    new = call.parse(NewUser)
    user = call.services.users.ensure(new.email, new.password, new.display_name)
    return Reply(201, {"id": user["id"]})


def _set_admin(call: NexusCall) -> Reply:
    user = call.services.users.find(call.path["user"])
    call.services.users.set_admin(user["id"], admin=call.parse(Admin).admin)
    return Reply(204)


def _join_team(call: NexusCall) -> Reply:
    team = call.services.teams.get(call.path["team"])
    user = call.services.users.find(call.path["user"])
    call.services.teams.add_member(team["id"], user["id"])
    return Reply(204)


ENDPOINTS = [
    Endpoint("GET", "/api/users/v1beta2/me", _me),
    Endpoint("GET", "/api/users/v1beta/{id}", _get_user),
    Endpoint("GET", _TEAMS, _list_teams, query=("scope", "filter[team][name]")),
    Endpoint("POST", _TEAMS, _create_team, body=Change[TeamAttributes]),
    Endpoint("GET", f"{_TEAMS}/{{id}}", _get_team),
    Endpoint("GET", "/api/roles/v1beta", _list_roles),
    Endpoint("GET", "/api/resources/v1beta2/{id}/assignments", _assignments),
    Endpoint(
        "POST",
        "/api/assignments/v1beta2/team",
        _assign_team,
        body=TeamAssignment,
    ),
    Endpoint(
        "POST",
        "/api/assignments/v1beta2/user",
        _assign_user,
        body=UserAssignment,
    ),
    admin("POST", "users", _add_user, NewUser),
    admin("PUT", "users/{user}/admin", _set_admin, Admin),
    admin("PUT", "teams/{team}/members/{user}", _join_team),
]
