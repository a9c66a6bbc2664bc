"""The preloaded process: its forks run the tasks that clients hand over.

It has one thread and only accepts, forks and waits, so that it answers at once. It ends
after some time without a task, and when the packages that it has imported are no longer
the installed ones.
"""

import ctypes
import gc
import marshal
import os
import resource
import select
import selectors
import signal
import socket
import struct
import sys
import time
import warnings
from collections import deque
from collections.abc import Mapping
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from tkr_runtime.tasks.preloaded.fork import run_tasks
from tkr_runtime.tasks.preloaded.identity import (
    WorkerFolder,
    identity,
    state_of,
    watched_paths,
)

_CHECK_SECONDS = 5.0
_HEARTBEAT_SECONDS = 0.5
_REQUEST_SECONDS = 10.0
_SECONDS_TO_LEAVE = 0.5
_N_STREAMS = 3
# Open files that do not belong to clients, with some to spare.
_OTHER_FILES = 24
_FILES_OF_CLIENT = 3
_PR_SET_PDEATHSIG = 1
# A fork that waits takes a task at once, unless it has been stopped.
_CONTROL_SECONDS = 1.0


class CannotPreloadError(Exception):
    """A worker cannot run in forks; the message says why, in a sentence."""


class Program(Protocol):
    """A worker that is imported once, and runs in forks."""

    @property
    def package(self) -> str:
        """The name by which its preloaded processes are found."""

    @property
    def env_prefix(self) -> str:
        """The prefix of its environment variables."""

    @property
    def folder(self) -> WorkerFolder | None:
        """Its folder; None for the worker of a cloud."""

    @property
    def fork_seconds(self) -> float:
        """How long a fork takes further tasks, in seconds; 0 if it takes none."""

    @property
    def slot_seconds(self) -> float | None:
        """After how many seconds a task no longer counts; None if it says so itself."""

    def limits(self) -> tuple[int, float]:
        """Return the number of tasks at once, and the idle time in seconds."""

    def preload(self) -> list[str]:
        """Import the worker; return further files whose changes matter.

        :raises CannotPreloadError: If it cannot run in forks.
        """

    def prepare(self, environment: Mapping[str, str]) -> None:
        """Do what a fork with an environment would otherwise do itself."""

    def run(self, argv: list[str]) -> int:
        """Run a task in a fork, and return the exit code."""

    def end(self) -> None:
        """Do what the interpreter does at its end."""


@dataclass
class _Client:
    """An executable or executor that hands over a task.

    :param connection: The connection to it.
    :param invited: When it was asked for the task, in seconds of the monotonic clock;
        None while it is queued.
    :param request: As much of the task as has arrived.
    :param streams: Its standard streams, as file descriptors, until the task runs.
    :param child: The process id of the task, while it runs.
    :param outlives: Whether the task goes on if the client ends.
    :param has_slot: Whether the task counts among those that run at once.
    :param slot: A socket that the task closes when it only waits from then on.
    """

    connection: socket.socket
    invited: float | None = None
    request: bytearray = field(default_factory=bytearray)
    streams: list[int] = field(default_factory=list)
    child: int = 0
    outlives: bool = False
    has_slot: bool = False
    slot: socket.socket | None = None

    def send(self, line: bytes) -> None:
        """Send a line, unless the client has gone."""
        with suppress(OSError):
            self.connection.sendall(line + b"\n")

    def close_streams(self) -> None:
        """Close the standard streams of the client in this process."""
        for stream in self.streams:
            os.close(stream)
        self.streams = []


@dataclass
class _Fork:
    """A fork that runs tasks one after another.

    :param process: Its process id.
    :param control: The connection to it.
    :param conditions: What all its tasks have in common.
    :param born: When it was forked, in seconds of the monotonic clock.
    :param client: The client whose task it runs; None while it waits.
    """

    process: int
    control: socket.socket
    conditions: object
    born: float
    client: _Client | None


class Server:
    """Runs tasks in forks of this process.

    :param program: The worker.
    :param loaded: Files that it has imported, besides those of its identity.
    :param listener: A socket that listens.
    :param n_tasks: The number of tasks at once; tasks that only wait do not count.
    :param idle_seconds: How long to stay without a task.
    :param files_limit: The limit of open files that the tasks have.
    """

    def __init__(
        self,
        program: Program,
        loaded: list[str],
        listener: socket.socket,
        n_tasks: int,
        idle_seconds: float,
        files_limit: tuple[int, int],
    ) -> None:
        self._program = program
        self._listener = listener
        self._n_tasks = n_tasks
        self._slot_seconds = program.slot_seconds or float("inf")
        self._idle_seconds = idle_seconds
        self._files_limit = files_limit
        self._selector = selectors.DefaultSelector()
        self._clients: dict[int, _Client] = {}
        self._queue: deque[_Client] = deque()
        self._forks: dict[int, _Fork] = {}
        self._is_accepting = False
        # Without its socket, nobody can find this process any more.
        watched = watched_paths(program.package, program.folder)
        self._paths = [*watched, *loaded, listener.getsockname()]
        self._state = state_of(self._paths)
        self._wake_reader, self._wake_writer = socket.socketpair()
        files = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
        files -= _OTHER_FILES + n_tasks * (_N_STREAMS + 2)
        self._most_clients = max(1, files // _FILES_OF_CLIENT)

    def serve(self) -> None:
        """Serve until no task has come for the idle time, or packages change."""
        for end in (self._wake_reader, self._wake_writer):
            end.setblocking(False)
        signal.set_wakeup_fd(self._wake_writer.fileno(), warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        self._listener.setblocking(False)
        self._selector.register(self._wake_reader, selectors.EVENT_READ, self._reap)
        last_used = time.monotonic()
        is_leaving = False
        while self._clients or not is_leaving:
            self._accept_more()
            events = self._selector.select(self._longest_pause(is_leaving=is_leaving))
            for key, _ in events:
                # An earlier event may have closed this file.
                if key.fd in self._selector.get_map():
                    key.data()
            self._check_clients()
            self._end_forks(with_limit=False)
            if events or self._clients:
                last_used = time.monotonic()
            idle = time.monotonic() - last_used
            if not is_leaving and (idle > self._idle_seconds or self._is_outdated()):
                # Clients that have connected already are still served.
                Path(self._listener.getsockname()).unlink(missing_ok=True)
                is_leaving = True

    def _longest_pause(self, *, is_leaving: bool) -> float:
        if is_leaving:
            return _SECONDS_TO_LEAVE
        has_impatient = any(not client.child for client in self._clients.values())
        return _HEARTBEAT_SECONDS if has_impatient else _CHECK_SECONDS

    def _is_outdated(self) -> bool:
        return state_of(self._paths) != self._state

    def _accept_more(self) -> None:
        """Accept clients while there are files for them.

        The others wait for a moment, and then run their tasks themselves.
        """
        has_room = len(self._clients) < self._most_clients
        if has_room and not self._is_accepting:
            self._selector.register(self._listener, selectors.EVENT_READ, self._accept)
        elif self._is_accepting and not has_room:
            self._selector.unregister(self._listener)
        self._is_accepting = has_room

    def _accept(self) -> None:
        try:
            connection, _ = self._listener.accept()
        except BlockingIOError:  # the client has gone
            return
        except OSError:  # no files are left: do not try again at once
            self._selector.unregister(self._listener)
            self._is_accepting = False
            time.sleep(_SECONDS_TO_LEAVE)
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
        client.send(b"queued")
        self._queue.append(client)
        self._start_next()

    def _check_clients(self) -> None:
        """Tell queued clients that this process lives, and drop those that are slow."""
        now = time.monotonic()
        for client in list(self._clients.values()):
            if client.invited is None:
                client.send(b"queued")
            elif not client.child and now - client.invited > _REQUEST_SECONDS:
                self._drop(client)
            elif client.slot and now - client.invited > self._slot_seconds:
                self._release_slot(client)

    def _start_next(self) -> None:
        """Ask queued clients for their tasks while there are slots."""
        while self._queue and (
            sum(client.has_slot for client in self._clients.values()) < self._n_tasks
        ):
            client = self._queue.popleft()
            if self._clients.get(client.connection.fileno()) is client:
                client.has_slot = True
                client.invited = time.monotonic()
                client.send(b"go")

    def _read(self, client: _Client) -> None:
        """Read more of a request; before and after it, only the end of the client."""
        try:
            if client.request:
                received = client.connection.recv(1 << 20)
            else:
                received, client.streams, _, _ = socket.recv_fds(
                    client.connection, 1 << 20, _N_STREAMS
                )
        except OSError:
            received = b""
        is_first = not client.request
        if (
            not received
            or client.invited is None
            or (is_first and len(client.streams) != _N_STREAMS)
        ):
            fork = self._forks.get(client.child)
            if fork is not None and _is_readable(fork.control):
                self._note_end(fork)  # its client knows already
            elif client.child and client.outlives:
                self._selector.unregister(client.connection)
            else:
                self._drop(client)
            return
        client.request += received
        size = int.from_bytes(client.request[:4], "little")
        if len(client.request) == size + 4 and not client.child:
            # A client that has left has given this process up, which was stopped.
            if self._is_outdated() or _is_readable(client.connection):
                self._drop(client)
                return
            self._run(client)

    def _run(self, client: _Client) -> None:
        """Run the task of a client in a fork."""
        try:
            request: dict[str, Any] = marshal.loads(bytes(client.request[4:]))  # noqa: S302 (same user)
            client.outlives = request["outlives_client"]
            client.slot, theirs = socket.socketpair()
            with closing(theirs):
                fork = self._find_fork(request)
                if fork is None or not self._hand_over(fork, client, theirs):
                    fork = self._fork(client, request, theirs)
        except OSError:  # no files or processes are left
            self._drop(client)
            return
        fork.client = client
        client.child = fork.process
        client.close_streams()
        self._selector.register(
            client.slot, selectors.EVENT_READ, lambda: self._release_slot(client)
        )
        client.send(b"child %d" % client.child)

    def _find_fork(self, request: dict[str, Any]) -> _Fork | None:
        """Return a fork that waits for a task like this one, and is not too old."""
        conditions = (request["env"], request["umask"])
        oldest = time.monotonic() - self._program.fork_seconds
        for fork in self._forks.values():
            if not fork.client and fork.conditions == conditions and fork.born > oldest:
                return fork
        return None

    def _hand_over(self, fork: _Fork, client: _Client, slot: socket.socket) -> bool:
        """Hand a task to a fork that waits; return False if it has just ended."""
        size, request = bytes(client.request[:4]), client.request[4:]
        try:
            others = [slot.fileno(), client.connection.fileno()]
            socket.send_fds(fork.control, [size], [*client.streams, *others])
            fork.control.sendall(request)
        except OSError:
            self._end_fork(fork)
            return False
        return True

    def _fork(
        self, client: _Client, request: dict[str, Any], slot: socket.socket
    ) -> _Fork:
        """Fork, and run a task in the fork.

        :raises OSError: If no files or processes are left.
        """
        self._end_forks(with_limit=True)
        self._program.prepare(request["env"])
        ours, theirs = socket.socketpair()
        with closing(theirs):
            try:
                with warnings.catch_warnings():
                    # Threads of numerical libraries, which handle forks themselves.
                    warnings.simplefilter("ignore", DeprecationWarning)
                    process = os.fork()
            except OSError:
                ours.close()
                raise
            if process == 0:
                self._run_tasks(client, request, slot, theirs)
        ours.settimeout(_CONTROL_SECONDS)
        conditions = (request["env"], request["umask"])
        made = _Fork(process, ours, conditions, time.monotonic(), client)
        self._forks[process] = made
        self._selector.register(
            ours, selectors.EVENT_READ, lambda: self._note_end(made)
        )
        return made

    def _run_tasks(
        self,
        client: _Client,
        request: dict[str, Any],
        slot: socket.socket,
        control: socket.socket,
    ) -> None:
        """Run tasks in this process, which is a fork, and end the process."""
        code = 1
        try:
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            signal.signal(signal.SIGINT, signal.default_int_handler)
            if sys.platform == "linux":
                # A task ends with the server, because nobody else reports its outcome.
                ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
            kept = [os.dup(it.fileno()) for it in (slot, client.connection, control)]
            for target, stream in enumerate(client.streams):
                os.dup2(stream, target)
            for target, file in enumerate(kept, _N_STREAMS):
                os.dup2(file, target, inheritable=False)
            os.closerange(_N_STREAMS + len(kept), os.sysconf("SC_OPEN_MAX"))
            resource.setrlimit(resource.RLIMIT_NOFILE, self._files_limit)
            os.environ.clear()
            os.environ.update(request["env"])
            os.umask(request["umask"])
            time.tzset()
            os.chdir(request["cwd"])

            slot_file, connection, server = range(_N_STREAMS, _N_STREAMS + len(kept))
            code = run_tasks(
                self._program,
                request,
                slot_file,
                connection,
                socket.socket(fileno=server),
            )
        finally:
            os._exit(code)

    def _note_end(self, fork: _Fork) -> None:
        """Note the end of a task whose fork has reported it, and waits for the next."""
        try:
            has_ended = bool(fork.control.recv(1))
        except OSError:
            has_ended = False
        client, fork.client = fork.client, None
        if not has_ended:  # the process ends, and its exit code tells the rest
            fork.client = client
            self._end_fork(fork)
        elif client is not None:
            client.child = 0
            self._drop(client)

    def _end_fork(self, fork: _Fork) -> None:
        """Let a fork end once its task has ended."""
        if self._forks.pop(fork.process, None):
            self._selector.unregister(fork.control)
            fork.control.close()

    def _end_forks(self, *, with_limit: bool) -> None:
        """End forks that wait too long, or all but as many as tasks may run at once."""
        waiting = [it for it in self._forks.values() if it.client is None]
        oldest = time.monotonic() - self._program.fork_seconds
        spare = len(waiting) - self._n_tasks + 1 if with_limit else 0
        for index, fork in enumerate(waiting):
            if index < spare or fork.born < oldest:
                self._end_fork(fork)

    def _release_slot(self, client: _Client) -> None:
        if client.slot is not None:
            with suppress(KeyError):
                self._selector.unregister(client.slot)
            client.slot.close()
            client.slot = None
        client.has_slot = False
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
            if ended := self._forks.get(child):
                self._end_fork(ended)
            for client in list(self._clients.values()):
                if client.child == child:
                    client.send(b"exit %d" % os.waitstatus_to_exitcode(status))
                    client.child = 0
                    self._drop(client)

    def _drop(self, client: _Client) -> None:
        """Forget a client that has its answer, or has gone: then its task ends too."""
        if client.child:
            with suppress(ProcessLookupError):
                os.kill(client.child, signal.SIGKILL)
        with suppress(KeyError):  # a client that its task outlives has left before
            self._selector.unregister(client.connection)
        del self._clients[client.connection.fileno()]
        client.connection.close()
        client.close_streams()
        self._release_slot(client)


def _is_readable(connection: socket.socket) -> bool:
    """Return whether the other side has written something, or has left."""
    events = select.poll()
    events.register(connection, select.POLLIN)
    return bool(events.poll(0))


def _is_same_user(connection: socket.socket) -> bool:
    if not hasattr(socket, "SO_PEERCRED"):  # as on macOS: the folder is private
        return True
    credentials = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12)
    uid: int = struct.unpack("3i", credentials)[1]
    return uid == os.getuid()


def _raise_files_limit() -> tuple[int, int]:
    """Allow this process as many open files as possible; return the former limit."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return soft, hard


def serve(name: str, program: Program) -> None:
    """Preload a worker, then serve its tasks.

    :param name: The name of the socket, without its ending.
    :param program: The worker.
    """
    try:
        loaded = program.preload()
    except CannotPreloadError as error:
        Path(f"{name}.cold").write_text(str(error))
        return
    digest = identity(program.package, program.env_prefix, program.folder)
    if digest is None or not name.endswith(digest.hex()[:16]):
        return  # something was installed in the meantime
    gc.collect()
    # What exists now stays: no fork need copy it to count references.
    gc.freeze()
    n_tasks, idle_seconds = program.limits()
    files_limit = _raise_files_limit()
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(f"{name}.sock")
    Path(f"{name}.sock").chmod(0o600)
    listener.listen(1024)
    Server(program, loaded, listener, n_tasks, idle_seconds, files_limit).serve()


def main() -> None:
    """Preload the worker of a cloud, then serve its tasks.

    The arguments are the name of the socket, without its ending, and the package of
    the worker.
    """
    from tkr_runtime.tasks.preloaded.cloud_worker import CloudWorker

    name, package = sys.argv[1:]
    serve(name, CloudWorker(package))


if __name__ == "__main__":
    main()
