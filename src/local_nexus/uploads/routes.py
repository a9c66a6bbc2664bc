"""Uploads: one set of routes for every kind."""

import base64
import binascii
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pydantic_core import to_json

from local_cloud.errors import ApiError
from local_cloud.store import Row, Transaction
from local_cloud.web.endpoint import Endpoint, Reply
from local_nexus.api.jsonapi import Json, document, project_resource, resource
from local_nexus.api.models import (
    ANNOTATIONS,
    Annotations,
    AnnotationsChange,
    NewInProject,
)
from local_nexus.resource import (
    NexusCall,
    NexusEndpoint,
    Resource,
    owners,
    reader_of,
)
from local_nexus.services import Services
from local_nexus.uploads.models import CircuitAttributes, ContentAttributes


def _read_circuit(attributes: CircuitAttributes) -> bytes:
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


def _read_base64(attributes: ContentAttributes) -> bytes:
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
class Kind[A: Annotations]:
    """How one kind of upload travels.

    :param name: Its type.
    :param path: Where it is listed, read and changed.
    :param upload_path: Where it is uploaded.
    :param body: The model of the body that uploads it.
    :param read: Takes the contents out of the attributes.
    :param show: Turns the contents into attributes.
    """

    name: str
    path: str
    upload_path: str
    body: type[NewInProject[A]]
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

    def endpoints(self) -> list[NexusEndpoint]:
        """Return the routes of this kind."""
        shown = self.resource

        def create(call: NexusCall) -> Reply:
            data = call.parse(self.body).data
            annotations = data.attributes.model_dump(include=ANNOTATIONS)
            made = call.services.uploads.create(
                call.user_id,
                self.name,
                data.relationships.project.data.id,
                annotations,
                self.read(data.attributes),
            )
            return Reply(201, self._shown(*made))

        def update(call: NexusCall) -> Reply:
            changes = call.parse(AnnotationsChange).data.attributes
            changed = call.services.uploads.update(
                reader_of(call),
                self.name,
                call.path["id"],
                changes.model_dump(exclude_none=True),
            )
            return Reply(200, self._shown(*changed))

        return [
            *shown.reading(),
            Endpoint("POST", self.upload_path, create, body=self.body),
            Endpoint("PATCH", shown.one, update, body=AnnotationsChange),
        ]

    def _shown(self, row: Row, project: Row) -> Json:
        data = resource(self.name, row, {}, owners(row))
        return document(data, [project_resource(project)])


def _in_base64(
    name: str, path: str, upload_path: str | None = None
) -> Kind[ContentAttributes]:
    body = NewInProject[ContentAttributes]
    return Kind(name, path, upload_path or path, body, _read_base64, _show_base64)


_CIRCUITS = "/api/circuits/v1beta2"

_CIRCUIT = Kind(
    "circuit",
    _CIRCUITS,
    _CIRCUITS,
    NewInProject[CircuitAttributes],
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
