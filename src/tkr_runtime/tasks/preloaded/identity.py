"""Which preloaded process can run a task in place of this process, and where it is.

This module is imported for every task before anything else, so it needs the standard
library alone.
"""

import os
import resource
import sys

from tkr_runtime.private_folder import private_folder
from tkr_runtime.settings.switches import (
    defer_switch,
    is_on,
    server_variables,
    warm_switch,
)

try:  # hashlib would load OpenSSL, in every task
    from _sha2 import sha256  # type: ignore[import-not-found]
except ImportError:
    from hashlib import sha256

# Batch systems wait for the last process of a job, and bill the time.
_BATCH_JOBS = ("SLURM_JOB_ID", "PBS_JOBID", "PJM_JOBID", "LSB_JOBID", "JOB_ID")
# What the interpreter, the loader and the numerical libraries read when they start.
# The names are exact: others that begin alike may hold secrets.
_PYTHON = (
    *("PYTHONASYNCIODEBUG", "PYTHONBREAKPOINT", "PYTHONCASEOK", "PYTHONCOERCECLOCALE"),
    *("PYTHONDEBUG", "PYTHONDEVMODE", "PYTHONDONTWRITEBYTECODE", "PYTHONFAULTHANDLER"),
    *("PYTHONHASHSEED", "PYTHONHOME", "PYTHONINSPECT", "PYTHONINTMAXSTRDIGITS"),
    *("PYTHONIOENCODING", "PYTHONMALLOC", "PYTHONMALLOCSTATS", "PYTHONNODEBUGRANGES"),
    *("PYTHONNOUSERSITE", "PYTHONOPTIMIZE", "PYTHONPATH", "PYTHONPERFSUPPORT"),
    *("PYTHONPLATLIBDIR", "PYTHONPROFILEIMPORTTIME", "PYTHONPYCACHEPREFIX"),
    *("PYTHONSAFEPATH", "PYTHONSTARTUP", "PYTHONTRACEMALLOC", "PYTHONUNBUFFERED"),
    *("PYTHONUSERBASE", "PYTHONUTF8", "PYTHONVERBOSE", "PYTHONWARNDEFAULTENCODING"),
    *("PYTHONWARNINGS", "PYTHON_CPU_COUNT", "PYTHON_FROZEN_MODULES", "PYTHON_GIL"),
    *("PYTHON_JIT", "PYTHON_PERF_JIT_SUPPORT", "PYTHON_PRESITE"),
)
_LOADER = (
    *("LD_LIBRARY_PATH", "LD_PRELOAD", "LD_AUDIT", "LD_BIND_NOW", "LD_DEBUG"),
    *("DYLD_LIBRARY_PATH", "DYLD_FRAMEWORK_PATH", "DYLD_FALLBACK_LIBRARY_PATH"),
    *("DYLD_FALLBACK_FRAMEWORK_PATH", "DYLD_INSERT_LIBRARIES"),
    *("GLIBC_TUNABLES", "MALLOC_ARENA_MAX", "MALLOC_CHECK_", "MALLOC_PERTURB_"),
    *("MALLOC_TRIM_THRESHOLD_", "MALLOC_MMAP_THRESHOLD_", "MALLOC_TOP_PAD_"),
)
_NUMERICAL = (
    *("OMP_NUM_THREADS", "OMP_DYNAMIC", "OMP_PROC_BIND", "OMP_PLACES", "OMP_SCHEDULE"),
    *("OMP_STACKSIZE", "OMP_WAIT_POLICY", "OMP_THREAD_LIMIT", "OMP_MAX_ACTIVE_LEVELS"),
    *("OPENBLAS_NUM_THREADS", "OPENBLAS_CORETYPE", "OPENBLAS_MAIN_FREE"),
    *("GOTO_NUM_THREADS", "BLIS_NUM_THREADS", "BLIS_ARCH_TYPE", "NUMEXPR_NUM_THREADS"),
    *("MKL_NUM_THREADS", "MKL_DYNAMIC", "MKL_THREADING_LAYER", "MKL_INTERFACE_LAYER"),
    *("MKL_SERVICE_FORCE_INTEL", "MKL_CBWR", "NUMEXPR_MAX_THREADS"),
    *("VECLIB_MAXIMUM_THREADS", "NPY_DISABLE_CPU_FEATURES"),
)
_LANGUAGE = (
    *("LANG", "LANGUAGE", "LC_ALL", "LC_CTYPE", "LC_COLLATE", "LC_MESSAGES"),
    *("LC_MONETARY", "LC_NUMERIC", "LC_TIME"),
)
_READ_AT_START = _PYTHON + _LOADER + _NUMERICAL + _LANGUAGE
# What else the server itself needs; a fork gets the environment of its task.
_SERVER_VARIABLES = ("HOME", "PATH", "TMPDIR", "TZ", "XDG_RUNTIME_DIR")
_PROJECT_FILES = ("pyproject.toml", "uv.lock", ".python-version")
_LIMITS = [getattr(resource, name) for name in dir(resource) if name[:7] == "RLIMIT_"]
_LONGEST_SOCKET_PATH = 100
# The rights of a process, in the words of proc(5).
_RIGHTS = (
    *("Uid", "Gid", "Groups", "CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"),
    *("NoNewPrivs", "Seccomp", "Seccomp_filters", "Cpus_allowed", "Mems_allowed"),
)


class WorkerFolder:
    """A worker of the user: a folder of a registry, with a ``main.py``.

    :param path: The absolute path of the folder.
    :param variables: The environment variables that the modules read which the worker
        imports. The preloaded process keeps their values, so they must not be secrets.
    """

    __slots__ = ("path", "variables")

    def __init__(self, path: str, variables: tuple[str, ...] = ()) -> None:
        self.path = path
        self.variables = variables

    def files(self) -> list[str]:
        """Return its source files, and those that say what its environment is."""
        # Tierkreis also takes main.py from a folder in that of the project.
        places = (self.path, f"{self.path}/..", f"{self.path}/../..")
        files = [f"{place}/{name}" for place in places for name in _PROJECT_FILES]
        return files + _source_files(self.path)


def _source_files(path: str) -> list[str]:
    """Return the source files in a folder, without those of an environment in it."""
    files = []
    for folder, folders, names in os.walk(path):
        folders[:] = [it for it in folders if it[0] != "." and it != "__pycache__"]
        files += [f"{folder}/{name}" for name in names if name.endswith(".py")]
    return files


def is_wanted(env_prefix: str) -> bool:
    """Return whether a preloaded process may be used at all.

    :param env_prefix: The prefix of the environment variables of the worker.
    """
    if not is_on(warm_switch(env_prefix)):
        return False
    # Options of the interpreter are not passed on, except for the module to run.
    has_options = sys.orig_argv[1:2] and sys.orig_argv[1].startswith("-")
    if has_options and sys.orig_argv[1] != "-m":
        return False
    return not any(name in os.environ for name in _BATCH_JOBS)


def environment_of_server(
    env_prefix: str, worker: WorkerFolder | None = None
) -> dict[str, str]:
    """Return the environment with which a preloaded process starts.

    The process outlives the task that starts it, and must not keep its secrets.

    :param env_prefix: The prefix of the environment variables of the worker.
    :param worker: The folder of the worker; None for the worker of a cloud.
    """
    wanted = [*_READ_AT_START, *_SERVER_VARIABLES, *server_variables(env_prefix)]
    if worker is not None:
        wanted += worker.variables
    return {name: os.environ[name] for name in wanted if name in os.environ}


def state_of(paths: list[str]) -> list[tuple[str, int, int, int]]:
    """Return values that change when the packages in some folders or files change.

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


def watched_paths(package: str, worker: WorkerFolder | None = None) -> list[str]:
    """Return the folders of packages of this interpreter, and the source files.

    :param package: The package of the worker.
    :param worker: The folder of the worker; None for the worker of a cloud.
    """
    source = os.path.dirname(__file__)  # noqa: PTH120
    for _ in range(3):
        source = os.path.dirname(source)  # noqa: PTH120
    files = []
    for name in (package, "tkr_runtime"):
        files += _source_files(f"{source}/{name}")
    if worker is not None:
        files += worker.files()
    return [*sys.path[1:], sys.prefix + "/pyvenv.cfg", *sorted(files)]


def identity(
    package: str, env_prefix: str, worker: WorkerFolder | None = None
) -> bytes | None:
    """Return a digest of all that a fork inherits and cannot take from its client.

    That is the interpreter with its options, the installed packages, the variables that
    are read at the start, the limits of the system, and the rights of the process: a
    task never gets more rights than the process that asks for it.

    :param package: The package of the worker.
    :param env_prefix: The prefix of its environment variables.
    :param worker: The folder of the worker; None for the worker of a cloud.
    :returns: The digest; None if this process has rights that cannot be compared.
    """
    inherited = inherited_state()
    if inherited is None:
        return None
    read_at_start = [*_READ_AT_START, defer_switch(env_prefix)]
    if worker is not None:
        read_at_start += worker.variables
    # An interpreter has several names in its folder, which executors choose among.
    folder = os.path.dirname(sys.executable)  # noqa: PTH120
    parts = (
        (folder, sys.prefix, sys.version, tuple(sys.flags), sys.path[1:]),
        (package, worker and worker.path, state_of(watched_paths(package, worker))),
        [(name, os.environ.get(name)) for name in read_at_start],
        inherited,
    )
    digest: bytes = sha256(repr(parts).encode(errors="surrogateescape")).digest()
    return digest


def inherited_state() -> list[object] | None:
    """Return what the processes that this one starts inherit, besides variables.

    :returns: Values that compare equal; None if some cannot be compared.
    """
    rights = _rights()
    if rights is None:
        return None
    return [
        [resource.getrlimit(limit) for limit in _LIMITS],
        (os.getuid(), os.getgid(), os.getgroups()),
        os.getpriority(os.PRIO_PROCESS, 0),
        rights,
    ]


def _rights() -> list[object] | None:
    """Return what the system allows this process; None if that is in doubt."""
    if sys.platform != "linux":
        return []
    try:
        status = _read_status("self")
        if not _has_filters_of_container(status):
            return None
        root = os.stat("/")  # noqa: PTH116
        namespaces = [
            (name, os.readlink(f"/proc/self/ns/{name}"))  # noqa: PTH115
            for name in sorted(os.listdir("/proc/self/ns"))  # noqa: PTH208
        ]
        return [
            [(name, status.get(name)) for name in _RIGHTS],
            namespaces,
            (root.st_dev, root.st_ino, os.readlink("/proc/self/root")),  # noqa: PTH115
            (os.sched_getscheduler(0), os.sched_getparam(0).sched_priority),
            sorted(os.sched_getaffinity(0)),
            _read("/proc/self/cgroup"),
            _read("/proc/self/oom_score_adj"),
            _security_label(),
        ]
    except OSError:
        return None


def _read_status(process: str) -> dict[str, str]:
    lines = _read(f"/proc/{process}/status").splitlines()
    return dict(line.split(":", 1) for line in lines if ":" in line)


def umask() -> int | None:
    """Return the mask for the rights of new files; None where only a change shows it.

    A change would hit the other threads of this process.
    """
    if sys.platform != "linux":
        return None
    return int(_read_status("self")["Umask"], 8)


def _has_filters_of_container(status: dict[str, str]) -> bool:
    """Return whether this process has no system call filter besides its container's.

    A process inherits filters, and can add some but drop none. The system tells their
    number only: two processes with one filter each may have different ones, unless it
    is the one with which the first process of their container started.
    """
    if status.get("Seccomp", "0").strip() == "0":
        return True
    first = _read_status("1")
    names = ("Seccomp", "Seccomp_filters")
    return all(status.get(name) == first.get(name) for name in names)


def _security_label() -> str:
    """Return the label of SELinux, AppArmor or Smack; empty without such a system."""
    try:
        return _read("/proc/self/attr/current")
    except OSError:
        return ""


def _read(path: str) -> str:
    with open(path) as file:  # noqa: PTH123
        return file.read()


def socket_folder(package: str) -> str | None:
    """Return the folder of this user's sockets; None if there is no safe one.

    :param package: The package of the worker.
    """
    environment = os.environ
    base = environment.get("XDG_RUNTIME_DIR") or environment.get("TMPDIR") or "/tmp"  # noqa: S108
    folder = private_folder(base, package.replace("_", "-"))
    longest_name = "/0123456789abcdef.sock"
    if folder is None or len(folder) + len(longest_name) > _LONGEST_SOCKET_PATH:
        return None
    return folder
