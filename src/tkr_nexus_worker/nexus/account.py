"""The person's account on Nexus: log in, and tell who is logged in where."""

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
from tkr_nexus_worker.nexus.client import get_json, limits, reload_login
from tkr_nexus_worker.nexus.login import store_login, token_files
from tkr_nexus_worker.nexus.models import AccountReport
from tkr_runtime.requests import TRANSIENT_STATUSES

# As qnexus names itself to Nexus (qnexus.client.auth).
_CLIENT = {"client_id": "scales", "scope": "myqos"}
_GRANT_TYPE = "urn:ietf:params:oauth:grant-type:device_code"
_PENDING = "AUTHORIZATION_PENDING"
_LONGEST_LOGIN = 1800.0


def get_account(*, retry_time: float | None = None) -> AccountReport:
    """Tell who is logged in, to which Nexus, and for how long.

    :param retry_time: For how long to try again where Nexus does not answer, in
        seconds; by default as the limits of time say.
    :returns: The account.
    :raises NotLoggedInError: If nobody is.
    :raises NexusWorkerError: If Nexus does not tell.
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
    """Log in by a browser, on this machine or another (RFC 8628), and keep the login.

    The login is stored where qnexus looks for it, readable by its owner alone.

    :param show_code: Called with the code that the browser must show, and the address
        to open.
    :param open_browser: Whether to open the address in a browser of this machine.
    :returns: The e-mail address of the person.
    :raises InvalidInputError: If this environment does not let a login be stored.
    :raises NotLoggedInError: If the person did not confirm in time, or refused.
    :raises NexusWorkerError: If Nexus refuses or does not answer.
    """
    if not CONFIG.store_tokens:
        raise InvalidInputError(
            "NEXUS_STORE_TOKENS is off, so that no login can be kept; unset it, or log "
            "in by qnexus.login_with_token in your program."
        )
    if is_managed_token_environment():
        raise InvalidInputError(
            "NEXUS_MANAGED_TOKENS is set: this environment keeps the login itself."
        )
    times = limits()
    with httpx.Client(
        base_url=f"{CONFIG.url}/auth",
        verify=CONFIG.httpx_verify,
        headers={VERSION_HEADER: VERSION},
        timeout=httpx.Timeout(times.read_timeout, connect=times.connect_timeout),
    ) as http:
        try:
            started = http.post("/device/device_authorization", data=_CLIENT)
        except httpx.TransportError as error:
            raise _no_answer(error) from error
        offer = _read(started)
        address = _rewrite_verification_uri(offer["verification_uri_complete"])
        show_code(offer["user_code"], address)
        if open_browser:
            webbrowser.open(address, new=2)
        tokens = _await_confirmation(http, offer)
    store_login(tokens["refresh_token"], tokens["access_token"])
    reload_login()
    return str(tokens.get("email", ""))


def _await_confirmation(http: httpx.Client, offer: dict[str, Any]) -> dict[str, Any]:
    """Ask for the tokens until the person has confirmed."""
    question = {
        "grant_type": _GRANT_TYPE,
        "device_code": offer["device_code"],
        "client_id": _CLIENT["client_id"],
    }
    pause = max(float(offer["interval"]), 1.0)
    deadline = time.monotonic() + min(float(offer["expires_in"]), _LONGEST_LOGIN)
    while time.monotonic() + pause < deadline:
        time.sleep(pause)
        try:
            answer = http.post("/device/token", data=question)
        except httpx.TransportError:
            continue  # the code is still good when the connection is back
        if answer.status_code in TRANSIENT_STATUSES or _PENDING in answer.text:
            continue
        return _read(answer)
    raise NotLoggedInError(
        "Nobody has confirmed the code in the browser in time; start the login again."
    )


def _read(answer: httpx.Response) -> dict[str, Any]:
    try:
        content = answer.json()
    except ValueError as error:
        raise NexusUnavailableError(
            f"Could not log in: {CONFIG.url} sent an answer that is not one of Nexus "
            f"(status {answer.status_code}); check NEXUS_HOST."
        ) from error
    if not answer.is_success or not isinstance(content, dict):
        reason = content.get("message") if isinstance(content, dict) else None
        raise NexusRefusedError(
            f"Could not log in: Nexus refused with status {answer.status_code}: "
            f"{str(reason or 'no reason given').rstrip('.')}.",
            answer.status_code,
        )
    return content


def _no_answer(error: httpx.TransportError) -> NexusUnavailableError:
    return NexusUnavailableError(
        f"Could not log in: no answer from Nexus at {CONFIG.url} "
        f"({type(error).__name__}: {error}); `tkr-nexus doctor` looks for the reason."
    )
