"""Devices."""

from itertools import groupby

from local_cloud.errors import not_found
from local_cloud.web.endpoint import Endpoint, Reply
from local_cloud.web.query import flag, last
from local_nexus.devices import service
from local_nexus.devices.models import BackendProperty
from local_nexus.resource import NexusCall


def _available(call: NexusCall) -> Reply:
    query = call.query
    issuers = call.services.quotas.issuers(
        call.user_id, query.getlist("credential_ids"), query.getlist("credential_names")
    )
    ibm = {
        "region": last(query, "ibm_region", str, None),
        "instance": last(query, "ibm_instance", str, None),
    }
    wanted = service.DeviceFilter(
        query.getlist("backend"),
        flag(query, "is_local"),
        issuers,
        {
            "BraketBackend": {"region": last(query, "region", str, None)},
            "IBMQBackend": ibm,
            "IBMQEmulatorBackend": ibm,
        },
    )
    found = service.available(wanted, call.state.options.device_file)
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


def _property(call: NexusCall) -> Reply:
    question = call.parse(BackendProperty)
    return Reply(
        200,
        service.has_property(question.backend_config.model_dump(), question.property),
    )


def _status(call: NexusCall) -> Reply:
    name = call.path["name"]
    if not service.is_machine(name, call.state.options.device_file):
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
        body=BackendProperty,
    ),
    Endpoint("GET", "/api/machines/v1beta/{name}/status", _status),
]
