"""Who may do what: roles, and what they permit on projects and their contents."""

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import Any

import sqlalchemy as sa

from local_cloud.errors import ApiError, blaming, not_found
from local_cloud.store import Row, Store, Transaction
from local_nexus.api.filters import assigned_to
from local_nexus.users.tables import assignments

_NAMESPACE = uuid.UUID("6f1c6a9e-4f3b-4d0c-9a39-6c0d8a3c7e11")


@dataclass(frozen=True)
class Role:
    """A role as Nexus names it, see ``qnexus.client.roles``.

    :param name: Its name.
    :param description: What it is for.
    :param permissions: Of ``ASSIGN``, ``DELETE``, ``WRITE``, ``READ``.
    """

    name: str
    description: str
    permissions: tuple[str, ...]

    @property
    def id(self) -> str:
        """The id, the same in every instance."""
        return str(uuid.uuid5(_NAMESPACE, self.name))


ROLES = [
    Role(
        "Administrator",
        "May do everything, giving roles to others included.",
        ("ASSIGN", "DELETE", "WRITE", "READ"),
    ),
    Role("Maintainer", "May read, change and delete.", ("DELETE", "WRITE", "READ")),
    Role("Contributor", "May read and change.", ("WRITE", "READ")),
    Role("Reader", "May read.", ("READ",)),
]
_BY_ID = {role.id: role for role in ROLES}
OWNER = ROLES[0]

NOBODY = ""
"""The id of a user who sees nothing."""

SCOPES = ("user", "org_admin", "global_admin", "highest")
# The tables whose rows roles can be assigned on.
_ASSIGNABLE = ("projects", "uploads", "jobs")


class Roles:
    """Checks permissions and assigns roles.

    :param store: Where assignments are kept.
    """

    def __init__(self, store: Store) -> None:
        self._store = store

    def reader(self, user_id: str, scope: str) -> str | None:
        """Return whose eyes a request looks with; None for those that see all.

        With a scope of administrators others see nothing, as on Nexus.

        :raises ApiError: 422 if there is no such scope.
        """
        if scope == "user":
            return user_id
        if scope not in SCOPES:
            raise ApiError(
                422,
                f"There is no scope {scope!r}: take one of {', '.join(SCOPES)}.",
                field="scope",
            )
        with self._store.read() as tx:
            user = tx.get("users", user_id)
        if user is not None and user["admin"]:
            return None
        return user_id if scope == "highest" else NOBODY

    def assignments(self, reader: str | None, resource_id: str) -> list[Row]:
        """Return the assignments on a resource.

        :raises ApiError: 404 if the reader cannot see it.
        """
        with self._store.read() as tx:
            _require_any(tx, reader, resource_id, "READ")
            return tx.find("assignments", resource_id=resource_id)

    def assign(
        self,
        user_id: str | None,
        resource_id: str,
        role_id: str,
        *,
        to_user: str | None = None,
        to_team: str | None = None,
    ) -> Row:
        """Give a role on a resource to a user or to a team, in place of any before.

        Who made the resource keeps the role of the owner beside it.

        :param user_id: Who gives it; None for one who may do everything.
        :raises ApiError: 403 or 404 if something is not permitted or not there.
        """
        if role_id not in _BY_ID:
            raise not_found("role", role_id, field="role_id")
        with self._store.write() as tx:
            with blaming("resource_id"):
                row = _require_any(tx, user_id, resource_id, "ASSIGN")
            if to_user is not None and tx.get("users", to_user) is None:
                raise not_found("user", to_user, field="for_user_id")
            if to_team is not None and tx.get("teams", to_team) is None:
                raise not_found("team", to_team, field="team_id")
            return grant(
                tx,
                resource_id,
                role_id,
                to_user=to_user,
                to_team=to_team,
                owns=to_user == row["creator_id"],
            )


def grant(
    tx: Transaction,
    resource_id: str,
    role_id: str,
    *,
    to_user: str | None = None,
    to_team: str | None = None,
    owns: bool = False,
) -> Row:
    """Store an assignment, in place of an earlier one to the same user or team.

    :param owns: Whether the user made the resource, and stays its administrator.
    """
    place = {"resource_id": resource_id, "user_id": to_user, "team_id": to_team}
    kept = OWNER.id if owns and role_id != OWNER.id else None
    for before in tx.find("assignments", resource_id=resource_id):
        same = before["user_id"] == to_user and before["team_id"] == to_team
        if same and before["role_id"] != kept:
            tx.delete("assignments", id=before["id"])
    row = {**place, "id": str(uuid.uuid4()), "role_id": role_id}
    tx.insert("assignments", row)
    return row


def permit(tx: Transaction, user_id: str | None, row: Row, permission: str) -> None:
    """Check that a user may do something with a resource or with its project.

    :param user_id: The user; None for one who may do everything.
    :param row: Of the resource.
    :raises ApiError: 404 if the user may not even read it, 403 otherwise.
    """
    if user_id is not None:
        ids = [row["id"], row.get("project_id", row["id"])]
        given = tx.values(_roles(), {"user": user_id, "resources": ids})
        check(set(given), row, permission)


def check(role_ids: Iterable[str], row: Row, permission: str) -> None:
    """Check that roles permit something on a resource.

    :raises ApiError: 404 if they do not even permit reading it, 403 otherwise.
    """
    granted = {it for role_id in role_ids for it in _BY_ID[role_id].permissions}
    if permission in granted:
        return
    if not granted:
        raise not_found("resource", row["id"])
    raise ApiError(
        403, f"{row.get('name', row['id'])!r} takes the permission {permission}."
    )


def require(
    tx: Transaction,
    user_id: str | None,
    table: str,
    noun: str,
    key: str,
    permission: str = "READ",
) -> Row:
    """Return a row that a user may do something with.

    :param user_id: The user; None for one who may do everything.
    :param noun: What it is called, for errors.
    :raises ApiError: 404 if it is not there for the user, 403 if not permitted.
    """
    row = tx.get(table, key)
    if row is None:
        raise not_found(noun, key)
    permit(tx, user_id, row, permission)
    return row


def _require_any(
    tx: Transaction, user_id: str | None, key: str, permission: str
) -> Row:
    for table in _ASSIGNABLE:
        row = tx.get(table, key)
        if row is not None:
            permit(tx, user_id, row, permission)
            return row
    raise not_found("resource", key)


@cache
def _roles() -> sa.Select[Any]:
    """Return the statement for the roles of ``user`` on any of ``resources``."""
    return sa.select(assignments.c.role_id).where(
        assignments.c.resource_id.in_(sa.bindparam("resources", expanding=True)),
        assigned_to(sa.bindparam("user", type_=sa.String)),
    )
