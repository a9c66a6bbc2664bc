"""An embedded Nexus: a server that speaks the Nexus HTTP API on this machine."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from local_nexus.faults import ActiveFault, Fault
    from local_nexus.progress import Progress, ProgressRule
    from local_nexus.request_log import Request
    from local_nexus.server import LocalNexus

__all__ = ["ActiveFault", "Fault", "LocalNexus", "Progress", "ProgressRule", "Request"]

_MODULES = {
    "ActiveFault": "faults",
    "Fault": "faults",
    "LocalNexus": "server",
    "Progress": "progress",
    "ProgressRule": "progress",
    "Request": "request_log",
}


def __getattr__(name: str) -> Any:
    # Every run of pytest imports this package, for the plugin, as does every simulator
    # process; neither should pay for the client side of the server.
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
