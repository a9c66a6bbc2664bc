"""Jobs and their results."""

import json
from functools import partial
from typing import Any

from local_artemis.api.calls import ArtemisCall
from local_artemis.api.dates import date
from local_artemis.api.errors import InvalidFieldsError
from local_artemis.jobs import states
from local_artemis.jobs.models import ForcedStatus, Listing, NewJob
from local_cloud.clock import to_iso
from local_cloud.errors import ApiError
from local_cloud.store import Row
from local_cloud.web.endpoint import Endpoint, Reply, admin
from local_cloud.web.query import check_choices, whole

_UNPROCESSABLE = 422
# More jobs than any store holds.
_ALL = 2**31
_PAGE_SIZE = 20


def _submit(call: ArtemisCall) -> Reply:
    """Submit a job."""
    try:
        job = call.parse(NewJob)
    except ApiError as error:
        if error.status != _UNPROCESSABLE or error.field is None:
            raise
        reason = error.message.removeprefix(f"{error.field}: ").removesuffix(".")
        raise InvalidFieldsError([(error.field, reason)]) from error
    job_id = call.services.jobs.submit(call.user_id, job)
    return Reply(202, headers={"X-Job-Id": str(job_id)})


def _get(call: ArtemisCall) -> Reply:
    """Return how a job is; the client takes exactly these keys."""
    job, position = call.services.jobs.read(call.user_id, call.path["id"])
    return Reply(
        200,
        {
            "jobId": job["id"],
            "queuePosition": position,
            "jobStatus": job["status"],
            "createdDate": date(job["created"]),
            "updatedDate": date(job["updated"]),
            "logs": job["logs"],
            "userExecutionNotes": job["notes"],
        },
    )


def _cancel(call: ArtemisCall) -> Reply:
    """Cancel a job."""
    call.services.jobs.cancel(call.user_id, call.path["id"])
    return Reply(204)


def _results(call: ArtemisCall) -> Reply:
    """Return the counts of a job, raw, and its data, by which clients select."""
    counts, data = call.services.jobs.results(call.user_id, call.path["id"])
    # As the engine wrote them: there may be a million states.
    body = f'{{"results":{counts or "null"},"job_data":{json.dumps(data)}}}'
    return Reply(200, body.encode())


def _list(call: ArtemisCall) -> Reply:
    """List the jobs of a user, the newest first."""
    check_choices(call.query, "statuses", (*states.WAITING, *states.FINAL))
    most = whole(call.query, "pageSize", _PAGE_SIZE, least=1, most=_ALL)
    jobs = call.services.jobs
    found = jobs.latest(call.user_id, call.query.getlist("statuses"), most)
    return Reply(200, {"items": [_item(job, jobs.listing) for job in found]})


def _item(job: Row, listing: str) -> dict[str, Any]:
    if listing == "ids":
        return {"id": job["id"]}
    return {
        "id": job["id"],
        "jobName": job["name"],
        "jobStatus": job["status"],
        "createdDate": date(job["created"]),
        "updatedDate": date(job["updated"]),
    }


def _list_all(call: ArtemisCall) -> Reply:
    latest = whole(call.query, "latest", _ALL, least=1, most=_ALL)
    return Reply(200, [summary(job) for job in call.services.jobs.everything(latest)])


def summary(job: Row) -> dict[str, Any]:
    """Return what tests and the page are told of a job."""
    return {
        "id": job["id"],
        "name": job["name"],
        "qpu": job["qpu"],
        "user": job["user"],
        "status": job["status"],
        "queue_position": job["position"],
        "n_samples": job["n_samples"],
        "min_detection": job["min_detection"],
        "notes": job["notes"],
        "created": to_iso(job["created"]),
    }


def _payload(call: ArtemisCall) -> Reply:
    return Reply(200, call.services.jobs.payload(call.path["id"]))


def _set_status(call: ArtemisCall) -> Reply:
    forced = call.parse(ForcedStatus)
    call.services.jobs.set_status(
        call.path["id"], forced.status, forced.notes, forced.compilation_errors
    )
    return Reply(204)


def _expire_results(call: ArtemisCall) -> Reply:
    call.services.jobs.expire_results(call.path["id"])
    return Reply(204)


def _set_listing(call: ArtemisCall) -> Reply:
    call.services.jobs.listing = call.parse(Listing).content
    return Reply(204)


_endpoint = partial(Endpoint, waits=True)
_LISTING = ("pageSize", "statuses")

ENDPOINTS = [
    _endpoint("GET", "/jobs/{id}", _get),
    _endpoint("GET", "/jobs", _list, query=_LISTING),
    _endpoint("POST", "/jobs", _submit, body=NewJob),
    _endpoint("GET", "/jobs/{id}/results", _results),
    _endpoint("PUT", "/jobs/{id}/cancel", _cancel),
    admin("GET", "jobs", _list_all, query=("latest",)),
    admin("GET", "jobs/{id}/payload", _payload),
    admin("PUT", "jobs/{id}/status", _set_status, ForcedStatus),
    admin("DELETE", "jobs/{id}/results", _expire_results),
    admin("PUT", "listing", _set_listing, Listing),
]
