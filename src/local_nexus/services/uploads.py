"""Uploads: circuits, HUGR and QIR programs, WASM modules, GPU decoder configs."""

from __future__ import annotations

import uuid

from local_nexus.clock import Clock
from local_nexus.errors import not_found
from local_nexus.services import projects
from local_nexus.store import Row, Store


class Uploads:
    """Stores and changes what users upload into projects.

    :param store: where it is kept.
    :param clock: the time of changes.
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

        :param kind: such as ``circuit`` or ``hugr``.
        :returns: the upload and its project.
        """
        now = self._clock.now()
        row = {
            **annotations,
            "id": str(uuid.uuid4()),
            "kind": kind,
            "project_id": project_id,
            "creator_id": user_id,
            "created": now,
            "modified": now,
            "contents": contents,
        }
        with self._store.write() as tx:
            project = projects.open_for_contents(tx, project_id, now)
            tx.insert("uploads", row)
        return row, project

    def update(self, kind: str, upload_id: str, changes: Row) -> tuple[Row, Row]:
        """Change the annotations of an upload.

        :returns: the upload and its project.
        """
        with self._store.write() as tx:
            row = tx.get("uploads", upload_id)
            if row is None or row["kind"] != kind:
                raise not_found(kind, upload_id)
            now = self._clock.now()
            changes = {**changes, "modified": now}
            tx.update("uploads", upload_id, changes)
            project = projects.open_for_contents(tx, row["project_id"], now)
        return row | changes, project
