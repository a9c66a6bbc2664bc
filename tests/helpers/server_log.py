"""The log of an embedded server."""

from local_cloud import LocalServer


def complaints(server: LocalServer) -> list[str]:
    """Return the lines of the log, but those on what this machine does not allow."""
    lines = (server.directory / "server.log").read_text().splitlines()
    return [line for line in lines if "Programs run as your user" not in line]
