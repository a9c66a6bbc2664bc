"""The checks of ``tkr-nexus doctor``: find a common problem and suggest a fix."""

import os
from collections.abc import Callable, Iterator
from functools import partial

import httpx

from tkr_nexus_worker._version import __version__
from tkr_nexus_worker.cloud import NEXUS
from tkr_nexus_worker.errors import NotLoggedInError
from tkr_runtime.cli import checks, installation
from tkr_runtime.cli.checks import Check, ProblemError
from tkr_runtime.times import age

_MIN_LOGIN_SECONDS = 24 * 3600.0
_DIRECTORY_VARIABLE = "LOCAL_NEXUS_DIRECTORY"


def run_checks() -> Iterator[Check]:
    """Run the checks in order.

    Stops early if a check fails that all later ones depend on.

    :returns: The finding of each check, as soon as it is known.
    """
    remedies: dict[type[Exception], str] = {NotLoggedInError: "Run `tkr-nexus login`."}
    return checks.run_checks(_CHECKS, _PREREQUISITES, remedies)


def _import_client() -> str:
    import qnexus

    return str(qnexus.__file__)


def _check_limits() -> str:
    from tkr_nexus_worker.nexus.client import limits

    return installation.check_limits(NEXUS, limits)


def _check_address() -> str:
    from qnexus.config import CONFIG

    if CONFIG.domain == "localhost":
        raise ProblemError(
            "NEXUS_HOST is localhost: cookies, and so the login, are not sent there",
            "export NEXUS_HOST=127.0.0.1",
        )
    if CONFIG.protocol != "https":
        raise ProblemError(
            f"NEXUS_PROTOCOL is {CONFIG.protocol}: the login is sent unencrypted",
            "unset NEXUS_PROTOCOL",
        )
    if not CONFIG.httpx_verify:
        raise ProblemError(
            "NEXUS_HTTPX_VERIFY is off: anyone on the network path can read the login",
            "unset NEXUS_HTTPX_VERIFY; to trust a private authority, set SSL_CERT_FILE",
            fatal=False,
        )
    embedded = os.environ.get(_DIRECTORY_VARIABLE)
    return f"{CONFIG.url}{' (embedded)' if embedded else ''}"


def _check_connection() -> str:
    response, seconds = _send_request()
    return f"status {response.status_code} after {seconds * 1000:.0f} ms"


def _check_clock() -> str:
    return installation.check_clock(NEXUS, _send_request())


def _send_request() -> tuple[httpx.Response, float]:
    """Send a request that needs no login; return the response and its seconds."""
    from qnexus.config import CONFIG

    try:
        return installation.send_request(
            lambda: httpx.get(
                f"{CONFIG.url}/auth/tokens",
                verify=CONFIG.httpx_verify,
                timeout=installation.TIMEOUT_SECONDS,
            ),
            CONFIG.url,
            "If a proxy on your network replaces it, trust the proxy's authority: "
            "`export SSL_CERT_FILE=/path/to/authority.pem`.",
            installation.how_to_reach(_DIRECTORY_VARIABLE, NEXUS),
        )
    except OSError as error:
        remedy = "Name a file of certificates, or `unset SSL_CERT_FILE`."
        if os.environ.get(_DIRECTORY_VARIABLE):
            remedy = installation.how_to_reach(_DIRECTORY_VARIABLE, NEXUS)
        file = os.environ.get("SSL_CERT_FILE")
        raise ProblemError(
            f"the certificates of SSL_CERT_FILE ({file}) cannot be read "
            f"({error.strerror})",
            remedy,
        ) from error


def _check_login_files() -> str:
    """Check that the stored login is readable, and only by its owner."""
    from qnexus.config import CONFIG

    from tkr_nexus_worker.nexus.login import read_login, token_files

    if not CONFIG.store_tokens:
        return "no login is stored (NEXUS_STORE_TOKENS is off)"
    files = token_files()
    missing = [str(path) for path in files if not path.exists()]
    if missing:
        raise ProblemError(
            f"{' and '.join(missing)} not found", "Run `tkr-nexus login`."
        )
    if not read_login():
        raise ProblemError(
            f"the login in {files[0].parent} is unreadable", "Run `tkr-nexus login`."
        )
    installation.check_private(files)
    return str(files[0].parent)


def _check_login() -> str:
    from tkr_nexus_worker.nexus.account import get_account

    account = get_account(retry_time=installation.TIMEOUT_SECONDS)
    left = age(account.login_seconds_left)
    who = account.email or account.display_name
    if account.login_seconds_left < _MIN_LOGIN_SECONDS:
        raise ProblemError(
            f"{who}, expires in {left}; a job that waits longer stalls its workflow",
            "Run `tkr-nexus login --force`.",
            fatal=False,
        )
    return f"{who}, expires in {left}"


_CHECKS: dict[str, Callable[[], str]] = {
    "Python": installation.check_python,
    "bytecode": installation.check_bytecode,
    "versions": partial(
        installation.check_versions,
        "tkr-nexus-worker",
        __version__,
        ("tierkreis", "qnexus", "pytket"),
    ),
    "uv": partial(installation.check_uv, NEXUS),
    "worker on the PATH": partial(installation.check_executable, NEXUS),
    "workflow directory": installation.check_workflows,
    "qnexus import": partial(installation.check_import, NEXUS, _import_client),
    "time limits": _check_limits,
    "Nexus address": _check_address,
    "stored login": _check_login_files,
    "connection": _check_connection,
    "clock": _check_clock,
    "login": _check_login,
}
# If one of these fails, no later check can pass.
_PREREQUISITES = frozenset({"qnexus import", "connection"})
