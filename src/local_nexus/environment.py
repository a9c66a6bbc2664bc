"""What a program needs to know to use a server: its environment and its tokens.

The names are those that ``qnexus.config`` reads, and the token files those that
``qnexus.client.utils`` does.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from local_nexus.certificates import bundle_path
from local_nexus.settings import write_private

# Not for qnexus: names the server for commands such as ``tkr-nexus serve --stop``.
DIRECTORY_VARIABLE = "LOCAL_NEXUS_DIRECTORY"


def client_environment(directory: Path, url: str) -> dict[str, str]:
    """Return the environment variables for programs that use qnexus.

    With them a program is logged in, and trusts the server beside all that it
    trusted before.

    :param directory: of the instance, absolute.
    :param url: of the server.
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
        DIRECTORY_VARIABLE: str(directory),
    }


def shell_exports(environment: Mapping[str, str]) -> str:
    """Return the lines that export variables in a shell."""
    return "".join(
        f"export {name}={shlex.quote(value)}\n" for name, value in environment.items()
    )


def write_tokens(directory: Path, id_token: str, refresh_token: str) -> None:
    """Write the token files of a logged-in user."""
    folder = _tokens(directory)
    folder.mkdir(mode=0o700, exist_ok=True)
    write_private(folder / "id.json", json.dumps({"data": {"access_token": id_token}}))
    refresh = {"refresh_token": refresh_token, "delete_version_after": None}
    write_private(folder / "token.json", json.dumps({"data": refresh}))


def _tokens(directory: Path) -> Path:
    return directory / "tokens"
