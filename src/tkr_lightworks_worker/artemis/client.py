"""The one place for requests to Artemis: time-outs, retries and errors.

Which failures are worth a retry follows RFC 9110 and common practice of HTTP services.
A request that makes something is repeated only where it certainly was not carried out.
"""

import atexit
import json
import logging
import os
import ssl
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from http import HTTPStatus
from typing import Any

import httpx

from tkr_lightworks_worker.artemis import settings
from tkr_lightworks_worker.cloud import LIGHTWORKS
from tkr_lightworks_worker.errors import (
    ArtemisRefusedError,
    ArtemisUnavailableError,
    SetupError,
    TokenError,
)
from tkr_runtime import patience
from tkr_runtime.http import (
    UNREADABLE,
    raise_if_transient,
    timeout_of,
    total_time_limit,
    was_not_carried_out,
)
from tkr_runtime.requests import (
    TransientResponseError,
    send_with_login,
    send_with_retries,
)
from tkr_runtime.settings.limits import Limits

logger = logging.getLogger(__name__)

type Query = Mapping[str, str | int | Sequence[str]]

_MAYBE_DONE = (
    "it may have been carried out all the same: look in Artemis before sending it again"
)
_TOKEN_REFUSED = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN})
_lock = threading.Lock()
_clients: dict[tuple[str, int, str | None], httpx.Client] = {}


class RefusedResponseError(Exception):
    """Artemis answered that it does not do what was asked.

    :param status_code: The HTTP status.
    :param body: The body of the answer.
    """

    def __init__(self, status_code: int, body: str) -> None:
        super().__init__(f"status {status_code}")
        self.status_code = status_code
        self.body = body


def limits() -> Limits:
    """Read the limits of time from the environment.

    :raises InvalidInputError: If a variable is not a positive number.
    """
    return Limits.from_environment(LIGHTWORKS.env_prefix)


def read_environment_again() -> None:
    """Forget the connections of the process that this one is a fork of."""
    _clients.clear()


def request(
    method: str,
    path: str,
    *,
    query: Query | None = None,
    content: object = None,
    read_timeout: float | None = None,
) -> httpx.Response:
    """Send a request once, for use inside :func:`call`.

    :param method: The method.
    :param path: The path below the address of Artemis.
    :param query: The parameters of the query.
    :param content: What to send as JSON, if anything.
    :param read_timeout: After how many seconds of silence to give up, if the limits of
        time allow more.
    :returns: The answer, which has a status below 400.
    :raises TokenError: If there is no token, or Artemis does not accept it.
    :raises RefusedResponseError: If Artemis refuses.
    """
    response = _client().request(
        method,
        settings.url() + path,
        params=query,
        json=content,
        headers={"x-access-token": settings.token()},
        timeout=timeout_of(limits(), read_timeout),
    )
    if response.status_code in _TOKEN_REFUSED:
        raise TokenError(
            f"Artemis at {settings.url()} does not accept the access token (status "
            f"{response.status_code}): it has expired, or does not permit this. Save a "
            f"new one in {settings.tokens_file()} with `tkr-lightworks token` or "
            "lightworks.remote.token.save."
        )
    if not response.is_success:
        raise RefusedResponseError(response.status_code, response.text)
    return response


def get_json(
    action: str,
    path: str,
    query: Query | None = None,
    *,
    retry_time: float | None = None,
    login_wait: float = 0.0,
    read_timeout: float | None = None,
) -> Any:
    """Read a JSON value.

    :param action: What it is read for, for messages.
    :param path: The path below the address of Artemis.
    :param query: The parameters of the query.
    :param retry_time: As for :func:`call`.
    :param login_wait: As for :func:`call`.
    :param read_timeout: As for :func:`request`.
    :returns: The decoded body.
    :raises LightworksWorkerError: As :func:`call` does.
    """
    return call(
        action,
        lambda: request("GET", path, query=query, read_timeout=read_timeout).json(),
        retry_time=retry_time,
        login_wait=login_wait,
    )


def call[T](
    action: str,
    send: Callable[[], T],
    *,
    changes: bool = False,
    retry_time: float | None = None,
    login_wait: float = 0.0,
) -> T:
    """Send a request to Artemis, with retries.

    :param action: What the request is for, as in "submit job 'hom'"; it becomes part of
        messages.
    :param send: Sends it once, by :func:`request`.
    :param changes: Whether the request makes or changes something, so that sending it
        twice could do it twice.
    :param retry_time: For how long to try again, in seconds; by default as
        :class:`Limits` say.
    :param login_wait: How long to wait for a new token if Artemis does not accept the
        one there is, in seconds.
    :returns: What the function returns.
    :raises TokenError: If there is no valid token.
    :raises SetupError: If there is no address or certificate.
    :raises ArtemisUnavailableError: If Artemis cannot be reached or cannot answer,
        after all retries.
    :raises ArtemisRefusedError: If Artemis refuses.
    """

    def send_repeatedly() -> T:
        began = time.monotonic()
        return send_with_retries(
            action,
            send,
            limits=limits(),
            log_prefix=LIGHTWORKS.log_prefix,
            is_worth_a_retry=partial(_try_again, began, changes=changes),
            translate=partial(_translate, action, changes=changes),
            retry_time=retry_time,
        )

    return send_with_login(
        send_repeatedly,
        expired=TokenError,
        fingerprint=settings.token_fingerprint,
        renewed=lambda: logger.info("artemis: there is a new token; going on"),
        warn=_warn_of_wait,
        login_wait=login_wait,
    )


def _warn_of_wait(seconds: float) -> None:
    logger.warning(
        "artemis: the access token is missing or has expired; waiting up to %.0f "
        "minutes until you save a new one in %s",
        seconds / 60,
        settings.tokens_file(),
    )


def _client() -> httpx.Client:
    """Return the shared client for the current address and certificate."""
    address = settings.url()
    trust = None
    if address.startswith("https:"):
        path = settings.certificate()
        trust = f"{path} {path.stat().st_mtime_ns}"
    key = (address, os.getpid(), trust)
    with _lock:
        if key not in _clients:
            _clients[key] = _new_client(has_tls=trust is not None)
        return _clients[key]


def _new_client(*, has_tls: bool) -> httpx.Client:
    # Lightworks trusts this certificate alone, not those of the system.
    verify: ssl.SSLContext | bool = False
    if has_tls:
        try:
            verify = ssl.create_default_context(cafile=settings.certificate())
        except (OSError, ssl.SSLError) as error:
            raise SetupError(
                f"The certificate of Artemis at {settings.certificate()} cannot be "
                "read; install it again with lightworks.remote.install_certificate."
            ) from error
    hooks = [patience.note_answer, total_time_limit(limits), raise_if_transient]
    client = httpx.Client(verify=verify, event_hooks={"response": hooks})
    atexit.register(client.close)
    return client


def _try_again(began: float, error: Exception, *, changes: bool) -> bool:
    return _is_worth_a_retry(error, changes=changes) and not patience.is_over(began)


def _is_worth_a_retry(error: Exception, *, changes: bool) -> bool:
    if changes:
        return was_not_carried_out(error)
    return isinstance(
        error, (httpx.TransportError, TransientResponseError, *UNREADABLE)
    )


def _translate(action: str, error: Exception, *, changes: bool) -> Exception | None:
    """Return the error of this package for one of httpx, if it is one."""
    match error:
        case TokenError():
            return TokenError(f"Could not {action}: {error}")
        case httpx.TransportError() | TransientResponseError():
            outcome = (
                _MAYBE_DONE
                if changes and not was_not_carried_out(error)
                else "check the connection and try again later"
            )
            return ArtemisUnavailableError(
                f"Could not {action}: no answer from Artemis at {settings.url()} "
                f"({type(error).__name__}: {error}); {outcome}."
            )
        case _ if isinstance(error, UNREADABLE):
            outcome = _MAYBE_DONE if changes else "try again later"
            return ArtemisUnavailableError(
                f"Could not {action}: Artemis at {settings.url()} sent an answer that "
                f"cannot be read; {outcome}."
            )
        case RefusedResponseError():
            return ArtemisRefusedError(
                f"Could not {action}: Artemis refused with status "
                f"{error.status_code}: {_reason(error.body)}.",
                error.status_code,
            )
        case _:
            return None


def _reason(body: str) -> str:
    """Return what an answer says, the fields that failed validation by name."""
    try:
        content = json.loads(body)
    except json.JSONDecodeError:
        content = body
    if isinstance(content, dict) and isinstance(content.get("errors"), list):
        fields = [
            f"{it.get('name')}: {it.get('reason')}" if isinstance(it, dict) else str(it)
            for it in content["errors"]
        ]
        content = "; ".join(fields)
    elif isinstance(content, dict):
        content = content.get("message") or content.get("title") or content
    return " ".join(str(content).split())[:500].rstrip(".") or "no reason given"
