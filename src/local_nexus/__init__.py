"""An embedded Nexus: a server that speaks the Nexus HTTP API on this machine."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from local_cloud import ActiveFault, Fault, Progress, ProgressRule, Request
    from local_nexus.cloud import NEXUS
    from local_nexus.server import LocalNexus

__all__ = [
    "NEXUS",
    "ActiveFault",
    "Fault",
    "LocalNexus",
    "Progress",
    "ProgressRule",
    "Request",
]

_OWN = {"NEXUS": "local_nexus.cloud", "LocalNexus": "local_nexus.server"}


def __getattr__(name: str) -> Any:
    # Every run of pytest imports this package, for the plugin, as does every simulator
    # process; neither should pay for the client side of the server.
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_OWN.get(name, "local_cloud")), name)
