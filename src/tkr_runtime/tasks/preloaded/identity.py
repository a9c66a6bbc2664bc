"""Which preloaded process may stand in for this one, and where it is found.

This module is imported for every task before anything else: it keeps to small modules
of the standard library.
"""

import hashlib
import os
import resource
import sys

from tkr_runtime.settings.switches import defer_switch, is_on, warm_switch

# Batch systems wait for the last process of a job, and bill the time.
_BATCH_JOBS = ("SLURM_JOB_ID", "PBS_JOBID", "PJM_JOBID", "LSB_JOBID", "JOB_ID")
# What the interpreter, the loader and the numerical libraries read as they start.
_READ_AT_START = (
    *("PYTHON", "LD_", "DYLD_", "MALLOC_", "GLIBC_"),
    *("OMP_", "OPENBLAS_", "GOTO_", "MKL_", "BLIS_", "NUMEXPR_"),
    *("LANG", "LC_"),
)
# What else the server itself needs; the forks have the environment of their tasks.
_OF_SERVER = ("HOME", "PATH", "TMPDIR", "TZ", "XDG_RUNTIME_DIR")
_LIMITS = [getattr(resource, name) for name in dir(resource) if name[:7] == "RLIMIT_"]
_LONGEST_SOCKET_PATH = 100
_PRIVATE_MODE = 0o700


def is_wanted(env_prefix: str) -> bool:
    """Tell whether a preloaded process may be used at all.

    :param env_prefix: What the names of the variables of the worker begin with.
    """
    if not is_on(warm_switch(env_prefix)):
        return False
    # Options of the interpreter are not passed on, but for the module to run.
    has_options = sys.orig_argv[1:2] and sys.orig_argv[1].startswith("-")
    if has_options and sys.orig_argv[1] != "-m":
        return False
    return not any(name in os.environ for name in _BATCH_JOBS)


def environment_of_server(env_prefix: str) -> dict[str, str]:
    """Return the environment that a preloaded process is started with.

    It outlives the task that starts it, and is to keep no secrets of it.

    :param env_prefix: What the names of the variables of the worker begin with.
    """
    switches = (warm_switch(env_prefix), defer_switch(env_prefix))
    wanted = _READ_AT_START + _OF_SERVER + switches
    return {
        name: value for name, value in os.environ.items() if name.startswith(wanted)
    }


def state_of(paths: list[str]) -> list[tuple[str, int, int, int]]:
    """Return what changes when the packages in some folders or files change.

    :param paths: Folders of packages, in which every installation renames something,
        and files.
    """
    states = []
    for path in paths:
        try:
            status = os.stat(path)  # noqa: PTH116  pathlib takes longer to import
        except OSError:
            continue
        states.append((path, status.st_ino, status.st_mtime_ns, status.st_size))
    return states


def watched_paths(package: str) -> list[str]:
    """Return the folders of packages of this interpreter, and the folders of ours.

    :param package: The package of the worker.
    """
    source = os.path.dirname(__file__)  # noqa: PTH120
    for _ in range(3):
        source = os.path.dirname(source)  # noqa: PTH120
    files = []
    for name in (package, "tkr_runtime"):
        for folder, _, names in os.walk(os.path.join(source, name)):  # noqa: PTH118
            files += [f"{folder}/{file}" for file in names if file.endswith(".py")]
    return [*sys.path[1:], sys.prefix + "/pyvenv.cfg", *sorted(files)]


def identity(package: str, env_prefix: str) -> bytes:
    """Return a digest of all that a fork cannot take from the process it serves.

    That is the interpreter with its options, the installed packages, what is read from
    the environment at start, and the limits that the system sets.

    :param package: The package of the worker.
    :param env_prefix: What the names of its variables begin with.
    """
    read_at_start = (*_READ_AT_START, defer_switch(env_prefix))
    environment = sorted(
        (name, value)
        for name, value in os.environ.items()
        if name.startswith(read_at_start)
    )
    limits = [resource.getrlimit(limit) for limit in _LIMITS]
    owner = os.getuid(), os.getgid(), os.getgroups()
    parts = (
        (sys.executable, sys.prefix, sys.version, tuple(sys.flags), sys.path[1:]),
        (
            package,
            state_of(watched_paths(package)),
            environment,
            limits,
            owner,
            _control_group(),
        ),
        os.getpriority(os.PRIO_PROCESS, 0),
    )
    return hashlib.sha256(repr(parts).encode(errors="surrogateescape")).digest()


def _control_group() -> str:
    try:
        with open("/proc/self/cgroup") as file:  # noqa: PTH123
            return file.read()
    except OSError:
        return ""


def private_folder(package: str) -> str | None:
    """Return the folder of this user's sockets; None if there is no safe one.

    :param package: The package of the worker.
    """
    environment = os.environ
    base = environment.get("XDG_RUNTIME_DIR") or environment.get("TMPDIR") or "/tmp"  # noqa: S108
    folder = f"{base}/{package.replace('_', '-')}-{os.getuid()}"
    if len(folder) + len("/0123456789abcdef.sock") > _LONGEST_SOCKET_PATH:
        return None
    try:
        os.mkdir(folder, _PRIVATE_MODE)  # noqa: PTH102
    except FileExistsError:
        pass
    except OSError:
        return None
    status = os.lstat(folder)
    is_folder = status.st_mode & 0o170000 == 0o040000
    is_private = status.st_mode & 0o777 == _PRIVATE_MODE
    return folder if is_folder and is_private and status.st_uid == os.getuid() else None
