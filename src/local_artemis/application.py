"""The application: all routes of the API, and who may use them."""

from starlette.requests import Request

from local_artemis.api.calls import ArtemisEndpoint
from local_artemis.jobs import routes as jobs
from local_artemis.page import routes as page
from local_artemis.qpus import routes as qpus
from local_artemis.services import Services
from local_artemis.users import routes as users
from local_cloud.web.application import Application
from local_cloud.web.endpoint import Hooks
from local_cloud.web.page import session_of
from local_cloud.web.state import ServerState

# They are tried in this order: what is asked for most comes first.
ENDPOINTS: list[ArtemisEndpoint] = [
    *jobs.ENDPOINTS,
    *qpus.ENDPOINTS,
    *users.ENDPOINTS,
    *page.ENDPOINTS,
]
HEADER = "x-access-token"
SECURITY = {"type": "apiKey", "in": "header", "name": HEADER}


def build(state: ServerState) -> Application:
    """Return the application of a server.

    :raises StartError: If something that it needs is wrong.
    """
    services = Services(state)

    def authenticate(request: Request) -> str:
        """Return whose token a client sends, or the page in a browser."""
        session = session_of(request, page.session_cookie(services))
        if session is not None:
            return services.tokens.check(session, page.SESSION)[0]
        return services.tokens.check(request.headers.get(HEADER, ""), "access")[0]

    return Application(
        services=services,
        endpoints=ENDPOINTS,
        authenticate=authenticate,
        hooks=Hooks(
            issue_tokens=services.issue_tokens,
            expire_tokens=services.expire_tokens,
            move_jobs=services.execution.settle,
            reset=services.reset,
        ),
        start=services.execution.resume,
        close=services.close,
        api=("/jobs", "/qpus"),
        ignores_case=True,
        security=SECURITY,
    )
