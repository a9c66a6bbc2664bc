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

ENDPOINTS: list[Endpoint] = [
    *page.ENDPOINTS,
    *auth.ENDPOINTS,
    *users.ENDPOINTS,
    *accounts.ENDPOINTS,
    *devices.ENDPOINTS,
    *projects.ENDPOINTS,
    *uploads.ENDPOINTS,
    *jobs.ENDPOINTS,
    *compilations.ENDPOINTS,
    *results.ENDPOINTS,
    *admin.ENDPOINTS,
]
