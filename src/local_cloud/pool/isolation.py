"""What the process of a program may reach: no network, and no files of people.

Programs are checked before they run. This limits what they can do if a check misses
something: they come from everyone who has a login, and run as the user of the server.
Linux does it, where its kernel and its administrator allow it; elsewhere the pool says
what is missing.
"""

import contextlib
import fcntl
import importlib.util
import os
import site
import socket
import struct
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

_FOLDERS_OF_PEOPLE = (
    "/boot",
    "/home",
    "/media",
    "/mnt",
    "/root",
    "/run",
    "/srv",
    "/tmp",  # noqa: S108 - is hidden, not used
    "/var",
)
"""Folders that hold nothing of the system that a program needs."""
_DEVICES = ("null", "zero", "full", "random", "urandom")
_LEAST_ABI = 2
"""The first version of Landlock that lets files move between folders, as the C compiler
moves them in its cache."""
_SIOCSIFFLAGS = 0x8914
_IFF_UP = 1


def isolate(
    files: Path, module: str, needed: Iterable[Path], private: Iterable[Path]
) -> list[str]:
    """Cut off this process, and those that it starts, from network and other files.

    Files of the system, of Python and of its packages can still be read. Caches go to a
    folder of their own, which all programs of this user share.

    :param files: The folder of this process for its temporary files; its home, too.
    :param module: What handles the programs.
    :param needed: Further files that it reads.
    :param private: Files and folders that programs must not read, wherever they are.
    :returns: What this machine does not allow, in words.
    """
    cache = _cache()
    private = [*private]
    readable = [*_system([files.parent, *private]), *_python(module, needed, private)]
    _leave_home(files, module, cache)
    writable = [files] if cache is None else [files, cache]
    gaps = []
    if not _leave_network():
        gaps.append("reach the network, as this system permits no user namespaces")
    if reason := _hide_files(readable, writable):
        gaps.append(f"read and change your files, as {reason}")
    return gaps


def _cache() -> Path | None:
    """Return the folder for what programs leave to later ones; None without one."""
    base = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    cache = Path(base).expanduser() / "local_cloud"
    try:
        # Not the cache of the user's own compilers: what is in it is run.
        cache.mkdir(mode=0o700, parents=True, exist_ok=True)
    except (OSError, RuntimeError):
        return None
    return cache


def _leave_home(files: Path, module: str, cache: Path | None) -> None:
    """Let programs look for settings and caches of their own."""
    # Packages of the user stay where they are.
    os.environ["PYTHONUSERBASE"] = site.getuserbase()
    os.environ["HOME"] = str(files)
    if cache is None:
        return
    os.environ["XDG_CACHE_HOME"] = str(cache)
    os.environ.setdefault("ZIG_GLOBAL_CACHE_DIR", str(cache / "zig"))
    # Installers that do not compile leave that to those who import first.
    spec = importlib.util.find_spec(module)
    if spec and spec.cached and not Path(spec.cached).exists():
        sys.pycache_prefix = str(cache / "bytecode")
        os.environ["PYTHONPYCACHEPREFIX"] = sys.pycache_prefix


def _system(private: Sequence[Path]) -> Iterator[Path]:
    hidden = [*map(Path, _FOLDERS_OF_PEOPLE), Path("/dev"), *private]
    with contextlib.suppress(RuntimeError):
        hidden.append(Path.home())
    return _without(Path("/"), [path.resolve() for path in hidden])


def _python(
    module: str, needed: Iterable[Path], private: Sequence[Path]
) -> Iterator[Path]:
    """Find what Python needs, wherever it is installed."""
    spec = importlib.util.find_spec(module.partition(".")[0])
    libraries = os.environ.get("LD_LIBRARY_PATH", "").split(":")
    linked = Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "uv"
    wanted: list[str | Path] = [
        *(sys.prefix, sys.base_prefix, sys.exec_prefix, *sys.path, *libraries),
        *((spec and spec.submodule_search_locations) or []),
        # uv may have linked packages to its cache.
        *(linked, *needed),
    ]
    hidden = [path.resolve() for path in private]
    for path in {Path(name).resolve() for name in wanted if name}:
        # Python may be installed inside of a folder that is private otherwise.
        yield from _without(
            path, [other for other in hidden if not path.is_relative_to(other)]
        )


def _without(path: Path, hidden: Sequence[Path]) -> Iterator[Path]:
    """Find files and folders that together are a folder without some that it has."""
    if any(path.is_relative_to(other) for other in hidden):
        return
    if not any(other.is_relative_to(path) for other in hidden):
        yield path
        return
    with contextlib.suppress(OSError):
        for child in path.iterdir():
            if not child.is_symlink():
                yield from _without(child, hidden)
            elif path == Path("/"):  # such as /lib, which is in /usr
                yield from _without(child.resolve(), hidden)


def _leave_network() -> bool:
    """Move this process to a network of its own, if that is permitted.

    Only its loopback interface works, which simulators talk to their programs by.
    """
    if sys.platform != "linux":
        return False
    # Tried first: a process may be let out of the network and not to a loopback.
    child = os.fork()
    if child == 0:
        try:
            _enter_own_network()
        except BaseException:  # noqa: BLE001 - nothing is left to a process that tries
            os._exit(1)
        os._exit(0)
    if os.waitpid(child, 0)[1]:
        return False
    _enter_own_network()
    return True


def _enter_own_network() -> None:
    user, group = os.getuid(), os.getgid()
    try:
        # In a user namespace even root has no rights over the rest of the machine.
        os.unshare(os.CLONE_NEWUSER | os.CLONE_NEWNET)
    except OSError:
        os.unshare(os.CLONE_NEWNET)
    else:
        Path("/proc/self/setgroups").write_text("deny", encoding="ascii")
        for kind, number in (("uid", user), ("gid", group)):
            line = f"{number} {number} 1"
            Path(f"/proc/self/{kind}_map").write_text(line, encoding="ascii")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        up = struct.pack("16sH22x", b"lo", _IFF_UP)
        fcntl.ioctl(any_socket, _SIOCSIFFLAGS, up)


def _hide_files(readable: Iterable[Path], writable: Iterable[Path]) -> str | None:
    """Hide all other files, and processes, from this process.

    :returns: Why that is not possible; None if it is done.
    """
    try:
        import landlockpy
        from landlockpy import AccessFS, AccessNet, Ruleset, Scope
    except ImportError:
        return "landlockpy is not installed"
    if landlockpy.abi_version() < _LEAST_ABI:
        return "this kernel has no Landlock, or an old one"
    read_file = AccessFS.READ_FILE | AccessFS.EXECUTE
    use_device = AccessFS.READ_FILE | AccessFS.WRITE_FILE | AccessFS.TRUNCATE
    scope = Scope.SIGNAL | Scope.ABSTRACT_UNIX_SOCKET
    with Ruleset(handled_net=AccessNet.NONE, scoped=scope) as rules:

        def allow(paths: Iterable[Path], access: AccessFS) -> None:
            for path in paths:
                # Some are not there, and some could not be read before.
                with contextlib.suppress(FileNotFoundError, PermissionError):
                    folder = AccessFS.READ_DIR if path.is_dir() else AccessFS.NONE
                    rules.allow_path(path, access | folder)

        allow(readable, read_file)
        allow([Path("/dev", name) for name in _DEVICES], use_device)
        allow(writable, rules.handled_fs)
        rules.restrict()
    return None
