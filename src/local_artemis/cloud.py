"""The description of the embedded Artemis, and what client programs read of a server.

The files are those that ``lightworks_remote.utils.file_management`` and
``lightworks_remote.token`` read, all below the folder that ``HOME`` names.
"""

import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from local_cloud.cloud import Cloud
from local_cloud.files import write_private
from local_cloud.progress.rule import Progress
from local_cloud.server.addresses import LOOPBACK
from local_cloud.server.certificates import authority_path

if TYPE_CHECKING:
    from local_cloud.web.application import Application
    from local_cloud.web.state import ServerState

TOKEN_NAME = "local"  # noqa: S105 - a name, not a token
"""Under which the token is saved: ``lightworks.remote.token.load("local")``."""

# The client's own tutorial needs a job that still waits when it looks.
PROGRESS = Progress.seconds(queued=0.25, submitted=2.0, running=0.5)

_FOLDER = (
    "Library/Application Support/Aegiq/lightworks"
    if sys.platform == "darwin"
    else ".local/share/Aegiq/lightworks"
)


def home(directory: Path) -> Path:
    """Return the folder that is the home of programs that use a server.

    :param directory: Of the server.
    """
    return directory / "home"


def settings_folder(home_folder: Path) -> Path:
    """Return the folder in which the client finds its settings.

    :param home_folder: The home of its user.
    """
    return home_folder / _FOLDER


def client_environment(directory: Path, _url: str) -> dict[str, str]:
    """Return the environment variables for programs that use ``lightworks.remote``.

    :param directory: Of the server, absolute.
    """
    folder = str(home(directory))
    without_proxy = ",".join(
        dict.fromkeys(
            [
                *filter(None, os.environ.get("NO_PROXY", "").split(",")),
                LOOPBACK,
            ]
        )
    )
    return {
        "HOME": folder,
        # For the worker alone, which leaves HOME as it is.
        "TKR_LIGHTWORKS_HOME": folder,
        "TKR_LIGHTWORKS_TOKEN_NAME": TOKEN_NAME,
        # The client looks for the one in small letters first.
        "NO_PROXY": without_proxy,
        "no_proxy": without_proxy,
        # Not for the client: names the server for commands that stop it.
        ARTEMIS.directory_variable: str(directory),
    }


def _write_login(directory: Path, url: str, tokens: Mapping[str, str]) -> None:
    """Write the settings, the certificate and the tokens of a user who is logged in.

    What users have saved beside them stays.
    """
    folder = settings_folder(home(directory))
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    settings = folder / "remote_settings.yaml"
    kept = settings.read_text().splitlines() if settings.exists() else []
    lines = [line for line in kept if not line.startswith("api_url:")]
    write_private(settings, "\n".join([f"api_url: {url}/", *lines, ""]))
    write_private(folder / "certificate.pem", authority_path(directory).read_text())
    saved = folder / "tokens.json"
    known = json.loads(saved.read_text()) if saved.exists() else {}
    write_private(saved, json.dumps(known | {TOKEN_NAME: tokens["access"]}, indent=4))


def _application(state: "ServerState") -> "Application":
    # Clients of a server do not pay for its libraries.
    from local_artemis.application import build

    return build(state)


ARTEMIS = Cloud(
    title="embedded Artemis",
    module="local_artemis",
    requirement="tkr-nexus-worker[artemis-local]",
    database="artemis.db",
    environment=client_environment,
    write_login=_write_login,
    application=_application,
    progress=PROGRESS,
)
