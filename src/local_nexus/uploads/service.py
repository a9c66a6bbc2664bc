"""Uploads: circuits, HUGR and QIR programs, WASM modules, GPU decoder configs."""

import sqlalchemy as sa

from local_cloud.clock import Clock
from local_cloud.errors import not_found
from local_cloud.store import Row, Store, Transaction
from local_nexus.projects import service as projects
from local_nexus.uploads.tables import uploads
from local_nexus.users import roles


class Uploads:
    """Stores and changes what users upload into projects.

    :param store: Where it is kept.
    :param clock: The time of changes.
    """

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    def create(
        self,
        user_id: str,
        kind: str,
        project_id: str,
        annotations: Row,
        contents: bytes,
    ) -> tuple[Row, Row]:
        """Add an upload to a project.

        :param kind: Such as ``circuit`` or ``hugr``.
        :returns: The upload and its project.
        """
        now = self._clock.now()
        row = {
            **projects.new_row(user_id, annotations, now),
            "kind": kind,
            "project_id": project_id,
            "contents": contents,
        }
        with self._store.write() as tx:
            project = projects.open_for_contents(
                tx, user_id, project_id, row["properties"], now
            )
            tx.insert("uploads", row)
        return row, project

    def update(
        self, user_id: str | None, kind: str, upload_id: str, changes: Row
    ) -> tuple[Row, Row]:
        """Change the annotations of an upload.

        :returns: The upload and its project.
        """
        now = self._clock.now()
        with self._store.write() as tx:
            row = require(tx, user_id, kind, upload_id, "WRITE")
            properties: Row = (row | changes)["properties"]
            project = projects.open_for_contents(
                tx, None, row["project_id"], properties, now
            )
            changes = {**changes, "modified": now}
            tx.update("uploads", upload_id, changes)
        return row | changes, project


def require(
    tx: Transaction,
    user_id: str | None,
    kind: str,
    upload_id: str,
    permission: str = "READ",
) -> Row:
    """Return an upload of a kind that a user may do something with.

    :raises ApiError: 404 if it is not there for the user, 403 if not permitted.
    """
    row = roles.require(tx, user_id, "uploads", kind, upload_id, permission)
    if row["kind"] != kind:
        raise not_found(kind, upload_id)
    return row


def bytes_stored(tx: Transaction, user_id: str) -> int:
    """Return the size of all that a user has uploaded, in bytes."""
    size = sa.func.sum(sa.func.length(uploads.c.contents))
    query = sa.select(sa.func.coalesce(size, 0)).where(uploads.c.creator_id == user_id)
    return int(tx.value(query))
