"""The one place for time-outs, retries and error translation around qnexus.

Every request to Nexus goes through :func:`call`. It gives the shared client of qnexus
limits of time (qnexus itself sets none), tries again what is worth trying again, and
turns what remains into the errors of :mod:`tkr_nexus_worker.errors`.

Which failures are worth a retry follows RFC 9110 and common practice of HTTP services:
lost connections, time-outs and the statuses 408, 425, 429, 500, 502, 503 and 504.
A request that changes something on Nexus is repeated only where it certainly was not
carried out: the connection was never made, or Nexus turned it away with 429.
"""

import logging
import os
import ssl
import threading
import time
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager, suppress
from functools import lru_cache, partial
from http import HTTPStatus
from pathlib import Path
from stat import S_ISREG
from typing import Any

import certifi
import httpx
import qnexus.exceptions as qnx
import tenacity
from qnexus.client import AuthHandler, get_nexus_client
from qnexus.config import CONFIG, Config

from tkr_nexus_worker.cloud import NEXUS
from tkr_nexus_worker.errors import (
    NexusRefusedError,
    NexusUnavailableError,
    NotLoggedInError,
)
from tkr_nexus_worker.nexus.login import SharedLogin, fingerprint
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
    sentence_in,
)
from tkr_runtime.settings.limits import Limits
from tkr_runtime.tasks import workflow_memory

logger = logging.getLogger(__name__)

# qnexus makes its client at the first use, without a lock against other threads.
_client_lock = threading.Lock()

_MAYBE_DONE = (
    "it may have been carried out all the same: look in Nexus before sending it again"
)
_A_DAY = 24 * 3600.0
_LOGIN_ADVICE = "run `tkr-nexus login` or `qnx login` in a terminal, then try again"


def limits() -> Limits:
    """Read the limits of time from the environment.

    :raises InvalidInputError: If a variable is not a positive number.
    """
    return Limits.from_environment(NEXUS.env_prefix)


def preload() -> None:
    """Import what httpx imports only for its first client, for forks to have it."""
    httpx.Client().close()


def load_certificates(environment: Mapping[str, str]) -> None:
    """Load the certificates that an environment trusts, for forks to have them.

    They take longer than a request, and each fork would load them for its client.

    :param environment: The environment of the next fork.
    """
    # What is wrong with the file is said where it is used.
    with suppress(OSError, ssl.SSLError):
        _trust(environment)


def _trust(environment: Mapping[str, str]) -> ssl.SSLContext | None:
    """Return the certificates that httpx would load; None if they are no plain file."""
    file = environment.get("SSL_CERT_FILE")
    is_other = environment.get("SSLKEYLOGFILE") or (
        not file and environment.get("SSL_CERT_DIR")
    )
    file = file or certifi.where()
    status = Path(file).stat()
    if is_other or not S_ISREG(status.st_mode):
        return None
    return _read_certificates(file, status.st_ino, status.st_mtime_ns, status.st_size)


@lru_cache(maxsize=4)
def _read_certificates(file: str, *_state: int) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=file)


def read_config_again() -> None:
    """Read the configuration of qnexus again, as its import does.

    A fork has the environment of its task only after qnexus was imported.
    """
    file = Path(os.environ.get("NEXUS_CONFIG_FILE", "~/.qnexus/config")).expanduser()
    settings = Config(_env_file=file)  # type: ignore[call-arg]
    for name in type(settings).model_fields:
        setattr(CONFIG, name, getattr(settings, name))
    if CONFIG.httpx_verify:
        with suppress(OSError, ssl.SSLError):
            # qnexus passes it on to httpx, which takes either.
            CONFIG.httpx_verify = _trust(os.environ) or True  # type: ignore[assignment]


@contextmanager
def reading_certificates() -> Generator[None]:
    """Make a client, which reads the certificates to trust.

    :raises NexusUnavailableError: If they cannot be read.
    """
    try:
        yield
    except OSError as error:
        file = os.environ.get("SSL_CERT_FILE")
        # OpenSSL does not name the file; errors of other files do.
        if error.filename is not None or not file:
            raise
        raise NexusUnavailableError(
            f"Nexus at {CONFIG.url} cannot be asked: the certificates in {file}, which "
            f"SSL_CERT_FILE names, cannot be read ({error.strerror}); name another "
            "file, or, if an embedded Nexus has stopped, start one again or run "
            '`eval "$(tkr-nexus serve --stop)"`.'
        ) from error


def client() -> httpx.Client:
    """Return the shared client of qnexus, with limits of time set.

    :returns: The client that all functions of qnexus use as well.
    :raises NotLoggedInError: If the stored login cannot be read.
    :raises NexusUnavailableError: If the certificates to trust cannot be read.
    """
    try:
        with reading_certificates():
            shared = _load_client()
    except ValueError as error:
        raise NotLoggedInError(
            f"The stored login to Nexus cannot be read: {_LOGIN_ADVICE}."
        ) from error
    shared.timeout = timeout_of(limits())
    hooks = shared.event_hooks["response"]
    if raise_if_transient not in hooks:
        hooks += [patience.note_answer, total_time_limit(limits), raise_if_transient]
    if isinstance(shared.auth, AuthHandler) and not isinstance(
        shared.auth, SharedLogin
    ):
        shared.auth = SharedLogin(shared.auth)
    return shared


def reload_login() -> None:
    """Let the shared client take a login that was stored meanwhile."""
    login = client().auth
    if isinstance(login, AuthHandler):
        login.reload_tokens()


# qnexus writes its token files in place: another task may meet one half written.
@tenacity.retry(
    retry=tenacity.retry_if_exception_type(ValueError),
    wait=tenacity.wait_exponential_jitter(multiplier=0.05, max=0.5),
    stop=tenacity.stop_after_attempt(5),
    reraise=True,
)
def _load_client() -> httpx.Client:
    with _client_lock:
        return get_nexus_client()


def call[T](
    action: str,
    request: Callable[[], T],
    *,
    changes: bool = False,
    retry_time: float | None = None,
    login_wait: float = 0.0,
) -> T:
    """Send a request to Nexus by a function of qnexus.

    :param action: What the request is for, as in "upload circuit 'bell'"; it becomes
        part of messages.
    :param request: A function that calls qnexus.
    :param changes: Whether the request makes or changes something on Nexus, so that
        sending it twice could do it twice.
    :param retry_time: For how long to try again, in seconds; by default as
        :class:`Limits` say.
    :param login_wait: How long to wait for the person to log in again if the login has
        expired, in seconds.
    :returns: What the function returns.
    :raises NotLoggedInError: If there is no valid login.
    :raises NexusUnavailableError: If Nexus cannot be reached or cannot answer, after
        all retries.
    :raises NexusRefusedError: If Nexus refuses the request.
    """

    def send() -> T:
        # Without a login, Nexus would be asked, and waited for, in vain.
        require_login()
        began = time.monotonic()
        return send_with_retries(
            action,
            request,
            limits=limits(),
            log_prefix=NEXUS.log_prefix,
            is_worth_a_retry=partial(_try_again, began, changes=changes),
            translate=partial(_translate, action, changes=changes),
            retry_time=retry_time,
        )

    return send_with_login(
        send,
        expired=NotLoggedInError,
        fingerprint=fingerprint,
        renewed=_go_on,
        warn=_warn_of_wait,
        login_wait=login_wait,
    )


def _go_on() -> None:
    reload_login()
    logger.info("nexus: logged in again; going on")


def _warn_of_wait(seconds: float) -> None:
    logger.warning(
        "nexus: the login to %s has expired; waiting up to %.0f minutes until you run "
        "`qnx login` in a terminal",
        CONFIG.url,
        seconds / 60,
    )


type Query = Mapping[str, str | int | list[str]]
"""The parameters of a request; one that has several values is sent several times."""


def get_json(
    action: str,
    path: str,
    query: Query | None = None,
    *,
    retry_time: float | None = None,
    login_wait: float = 0.0,
    read_timeout: float | None = None,
) -> dict[str, Any]:
    """Read a JSON object of the Nexus API that qnexus cannot return as it is.

    :param action: What it is read for, for messages.
    :param path: The path below the address of Nexus.
    :param query: The parameters of the query.
    :param retry_time: As for :func:`call`.
    :param login_wait: As for :func:`call`.
    :param read_timeout: After how many seconds of silence to try again, if the limits
        of time allow more.
    :returns: The decoded body.
    :raises NexusRefusedError: If Nexus refuses.
    :raises NexusUnavailableError: If it cannot be read, after all retries.
    """
    return call(
        action,
        lambda: read_json(path, query, read_timeout=read_timeout),
        retry_time=retry_time,
        login_wait=login_wait,
    )


def read_json(
    path: str, query: Query | None = None, *, read_timeout: float | None = None
) -> dict[str, Any]:
    """Read a JSON object of the Nexus API once, for use inside :func:`call`.

    :param path: The path below the address of Nexus.
    :param query: The parameters of the query.
    :param read_timeout: As for :func:`get_json`.
    :returns: The decoded body.
    :raises qnexus.exceptions.ResourceFetchFailed: If Nexus refuses.
    """
    response = client().get(
        path, params=query, timeout=timeout_of(limits(), read_timeout)
    )
    if not response.is_success:
        raise qnx.ResourceFetchFailed(response.text, response.status_code)
    body: dict[str, Any] = response.json()
    return body


def require_login() -> None:
    """Refuse to ask Nexus without a login, before a connection is made.

    :raises NotLoggedInError: If nobody has logged in.
    """
    login = client().auth
    if isinstance(login, SharedLogin) and not login.exists():
        raise NotLoggedInError(
            f"Not logged in to Nexus at {CONFIG.url}; {_LOGIN_ADVICE}. Without an "
            "account, start an embedded Nexus with `tkr-nexus serve`."
        )


def warn_if_login_ends_soon(polling_interval: float) -> None:
    """Warn of a login that may end while a job is waited for.

    Later tasks of a workflow ask again only if the login ends soon by then.

    :param polling_interval: The time between two looks at the job, in seconds.
    :raises NotLoggedInError: If there is no login now.
    """
    subject = f"end of the login of {CONFIG.token_path} on {CONFIG.url}"
    enough = max(polling_interval, _A_DAY)
    remembered = workflow_memory.recall(subject)
    if remembered is not None and float(remembered) - time.time() >= enough:
        return
    require_login()
    status = get_json("check the login", "/auth/tokens")["token_status"]
    remaining = float(status["ttl"])
    workflow_memory.remember(subject, str(time.time() + remaining))
    if remaining < enough:
        logger.warning(
            "nexus: the login ends in %.1f hours; a job that waits longer parks the "
            "workflow until you run `qnx login` again",
            remaining / 3600,
        )


def _try_again(began: float, error: Exception, *, changes: bool) -> bool:
    return _is_worth_a_retry(error, changes=changes) and not patience.is_over(began)


def _is_worth_a_retry(error: Exception, *, changes: bool) -> bool:
    if changes:
        return was_not_carried_out(error)
    return isinstance(
        error, (httpx.TransportError, TransientResponseError, *UNREADABLE)
    )


def _translate(action: str, error: Exception, *, changes: bool) -> Exception | None:
    """Return the error of this package for one of qnexus or httpx, if it is one."""
    match error:
        case qnx.AuthenticationError():
            return NotLoggedInError(
                f"Could not {action}: not logged in to Nexus at {CONFIG.url}; "
                f"{_LOGIN_ADVICE}."
            )
        case httpx.TransportError() | TransientResponseError():
            outcome = (
                _MAYBE_DONE
                if changes and not _is_worth_a_retry(error, changes=True)
                else "check the connection and try again later"
            )
            return NexusUnavailableError(
                f"Could not {action}: no answer from Nexus at {CONFIG.url} "
                f"({type(error).__name__}: {error}); {outcome}."
            )
        case _ if isinstance(error, UNREADABLE):
            outcome = _MAYBE_DONE if changes else "try again later"
            return NexusUnavailableError(
                f"Could not {action}: Nexus at {CONFIG.url} sent an answer that cannot "
                f"be read; {outcome}."
            )
        case qnx.DataGone():
            return _gone(action, str(error))
        case qnx.ZeroMatches():
            return NexusRefusedError(
                f"Could not {action}: there is no such thing in your Nexus account.",
                404,
            )
        case (
            qnx.ResourceFetchFailed()
            | qnx.ResourceCreateFailed()
            | qnx.ResourceUpdateFailed()
            | qnx.ResourceDeleteFailed()
        ):
            return _refused(action, error.status_code, error.message)
        case httpx.HTTPStatusError():
            return _refused(action, error.response.status_code, error.response.text)
        case _:
            return None


def _refused(action: str, status_code: int | None, body: str) -> NexusRefusedError:
    if status_code == HTTPStatus.GONE:
        return _gone(action, body)
    status = f" with status {status_code}" if status_code is not None else ""
    return NexusRefusedError(
        f"Could not {action}: Nexus refused{status}: {sentence_in(body)}.", status_code
    )


def _gone(action: str, body: str) -> NexusRefusedError:
    return NexusRefusedError(
        f"Could not {action}: Nexus no longer keeps the data (status "
        f"{HTTPStatus.GONE.value}: {sentence_in(body)}).",
        HTTPStatus.GONE,
    )
