"""Uploads: one set of routes for every kind."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pydantic_core import to_json

from local_nexus import bodies
from local_nexus.errors import ApiError
from local_nexus.jsonapi import Json, document, project_resource, resource
from local_nexus.routes.endpoint import Call, Endpoint, Reply
from local_nexus.routes.resource import Resource, owners
from local_nexus.services import Services
from local_nexus.store import Row, Transaction


def _read_circuit(attributes: bodies.CircuitAttributes) -> bytes:
    text = to_json(attributes.model_extra)
    if b"NaN" in text or b"Infinity" in text:
        _check_finite(attributes.model_extra)
    return text


def _check_finite(circuit: Any) -> None:
    try:
        # Unlike the faster one above, this encoder tells a number from a name.
        json.dumps(circuit, allow_nan=False)
    except ValueError:
        raise ApiError(
            422, "A circuit has finite numbers only.", field="data.attributes"
        ) from None


def _read_base64(attributes: bodies.ContentAttributes) -> bytes:
    try:
        return base64.b64decode(attributes.contents, validate=True)
    except (binascii.Error, ValueError):
        raise ApiError(
            422,
            "The contents are not in base64.",
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
    :param body: the model of the body that uploads it.
    :param read: takes the contents out of the attributes.
    :param show: turns the contents into attributes.
    """

    name: str
    path: str
    upload_path: str
    body: type[bodies.NewInProject[A]]
    read: Callable[[A], bytes]
    show: Callable[[bytes], Json]

    @property
    def resource(self) -> Resource:
        """How its rows are shown."""

        def whole(_services: Services, _tx: Transaction, row: Row) -> tuple[Json, Json]:
            return self.show(row["contents"]), {}

        return Resource(
            self.name, self.path, "uploads", where={"kind": self.name}, whole=whole
        )

    def endpoints(self) -> list[Endpoint]:
        """Return the routes of this kind."""
        shown = self.resource

        def create(call: Call) -> Reply:
            data = call.parse(self.body).data
            annotations = data.attributes.model_dump(include=bodies.ANNOTATIONS)
            made = call.services.uploads.create(
                call.user_id,
                self.name,
                data.relationships.project.data.id,
                annotations,
                self.read(data.attributes),
            )
            return Reply(201, self._shown(*made))

        def update(call: Call) -> Reply:
            changes = call.parse(bodies.AnnotationsChange).data.attributes
            changed = call.services.uploads.update(
                call.reader,
                self.name,
                call.path["id"],
                changes.model_dump(exclude_none=True),
            )
            return Reply(200, self._shown(*changed))

        return [
            *shown.reading(),
            Endpoint("POST", self.upload_path, create, body=self.body),
            Endpoint("PATCH", shown.one, update, body=bodies.AnnotationsChange),
        ]

    def _shown(self, row: Row, project: Row) -> Json:
        data = resource(self.name, row, {}, owners(row))
        return document(data, [project_resource(project)])


def _in_base64(
    name: str, path: str, upload_path: str | None = None
) -> Kind[bodies.ContentAttributes]:
    body = bodies.NewInProject[bodies.ContentAttributes]
    return Kind(name, path, upload_path or path, body, _read_base64, _show_base64)


_CIRCUITS = "/api/circuits/v1beta2"

_CIRCUIT = Kind(
    "circuit",
    _CIRCUITS,
    _CIRCUITS,
    bodies.NewInProject[bodies.CircuitAttributes],
    _read_circuit,
    json.loads,
)

ENDPOINTS = [
    *_CIRCUIT.endpoints(),
    *_in_base64("hugr", "/api/hugr/v1beta", "/api/hugr/v1beta2").endpoints(),
    *_in_base64("qir", "/api/qir/v1beta").endpoints(),
    *_in_base64("wasm", "/api/wasm/v1beta").endpoints(),
    *_in_base64("gpu_decoder_config", "/api/gpu_decoder_configs/v1beta").endpoints(),
]
