"""The checks of ``tkr-nexus doctor``: find a common problem and suggest a fix.

No check changes anything, and a failed check does not stop the next one.
"""

import os
import shutil
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from importlib import metadata
from pathlib import Path

import httpx
from packaging.requirements import Requirement

from tkr_nexus_worker._version import __version__
from tkr_nexus_worker.cloud import NEXUS
from tkr_nexus_worker.errors import NexusWorkerError, NotLoggedInError
from tkr_nexus_worker.nexus.models import Check
from tkr_runtime.settings.limits import PreloadedProcessSettings
from tkr_runtime.settings.switches import defer_switch
from tkr_runtime.times import age

_DISTRIBUTION = "tkr-nexus-worker"
_WORKER_FOLDER = Path(__file__).parents[1] / "registry" / "nexus_worker"
_MIN_PYTHON = (3, 12)
_TIMEOUT_SECONDS = 15.0
_MIN_FREE_BYTES = 1_000_000_000
_MAX_CLOCK_SKEW_SECONDS = 60.0
_MIN_LOGIN_SECONDS = 24 * 3600.0


def run_checks() -> Iterator[Check]:
    """Run the checks in order.

    Stops early if a check fails that all later ones depend on.

    :returns: The finding of each check, as soon as it is known.
    """
    for name, check in _CHECKS.items():
        found = _run(name, check)
        yield found
        if name in _PREREQUISITES and found.outcome == "failure":
            return


class _ProblemError(Exception):
    """A check found a problem.

    :param finding: The problem.
    :param remedy: How to fix it.
    :param fatal: Whether it prevents the worker from working.
    """

    def __init__(self, finding: str, remedy: str, *, fatal: bool = True) -> None:
        super().__init__(finding)
        self.finding = finding
        self.remedy = remedy
        self.fatal = fatal


def _run(name: str, check: Callable[[], str]) -> Check:
    try:
        return Check(name=name, outcome="ok", finding=check())
    except _ProblemError as found:
        return Check(
            name=name,
            outcome="failure" if found.fatal else "warning",
            finding=found.finding,
            remedy=found.remedy,
        )
    except NotLoggedInError as error:
        return Check(
            name=name,
            outcome="failure",
            finding=str(error),
            remedy="Run `tkr-nexus login`.",
        )
    except (NexusWorkerError, OSError) as error:
        return Check(name=name, outcome="failure", finding=str(error))


def _check_python() -> str:
    version = ".".join(map(str, sys.version_info[:3]))
    if sys.version_info < _MIN_PYTHON:
        raise _ProblemError(
            f"Python {version}",
            "Install Python 3.12 or newer: `uv python install 3.12`.",
        )
    return f"Python {version} in {sys.prefix}"


def _check_bytecode() -> str:
    if sys.dont_write_bytecode:
        raise _ProblemError(
            "PYTHONDONTWRITEBYTECODE is set: unless the packages are precompiled, "
            "every task recompiles qnexus, which takes seconds",
            "Unset it, or install with `uv sync --compile-bytecode`.",
            fatal=False,
        )
    return "Python caches compiled packages"


def _check_versions() -> str:
    """Compare the installed packages with the requirements of this distribution."""
    try:
        installed = metadata.version(_DISTRIBUTION)
        required = metadata.requires(_DISTRIBUTION) or []
    except metadata.PackageNotFoundError as error:
        raise _ProblemError(
            f"{_DISTRIBUTION} is not installed in {sys.prefix}",
            "Install it there, from a checkout: `pip install /path/to/the/checkout`.",
        ) from error
    if installed != __version__:
        raise _ProblemError(
            f"{_DISTRIBUTION} {__version__} is running, but {installed} is installed",
            "The package registry has another worker of this name: reinstall this one "
            "from a checkout.",
        )
    wrong = []
    for requirement in map(Requirement, required):
        if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
            version = _version_of(requirement.name)
            if version is None or not requirement.specifier.contains(
                version, prereleases=True
            ):
                wrong.append(f"{requirement} (found {version or 'none'})")
    if wrong:
        raise _ProblemError(
            f"unmet requirements: {', '.join(wrong)}", "Reinstall this distribution."
        )
    shown = [
        f"{name} {_version_of(name)}" for name in ("tierkreis", "qnexus", "pytket")
    ]
    return f"{_DISTRIBUTION} {installed}, {', '.join(shown)}"


def _version_of(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def _check_uv() -> str:
    path = shutil.which("uv")
    if path is None:
        raise _ProblemError(
            "uv is not on the PATH; Tierkreis's UvExecutor needs it",
            "Run `pip install uv`, or use ShellExecutor.",
            fatal=False,
        )
    try:
        result = subprocess.run(
            [path, "--version"],
            cwd=_WORKER_FOLDER,  # where UvExecutor runs it; a shim may differ elsewhere
            capture_output=True,
            text=True,
            timeout=_TIMEOUT_SECONDS,
            check=True,
        )
    except subprocess.SubprocessError as error:
        raise _ProblemError(
            f"{path} does not work in {_WORKER_FOLDER}, where Tierkreis's UvExecutor "
            f"runs it ({error})",
            "Run `pip install uv` in this environment, or use ShellExecutor.",
            fatal=False,
        ) from error
    return f"{result.stdout.strip()} in {Path(path).parent}"


def _check_executable() -> str:
    own = Path(sys.executable).parent / "tkr_nexus_worker"
    found = shutil.which("tkr_nexus_worker")
    if found is None:
        raise _ProblemError(
            "tkr_nexus_worker is not on the PATH; Tierkreis's ShellExecutor and "
            "InMemoryExecutor need it there",
            f"Activate the environment: `export PATH={own.parent}:$PATH`.",
            fatal=False,
        )
    if own.exists() and not own.samefile(found):
        raise _ProblemError(
            f"the PATH finds the worker {found}, not {own} of this environment",
            f"Activate this environment: `export PATH={own.parent}:$PATH`.",
            fatal=False,
        )
    return found


def _check_workflows() -> str:
    """Check the directory in which Tierkreis stores workflows."""
    given = os.environ.get("TKR_DIR")
    directory = Path(given or "~/.tierkreis/checkpoints").expanduser()
    if given is not None and not directory.is_absolute():
        raise _ProblemError(
            f"TKR_DIR is relative ({given!r}), but tasks run in other directories",
            f"export TKR_DIR={directory.absolute()}",
        )
    existing = next(it for it in (directory, *directory.parents) if it.exists())
    if not existing.is_dir() or not os.access(existing, os.W_OK | os.X_OK):
        raise _ProblemError(
            f"{directory}, the directory of workflows, is not writable",
            f"Make {existing} a writable directory, or set TKR_DIR to another one.",
        )
    free = shutil.disk_usage(existing).free
    if free < _MIN_FREE_BYTES:
        raise _ProblemError(
            f"only {free / 1e6:.0f} MB are free in {existing}",
            "Free some space, or set TKR_DIR to a directory on another disk.",
            fatal=False,
        )
    return f"{directory}, {free / 1e9:.0f} GB free"


def _check_limits() -> str:
    from tkr_nexus_worker.nexus.client import limits

    limits()
    PreloadedProcessSettings.from_environment(NEXUS.env_prefix)
    changed = sorted(name for name in os.environ if name.startswith("TKR_NEXUS_"))
    return ", ".join(changed) if changed else "all at their defaults"


def _check_import() -> str:
    try:
        import qnexus

        import tkr_nexus_worker.tasks  # noqa: F401 (the import is the check)
    except Exception as error:
        text = " ".join(str(error).split())
        raise _ProblemError(
            f"the import fails ({type(error).__name__}: {text})",
            "Reinstall this distribution in an environment of its own; if that does "
            f"not help, `export {defer_switch(NEXUS.env_prefix)}=0`.",
        ) from error
    return str(Path(qnexus.__file__).parent)


def _check_address() -> str:
    from qnexus.config import CONFIG

    if CONFIG.domain == "localhost":
        raise _ProblemError(
            "NEXUS_HOST is localhost: cookies, and so the login, are not sent there",
            "export NEXUS_HOST=127.0.0.1",
        )
    if CONFIG.protocol != "https":
        raise _ProblemError(
            f"NEXUS_PROTOCOL is {CONFIG.protocol}: the login is sent unencrypted",
            "unset NEXUS_PROTOCOL",
        )
    if not CONFIG.httpx_verify:
        raise _ProblemError(
            "NEXUS_HTTPX_VERIFY is off: anyone on the network path can read the login",
            "unset NEXUS_HTTPX_VERIFY; to trust a private authority, set SSL_CERT_FILE",
            fatal=False,
        )
    embedded = os.environ.get("LOCAL_NEXUS_DIRECTORY")
    return f"{CONFIG.url}{' (embedded)' if embedded else ''}"


def _check_connection() -> str:
    response, seconds = _send_request()
    return f"status {response.status_code} after {seconds * 1000:.0f} ms"


def _check_clock() -> str:
    response, seconds = _send_request()
    date = response.headers.get("date")
    if date is None:
        return "Nexus does not send its time"
    ahead = (datetime.now(UTC) - parsedate_to_datetime(date)).total_seconds() - seconds
    if abs(ahead) > _MAX_CLOCK_SKEW_SECONDS:
        direction = "ahead of" if ahead > 0 else "behind"
        raise _ProblemError(
            f"this machine is {age(abs(ahead))} {direction} the clock of Nexus",
            "Set the clock, for example `timedatectl set-ntp true`.",
        )
    return "in step with the clock of Nexus"


def _send_request() -> tuple[httpx.Response, float]:
    """Send a request that needs no login; return the response and its seconds."""
    from qnexus.config import CONFIG

    try:
        response = httpx.get(
            f"{CONFIG.url}/auth/tokens",
            verify=CONFIG.httpx_verify,
            timeout=_TIMEOUT_SECONDS,
        )
    except httpx.ConnectError as error:
        if "CERTIFICATE" in str(error) or "SSL" in str(error):
            raise _ProblemError(
                f"the certificate of {CONFIG.url} is not trusted ({error})",
                "If a proxy on your network replaces it, trust the proxy's authority: "
                "`export SSL_CERT_FILE=/path/to/authority.pem`.",
            ) from error
        raise _unreachable(error) from error
    except (httpx.TransportError, httpx.ProxyError) as error:
        raise _unreachable(error) from error
    return response, response.elapsed.total_seconds()


def _unreachable(error: Exception) -> _ProblemError:
    from qnexus.config import CONFIG

    if os.environ.get("LOCAL_NEXUS_DIRECTORY"):
        remedy = (
            "This shell uses an embedded Nexus that has stopped: start one with "
            "`tkr-nexus serve`, or unset its variables with "
            '`eval "$(tkr-nexus serve --stop)"`.'
        )
    else:
        remedy = (
            "Check the network; behind a proxy, `export HTTPS_PROXY=http://host:port`."
        )
    return _ProblemError(
        f"no answer from {CONFIG.url} ({type(error).__name__}: {error})", remedy
    )


def _check_login_files() -> str:
    """Check that the stored login is readable, and only by its owner."""
    from qnexus.config import CONFIG

    from tkr_nexus_worker.nexus.login import read_login, token_files

    if not CONFIG.store_tokens:
        return "no login is stored (NEXUS_STORE_TOKENS is off)"
    files = token_files()
    missing = [str(path) for path in files if not path.exists()]
    if missing:
        raise _ProblemError(
            f"{' and '.join(missing)} not found", "Run `tkr-nexus login`."
        )
    if not read_login():
        raise _ProblemError(
            f"the login in {files[0].parent} is unreadable", "Run `tkr-nexus login`."
        )
    readable = [
        str(path)
        for path in files
        if path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO)
    ]
    if readable:
        raise _ProblemError(
            f"other users of this machine can read {', '.join(readable)}",
            f"chmod 600 {' '.join(readable)}",
            fatal=False,
        )
    return str(files[0].parent)


def _check_login() -> str:
    from tkr_nexus_worker.nexus.account import get_account

    account = get_account(retry_time=_TIMEOUT_SECONDS)
    left = age(account.login_seconds_left)
    who = account.email or account.display_name
    if account.login_seconds_left < _MIN_LOGIN_SECONDS:
        raise _ProblemError(
            f"{who}, expires in {left}; a job that waits longer stalls its workflow",
            "Run `tkr-nexus login --force`.",
            fatal=False,
        )
    return f"{who}, expires in {left}"


_CHECKS: dict[str, Callable[[], str]] = {
    "Python": _check_python,
    "bytecode": _check_bytecode,
    "versions": _check_versions,
    "uv": _check_uv,
    "worker on the PATH": _check_executable,
    "workflow directory": _check_workflows,
    "qnexus import": _check_import,
    "time limits": _check_limits,
    "Nexus address": _check_address,
    "stored login": _check_login_files,
    "connection": _check_connection,
    "clock": _check_clock,
    "login": _check_login,
}
# If one of these fails, no later check can pass.
_PREREQUISITES = frozenset({"qnexus import", "connection"})
