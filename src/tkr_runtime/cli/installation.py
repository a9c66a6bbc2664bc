"""Checks of an installation that are the same for every cloud, for ``doctor``."""

import os
import shutil
import stat
import subprocess
import sys
from collections.abc import Callable, Collection, Sequence
from datetime import UTC, datetime
from importlib import import_module, metadata
from pathlib import Path

import httpx
from packaging.requirements import Requirement

from tkr_runtime.cli.checks import ProblemError
from tkr_runtime.cloud import Cloud
from tkr_runtime.settings.limits import PreloadedProcessSettings
from tkr_runtime.settings.switches import defer_switch
from tkr_runtime.times import age, read_http_date

TIMEOUT_SECONDS = 15.0
"""How long a check waits for an answer, in seconds."""

_MIN_PYTHON = (3, 12)
_MIN_FREE_BYTES = 1_000_000_000
_MAX_CLOCK_SKEW_SECONDS = 60.0


def check_python() -> str:
    """Check the version of Python."""
    version = ".".join(map(str, sys.version_info[:3]))
    if sys.version_info < _MIN_PYTHON:
        raise ProblemError(
            f"Python {version}",
            "Install Python 3.12 or newer: `uv python install 3.12`.",
        )
    return f"Python {version} in {sys.prefix}"


def check_bytecode() -> str:
    """Check that packages are compiled once, not at each start."""
    if sys.dont_write_bytecode:
        raise ProblemError(
            "PYTHONDONTWRITEBYTECODE is set: unless the packages are precompiled, "
            "every task recompiles what it imports, which takes seconds",
            "Unset it, or install with `uv sync --compile-bytecode`.",
            fatal=False,
        )
    return "Python caches compiled packages"


def check_versions(
    distribution: str, version: str, shown: Sequence[str], extras: Collection[str] = ()
) -> str:
    """Compare the installed packages with the requirements of a distribution.

    :param distribution: The distribution.
    :param version: The version that is running.
    :param shown: Packages whose versions to show.
    :param extras: The extras that are needed.
    """
    try:
        installed = metadata.version(distribution)
        required = metadata.requires(distribution) or []
    except metadata.PackageNotFoundError as error:
        raise ProblemError(
            f"{distribution} is not installed in {sys.prefix}",
            "Install it there, from a checkout: `pip install /path/to/the/checkout`.",
        ) from error
    if installed != version:
        raise ProblemError(
            f"{distribution} {version} is running, but {installed} is installed",
            "The package registry has another worker of this name: reinstall this one "
            "from a checkout.",
        )
    wrong = []
    for requirement in map(Requirement, required):
        marker = requirement.marker
        if marker is None or any(
            marker.evaluate({"extra": it}) for it in ("", *extras)
        ):
            found = _version_of(requirement.name)
            if found is None or not requirement.specifier.contains(
                found, prereleases=True
            ):
                wrong.append(f"{requirement} (found {found or 'none'})")
    if wrong:
        extra = f" with the extra {', '.join(extras)}" if extras else ""
        raise ProblemError(
            f"unmet requirements: {', '.join(wrong)}",
            f"Reinstall this distribution{extra}.",
        )
    versions = [f"{name} {_version_of(name)}" for name in shown]
    return f"{distribution} {installed}, {', '.join(versions)}"


def _version_of(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def check_uv(cloud: Cloud) -> str:
    """Check that uv works where Tierkreis's UvExecutor runs it.

    :param cloud: The cloud whose worker it starts.
    """
    path = shutil.which("uv")
    if path is None:
        raise ProblemError(
            "uv is not on the PATH; Tierkreis's UvExecutor needs it",
            "Run `pip install uv`, or use ShellExecutor.",
            fatal=False,
        )
    package = Path(str(import_module(cloud.package).__file__)).parent
    folder = package / "registry" / cloud.worker_name
    try:
        result = subprocess.run(
            [path, "--version"],
            cwd=folder,  # a shim may differ elsewhere
            capture_output=True,
            text=True,
            timeout=TIMEOUT_SECONDS,
            check=True,
        )
    except subprocess.SubprocessError as error:
        raise ProblemError(
            f"{path} does not work in {folder}, where Tierkreis's UvExecutor runs it "
            f"({error})",
            "Run `pip install uv` in this environment, or use ShellExecutor.",
            fatal=False,
        ) from error
    return f"{result.stdout.strip()} in {Path(path).parent}"


def check_executable(cloud: Cloud) -> str:
    """Check that the PATH finds the worker of this environment.

    :param cloud: The cloud of the worker.
    """
    name = cloud.package
    own = Path(sys.executable).parent / name
    found = shutil.which(name)
    if found is None:
        raise ProblemError(
            f"{name} is not on the PATH; Tierkreis's ShellExecutor and "
            "InMemoryExecutor need it there",
            f"Activate the environment: `export PATH={own.parent}:$PATH`.",
            fatal=False,
        )
    if own.exists() and not own.samefile(found):
        raise ProblemError(
            f"the PATH finds the worker {found}, not {own} of this environment",
            f"Activate this environment: `export PATH={own.parent}:$PATH`.",
            fatal=False,
        )
    return found


def check_workflows() -> str:
    """Check the directory in which Tierkreis stores workflows."""
    given = os.environ.get("TKR_DIR")
    directory = Path(given or "~/.tierkreis/checkpoints").expanduser()
    if given is not None and not directory.is_absolute():
        raise ProblemError(
            f"TKR_DIR is relative ({given!r}), but tasks run in other directories",
            f"export TKR_DIR={directory.absolute()}",
        )
    existing = next(it for it in (directory, *directory.parents) if it.exists())
    if not existing.is_dir() or not os.access(existing, os.W_OK | os.X_OK):
        raise ProblemError(
            f"{directory}, the directory of workflows, is not writable",
            f"Make {existing} a writable directory, or set TKR_DIR to another one.",
        )
    free = shutil.disk_usage(existing).free
    if free < _MIN_FREE_BYTES:
        raise ProblemError(
            f"only {free / 1e6:.0f} MB are free in {existing}",
            "Free some space, or set TKR_DIR to a directory on another disk.",
            fatal=False,
        )
    return f"{directory}, {free / 1e9:.0f} GB free"


def check_limits(cloud: Cloud, limits: Callable[[], object]) -> str:
    """Check the limits of time in the environment.

    :param cloud: The cloud.
    :param limits: Reads them.
    """
    limits()
    PreloadedProcessSettings.from_environment(cloud.env_prefix)
    changed = sorted(name for name in os.environ if name.startswith(cloud.env_prefix))
    return ", ".join(changed) if changed else "all at their defaults"


def check_import(cloud: Cloud, client: Callable[[], str]) -> str:
    """Check that the client and the tasks of a worker can be imported.

    :param cloud: The cloud.
    :param client: Imports the client and returns its file.
    """
    try:
        file = client()
        import_module(f"{cloud.package}.tasks")
    except Exception as error:
        text = " ".join(str(error).split())
        raise ProblemError(
            f"the import fails ({type(error).__name__}: {text})",
            "Reinstall this distribution in an environment of its own; if that does "
            f"not help, `export {defer_switch(cloud.env_prefix)}=0`.",
        ) from error
    return str(Path(file).parent)


def check_private(files: Sequence[Path]) -> None:
    """Check that only their owner can read files.

    :param files: The files.
    """
    readable = [
        str(path)
        for path in files
        if path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO)
    ]
    if readable:
        raise ProblemError(
            f"other users of this machine can read {', '.join(readable)}",
            f"chmod 600 {' '.join(readable)}",
            fatal=False,
        )


def send_request(
    send: Callable[[], httpx.Response], address: str, untrusted: str, unreachable: str
) -> tuple[httpx.Response, float]:
    """Send a request, and return the response and its seconds.

    :param send: Sends it.
    :param address: The address of the cloud.
    :param untrusted: What to do if its certificate is not trusted.
    :param unreachable: What to do if it does not answer.
    """
    try:
        response = send()
    except httpx.TransportError as error:
        if isinstance(error, httpx.ConnectError) and any(
            word in str(error) for word in ("CERTIFICATE", "SSL")
        ):
            raise ProblemError(
                f"the certificate of {address} is not trusted ({error})", untrusted
            ) from error
        raise ProblemError(
            f"no answer from {address} ({type(error).__name__}: {error})", unreachable
        ) from error
    return response, response.elapsed.total_seconds()


def how_to_reach(directory_variable: str, cloud: Cloud) -> str:
    """Return what to do where a cloud does not answer.

    :param directory_variable: The variable that names the embedded server of a shell.
    :param cloud: The cloud.
    """
    if os.environ.get(directory_variable):
        return (
            "This shell uses an embedded server that has stopped: start one with "
            f"`{cloud.command} serve`, or unset its variables with "
            f'`eval "$({cloud.command} serve --stop)"`.'
        )
    return "Check the network; behind a proxy, `export HTTPS_PROXY=http://host:port`."


def check_clock(cloud: Cloud, answer: tuple[httpx.Response, float]) -> str:
    """Compare the clock of this machine with that of a cloud.

    :param cloud: The cloud.
    :param answer: From :func:`send_request`.
    """
    response, seconds = answer
    try:
        sent = read_http_date(response.headers.get("date", ""))
    except ValueError:
        return f"{cloud.name} does not send its time"
    ahead = (datetime.now(UTC) - sent).total_seconds() - seconds
    if abs(ahead) > _MAX_CLOCK_SKEW_SECONDS:
        direction = "ahead of" if ahead > 0 else "behind"
        raise ProblemError(
            f"this machine is {age(abs(ahead))} {direction} the clock of {cloud.name}",
            "Set the clock, for example `timedatectl set-ntp true`.",
        )
    return f"in step with the clock of {cloud.name}"
