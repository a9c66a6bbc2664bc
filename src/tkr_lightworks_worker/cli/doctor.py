"""``tkr-lightworks doctor``: find a common problem and suggest a fix."""

import ssl
from collections.abc import Callable
from functools import partial

import click
import httpx

from tkr_lightworks_worker._version import __version__
from tkr_lightworks_worker.artemis import settings
from tkr_lightworks_worker.cloud import LIGHTWORKS
from tkr_lightworks_worker.errors import SetupError, TokenError
from tkr_runtime.cli import checks, installation
from tkr_runtime.cli.checks import ProblemError, print_checks
from tkr_runtime.cli.output import json_option

_SAVE = "Run `tkr-lightworks token save --force"
_REMEDIES: dict[type[Exception], str] = {
    TokenError: f"{_SAVE}` with a new token.",
    SetupError: f"{_SAVE} --url https://…/ --certificate FILE`.",
}


@click.command()
@json_option
@click.pass_context
def doctor(context: click.Context, as_json: bool) -> None:
    """Check the installation, the settings and the connection, and suggest fixes.

    This changes nothing. The exit code is 1 if something does not work.
    """
    found = list(checks.run_checks(_CHECKS, _PREREQUISITES, _REMEDIES))
    print_checks(context, found, as_json=as_json)


def _import_client() -> str:
    from tkr_lightworks_worker import lightworks

    return str(lightworks.remote().__file__)


def _check_limits() -> str:
    from tkr_lightworks_worker.artemis.client import limits

    return installation.check_limits(LIGHTWORKS, limits)


def _check_folder() -> str:
    folder = settings.folder()
    if not folder.is_dir():
        raise ProblemError(
            f"{folder}, where lightworks.remote keeps its settings, does not exist",
            f"{_SAVE} --url https://…/ --certificate FILE`.",
        )
    return str(folder)


def _check_address() -> str:
    address = settings.url()
    if address.startswith("http://"):
        raise ProblemError(
            f"{address} is not encrypted: others can read the token",
            f"{_SAVE} --url https://…/.",
            fatal=False,
        )
    return address


def _check_certificate() -> str:
    path = settings.certificate()
    if settings.url().startswith("https://"):
        try:
            ssl.create_default_context(cafile=path)
        except (OSError, ssl.SSLError) as error:
            raise ProblemError(
                f"{path} is not a certificate in PEM format",
                f"{_SAVE} --certificate FILE`.",
            ) from error
    return str(path)


def _check_token() -> str:
    settings.token()
    installation.check_private([settings.tokens_file()])
    names = ", ".join(settings.token_names())
    return f"{names} in {settings.tokens_file()}"


def _send_request() -> tuple[httpx.Response, float]:
    """Send a request without a token; return the response and its seconds."""
    address = settings.url()
    verify: ssl.SSLContext | bool = False
    if address.startswith("https:"):
        verify = ssl.create_default_context(cafile=settings.certificate())
    return installation.send_request(
        lambda: httpx.get(
            f"{address}qpus", verify=verify, timeout=installation.TIMEOUT_SECONDS
        ),
        address,
        f"{_SAVE} --certificate FILE`, with the certificate of this Artemis.",
        installation.how_to_reach("LOCAL_ARTEMIS_DIRECTORY", LIGHTWORKS),
    )


def _check_connection() -> str:
    response, seconds = _send_request()
    return f"status {response.status_code} after {seconds * 1000:.0f} ms"


def _check_clock() -> str:
    return installation.check_clock(LIGHTWORKS, _send_request())


def _check_qpus() -> str:
    from tkr_lightworks_worker.artemis.qpus import list_qpus

    qpus = list_qpus()
    if not qpus:
        raise ProblemError(
            "your token may use no QPU", "Ask Aegiq for access to one.", fatal=False
        )
    return ", ".join(
        f"{qpu.name} (offline)" if qpu.is_available is False else qpu.name
        for qpu in qpus
    )


_CHECKS: dict[str, Callable[[], str]] = {
    "Python": installation.check_python,
    "bytecode": installation.check_bytecode,
    "versions": partial(
        installation.check_versions,
        "tkr-nexus-worker",
        __version__,
        ("tierkreis", "lightworks", "lightworks-remote"),
        ("lightworks",),
    ),
    "uv": partial(installation.check_uv, LIGHTWORKS),
    "worker on the PATH": partial(installation.check_executable, LIGHTWORKS),
    "workflow directory": installation.check_workflows,
    "Lightworks import": partial(installation.check_import, LIGHTWORKS, _import_client),
    "time limits": _check_limits,
    "settings": _check_folder,
    "Artemis address": _check_address,
    "certificate": _check_certificate,
    "token": _check_token,
    "connection": _check_connection,
    "clock": _check_clock,
    "QPUs": _check_qpus,
}
# If one of these fails, no later check can pass.
_PREREQUISITES = frozenset(
    {"Lightworks import", "settings", "Artemis address", "certificate", "connection"}
)
