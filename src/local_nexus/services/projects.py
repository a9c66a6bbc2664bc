"""Projects: what everything else belongs to."""

from __future__ import annotations

import uuid

from local_nexus.clock import Clock
from local_nexus.errors import ApiError, not_found
from local_nexus.store import Filters, Row, Store, Transaction


class Projects:
    """Creates, changes and deletes projects.

    :param store: where they are kept.
    :param clock: the time of their changes.
    """

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    def create(self, user_id: str, annotations: Row) -> Row:
        """Add a project. Two may have the same name, as in Nexus."""
        now = self._clock.now()
        row = {
            **annotations,
            "id": str(uuid.uuid4()),
            "creator_id": user_id,
            "created": now,
            "modified": now,
            "contents_modified": now,
            "archived": False,
        }
        with self._store.write() as tx:
            tx.insert("projects", row)
        return row

    def update(self, project_id: str, changes: Row) -> Row:
        """Change name, description or whether it is archived."""
        with self._store.write() as tx:
            project = require(tx, project_id)
            changes = {**changes, "modified": self._clock.now()}
            tx.update("projects", project_id, changes)
        return project | changes

    def delete(self, project_id: str) -> None:
        """Remove an archived project with all that belongs to it.

        :raises ApiError: 409 if it is not archived.
        """
        with self._store.write() as tx:
            project = require(tx, project_id)
            if not project["archived"]:
                raise ApiError(
                    409,
                    f"Project {project['name']!r} is not archived: archive it before "
                    "deleting it.",
                )
            tx.delete("projects", Filters(equal={"id": project_id}))


def require(tx: Transaction, project_id: str) -> Row:
    """Return a project.

    :raises ApiError: 404 if there is none with this id.
    """
    project = tx.get("projects", project_id)
    if project is None:
        raise not_found("project", project_id)
    return project


def open_for_contents(tx: Transaction, project_id: str, now: int) -> Row:
    """Return a project that is about to get new contents, and note the time.

    :raises ApiError: 404 if there is none with this id, 409 if it is archived.
    """
    project = require(tx, project_id)
    if project["archived"]:
        raise ApiError(
            409,
            f"Project {project['name']!r} is archived and takes nothing new.",
            field="data.relationships.project.data.id",
        )
    tx.update("projects", project_id, {"contents_modified": now})
    return project | {"contents_modified": now}
