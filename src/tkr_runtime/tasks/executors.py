"""Executors that start a process for each task, set up for workers of ours and others.

:func:`uv_executor` is Tierkreis's own, for a worker that is already installed.
:class:`WarmExecutor` also starts workers of the user in preloaded processes.
"""

import json
import logging
import os
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from importlib import resources
from pathlib import Path
from typing import NamedTuple

from tierkreis.consts import TKR_DIR_KEY
from tierkreis.controller.executor.uv_executor import UvExecutor
from tierkreis.controller.storage.data import ExecutorDebugData
from tierkreis.controller.storage.protocol import ControllerStorage

from tkr_runtime.cloud import Cloud, cloud_of
from tkr_runtime.settings.limits import PreloadedProcessSettings
from tkr_runtime.tasks.preloaded import user_worker
from tkr_runtime.tasks.preloaded.handover import HandOver, Task
from tkr_runtime.tasks.preloaded.identity import state_of
from tkr_runtime.tasks.registries import find_worker
from tkr_runtime.tierkreis_internals import ERROR

logger = logging.getLogger(__name__)

SPECIAL_TO_SHELLS = re.compile(r"[^\w@%+=:,./-]")
"""A character that a shell may interpret."""


def shell_path(path: Path) -> Path:
    """Escape a path for executors, which put it into shell commands unquoted.

    :param path: Any path.
    :returns: The absolute path, with a backslash before each character that a shell
        may interpret.
    """
    return Path(SPECIAL_TO_SHELLS.sub(r"\\\g<0>", str(path.absolute())))


def uv_executor(
    registry: Path, storage: ControllerStorage, env: Mapping[str, str] | None = None
) -> UvExecutor:
    """Return Tierkreis's UvExecutor, set up for a worker of this environment.

    The worker runs in the environment of the calling process as it is: uv installs
    nothing and writes nothing, so that read-only installations work too. The values of
    environment variables are not written to the workflow's files. The path of the
    storage may contain spaces and may be relative.

    :param registry: The folder that contains the folder of the worker.
    :param storage: The storage of the workflow.
    :param env: Environment variables for the worker, in addition to those of this
        process.
    :returns: An executor for the tasks of the worker. Combine it with executors for
        other workers by Tierkreis's ``MultipleExecutor`` or ``TaskExecutor``.
    """
    return UvExecutor(
        registry,
        shell_path(storage.logs_path),
        env={
            TKR_DIR_KEY: str(storage.tkr_dir.absolute()),
            "UV_NO_SYNC": "1",
            "UV_PROJECT_ENVIRONMENT": sys.prefix,
            **(env or {}),
        },
        log_env_in_debug=False,
    )


def preload(registry: Path, worker: str) -> None:
    """Start the preloaded process of a cloud's worker in this environment.

    :param registry: The folder that contains the folder of the worker.
    :param worker: The name of the worker.
    """
    # Where it cannot be started, tasks start without it, and say so.
    with suppress(OSError, subprocess.TimeoutExpired):
        subprocess.run(
            [_own_interpreter(), "main.py", "--preload"],
            cwd=registry / worker,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=_SHELL_SECONDS,
            check=False,
        )


def registry_of(cloud: Cloud) -> Path:
    """Return the folder that contains the folder of the worker of a cloud.

    :param cloud: The cloud.
    """
    package = resources.files(cloud.package)
    return Path(str(package)).resolve() / "registry"


_LAUNCHER = Path(user_worker.__file__).with_name("launcher.py")
# The first line of a block of metadata that makes a script a project of its own.
_SCRIPT_METADATA = "\n# /// script\n"
# What uv reads of a project, in its folder and in those above it.
_PROJECT_FILES = ("pyproject.toml", "uv.lock", "uv.toml", ".python-version")
_INSTALLATION_SECONDS = 1800.0
_SHELL_SECONDS = 10.0
_PROBE = "import json, os, sys; print(json.dumps([sys.executable, dict(os.environ)]))"
# As Tierkreis's UvExecutor does it, with one process instead of three.
_START = """node=$1 all=$2 error=$3; shift 3
("$@" 2>&1 || touch "$error") | tee -a "$node" "$all" > /dev/null &"""


class _Interpreter(NamedTuple):
    """The interpreter of a worker.

    :param path: The program.
    :param variables: What uv adds to the environment.
    :param packages: The installed packages, as uv lists them.
    :param state: Changes when the environment of the worker may have changed.
    """

    path: str
    variables: dict[str, str]
    packages: list[str]
    state: object


class WarmExecutor(UvExecutor):
    """Runs tasks of any Python worker in forks of preloaded processes.

    The workers of clouds run in the environment of this process. A worker in a registry
    runs in its own, which uv makes and updates as Tierkreis's UvExecutor does.

    :param registry: The folder, or folders, of the workers of the user.
    :param storage: The storage of the workflow.
    :param env: Further environment variables for the tasks.
    :param variables: The environment variables that modules read when a worker of the
        user imports them. Preloaded processes keep them, so they must not be secrets.
    :raises InvalidInputError: If a variable of the preloaded processes is invalid.
    """

    def __init__(
        self,
        registry: Path | Sequence[Path],
        storage: ControllerStorage,
        env: Mapping[str, str] | None = None,
        *,
        variables: Iterable[str] = (),
    ) -> None:
        PreloadedProcessSettings.from_environment(user_worker.ENV_PREFIX)
        registries = [registry] if isinstance(registry, Path) else [*registry]
        own = {TKR_DIR_KEY: str(storage.tkr_dir.absolute()), **(env or {})}
        super().__init__(
            registries, shell_path(storage.logs_path), own, log_env_in_debug=False
        )
        self._logs = storage.logs_path.absolute()
        self._variables = sorted(set(variables))
        self._folders: dict[str, Path] = {}
        self._interpreters: dict[Path, _Interpreter] = {}
        self._hand_over = HandOver()
        self.task_ended = threading.Event()
        """Set when a task that was handed over ends, for a controller that waits."""

    def run(
        self,
        launcher_name: str,
        worker_call_args_path: Path,
        uv_path: str | None = None,
    ) -> ExecutorDebugData:
        """Start a task.

        :param launcher_name: The name of its worker.
        :param worker_call_args_path: Its definition, relative to the directory of the
            storage.
        :param uv_path: The program uv; by default that on the PATH.
        :returns: What Tierkreis records about it.
        :raises TierkreisError: If no registry has the worker.
        """
        definition = str(worker_call_args_path)
        cloud = cloud_of(launcher_name)
        if cloud is not None:
            folder = registry_of(cloud) / cloud.worker_name
            python = _own_interpreter()
            command = [python, "main.py", definition]
            probe = [python, str(_LAUNCHER), "--name", cloud.package, cloud.env_prefix]
            return self._start(folder, command, probe, self.env, [])
        folder = self._folder(launcher_name)
        interpreter = self._interpreter(folder, uv_path or shutil.which("uv"))
        if interpreter is None:
            return super().run(launcher_name, worker_call_args_path, uv_path)
        python, launcher = interpreter.path, str(_LAUNCHER)
        command = [python, launcher, definition, *self._variables]
        probe = [python, launcher, "--name", user_worker.PACKAGE]
        probe += [user_worker.ENV_PREFIX, str(folder), *self._variables]
        variables = {**self.env, **interpreter.variables}
        return self._start(folder, command, probe, variables, interpreter.packages)

    def _folder(self, worker: str) -> Path:
        """Return the folder of a worker; Tierkreis warns each time that it looks."""
        if worker not in self._folders:
            self._folders[worker] = find_worker(self.registries, worker)
        return self._folders[worker]

    def handed_over(self) -> set[str]:
        """Return the definitions of the tasks that preloaded processes have."""
        return set(self._hand_over.running)

    def _start(
        self,
        folder: Path,
        command: list[str],
        probe: list[str],
        variables: dict[str, str],
        packages: list[str],
    ) -> ExecutorDebugData:
        """Start a task in a preloaded process if there is one, or by an executable.

        :param folder: The folder of the worker.
        :param command: The command of the executable.
        :param probe: What prints the name of the preloaded process.
        :param variables: The variables of the task beside those of this process.
        :param packages: The packages of the worker.
        """
        definition = command[2]
        node = self._logs.parent.parent / Path(definition).parent
        self.errors_path = node / "logs"
        logger.info("START %s %s", folder.name, definition)
        environment = {**os.environ, **variables}
        logs = [str(node / "logs"), str(self._logs)]

        def start_executable() -> None:
            _start_executable(folder, command, environment, [*logs, str(node / ERROR)])

        def end(code: int | None) -> None:
            if code is None:
                try:
                    start_executable()
                except (OSError, subprocess.SubprocessError):
                    logger.exception("task: %s cannot be started", folder.name)
                    code = 1
            if code:
                (node / ERROR).touch()
            self.task_ended.set()

        task = Task(definition, folder, environment, logs)
        if not self._hand_over.start(task, probe, end):
            start_executable()
        return ExecutorDebugData(
            executor=str(type(self)),
            launch_command=f"cd {folder} && {' '.join(command)}",
            packages=packages,
        )

    def _interpreter(self, folder: Path, uv: str | None) -> _Interpreter | None:
        """Return the interpreter of a worker; None if uv cannot tell it."""
        known = self._interpreters.get(folder)
        if known is not None and known.state == self._state(folder, known.path):
            return known
        if uv is None:
            return None
        environment = {**os.environ, **self.env}
        try:
            command = _python_command(uv, folder, environment)
            answer = _run([*command, "-c", _PROBE], folder, environment)
            path, probed = json.loads(answer.splitlines()[-1])
        except (subprocess.SubprocessError, OSError, ValueError, IndexError) as error:
            logger.warning(
                "task: the worker %s starts cold, because uv cannot tell its "
                "interpreter (%s)",
                folder.name,
                error,
            )
            return None
        added = {k: v for k, v in probed.items() if environment.get(k) != v}
        found = _Interpreter(
            path, added, _packages(uv, folder, environment), self._state(folder, path)
        )
        self._interpreters[folder] = found
        return found

    def _state(self, folder: Path, interpreter: str) -> object:
        paths = [interpreter, str(Path(interpreter).parent.parent / "pyvenv.cfg")]
        paths += [str(folder / "main.py")]
        for parent in (folder, *folder.parents):
            paths += [str(parent / name) for name in _PROJECT_FILES]
        environment = {**os.environ, **self.env}
        chosen = {k: v for k, v in environment.items() if k.startswith("UV_")}
        return state_of(paths), chosen


def _start_executable(
    folder: Path, command: list[str], environment: dict[str, str], files: list[str]
) -> None:
    """Start the executable of a worker.

    :param folder: The folder of the worker.
    :param command: The command.
    :param environment: Its environment.
    :param files: Two files to which its output is appended, and the file that marks
        its failure.
    """
    subprocess.run(
        ["sh", "-c", _START, "sh", *files, *command],
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        start_new_session=True,
        timeout=_SHELL_SECONDS,
        check=True,
    )


def _own_interpreter() -> str:
    """Return the interpreter of this environment, by the name that uv uses."""
    python = Path(sys.prefix, "bin", "python3")
    return str(python) if python.exists() else sys.executable


def _python_command(uv: str, folder: Path, environment: dict[str, str]) -> list[str]:
    """Install what a worker needs, and return the command of its interpreter."""
    if _SCRIPT_METADATA not in "\n" + (folder / "main.py").read_text():
        return [uv, "run", "--quiet", "python"]
    _run([uv, "sync", "--quiet", "--script", "main.py"], folder, environment)
    found = _run([uv, "python", "find", "--script", "main.py"], folder, environment)
    return [found.strip()]


def _packages(uv: str, folder: Path, environment: dict[str, str]) -> list[str]:
    """List the packages of a worker, as Tierkreis's UvExecutor does."""
    command = [uv, "export", "--format", "requirements-txt", "--no-hashes"]
    try:
        listing = _run([*command, "--no-annotate"], folder, environment)
    except subprocess.SubprocessError:
        return []
    return listing.splitlines()


def _run(command: list[str], folder: Path, environment: dict[str, str]) -> str:
    return subprocess.run(
        command,
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=_INSTALLATION_SECONDS,
        check=True,
    ).stdout
