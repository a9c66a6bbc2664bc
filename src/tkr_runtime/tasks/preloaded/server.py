"""The preloaded process: forks for each task that the executable hands over.

It has one thread and does nothing but accept, fork and wait, so that it answers at
once. It ends by itself after some idle time, and as soon as the packages that it has
imported are no longer those that are installed.
"""

import ctypes
import gc
import marshal
import os
import selectors
import signal
import socket
import struct
import sys
import time
import warnings
from collections import deque
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tkr_runtime.cloud import Cloud, clouds
from tkr_runtime.tasks.deferred_imports import defer_imports
from tkr_runtime.tasks.preloaded.identity import identity, state_of, watched_paths

_IDLE_SECONDS = 900.0
_LOOK_SECONDS = 5.0
_REQUEST_SECONDS = 10.0
_TIME_TO_LEAVE = 0.5
_PR_SET_PDEATHSIG = 1


@dataclass
class _Client:
    """An executable that has handed over a task.

    :param connection: The connection to it.
    :param request: The task, once all of it has come.
    :param streams: Its standard streams, as file descriptors of this process.
    :param child: The process of the task, once it runs.
    :param takes_slot: Whether the task counts among those that run at once.
    :param news: Where the task tells that it only waits from now on.
    """

    connection: socket.socket
    request: bytearray = field(default_factory=bytearray)
    streams: list[int] = field(default_factory=list)
    child: int = 0
    takes_slot: bool = False
    news: socket.socket | None = None


class Server:
    """Runs tasks in forks of this process.

    :param cloud: The cloud of the worker.
    :param listener: A socket that listens.
    :param n_tasks: The number of tasks at once; those that only wait do not count.
    :param idle_seconds: How long to stay without a task.
    """

    def __init__(
        self,
        cloud: Cloud,
        listener: socket.socket,
        n_tasks: int,
        idle_seconds: float,
    ) -> None:
        self._cloud = cloud
        self._listener = listener
        self._n_tasks = n_tasks
        self._idle_seconds = idle_seconds
        self._selector = selectors.DefaultSelector()
        self._clients: dict[int, _Client] = {}
        self._queue: deque[_Client] = deque()
        # Without its socket, nobody can find this process any more.
        self._paths = [*watched_paths(cloud.package), listener.getsockname()]
        self._state = state_of(self._paths)
        self._wake_reader, self._wake_writer = socket.socketpair()

    def serve(self) -> None:
        """Serve until nobody has come for the idle time, or an upgrade."""
        for end in (self._wake_reader, self._wake_writer):
            end.setblocking(False)
        signal.set_wakeup_fd(self._wake_writer.fileno(), warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        self._listener.setblocking(False)
        self._selector.register(self._listener, selectors.EVENT_READ, self._accept)
        self._selector.register(self._wake_reader, selectors.EVENT_READ, self._reap)
        last_seen = time.monotonic()
        is_leaving = False
        while self._clients or not is_leaving:
            events = self._selector.select(
                _TIME_TO_LEAVE if is_leaving else _LOOK_SECONDS
            )
            for key, _ in events:
                # An earlier event may have closed what this one is about.
                if key.fd in self._selector.get_map():
                    key.data()
            if events or self._clients:
                last_seen = time.monotonic()
            idle = time.monotonic() - last_seen
            if not is_leaving and (idle > self._idle_seconds or self._is_outdated()):
                # Who has connected already is still served.
                Path(self._listener.getsockname()).unlink(missing_ok=True)
                is_leaving = True

    def _is_outdated(self) -> bool:
        return state_of(self._paths) != self._state

    def _accept(self) -> None:
        try:
            connection, _ = self._listener.accept()
        except OSError:
            return
        if not _is_same_user(connection):
            connection.close()
            return
        connection.settimeout(_REQUEST_SECONDS)
        client = _Client(connection)
        self._clients[connection.fileno()] = client
        self._selector.register(
            connection, selectors.EVENT_READ, lambda: self._read(client)
        )

    def _read(self, client: _Client) -> None:
        """Read more of a request; once it is whole, only the end of the client."""
        try:
            if client.streams:
                received = client.connection.recv(1 << 20)
            else:
                received, client.streams, _, _ = socket.recv_fds(
                    client.connection, 1 << 20, 3
                )
        except OSError:
            received = b""
        if not received:
            self._drop(client)
            return
        client.request += received
        size = int.from_bytes(client.request[:4], "little")
        if len(client.request) == size + 4 and not client.child:
            if self._is_outdated():
                self._drop(client)
                return
            self._queue.append(client)
            self._start_next()

    def _start_next(self) -> None:
        while self._queue and (
            sum(client.takes_slot for client in self._clients.values()) < self._n_tasks
        ):
            client = self._queue.popleft()
            if client.connection.fileno() in self._clients:
                self._fork(client)

    def _fork(self, client: _Client) -> None:
        client.news, theirs = socket.socketpair()
        client.takes_slot = True
        with warnings.catch_warnings():
            # Threads of numerical libraries, which their own handlers take care of.
            warnings.simplefilter("ignore", DeprecationWarning)
            client.child = os.fork()
        if client.child == 0:
            request = marshal.loads(bytes(client.request[4:]))  # noqa: S302 (same user)
            _be_the_task(self._cloud, request, client.streams, theirs)
        theirs.close()
        news = client.news
        self._selector.register(
            news, selectors.EVENT_READ, lambda: self._release_slot(client)
        )
        with suppress(OSError):
            client.connection.sendall(b"child %d\n" % client.child)

    def _release_slot(self, client: _Client) -> None:
        if client.news is not None:
            self._selector.unregister(client.news)
            client.news.close()
            client.news = None
        client.takes_slot = False
        self._start_next()

    def _reap(self) -> None:
        with suppress(BlockingIOError):
            while self._wake_reader.recv(4096):
                pass
        while True:
            try:
                child, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if child == 0:
                return
            for client in list(self._clients.values()):
                if client.child == child:
                    code = os.waitstatus_to_exitcode(status)
                    with suppress(OSError):
                        client.connection.sendall(b"exit %d\n" % code)
                    client.child = 0
                    self._drop(client)

    def _drop(self, client: _Client) -> None:
        """Forget a client that has its answer, or has gone: then its task ends too."""
        if client.child:
            with suppress(ProcessLookupError):
                os.kill(client.child, signal.SIGKILL)
        self._selector.unregister(client.connection)
        del self._clients[client.connection.fileno()]
        client.connection.close()
        for stream in client.streams:
            os.close(stream)
        client.streams = []
        self._release_slot(client)


def _is_same_user(connection: socket.socket) -> bool:
    if not hasattr(socket, "SO_PEERCRED"):  # as on macOS: the folder is private
        return True
    credentials = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12)
    uid: int = struct.unpack("3i", credentials)[1]
    return uid == os.getuid()


def _be_the_task(
    cloud: Cloud, request: dict[str, Any], streams: list[int], news: socket.socket
) -> None:
    """Run the task in this process, which is a fork, and end it."""
    code = 1
    try:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        if sys.platform == "linux":
            # A task does not outlive the server: nobody could tell its outcome.
            ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        for target, stream in enumerate(streams):
            os.dup2(stream, target)
        kept = os.dup2(news.fileno(), 3, inheritable=False)
        os.closerange(4, os.sysconf("SC_OPEN_MAX"))
        os.environ.clear()
        os.environ.update(request["env"])
        os.umask(request["umask"])
        time.tzset()
        os.chdir(request["cwd"])

        from tkr_runtime.tasks.preloaded import fork

        code = fork.run_task(cloud, request["argv"], kept)
    finally:
        os._exit(code)


def main() -> None:
    """Preload a worker, then serve its tasks.

    The arguments are the name of the socket, without its ending, and the package of
    the worker.
    """
    name, package = sys.argv[1:]
    cloud = next(it for it in clouds() if it.package == package)
    defer_imports(cloud)
    from tkr_runtime.tasks.preloaded import fork

    fork.preload(cloud)
    if not name.endswith(identity(package, cloud.env_prefix).hex()[:16]):
        return  # something was installed in the meantime
    gc.collect()
    # What is here now stays: no fork need copy it to count references.
    gc.freeze()
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(f"{name}.sock")
    Path(f"{name}.sock").chmod(0o600)
    listener.listen(1024)
    idle_seconds = float(
        os.environ.get(f"{cloud.env_prefix}WARM_IDLE") or _IDLE_SECONDS
    )
    default = max(4, 2 * (os.cpu_count() or 1))
    n_tasks = int(os.environ.get(f"{cloud.env_prefix}WARM_TASKS") or default)
    Server(cloud, listener, max(1, n_tasks), idle_seconds).serve()


if __name__ == "__main__":
    main()
