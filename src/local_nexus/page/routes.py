"""The routes of the page, and its session, which may read but change nothing."""

from pathlib import Path

from local_cloud.web.page import endpoints
from local_nexus.resource import NexusCall
from local_nexus.services import Services

# The use of the tokens in the page's cookie, see ``Tokens.issue``.
SESSION = "page"


def session_cookie(services: Services) -> str:
    """Return the name of the cookie.

    Browsers send a cookie to every port of a machine: each server has its own name.
    """
    return f"local_nexus_{services.user['id']}"


def _open_session(call: NexusCall) -> dict[str, str]:
    user_id = call.services.user["id"]
    session = call.services.tokens.issue(user_id, SESSION)
    return {session_cookie(call.services): session}


ENDPOINTS = endpoints(Path(__file__).parent, _open_session)
