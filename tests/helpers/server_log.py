"""The log of an embedded server."""

from local_cloud import LocalServer


def complaints(server: LocalServer) -> list[str]:
    """Return the lines of the log, but for warnings.

    A server warns of what this machine does not allow, and of requests that are none.
    """
    lines = (server.directory / "server.log").read_text().splitlines()
    return [line for line in lines if " WARNING " not in line]
