"""An embedded Artemis: a scheduler of photonic jobs, with its API, on this machine.

Its public interface is what this package exports; its modules are for itself alone.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from local_artemis.cloud import ARTEMIS
    from local_artemis.engines import Noise
    from local_artemis.server import LocalArtemis
    from local_cloud import ActiveFault, Fault, Progress, ProgressRule, Request

__all__ = [
    "ARTEMIS",
    "ActiveFault",
    "Fault",
    "LocalArtemis",
    "Noise",
    "Progress",
    "ProgressRule",
    "Request",
]

_OWN = {
    "ARTEMIS": "local_artemis.cloud",
    "LocalArtemis": "local_artemis.server",
    "Noise": "local_artemis.engines",
}


def __getattr__(name: str) -> Any:
    # Every run of pytest imports this package, for the plugin, as does every process
    # of the engines; neither should pay for the client side of the server.
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_OWN.get(name, "local_cloud")), name)
