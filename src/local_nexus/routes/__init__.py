"""The routes: each parses, calls a service and shapes the answer."""

from local_nexus.routes import (
    accounts,
    admin,
    auth,
    compilations,
    devices,
    jobs,
    page,
    projects,
    results,
    uploads,
    users,
)
from local_nexus.routes.endpoint import Call, Endpoint, Reply

__all__ = ["ENDPOINTS", "Call", "Endpoint", "Reply"]

# They are tried in this order: what is asked for most comes first.
ENDPOINTS: list[Endpoint] = [
    *jobs.ENDPOINTS,
    *uploads.ENDPOINTS,
    *results.ENDPOINTS,
    *compilations.ENDPOINTS,
    *projects.ENDPOINTS,
    *auth.ENDPOINTS,
    *users.ENDPOINTS,
    *accounts.ENDPOINTS,
    *devices.ENDPOINTS,
    *admin.ENDPOINTS,
    *page.ENDPOINTS,
]
