"""The application: all routes of the API, and who may use them."""

from starlette.requests import Request

from local_cloud.web.application import Application
from local_cloud.web.endpoint import Hooks
from local_cloud.web.page import session_of
from local_cloud.web.state import ServerState
from local_nexus.compilations import routes as compilations
from local_nexus.devices import routes as devices
from local_nexus.jobs import routes as jobs
from local_nexus.jobs.status_socket import follow_status
from local_nexus.login import routes as login
from local_nexus.page import routes as page
from local_nexus.projects import routes as projects
from local_nexus.quotas import routes as quotas
from local_nexus.resource import NexusEndpoint
from local_nexus.results import routes as results
from local_nexus.services import Services
from local_nexus.uploads import routes as uploads
from local_nexus.users import routes as users

# They are tried in this order: what is asked for most comes first.
ENDPOINTS: list[NexusEndpoint] = [
    *jobs.ENDPOINTS,
    *uploads.ENDPOINTS,
    *results.ENDPOINTS,
    *compilations.ENDPOINTS,
    *projects.ENDPOINTS,
    *login.ENDPOINTS,
    *users.ENDPOINTS,
    *quotas.ENDPOINTS,
    *devices.ENDPOINTS,
    *page.ENDPOINTS,
]
SECURITY = {"type": "apiKey", "in": "cookie", "name": login.ID_COOKIE}
# What the two kinds of tokens are called by who issues them.
_USES = {"access": "id", "refresh": "refresh"}


def build(state: ServerState) -> Application:
    """Return the application of a server.

    :raises StartError: If something that it needs is wrong.
    """
    services = Services(state)

    def authenticate(request: Request) -> str:
        """Return who is logged in, as a client or as the page in a browser."""
        session = session_of(request, page.session_cookie(services))
        if session is not None:
            return services.tokens.check(session, page.SESSION)[0]
        cookie = request.cookies.get(login.ID_COOKIE, "")
        return services.tokens.check(cookie, "id")[0]

    return Application(
        services=services,
        endpoints=ENDPOINTS,
        authenticate=authenticate,
        hooks=Hooks(
            issue_tokens=services.issue_tokens,
            expire_tokens=lambda kind: services.tokens.expire(_USES[kind]),
            move_jobs=services.execution.move_all,
            reset=services.reset,
        ),
        start=services.execution.resume,
        close=services.close,
        websockets={
            f"{jobs.JOBS.one}/attributes/status/ws": follow_status(services, state)
        },
        api=("/api/", "/auth/"),
        security=SECURITY,
    )
