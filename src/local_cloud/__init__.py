"""What every embedded cloud needs and no cloud differs in; no API and no simulator."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from local_cloud.cloud import Cloud
    from local_cloud.errors import StartError
    from local_cloud.faults.rule import ActiveFault, Fault
    from local_cloud.progress.rule import Progress, ProgressRule
    from local_cloud.server.addresses import exposure
    from local_cloud.server.child import start_in_background
    from local_cloud.server.command_line import (
        server_command,
        server_options,
        shell_exports,
    )
    from local_cloud.server.local_server import LocalServer
    from local_cloud.server.options import ServerOptions
    from local_cloud.server.running import RunningServer
    from local_cloud.web.request_log import Request

_MODULES = {
    "ActiveFault": "faults.rule",
    "Cloud": "cloud",
    "Fault": "faults.rule",
    "LocalServer": "server.local_server",
    "Progress": "progress.rule",
    "ProgressRule": "progress.rule",
    "Request": "web.request_log",
    "RunningServer": "server.running",
    "ServerOptions": "server.options",
    "StartError": "errors",
    "exposure": "server.addresses",
    "server_command": "server.command_line",
    "server_options": "server.command_line",
    "shell_exports": "server.command_line",
    "start_in_background": "server.child",
}

__all__ = [
    "ActiveFault",
    "Cloud",
    "Fault",
    "LocalServer",
    "Progress",
    "ProgressRule",
    "Request",
    "RunningServer",
    "ServerOptions",
    "StartError",
    "exposure",
    "server_command",
    "server_options",
    "shell_exports",
    "start_in_background",
]


def __getattr__(name: str) -> Any:
    # Nobody pays for more than what they use: pytest imports this in every run.
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
