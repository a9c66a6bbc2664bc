"""Projects: what everything else belongs to."""

import uuid
from functools import cache
from typing import Any

import sqlalchemy as sa

from local_cloud.clock import Clock
from local_cloud.errors import ApiError, blaming, not_found
from local_cloud.store import Row, Store, Transaction
from local_nexus.api.filters import assigned_to
from local_nexus.jobs.queries import items_in_project
from local_nexus.projects.tables import projects, property_definitions
from local_nexus.users import roles
from local_nexus.users.tables import assignments

# Where a request says to which project something is added.
_PROJECT_FIELD = "data.relationships.project.data.id"
# The Python types of the values of a property, by the type of its definition.
_PROPERTY_TYPES: dict[str, tuple[type, ...]] = {
    "bool": (bool,),
    "int": (int,),
    "float": (int, float),
    "string": (str,),
}


class Projects:
    """Creates, changes and deletes projects, and defines their properties.

    :param store: Where they are kept.
    :param clock: The time of their changes.
    """

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    def create(self, user_id: str, annotations: Row) -> Row:
        """Add a project. Two may have the same name, as in Nexus."""
        now = self._clock.now()
        row = {
            **new_row(user_id, annotations, now),
            "contents_modified": now,
            "archived": False,
        }
        with self._store.write() as tx:
            tx.insert("projects", row)
            roles.grant(tx, row["id"], roles.OWNER.id, to_user=user_id)
        return row

    def update(self, user_id: str | None, project_id: str, changes: Row) -> Row:
        """Change name, description, properties or whether it is archived."""
        with self._store.write() as tx:
            project = require(tx, user_id, project_id, "WRITE")
            changes = {**changes, "modified": self._clock.now()}
            tx.update("projects", project_id, changes)
        return project | changes

    def delete(self, user_id: str | None, project_id: str) -> list[str]:
        """Remove an archived project with all that belongs to it.

        :returns: The ids of the job items that went with it.
        :raises ApiError: 409 if it is not archived.
        """
        with self._store.write() as tx:
            project = require(tx, user_id, project_id, "DELETE")
            if not project["archived"]:
                raise ApiError(
                    409,
                    f"Project {project['name']!r} is not archived: archive it before "
                    "deleting it.",
                )
            items = items_in_project(tx, project_id)
            tx.delete("projects", id=project_id)
            tx.delete("assignments", resource_id=project_id)
        return items

    def define_property(self, user_id: str, project_id: str, definition: Row) -> Row:
        """Add the definition of a property.

        :raises ApiError: 409 if the project has one of this name.
        """
        now = self._clock.now()
        row = {**new_row(user_id, definition, now), "project_id": project_id}
        with self._store.write() as tx:
            with blaming(_PROJECT_FIELD):
                _require_open(require(tx, user_id, project_id, "WRITE"))
            if any(
                known["name"] == row["name"] for known in _definitions(tx, project_id)
            ):
                raise ApiError(
                    409,
                    f"The project has a property {row['name']!r} already.",
                    field="data.attributes.name",
                )
            tx.insert("property_definitions", row)
        return row


def new_id() -> str:
    """Return an id that nothing has."""
    return str(uuid.uuid4())


def new_row(user_id: str, attributes: Row, now: int) -> Row:
    """Return the columns of a new annotated resource."""
    return {
        "properties": {},
        **attributes,
        "id": new_id(),
        "creator_id": user_id,
        "created": now,
        "modified": now,
    }


def require(
    tx: Transaction, user_id: str | None, project_id: str, permission: str = "READ"
) -> Row:
    """Return a project that a user may do something with.

    :raises ApiError: 404 if it is not there for the user, 403 if not permitted.
    """
    return roles.require(tx, user_id, "projects", "project", project_id, permission)


def open_for_contents(
    tx: Transaction, user_id: str | None, project_id: str, properties: Row, now: int
) -> Row:
    """Return a project that is about to get new contents, and note the time.

    :param user_id: Who adds them; None for one who may do everything.
    :param properties: Of the new contents.
    :raises ApiError: 404 or 403 if the user may not write, 409 if it is archived, 422
        if the properties do not fit.
    """
    with blaming(_PROJECT_FIELD):
        rows = tx.rows(_for_writing(), {"project": project_id, "user": user_id})
        if not rows:
            raise not_found("project", project_id)
        role_ids = {row.pop("role_id") for row in rows} - {None}
        project = rows[0]
        definitions = project.pop("definitions")
        if user_id is not None:
            roles.check(role_ids, project, "WRITE")
        _require_open(project)
    if properties or definitions:
        _check_properties(tx, project_id, properties)
    tx.update("projects", project_id, {"contents_modified": now})
    return project | {"contents_modified": now}


def _require_open(project: Row) -> None:
    if project["archived"]:
        raise ApiError(
            409,
            f"Project {project['name']!r} is archived and takes nothing new.",
        )


def _check_properties(tx: Transaction, project_id: str, properties: Row) -> None:
    """Check the properties of a resource against the definitions of its project.

    :raises ApiError: 422 if one is not defined, of another type, or missing.
    """
    definitions = {
        definition["name"]: definition for definition in _definitions(tx, project_id)
    }
    for name, value in properties.items():
        if name not in definitions:
            raise _wrong_property(
                name, f"The project does not define the property {name!r}."
            )
        expected = definitions[name]["property_type"]
        if not _has_type(value, expected):
            raise _wrong_property(
                name, f"The property {name!r} is of type {expected}, not {value!r}."
            )
    for name, definition in definitions.items():
        if definition["required"] and name not in properties:
            raise _wrong_property(
                name, f"The property {name!r} is required in this project."
            )


def _definitions(tx: Transaction, project_id: str) -> list[Row]:
    return tx.find("property_definitions", project_id=project_id)


def _has_type(value: object, expected: str) -> bool:
    # To Python a bool is an int; to Nexus it is not.
    if isinstance(value, bool):
        return expected == "bool"
    return isinstance(value, _PROPERTY_TYPES[expected])


def _wrong_property(name: str, message: str) -> ApiError:
    return ApiError(422, message, field=f"data.attributes.properties.{name}")


@cache
def _for_writing() -> sa.Select[Any]:
    """Return the statement for a ``project`` with all that a write to it depends on.

    Beside the project it gives the roles of ``user``, one in each row, and the number
    of property definitions: one statement costs half as much as three.
    """
    granted = sa.and_(
        assignments.c.resource_id == projects.c.id,
        assigned_to(sa.bindparam("user", type_=sa.String)),
    )
    defined = (
        sa.select(sa.func.count())
        .where(property_definitions.c.project_id == projects.c.id)
        .scalar_subquery()
    )
    return (
        sa.select(projects, assignments.c.role_id, defined.label("definitions"))
        .select_from(projects.outerjoin(assignments, granted))
        .where(projects.c.id == sa.bindparam("project"))
    )
