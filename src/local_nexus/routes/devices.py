"""Devices."""

from __future__ import annotations

from itertools import groupby

from local_nexus import bodies
from local_nexus.errors import not_found
from local_nexus.jsonapi import flag
from local_nexus.routes.endpoint import Call, Endpoint, Reply
from local_nexus.services import backends


def _available(call: Call) -> Reply:
    wanted = backends.available(
        call.query.getlist("backend"),
        flag(call.query, "is_local"),
        call.services.device_file,
    )
    grouped = groupby(wanted, lambda device: device["nexus_hosted"])
    return Reply(
        200,
        [
            {
                "is_local": nexus_hosted,
                "backend_info_list": [
                    {
                        **device["backend_info"],
                        "name": device["backend_name"],
                        "device_name": device["device_name"],
                    }
                    for device in group
                ],
            }
            for nexus_hosted, group in grouped
        ],
    )


def _property(call: Call) -> Reply:
    question = call.parse(bodies.BackendProperty)
    return Reply(
        200,
        backends.has_property(question.backend_config.model_dump(), question.property),
    )


def _status(call: Call) -> Reply:
    name = call.path["name"]
    if not backends.is_machine(name, call.services.device_file):
        raise not_found("machine", name)
    # Nothing here is ever down for maintenance.
    return Reply(200, {"state": "online"})


ENDPOINTS = [
    Endpoint(
        "GET", "/api/v5/available_devices", _available, query=("backend", "is_local")
    ),
    Endpoint(
        "POST",
        "/api/v5/backend_info/backend_property",
        _property,
        body=bodies.BackendProperty,
    ),
    Endpoint("GET", "/api/machines/v1beta/{name}/status", _status),
]
