"""Uploads: one set of routes for every kind."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable
from dataclasses import dataclass, replace

from pydantic import BaseModel

from local_nexus import bodies
from local_nexus.errors import ApiError, not_found
from local_nexus.jsonapi import (
    Json,
    document,
    filters_of,
    page_of,
    project_resource,
    resource,
)
from local_nexus.routes.endpoint import Call, Endpoint, Reply
from local_nexus.services.projects import require
from local_nexus.store import Filters, Row


def _read_circuit(attributes: bodies.OpenAttributes) -> bytes:
    return json.dumps(attributes.model_extra, separators=(",", ":")).encode()


def _read_base64(attributes: bodies.ContentAttributes) -> bytes:
    try:
        return base64.b64decode(attributes.contents, validate=True)
    except binascii.Error as error:
        raise ApiError(
            422,
            f"The contents are not in base64: {error}.",
            field="data.attributes.contents",
        ) from None


def _show_base64(contents: bytes) -> Json:
    return {"contents": base64.b64encode(contents).decode()}


@dataclass(frozen=True)
class Kind[A: bodies.Annotations]:
    """How one kind of upload travels.

    :param name: its type.
    :param path: where it is listed, read and changed.
    :param upload_path: where it is uploaded.
    :param attributes: the model of its attributes.
    :param read: takes the contents out of the attributes.
    :param show: turns the contents into attributes.
    """

    name: str
    path: str
    upload_path: str
    attributes: type[A]
    read: Callable[[A], bytes]
    show: Callable[[bytes], Json]

    def endpoints(self) -> list[Endpoint]:
        """Return the routes of this kind."""
        new: type[BaseModel] = bodies.NewInProject[self.attributes]  # type: ignore[name-defined]
        change = bodies.Change[bodies.AnnotationChanges]
        one = f"{self.path}/{{id}}"
        return [
            Endpoint("POST", self.upload_path, self._create, body=new),
            Endpoint("GET", self.path, self._list),
            Endpoint("GET", f"{self.path}/meta/count", self._count),
            Endpoint("GET", one, self._get),
            Endpoint("PATCH", one, self._update, body=change),
        ]

    def _filters(self, call: Call) -> Filters:
        return replace(filters_of(call.query), equal={"kind": self.name})

    def _list(self, call: Call) -> Reply:
        with call.services.store.read() as tx:
            rows = tx.page("uploads", self._filters(call), page_of(call.query))
            projects = tx.by_ids("projects", (row["project_id"] for row in rows))
        data = [self._resource(row, {}) for row in rows]
        return Reply(200, document(data, map(project_resource, projects.values())))

    def _count(self, call: Call) -> Reply:
        with call.services.store.read() as tx:
            return Reply(200, {"count": tx.count("uploads", self._filters(call))})

    def _get(self, call: Call) -> Reply:
        with call.services.store.read() as tx:
            row = tx.get("uploads", call.path["id"])
            if row is None or row["kind"] != self.name:
                raise not_found(self.name, call.path["id"])
            project = require(tx, row["project_id"])
        data = self._resource(row, self.show(row["contents"]))
        return Reply(200, document(data, [project_resource(project)]))

    def _create(self, call: Call) -> Reply:
        data = call.parse(bodies.NewInProject[self.attributes]).data  # type: ignore[name-defined]
        row, project = call.services.uploads.create(
            call.user_id,
            self.name,
            data.relationships.project.data.id,
            data.attributes.model_dump(include=set(bodies.Annotations.model_fields)),
            self.read(data.attributes),
        )
        shown = document(self._resource(row, {}), [project_resource(project)])
        return Reply(201, shown)

    def _update(self, call: Call) -> Reply:
        changes = call.parse(bodies.Change[bodies.AnnotationChanges]).data.attributes
        row, project = call.services.uploads.update(
            self.name, call.path["id"], changes.model_dump(exclude_none=True)
        )
        shown = document(self._resource(row, {}), [project_resource(project)])
        return Reply(200, shown)

    def _resource(self, row: Row, contents: Json) -> Json:
        related = {
            "project": ("project", row["project_id"]),
            "creator": ("user", row["creator_id"]),
        }
        return resource(self.name, row, contents, related)


def _in_base64(
    name: str, path: str, upload_path: str | None = None
) -> Kind[bodies.ContentAttributes]:
    return Kind(
        name,
        path,
        upload_path or path,
        bodies.ContentAttributes,
        _read_base64,
        _show_base64,
    )


_CIRCUITS = "/api/circuits/v1beta2"

ENDPOINTS = [
    *Kind(
        "circuit",
        _CIRCUITS,
        _CIRCUITS,
        bodies.OpenAttributes,
        _read_circuit,
        json.loads,
    ).endpoints(),
    *_in_base64("hugr", "/api/hugr/v1beta", "/api/hugr/v1beta2").endpoints(),
    *_in_base64("qir", "/api/qir/v1beta").endpoints(),
    *_in_base64("wasm", "/api/wasm/v1beta").endpoints(),
    *_in_base64("gpu_decoder_config", "/api/gpu_decoder_configs/v1beta").endpoints(),
]
