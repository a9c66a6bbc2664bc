"""The OpenAPI document of a server, made from its routes."""

import re
from collections.abc import Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from pydantic.json_schema import models_json_schema

from local_cloud.cloud import Cloud
from local_cloud.web.endpoint import Endpoint

_SCHEMAS = "#/components/schemas/{model}"
_SECURITY: dict[str, list[dict[str, list[str]]]] = {
    "user": [{"user": []}],
    "admin": [{"administrator": []}],
    "public": [],
}
_ERROR = {
    "type": "object",
    "required": ["message"],
    "properties": {
        "message": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "field": {"type": "string"},
                    "reason": {"type": "string"},
                },
            },
        },
    },
}


def document(
    cloud: Cloud, endpoints: Sequence[Endpoint[Any]], security: Mapping[str, str]
) -> dict[str, Any]:
    """Return the OpenAPI document.

    :param cloud: That the server embeds.
    :param endpoints: Its routes.
    :param security: The security scheme of its users.
    """
    models = [(it.body, "validation") for it in endpoints if it.body is not None]
    references, schemas = models_json_schema(
        list(dict.fromkeys(models)),  # type: ignore[arg-type]
        ref_template=_SCHEMAS,
    )
    paths: dict[str, dict[str, Any]] = {}
    for endpoint in endpoints:
        body = None
        if endpoint.body is not None:
            body = references[endpoint.body, "validation"]
        paths.setdefault(endpoint.path, {})[endpoint.method.lower()] = _operation(
            endpoint, body
        )
    return {
        "openapi": "3.1.0",
        "info": {
            "title": cloud.title[:1].upper() + cloud.title[1:],
            "version": _version(cloud.requirement.partition("[")[0]),
        },
        "paths": paths,
        "components": {
            "schemas": schemas.get("$defs", {}) | {"Error": _ERROR},
            "securitySchemes": {
                "user": dict(security),
                "administrator": {"type": "http", "scheme": "bearer"},
            },
        },
    }


def _operation(endpoint: Endpoint[Any], body: dict[str, Any] | None) -> dict[str, Any]:
    in_path = re.findall(r"{(\w+)}", endpoint.path)
    operation: dict[str, Any] = {
        "summary": (endpoint.handle.__doc__ or "").partition("\n")[0],
        "security": _SECURITY[endpoint.access],
        "parameters": [
            *_parameters("path", in_path),
            *_parameters("query", endpoint.query),
        ],
        "responses": {
            "2XX": {"description": "Done."},
            "4XX": {
                "description": "Refused; the message says why.",
                "content": {"application/json": {"schema": _reference("Error")}},
            },
        },
    }
    if body is not None:
        operation["requestBody"] = {
            "required": True,
            "content": {"application/json": {"schema": body}},
        }
    return operation


def _parameters(place: str, names: Sequence[str]) -> list[dict[str, Any]]:
    return [
        {
            "name": name,
            "in": place,
            "required": place == "path",
            "schema": {"type": "string"},
        }
        for name in names
    ]


def _reference(model: str) -> dict[str, str]:
    return {"$ref": _SCHEMAS.format(model=model)}


def _version(distribution: str) -> str:
    try:
        return version(distribution)
    except PackageNotFoundError:
        return "unknown"
