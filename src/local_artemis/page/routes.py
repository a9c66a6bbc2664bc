"""The routes of the page, and its session, which reads, and cancels jobs."""

from pathlib import Path

from local_artemis.api.calls import ArtemisCall
from local_artemis.jobs.routes import summary
from local_artemis.services import Services
from local_cloud.clock import to_iso
from local_cloud.web.endpoint import Endpoint, Reply
from local_cloud.web.page import endpoints

# The use of the tokens in the page's cookie, see ``Tokens.issue``.
SESSION = "page"
_SHOWN = 100


def session_cookie(services: Services) -> str:
    """Return the name of the cookie.

    Browsers send a cookie to every port of a machine: each server has its own name.
    """
    return f"local_artemis_{services.user_id}"


def _open_session(call: ArtemisCall) -> dict[str, str]:
    session = call.services.tokens.issue(call.services.user_id, SESSION)
    return {session_cookie(call.services): session}


def _jobs(call: ArtemisCall) -> Reply:
    """List the latest jobs of a user for the page, the newest first."""
    jobs = call.services.jobs.everything(_SHOWN, call.user_id)
    return Reply(200, [summary(job) for job in reversed(jobs)])


def _job(call: ArtemisCall) -> Reply:
    """Answer with how a job is, and do not count that as a read of it."""
    job = call.services.jobs.whole(call.user_id, call.path["id"])
    details = {"updated": to_iso(job["updated"]), "logs": job["logs"]}
    return Reply(200, summary(job) | details)


def _payload(call: ArtemisCall) -> Reply:
    """Answer with what was submitted, which may be large and never changes."""
    jobs, key = call.services.jobs, call.path["id"]
    jobs.whole(call.user_id, key)  # refuses the jobs of others
    return Reply(200, jobs.payload(key))


def _cancel(call: ArtemisCall) -> Reply:
    call.services.jobs.cancel(call.user_id, call.path["id"])
    return Reply(204)


ENDPOINTS = [
    *endpoints(Path(__file__).parent, _open_session),
    Endpoint("GET", "/page/jobs", _jobs, waits=True),
    Endpoint("GET", "/page/jobs/{id}", _job, waits=True),
    Endpoint("GET", "/page/jobs/{id}/payload", _payload, waits=True),
    Endpoint("POST", "/page/jobs/{id}/cancel", _cancel, waits=True),
]
