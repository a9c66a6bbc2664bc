"""An executable asks only a preloaded process that it understands and that answers."""

import os
import shutil
import socket
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tkr_runtime.tasks.preloaded import client, identity

PACKAGE, PREFIX = "tkr_nexus_worker", "TKR_NEXUS_"
LIMIT = 30


@pytest.fixture
def sockets(monkeypatch) -> Iterator[Path]:
    folder = tempfile.mkdtemp(prefix="tkr-")  # sockets have short paths
    monkeypatch.setenv("XDG_RUNTIME_DIR", folder)
    # A process of a parallel run has options, with which nothing is preloaded.
    monkeypatch.setattr(sys, "orig_argv", [sys.executable, "executable"])
    yield Path(folder)
    shutil.rmtree(folder)


@pytest.fixture
def listen_as_process(sockets) -> Iterator[Callable[[bytes], None]]:
    """Stand for the preloaded process: say something to each client, and no more."""
    listener = socket.socket(socket.AF_UNIX)
    connections, threads = [], []

    def say(words: bytes) -> None:
        while True:
            try:
                connections.append(listener.accept()[0])
            except OSError:
                return
            with suppress(OSError):  # it has gone already
                connections[-1].sendall(words)

    def listen(words: bytes) -> None:
        digest = identity.identity(PACKAGE, PREFIX)
        listener.bind(f"{identity.socket_folder(PACKAGE)}/{digest.hex()[:16]}.sock")
        listener.listen()
        threads.append(threading.Thread(target=say, args=[words], daemon=True))
        threads[-1].start()

    yield listen
    listener.shutdown(socket.SHUT_RDWR)
    for thread in threads:
        thread.join(LIMIT)
    listener.close()
    for connection in connections:
        connection.close()


@pytest.mark.parametrize(
    "words",
    [b"", b"queued\n", b"queued\ngo\n"],
    ids=["nothing", "the task waits", "the task is wanted"],
)
def test_a_task_whose_process_falls_silent_runs_in_the_executable(
    words, listen_as_process
):
    listen_as_process(words)
    codes = []
    executable = threading.Thread(
        target=lambda: codes.append(client.run(["a task"], PACKAGE, PREFIX)),
        daemon=True,
    )
    executable.start()
    executable.join(LIMIT)
    assert codes == [None]


@pytest.mark.skipif(sys.platform != "linux", reason="has namespaces on Linux only")
@pytest.mark.parametrize("seen", ["pid:[1]", PermissionError("not yours")], ids=str)
def test_a_process_whose_ids_may_mean_others_here_is_not_asked(
    seen, listen_as_process, monkeypatch
):
    listen_as_process(b"queued\ngo\nchild 1\n")
    readlink = os.readlink

    def look(path: str) -> str:
        if path != f"/proc/{os.getpid()}/ns/pid":
            return readlink(path)
        if isinstance(seen, Exception):
            raise seen
        return seen

    monkeypatch.setattr(os, "readlink", look)
    asked = []
    monkeypatch.setattr(client, "wait_for_turn", asked.append)
    assert client.run(["a task"], PACKAGE, PREFIX) is None
    assert asked == []
    monkeypatch.setattr(os, "readlink", readlink)
    assert client.run(["a task"], PACKAGE, PREFIX) is None
    assert len(asked) == 1
