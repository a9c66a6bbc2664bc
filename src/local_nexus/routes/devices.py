"""Devices."""

from __future__ import annotations

from itertools import groupby

from local_nexus import bodies
from local_nexus.errors import not_found
from local_nexus.jsonapi import flag, last
from local_nexus.routes.endpoint import Call, Endpoint, Reply
from local_nexus.services import backends


def _available(call: Call) -> Reply:
    query = call.query
    issuers = call.services.accounts.issuers(
        call.user_id, query.getlist("credential_ids"), query.getlist("credential_names")
    )
    ibm = {
        "region": last(query, "ibm_region", str, None),
        "instance": last(query, "ibm_instance", str, None),
    }
    wanted = backends.DeviceFilter(
        query.getlist("backend"),
        flag(query, "is_local"),
        issuers,
        {
            "BraketBackend": {"region": last(query, "region", str, None)},
            "IBMQBackend": ibm,
            "IBMQEmulatorBackend": ibm,
        },
    )
    found = backends.available(wanted, call.services.device_file)
    grouped = groupby(found, lambda device: device["nexus_hosted"])
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
        "GET",
        "/api/v5/available_devices",
        _available,
        query=(
            "backend",
            "is_local",
            "region",
            "ibm_region",
            "ibm_instance",
            "credential_ids",
            "credential_names",
        ),
    ),
    Endpoint(
        "POST",
        "/api/v5/backend_info/backend_property",
        _property,
        body=bodies.BackendProperty,
    ),
    Endpoint("GET", "/api/machines/v1beta/{name}/status", _status),
]
