"""The description of the embedded Nexus, and what client programs read of a server.

The names of the variables are those that ``qnexus.config`` reads, and the token files
those that ``qnexus.client.utils`` does.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from local_cloud.cloud import Cloud
from local_cloud.files import write_private
from local_cloud.server.certificates import bundle_path

if TYPE_CHECKING:
    from local_cloud.web.application import Application
    from local_cloud.web.state import ServerState


def client_environment(directory: Path, url: str) -> dict[str, str]:
    """Return the environment variables for programs that use qnexus.

    With them a program is logged in, and trusts the server beside all that it
    trusted before.

    :param directory: Of the server, absolute.
    :param url: Of the server.
    """
    host, _, port = urlsplit(url).netloc.partition(":")
    return {
        "NEXUS_PROTOCOL": "https",
        "NEXUS_WEBSOCKETS_PROTOCOL": "wss",
        "NEXUS_HOST": host,
        "NEXUS_DOMAIN": host,
        "NEXUS_PORT": port,
        "NEXUS_TOKEN_PATH": str(_tokens(directory)),
        "NEXUS_STORE_TOKENS": "true",
        "NEXUS_MANAGED_TOKENS": "",
        "NEXUS_HTTPX_VERIFY": "true",
        "SSL_CERT_FILE": str(bundle_path(directory)),
        # Not for qnexus: names the server for commands such as ``serve --stop``.
        NEXUS.directory_variable: str(directory),
    }


def _write_login(directory: Path, _url: str, tokens: Mapping[str, str]) -> None:
    """Write the token files of a logged-in user."""
    folder = _tokens(directory)
    folder.mkdir(mode=0o700, exist_ok=True)
    access = {"access_token": tokens["id"]}
    refresh = {"refresh_token": tokens["refresh"], "delete_version_after": None}
    write_private(folder / "id.json", json.dumps({"data": access}))
    write_private(folder / "token.json", json.dumps({"data": refresh}))


def _tokens(directory: Path) -> Path:
    return directory / "tokens"


def _application(state: "ServerState") -> "Application":
    # Clients of a server do not pay for its libraries.
    from local_nexus.application import build

    return build(state)


NEXUS = Cloud(
    title="embedded Nexus",
    module="local_nexus",
    requirement="tkr-nexus-worker[local]",
    database="nexus.db",
    environment=client_environment,
    write_login=_write_login,
    application=_application,
)
