"""An embedded Nexus: a server that speaks the Nexus HTTP API on this machine."""

from local_nexus.faults import ActiveFault, Fault
from local_nexus.progress import Progress, ProgressRule
from local_nexus.request_log import Request
from local_nexus.server import LocalNexus

__all__ = ["ActiveFault", "Fault", "LocalNexus", "Progress", "ProgressRule", "Request"]
