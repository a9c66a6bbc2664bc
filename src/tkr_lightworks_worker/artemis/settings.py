"""The files in which Lightworks keeps the address, the certificate and the tokens.

Lightworks has no environment variables: it reads a folder in the home directory.
``TKR_LIGHTWORKS_HOME`` names another home for this worker alone, because a changed
``HOME`` would move the files of Tierkreis and of other clients as well.
"""

import json
import os
import platform
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tkr_lightworks_worker.errors import SetupError, TokenError

HOME_VARIABLE = "TKR_LIGHTWORKS_HOME"
"""Names the home directory whose Lightworks settings are used."""

TOKEN_VARIABLE = "TKR_LIGHTWORKS_TOKEN_NAME"  # noqa: S105 (the name of a variable)
"""Names the saved token to use, where there are several."""

HOW_TO_INSTALL = (
    "Lightworks is not installed; install it with `uv sync --inexact --extra "
    "lightworks` in the checkout of tkr-nexus-worker, or elsewhere with "
    "pip install 'PATH[lightworks]', where PATH is the checkout or wheel of "
    "tkr-nexus-worker."
)

_LOOPBACK = ("127.0.0.1", "localhost")
_FOLDERS = {"Darwin": "Library/Application Support/Aegiq/lightworks"}
_FOLDER = ".local/share/Aegiq/lightworks"
_HOW_TO_SAVE = (
    "run `tkr-lightworks token save`, or in Python call "
    "lightworks.remote.token.set('…') with your access token and then "
    "lightworks.remote.token.save('NAME')"
)


def home() -> Path:
    """Return the home directory whose Lightworks settings are used."""
    return Path(os.environ.get(HOME_VARIABLE) or Path.home()).expanduser()


def folder() -> Path:
    """Return the folder of Lightworks's settings (``lightworks_remote.utils``)."""
    return home() / _FOLDERS.get(platform.system(), _FOLDER)


def tokens_file() -> Path:
    """Return the file with the saved tokens."""
    return folder() / "tokens.json"


def url() -> str:
    """Return the address of Artemis, which ends with a slash.

    :raises SetupError: If there is none.
    """
    path = folder() / "remote_settings.yaml"
    address = _settings(path).get("api_url")
    former = folder() / "api_url.txt"
    if not address and former.exists():
        address = former.read_text().strip()
    if not isinstance(address, str) or not is_address(address):
        raise SetupError(
            f"There is no valid address of Artemis in {path}; run `tkr-lightworks "
            "token save --url https://…/ --certificate FILE`, or in Python call "
            "lightworks.remote.set_api_url('https://…/'), with the address that Aegiq "
            "gave you."
        )
    return address if address.endswith("/") else f"{address}/"


def is_address(text: str) -> bool:
    """Return whether a text is the address of a server, whose port is a number."""
    if not text.startswith(("http://", "https://")) or not text.isprintable():
        return False
    try:
        parts = urlsplit(text)
        return bool(parts.hostname) and " " not in text and parts.port != 0
    except ValueError:
        return False


def is_same_server(address: str, other: str) -> bool:
    """Return whether two addresses are those of one server.

    An embedded server may have another port after each start.

    :param address: An address.
    :param other: Another.
    """
    one, two = urlsplit(address), urlsplit(other)
    if one.hostname == two.hostname in _LOOPBACK:
        return True
    return (one.hostname, one.port) == (two.hostname, two.port)


def requires_online() -> bool:
    """Return whether a QPU must be online when a job is submitted.

    It must, unless Lightworks's own setting says that it need not be.
    """
    return _settings(folder() / "remote_settings.yaml").get("require_online", True) in {
        True,
        None,
    }


def certificate() -> Path:
    """Return the file with the certificate authority of Artemis.

    :raises SetupError: If there is none.
    """
    path = folder() / "certificate.pem"
    if not path.exists():
        raise SetupError(
            f"There is no certificate of Artemis at {path}; in Python, call "
            "lightworks.remote.install_certificate(FILE) with the file that Aegiq gave "
            "you."
        )
    return path


def token() -> str:
    """Return the access token.

    :raises TokenError: If there is none, or several and none is named.
    """
    path = tokens_file()
    tokens = _read_tokens(path)
    wanted = os.environ.get(TOKEN_VARIABLE)
    if not tokens:
        raise TokenError(f"There is no access token in {path}: {_HOW_TO_SAVE}.")
    if not wanted and len(tokens) > 1:
        raise TokenError(
            f"{path} has several access tokens ({', '.join(sorted(tokens))}); set "
            f"{TOKEN_VARIABLE} to the name of one."
        )
    found = tokens.get(wanted) if wanted else next(iter(tokens.values()))
    if found is None:
        raise TokenError(
            f"There is no access token {wanted!r} in {path}, which has "
            f"{', '.join(sorted(tokens))}; set {TOKEN_VARIABLE} to one of these."
        )
    if not (isinstance(found, str) and found.isascii() and found.isprintable()):
        # The error of httpx for an invalid header quotes it.
        raise TokenError(f"The access token in {path} is damaged: {_HOW_TO_SAVE}.")
    return found


def token_names() -> list[str]:
    """Return the names of the saved tokens.

    :raises TokenError: If the file cannot be read.
    """
    return sorted(_read_tokens(tokens_file()))


def token_fingerprint() -> tuple[int, int] | None:
    """Return what identifies the saved tokens, without reading them."""
    return _stamp(tokens_file())


def _read_tokens(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text())
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        # The error may quote the file, tokens included.
        raise TokenError(
            f"The access tokens in {path} cannot be read: {_HOW_TO_SAVE}."
        ) from (error if isinstance(error, OSError) else None)
    return content if isinstance(content, dict) else {}


def _settings(path: Path) -> dict[str, Any]:
    stamp = _stamp(path)
    return {} if stamp is None else _load_settings(path, stamp)


@lru_cache(maxsize=8)
def _load_settings(path: Path, _stamp: tuple[int, int]) -> dict[str, Any]:
    # Of the dependencies of Lightworks; most commands do not need it.
    try:
        import yaml
    except ModuleNotFoundError as error:
        raise SetupError(HOW_TO_INSTALL) from error
    try:
        content = yaml.safe_load(path.read_text())
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise SetupError(
            f"The settings of Lightworks in {path} cannot be read; set them again with "
            "lightworks.remote.set_api_url('https://…/')."
        ) from error
    return content if isinstance(content, dict) else {}


def _stamp(path: Path) -> tuple[int, int] | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size
