"""Check all that a new user gets wrong, and say how to mend it.

Nothing is changed, and no check prevents the next from being made.
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
from tkr_runtime.settings import defer_switch
from tkr_runtime.times import age

_DISTRIBUTION = "tkr-nexus-worker"
_WORKER_FOLDER = Path(__file__).parent / "registry" / "nexus_worker"
_LEAST_PYTHON = (3, 12)
_ANSWER_SECONDS = 15.0
_ENOUGH_BYTES = 1_000_000_000
_CLOCK_SECONDS = 60.0
_A_DAY = 24 * 3600.0


def run_checks() -> Iterator[Check]:
    """Make the checks one after the other; those that cannot be made are left out.

    :returns: What each has found, as soon as it has.
    """
    for name, check in _CHECKS.items():
        found = _run(name, check)
        yield found
        if name in _NEEDED_BY_THE_REST and found.outcome == "failure":
            return


class _NotGoodError(Exception):
    """A check found something that is to be mended.

    :param finding: What was found.
    :param remedy: What to do.
    :param fatal: Whether nothing works before that is done.
    """

    def __init__(self, finding: str, remedy: str, *, fatal: bool = True) -> None:
        super().__init__(finding)
        self.finding = finding
        self.remedy = remedy
        self.fatal = fatal


def _run(name: str, check: Callable[[], str]) -> Check:
    try:
        return Check(name=name, outcome="ok", finding=check())
    except _NotGoodError as found:
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
    if sys.version_info < _LEAST_PYTHON:
        raise _NotGoodError(
            f"Python {version}",
            "Install Python 3.12 or newer: `uv python install 3.12`.",
        )
    return f"Python {version} in {sys.prefix}"


def _check_bytecode() -> str:
    if sys.dont_write_bytecode:
        raise _NotGoodError(
            "PYTHONDONTWRITEBYTECODE is set: unless the packages are compiled, every "
            "task compiles qnexus afresh, which takes seconds",
            "Unset it, or install with `uv sync --compile-bytecode`.",
            fatal=False,
        )
    return "compiled packages are kept"


def _check_versions() -> str:
    """Compare what is installed with what this distribution asks for."""
    try:
        installed = metadata.version(_DISTRIBUTION)
        required = metadata.requires(_DISTRIBUTION) or []
    except metadata.PackageNotFoundError as error:
        raise _NotGoodError(
            f"{_DISTRIBUTION} is not installed in {sys.prefix}",
            "Install it there, from a checkout: `pip install /path/to/the/checkout`.",
        ) from error
    if installed != __version__:
        raise _NotGoodError(
            f"{_DISTRIBUTION} {__version__} runs, but {installed} is installed",
            "The package registry has another worker of this name: install this one "
            "again, from a checkout.",
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
        raise _NotGoodError(
            f"not as needed: {', '.join(wrong)}", "Install this distribution again."
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
        raise _NotGoodError(
            "uv is not on the PATH, and Tierkreis's UvExecutor needs it",
            "Run `pip install uv`, or use ShellExecutor.",
            fatal=False,
        )
    try:
        told = subprocess.run(
            [path, "--version"],
            cwd=_WORKER_FOLDER,  # where UvExecutor runs it: a shim may differ elsewhere
            capture_output=True,
            text=True,
            timeout=_ANSWER_SECONDS,
            check=True,
        )
    except subprocess.SubprocessError as error:
        raise _NotGoodError(
            f"{path} does not work in {_WORKER_FOLDER} ({error}), and Tierkreis's "
            "UvExecutor runs it there",
            "Run `pip install uv` in this environment, or use ShellExecutor.",
            fatal=False,
        ) from error
    return f"{told.stdout.strip()} in {Path(path).parent}"


def _check_executable() -> str:
    own = Path(sys.executable).parent / "tkr_nexus_worker"
    found = shutil.which("tkr_nexus_worker")
    if found is None:
        raise _NotGoodError(
            "tkr_nexus_worker is not on the PATH, and Tierkreis's ShellExecutor and "
            "InMemoryExecutor look for it there",
            f"Activate the environment: `export PATH={own.parent}:$PATH`.",
            fatal=False,
        )
    if own.exists() and not own.samefile(found):
        raise _NotGoodError(
            f"the PATH has another worker, {found}, than this environment, {own}",
            f"Activate this environment: `export PATH={own.parent}:$PATH`.",
            fatal=False,
        )
    return found


def _check_workflows() -> str:
    """Look at the directory that Tierkreis keeps workflows in."""
    given = os.environ.get("TKR_DIR")
    directory = Path(given or "~/.tierkreis/checkpoints").expanduser()
    if given is not None and not directory.is_absolute():
        raise _NotGoodError(
            f"TKR_DIR is {given!r}, which is relative: tasks run in other directories",
            f"export TKR_DIR={directory.absolute()}",
        )
    there = next(it for it in (directory, *directory.parents) if it.exists())
    if not there.is_dir() or not os.access(there, os.W_OK | os.X_OK):
        raise _NotGoodError(
            f"workflows cannot be written to {directory}",
            f"Make {there} a directory that you may write to, or set TKR_DIR.",
        )
    free = shutil.disk_usage(there).free
    if free < _ENOUGH_BYTES:
        raise _NotGoodError(
            f"only {free / 1e6:.0f} MB are free in {there}",
            "Make room, or set TKR_DIR.",
            fatal=False,
        )
    return f"{directory}, {free / 1e9:.0f} GB free"


def _check_limits() -> str:
    from tkr_nexus_worker.nexus.client import limits

    limits()
    changed = sorted(name for name in os.environ if name.startswith("TKR_NEXUS_"))
    return ", ".join(changed) if changed else "as by default"


def _check_import() -> str:
    try:
        import qnexus

        import tkr_nexus_worker.tasks  # noqa: F401 (that it can be imported is the check)
    except Exception as error:
        text = " ".join(str(error).split())
        raise _NotGoodError(
            f"it fails ({type(error).__name__}: {text})",
            "Install this distribution again, in an environment of its own; if that "
            f"does not help, `export {defer_switch(NEXUS.env_prefix)}=0`.",
        ) from error
    return str(Path(qnexus.__file__).parent)


def _check_address() -> str:
    from qnexus.config import CONFIG

    if CONFIG.domain == "localhost":
        raise _NotGoodError(
            "NEXUS_HOST is localhost, to which cookies, and so the login, are not sent",
            "export NEXUS_HOST=127.0.0.1",
        )
    if CONFIG.protocol != "https":
        raise _NotGoodError(
            f"NEXUS_PROTOCOL is {CONFIG.protocol}: the login travels unencrypted",
            "unset NEXUS_PROTOCOL",
        )
    if not CONFIG.httpx_verify:
        raise _NotGoodError(
            "NEXUS_HTTPX_VERIFY is off: anybody on the way can read the login",
            "unset NEXUS_HTTPX_VERIFY, and name a private authority by SSL_CERT_FILE",
            fatal=False,
        )
    embedded = os.environ.get("LOCAL_NEXUS_DIRECTORY")
    return f"{CONFIG.url}{' (embedded)' if embedded else ''}"


def _check_connection() -> str:
    answer, seconds = _ask()
    return f"status {answer.status_code} after {seconds * 1000:.0f} ms"


def _check_clock() -> str:
    answer, seconds = _ask()
    date = answer.headers.get("date")
    if date is None:
        return "Nexus does not tell the time"
    ahead = (datetime.now(UTC) - parsedate_to_datetime(date)).total_seconds() - seconds
    if abs(ahead) > _CLOCK_SECONDS:
        direction = "ahead of" if ahead > 0 else "behind"
        raise _NotGoodError(
            f"the clock of this machine is {age(abs(ahead))} {direction} that of Nexus",
            "Set the clock, for example `timedatectl set-ntp true`.",
        )
    return "it agrees with that of Nexus"


def _ask() -> tuple[httpx.Response, float]:
    """Send a request that needs no login."""
    from qnexus.config import CONFIG

    try:
        answer = httpx.get(
            f"{CONFIG.url}/auth/tokens",
            verify=CONFIG.httpx_verify,
            timeout=_ANSWER_SECONDS,
        )
    except httpx.ConnectError as error:
        if "CERTIFICATE" in str(error) or "SSL" in str(error):
            raise _NotGoodError(
                f"the certificate of {CONFIG.url} is not trusted ({error})",
                "If a proxy of your network replaces it, name the network's authority: "
                "`export SSL_CERT_FILE=/path/to/authority.pem`.",
            ) from error
        raise _unreachable(error) from error
    except (httpx.TransportError, httpx.ProxyError) as error:
        raise _unreachable(error) from error
    return answer, answer.elapsed.total_seconds()


def _unreachable(error: Exception) -> _NotGoodError:
    from qnexus.config import CONFIG

    if os.environ.get("LOCAL_NEXUS_DIRECTORY"):
        remedy = (
            "This shell uses an embedded Nexus that has ended: start one by `tkr-nexus "
            'serve`, or forget it by `eval "$(tkr-nexus serve --stop)"`.'
        )
    else:
        remedy = (
            "Check the network; behind a proxy `export HTTPS_PROXY=http://host:port`."
        )
    return _NotGoodError(
        f"no answer from {CONFIG.url} ({type(error).__name__}: {error})", remedy
    )


def _check_login_files() -> str:
    """Look at the stored login, which its owner alone should be able to read."""
    from qnexus.config import CONFIG

    from tkr_nexus_worker.nexus.login import read_login, token_files

    if not CONFIG.store_tokens:
        return "no login is stored (NEXUS_STORE_TOKENS is off)"
    files = token_files()
    missing = [str(path) for path in files if not path.exists()]
    if missing:
        raise _NotGoodError(
            f"there is no {' and no '.join(missing)}", "Run `tkr-nexus login`."
        )
    if not read_login():
        raise _NotGoodError(
            f"the login in {files[0].parent} cannot be read", "Run `tkr-nexus login`."
        )
    readable = [
        str(path)
        for path in files
        if path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO)
    ]
    if readable:
        raise _NotGoodError(
            f"others on this machine may read {', '.join(readable)}",
            f"chmod 600 {' '.join(readable)}",
            fatal=False,
        )
    return str(files[0].parent)


def _check_login() -> str:
    from tkr_nexus_worker.nexus.account import get_account

    account = get_account(retry_time=_ANSWER_SECONDS)
    left = age(account.login_seconds_left)
    who = account.email or account.display_name
    if account.login_seconds_left < _A_DAY:
        raise _NotGoodError(
            f"{who}, for {left} only; a job that waits longer parks its workflow",
            "Run `tkr-nexus login --force`.",
            fatal=False,
        )
    return f"{who}, for {left}"


_CHECKS: dict[str, Callable[[], str]] = {
    "Python": _check_python,
    "bytecode": _check_bytecode,
    "versions": _check_versions,
    "uv": _check_uv,
    "worker on the PATH": _check_executable,
    "directory of workflows": _check_workflows,
    "import of qnexus": _check_import,
    "limits of time": _check_limits,
    "address of Nexus": _check_address,
    "stored login": _check_login_files,
    "connection": _check_connection,
    "clock": _check_clock,
    "login": _check_login,
}
_NEEDED_BY_THE_REST = frozenset({"import of qnexus", "connection"})
