"""The user's account on Nexus: log in, and look up who is logged in."""

import time
import webbrowser
from collections.abc import Callable
from functools import partial
from typing import Any

import httpx
from qnexus.client import VERSION, VERSION_HEADER
from qnexus.client.utils import is_managed_token_environment
from qnexus.config import CONFIG
from qnexus.models.region import _rewrite_verification_uri

from tkr_nexus_worker.errors import (
    InvalidInputError,
    NexusRefusedError,
    NexusUnavailableError,
    NotLoggedInError,
)
from tkr_nexus_worker.nexus.client import (
    get_json,
    limits,
    reading_certificates,
    reload_login,
)
from tkr_nexus_worker.nexus.login import store_login, token_files
from tkr_nexus_worker.nexus.models import AccountReport
from tkr_runtime.requests import TRANSIENT_STATUSES

# As qnexus names itself to Nexus (qnexus.client.auth).
_CLIENT = {"client_id": "scales", "scope": "myqos"}
_GRANT_TYPE = "urn:ietf:params:oauth:grant-type:device_code"
_PENDING = "authorization_pending"
_SLOW_DOWN = "slow_down"
# By how much to slow down, in seconds (RFC 8628, section 3.5).
_SLOWER_BY = 5.0
_MAX_LOGIN_SECONDS = 1800.0
_PATIENCE_SECONDS = 2.0


def check_login() -> None:
    """Check soon that Nexus answers and that there is a login.

    :raises NexusWorkerError: If it does not, or there is none.
    """
    get_json("check the login", "/auth/tokens", read_timeout=_PATIENCE_SECONDS)


def get_account(*, retry_time: float | None = None) -> AccountReport:
    """Return who is logged in, to which Nexus, and for how long.

    :param retry_time: How long to retry if Nexus does not respond, in seconds; by
        default ``TKR_NEXUS_RETRY_TIME``.
    :returns: The account.
    :raises NotLoggedInError: If nobody is logged in.
    :raises NexusWorkerError: If Nexus refuses or does not respond.
    """
    read = partial(get_json, retry_time=retry_time)
    user = read("look up the user", "/api/users/v1beta2/me")["data"]
    token = read("check the login", "/auth/tokens")["token_status"]
    files = token_files() if CONFIG.store_tokens else []
    return AccountReport(
        user_id=user["id"],
        display_name=user["attributes"]["display_name"] or "",
        email=user["attributes"].get("email"),
        nexus_url=CONFIG.url,
        login_seconds_left=float(token["ttl"]),
        login_files=[str(path) for path in files],
    )


def log_in(show_code: Callable[[str, str], None], *, open_browser: bool = True) -> str:
    """Log in with a browser, on this machine or another (RFC 8628).

    The login is stored where qnexus looks for it, readable only by its owner.

    :param show_code: Called with the code that the browser must show and with the
        address to open.
    :param open_browser: Whether to open the address in a browser on this machine.
    :returns: The e-mail address of the user.
    :raises InvalidInputError: If this environment does not allow storing a login.
    :raises NotLoggedInError: If the user did not confirm in time.
    :raises NexusWorkerError: If Nexus or the user refuses, or Nexus does not respond.
    """
    if not CONFIG.store_tokens:
        raise InvalidInputError(
            "NEXUS_STORE_TOKENS is off, so no login can be stored; unset it, or call "
            "qnexus.login_with_token in your program."
        )
    if is_managed_token_environment():
        raise InvalidInputError(
            "NEXUS_MANAGED_TOKENS is set: this environment manages the login itself."
        )
    times = limits()
    with reading_certificates():
        http = httpx.Client(
            base_url=f"{CONFIG.url}/auth",
            verify=CONFIG.httpx_verify,
            headers={VERSION_HEADER: VERSION},
            timeout=httpx.Timeout(times.read_timeout, connect=times.connect_timeout),
        )
    with http:
        try:
            started = http.post("/device/device_authorization", data=_CLIENT)
        except httpx.TransportError as error:
            raise _no_response(error) from error
        offer = _read(started)
        address = _rewrite_verification_uri(offer["verification_uri_complete"])
        show_code(offer["user_code"], address)
        if open_browser:
            webbrowser.open(address, new=2)
        tokens = _wait_for_confirmation(http, offer)
    store_login(tokens["refresh_token"], tokens["access_token"])
    reload_login()
    return str(tokens.get("email", ""))


def _wait_for_confirmation(http: httpx.Client, offer: dict[str, Any]) -> dict[str, Any]:
    """Request the tokens until the user has confirmed the code."""
    request = {
        "grant_type": _GRANT_TYPE,
        "device_code": offer["device_code"],
        "client_id": _CLIENT["client_id"],
    }
    pause = max(float(offer["interval"]), 1.0)
    deadline = time.monotonic() + min(float(offer["expires_in"]), _MAX_LOGIN_SECONDS)
    while time.monotonic() + pause < deadline:
        time.sleep(pause)
        try:
            response = http.post("/device/token", data=request)
        except httpx.TransportError:
            continue  # the code stays valid while the connection is lost
        # Nexus writes these codes in capitals, the RFC in small letters.
        text = response.text.lower()
        if _SLOW_DOWN in text:
            pause += _SLOWER_BY
            continue
        if response.status_code in TRANSIENT_STATUSES or _PENDING in text:
            continue
        return _read(response)
    raise NotLoggedInError(
        "Nobody has confirmed the code in the browser in time; log in again."
    )


def _read(response: httpx.Response) -> dict[str, Any]:
    try:
        content = response.json()
    except ValueError as error:
        raise NexusUnavailableError(
            f"Could not log in: the response of {CONFIG.url} does not come from Nexus "
            f"(status {response.status_code}); check NEXUS_HOST."
        ) from error
    if not response.is_success or not isinstance(content, dict):
        reason = content.get("message") if isinstance(content, dict) else None
        raise NexusRefusedError(
            f"Could not log in: Nexus refused with status {response.status_code}: "
            f"{str(reason or 'no reason given').rstrip('.')}.",
            response.status_code,
        )
    return content


def _no_response(error: httpx.TransportError) -> NexusUnavailableError:
    return NexusUnavailableError(
        f"Could not log in: no answer from Nexus at {CONFIG.url} "
        f"({type(error).__name__}: {error}); run `tkr-nexus doctor` to find the cause."
    )
