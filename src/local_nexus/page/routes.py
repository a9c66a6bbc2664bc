"""The routes of the page, and its session, which reads, and cancels jobs."""

from dataclasses import replace
from pathlib import Path

from local_cloud.errors import not_found
from local_cloud.web.endpoint import Endpoint, Reply
from local_cloud.web.page import endpoints
from local_nexus.api.jsonapi import document, resource
from local_nexus.api.listing import by_ids
from local_nexus.jobs.routes import JOBS
from local_nexus.page.listing import ListingError, list_program
from local_nexus.resource import NexusCall, owners, reader_of
from local_nexus.services import Services
from local_nexus.uploads.service import require

_LISTED = ("hugr", "qir")
# The use of the tokens in the page's cookie, see ``Tokens.issue``.
SESSION = "page"
# Reads on the page do not count for the progress of a job, unlike those of a client.
_JOBS = replace(
    JOBS, before_reading=lambda services, _job_id: services.execution.settle()
)


def session_cookie(services: Services) -> str:
    """Return the name of the cookie.

    Browsers send a cookie to every port of a machine: each server has its own name.
    """
    return f"local_nexus_{services.user['id']}"


def _open_session(call: NexusCall) -> dict[str, str]:
    user_id = call.services.user["id"]
    session = call.services.tokens.issue(user_id, SESSION)
    return {session_cookie(call.services): session}


def _job(call: NexusCall) -> Reply:
    """Answer with a job, whole, and its programs without their contents."""
    job = _JOBS.get(call).content
    linked = job["data"]["relationships"]["programs"]["data"]
    with call.services.store.read() as tx:
        programs = by_ids(tx, "uploads", [it["id"] for it in linked]).values()
    shown = [resource(it["kind"], it, {}, owners(it)) for it in programs]
    return Reply(200, document(job["data"], [*job["included"], *shown]))


def _program(call: NexusCall) -> Reply:
    """Answer with a program as text, for people."""
    kind, key = call.path["kind"], call.path["id"]
    if kind not in _LISTED:
        raise not_found("program", key)
    with call.services.store.read() as tx:
        row = require(tx, reader_of(call), kind, key)
    try:
        return Reply(
            200, {"text": list_program(kind, row["contents"], call.services.private)}
        )
    except ListingError as error:
        return Reply(200, {"text": "", "problem": str(error)})


def _cancel(call: NexusCall) -> Reply:
    call.services.jobs.cancel(reader_of(call), call.path["id"])
    return Reply(204)


ENDPOINTS = [
    *endpoints(Path(__file__).parent, _open_session),
    Endpoint("GET", "/page/jobs/{id}", _job, waits=True),
    Endpoint("GET", "/page/programs/{kind}/{id}", _program, waits=True),
    Endpoint("POST", "/page/jobs/{id}/cancel", _cancel, waits=True),
]
