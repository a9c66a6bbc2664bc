"""QPUs."""

from typing import Any

from local_artemis.api.calls import ArtemisCall
from local_artemis.api.dates import date
from local_artemis.qpus.models import Qpu, QpuChange
from local_cloud.errors import not_found
from local_cloud.web.endpoint import Endpoint, Reply, admin


def _list(call: ArtemisCall) -> Reply:
    """List the QPUs."""
    return Reply(200, [_shown(*it) for it in call.services.qpus.all()])


def _get(call: ArtemisCall) -> Reply:
    """Return what a QPU can do; the client takes exactly these keys."""
    key = call.path["id"]
    for qpu, updated in call.services.qpus.all():
        if qpu.id == key:
            return Reply(200, _shown(qpu, updated))
    raise not_found("QPU", key)


def _shown(qpu: Qpu, updated: int) -> dict[str, Any]:
    samples = [{"item1": clicks, "item2": most} for clicks, most in qpu.samples.items()]
    return {
        "id": qpu.id,
        "name": qpu.name,
        "numberOfModes": qpu.modes,
        "maxPhotonInputNumber": qpu.photons,
        "maxDetectionFilter": qpu.min_detection,
        "defaultMaxSamples": qpu.default_samples,
        "maxSamples": samples,
        "isAvailable": qpu.available,
        "lastUpdated": date(updated),
    }


def _change(call: ArtemisCall) -> Reply:
    call.services.qpus.change(call.path["name"], call.parse(QpuChange))
    call.hooks.move_jobs()
    return Reply(204)


ENDPOINTS = [
    Endpoint("GET", "/qpus", _list, waits=True),
    Endpoint("GET", "/qpus/{id}", _get, waits=True),
    admin("PATCH", "qpus/{name}", _change, QpuChange),
]
