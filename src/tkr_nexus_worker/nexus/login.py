"""The login to Nexus, shared by all processes of a user.

qnexus renews an expired access token, but every process does so on its own and writes
the token file in place. Here one process renews the token while the others wait and
then read the new file. Files are replaced atomically and readable only by their owner.
"""

import json
import logging
import threading
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
from qnexus.client import VERSION, VERSION_HEADER, AuthHandler
from qnexus.client.utils import (
    TokenTypes,
    is_managed_token_environment,
    read_token,
    token_file_from_type,
)
from qnexus.config import CONFIG
from qnexus.exceptions import AuthenticationError

from tkr_nexus_worker.errors import CheckpointError
from tkr_runtime.files import replace_file
from tkr_runtime.locks import hold_lock

logger = logging.getLogger(__name__)

ACCESS_COOKIE = "myqos_id"
_REFRESH_COOKIE = "myqos_oat"
# Longer than a renewal takes, unless its process is suspended.
_LOCK_SECONDS = 180.0
_thread_lock = threading.Lock()


class SharedLogin(AuthHandler):
    """Authenticate requests, and renew the access token once for all processes.

    :param former: The handler whose login to take over.
    """

    def __init__(self, former: AuthHandler) -> None:
        super().__init__()
        stored = self._refresh_token
        self.cookies = former.cookies
        # A login that qnexus holds only in memory must not mix with the stored one.
        self._is_stored = CONFIG.store_tokens and self._refresh_token in (None, stored)

    def set_tokens(self, refresh_token: str) -> None:
        """Use a login without storing it.

        :param refresh_token: The refresh token.
        """
        self._is_stored = False
        super().set_tokens(refresh_token)

    def auth_flow(
        self, request: httpx.Request
    ) -> Generator[httpx.Request, httpx.Response]:
        """Send a request; if its token has expired, renew the token and resend it.

        :param request: The request.
        :raises AuthenticationError: If there is no login, or it cannot be renewed.
        """
        self._sign(request)
        sent_token = _access_token_of(request)
        response = yield request
        if response.status_code != httpx.codes.UNAUTHORIZED:
            return
        with _renewal_lock():
            if self._is_stored:
                self.reload_tokens()
            if self.access_token in (None, sent_token):
                renewal = yield self._renewal_request()
                if renewal.status_code == httpx.codes.UNAUTHORIZED:
                    raise AuthenticationError("The login has expired.")
                renewal.raise_for_status()
                self.cookies.delete(ACCESS_COOKIE)
                self.cookies.extract_cookies(renewal)
                self._store_access_token()
        self._sign(request)
        yield request

    @property
    def _refresh_token(self) -> str | None:
        return self.cookies.get(_REFRESH_COOKIE, domain=CONFIG.domain)

    @property
    def access_token(self) -> str | None:
        """The access token of requests, or None."""
        return self.cookies.get(ACCESS_COOKIE, domain=CONFIG.domain)

    def exists(self) -> bool:
        """Return whether there is a login, valid or not."""
        if self._refresh_token is None and self._is_stored:
            self.reload_tokens()
        return self._refresh_token is not None or self.access_token is not None

    def _sign(self, request: httpx.Request) -> None:
        # The error of httpx for an invalid header quotes it, tokens included.
        for token in (self._refresh_token, self.access_token):
            if token is not None and not (token.isascii() and token.isprintable()):
                raise AuthenticationError("The stored login is damaged.")
        request.headers.pop("cookie", None)
        self.cookies.set_cookie_header(request)

    def _renewal_request(self) -> httpx.Request:
        if self._refresh_token is None:
            raise AuthenticationError("There is no login.")
        cookie = f"{_REFRESH_COOKIE}={self._refresh_token}"
        return httpx.Request(
            "POST",
            f"{CONFIG.url}/auth/tokens/refresh",
            headers={VERSION_HEADER: VERSION, "cookie": cookie},
        )

    def _store_access_token(self) -> None:
        if not self._is_stored:
            return
        content = _stored_access(self.access_token)
        try:
            _replace(_token_file("access_token"), content)
        except OSError as error:
            logger.warning("nexus: the renewed login could not be stored (%s)", error)


def token_files() -> list[Path]:
    """Return the paths of the stored refresh token and access token."""
    return [_token_file("refresh_token"), _token_file("access_token")]


def read_login() -> bool:
    """Return whether the stored login can be read."""
    try:
        return bool(read_token("refresh_token") and read_token("access_token"))
    except (OSError, ValueError):
        return False


def store_login(refresh_token: str, access_token: str) -> None:
    """Store a new login, readable only by its owner.

    :param refresh_token: The refresh token.
    :param access_token: The access token.
    :raises CheckpointError: If the files cannot be written.
    """
    refresh = {"refresh_token": refresh_token, "delete_version_after": None}
    folder = _token_file("refresh_token").parent
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with _renewal_lock():
            _replace(_token_file("access_token"), _stored_access(access_token))
            _replace(_token_file("refresh_token"), {"data": refresh})
    except OSError as error:
        raise CheckpointError(
            f"Cannot store the login in {folder} ({error.strerror}); make it "
            "writable, or set NEXUS_TOKEN_PATH to another directory."
        ) from error


def _stored_access(token: str | None) -> dict[str, Any]:
    return {"data": {"access_token": token}}


def fingerprint() -> tuple[int, int] | None:
    """Return what identifies the stored refresh token, without reading it."""
    try:
        status = _token_file("refresh_token").stat()
    except FileNotFoundError:
        return None
    return status.st_mtime_ns, status.st_size


def _token_file(kind: TokenTypes) -> Path:
    """Return where qnexus stores a token (``qnexus.client.utils``)."""
    managed = kind == "access_token" and is_managed_token_environment()
    folder = CONFIG.managed_token_path if managed else CONFIG.token_path
    return Path.home() / folder / token_file_from_type[kind]


def _replace(path: Path, content: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    replace_file(path, json.dumps(content).encode(), private=True)


@contextmanager
def _renewal_lock() -> Generator[None]:
    """Hold the lock beside the token file, against other processes and threads.

    Where there are no locks, as in a read-only folder, or a suspended process holds
    this one, several processes may renew the login at once; each of them then has a
    valid one.
    """
    path = _token_file("access_token").parent / ".renewal.lock"
    with _thread_lock, hold_lock(path, timeout=_LOCK_SECONDS, required=False):
        yield


def _access_token_of(request: httpx.Request) -> str | None:
    """Return the access token in the cookies of a request, or None."""
    for part in request.headers.get("cookie", "").split("; "):
        name, _, value = part.partition("=")
        if name == ACCESS_COOKIE:
            return str(value)
    return None
