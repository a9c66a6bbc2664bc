"""The preloaded process has the rights of its clients, no secrets, and limits."""

import ctypes
import json
import os
import resource
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.helpers.waiting import wait_until
from tests.tkr_runtime.tasks.test_preloaded import make_bench

from local_nexus import Fault
from tkr_runtime.private_folder import private_folder
from tkr_runtime.tasks.preloaded import client

__all__ = ["make_bench"]

IDENTITY = """
from tkr_runtime.tasks.preloaded.identity import identity
print(identity("tkr_nexus_worker", "TKR_NEXUS_"))
"""
UPLOAD = "POST", "/api/circuits/*"
PR_SET_SECCOMP, PR_CAPBSET_DROP, PR_SET_NO_NEW_PRIVS = 22, 24, 38
CAP_SYS_ADMIN = 21
libc = ctypes.CDLL(None, use_errno=True)


def prctl(*arguments: object) -> None:
    if libc.prctl(*arguments) != 0:
        raise OSError(ctypes.get_errno(), "prctl")


def allow_all_calls() -> None:
    """Install a filter of system calls, which here allows all of them."""
    instruction = bytes([0x06, 0, 0, 0]) + 0x7FFF0000.to_bytes(4, "little")
    program = ctypes.create_string_buffer(instruction)

    class Program(ctypes.Structure):
        _fields_ = [("length", ctypes.c_ushort), ("code", ctypes.c_void_p)]

    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    filters = Program(1, ctypes.cast(program, ctypes.c_void_p))
    prctl(PR_SET_SECCOMP, 2, ctypes.byref(filters))


FEWER_RIGHTS = {
    "no new privileges": lambda: prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0),
    "bounded capabilities": lambda: prctl(PR_CAPBSET_DROP, CAP_SYS_ADMIN, 0, 0, 0),
    "one processor": lambda: os.sched_setaffinity(0, {min(os.sched_getaffinity(0))}),
    "scheduler": lambda: os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0)),
    "namespace": lambda: os.unshare(os.CLONE_NEWUTS),
    "system calls": allow_all_calls,
}


def identity_with(rights: Callable[[], None] | None) -> str:
    try:
        return subprocess.run(
            [sys.executable, "-c", IDENTITY],
            capture_output=True,
            text=True,
            check=True,
            preexec_fn=rights,
        ).stdout
    except subprocess.SubprocessError:
        pytest.skip("the system does not let this process give rights up")


@pytest.fixture(scope="module")
def own_identity() -> str:
    return identity_with(None)


@pytest.mark.skipif(sys.platform != "linux", reason="is about rights on Linux")
@pytest.mark.parametrize("rights", FEWER_RIGHTS)
def test_a_process_with_fewer_rights_has_another_preloaded_process(
    rights, own_identity
):
    assert own_identity == identity_with(None)
    assert identity_with(FEWER_RIGHTS[rights]) != own_identity


def test_a_task_whose_system_calls_are_filtered_starts_cold():
    assert identity_with(allow_all_calls) == "None\n"


def test_a_task_never_gains_rights_from_the_preloaded_process(make_bench):
    bench = make_bench()
    assert bench.run(bench.upload())[0] == 0
    restricted = bench.upload()
    code, _, errors = bench.run(
        restricted, preexec_fn=FEWER_RIGHTS["no new privileges"]
    )
    assert code == 0, errors
    status = [Path(f"/proc/{it.pid}/status").read_text() for it in bench.servers()]
    assert sorted("NoNewPrivs:\t1" in text for text in status) == [False, True]


def test_a_process_that_is_not_the_task_is_never_killed():
    stranger = subprocess.Popen([sys.executable, "-c", "input()"], stdin=-1)
    client._kill(stranger.pid, "/run/user/0/tkr-nexus-worker-0/0123456789abcdef")
    assert stranger.poll() is None
    stranger.communicate(b"\n")
    assert stranger.returncode == 0


LISTENER = """
import socket, sys
listener = socket.socket(socket.AF_UNIX)
listener.bind(sys.argv[1] + ".sock")
listener.listen()
print("ready", flush=True)
sys.stdin.read()
"""


def test_a_server_in_another_process_namespace_is_not_used():
    with tempfile.TemporaryDirectory(prefix="tkr-") as folder:
        name = f"{folder}/server"
        command = [sys.executable, "-c", LISTENER, name]
        unshare = ["unshare", "--pid", "--fork", "--kill-child"]
        if subprocess.run([*unshare, "true"], capture_output=True).returncode != 0:
            pytest.skip("namespaces are not permitted here")
        for prefix, is_used in (([], True), (unshare, False)):
            Path(f"{name}.sock").unlink(missing_ok=True)
            server = subprocess.Popen(
                [*prefix, *command], stdin=-1, stdout=-1, text=True
            )
            assert server.stdout.readline() == "ready\n"
            if is_used:
                client.connect(name).close()
            else:
                with pytest.raises(OSError, match="another namespace"):
                    client.connect(name)
            server.communicate("")


def test_a_stopped_preloaded_process_does_not_hold_its_tasks_up(make_bench, nexus):
    bench = make_bench(TKR_NEXUS_WARM_TASKS="1")
    assert bench.run(bench.upload())[0] == 0
    (server,) = bench.servers()
    with nexus.fault(Fault("hang", method=UPLOAD[0], path=UPLOAD[1], times=1)):
        running = bench.start(bench.upload())
        wait_until(bench.workers)
        queued = bench.start(bench.upload())
        wait_until(lambda: len(server.net_connections("unix")) > 3)
        server.suspend()
        try:
            assert queued.wait(60) == 0, queued.communicate()
            assert bench.run(bench.upload())[0] == 0
        finally:
            server.resume()
    for process in (running, queued):
        process.communicate(timeout=60)
        assert process.returncode == 0


def test_a_task_that_cannot_reach_its_nexus_does_not_hold_up_others(make_bench):
    bench = make_bench(TKR_NEXUS_WARM_TASKS="1")
    assert bench.run(bench.upload())[0] == 0
    port = bench.environment["NEXUS_PORT"]
    bench.environment["NEXUS_PORT"] = "1"
    lost = bench.start(bench.upload("lost"))
    assert wait_until(bench.workers)
    bench.environment["NEXUS_PORT"] = port
    try:
        (server,) = bench.servers()
        assert bench.run(bench.upload("other"))[0] == 0
        assert bench.servers() == [server]
        assert lost.poll() is None
    finally:
        lost.kill()
        lost.communicate()


@pytest.mark.parametrize("outlives", [False, True])
def test_a_task_that_a_stopped_process_was_given_is_left_to_others(
    outlives, make_bench
):
    bench = make_bench()
    assert bench.run(bench.upload())[0] == 0
    (server,) = bench.servers()
    (path,) = bench.sockets.glob("*/*.sock")
    place = bench.upload("given")
    connection = client.connect(str(path.with_suffix("")))
    assert client.wait_for_turn(connection)
    server.suspend()
    try:
        arguments = [f"{place}/definition"]
        request = client.task_request(
            arguments, "/", bench.environment, 0o077, outlives_client=outlives
        )
        answer = client.run_remotely(connection, request, [0, 1, 2], str(path))
        assert answer is None
        connection.close()
    finally:
        server.resume()
    # The process takes one task after the other: this one comes after the first.
    assert bench.run(bench.upload("later"))[0] == 0
    assert not bench.is_done(place)


def test_a_task_that_ends_while_its_process_is_stopped_is_reported(make_bench, nexus):
    bench = make_bench()
    assert bench.run(bench.upload())[0] == 0
    (server,) = bench.servers()
    place = bench.upload("running")
    fault = nexus.add_fault(Fault("hang", method=UPLOAD[0], path=UPLOAD[1], times=1))
    running = bench.start(place)
    assert wait_until(bench.workers)
    assert wait_until(lambda: nexus.requests(method=UPLOAD[0], path=UPLOAD[1]))
    server.suspend()
    try:
        nexus.remove_fault(fault)
        _, errors = running.communicate(timeout=60)
        assert running.returncode == 0, errors
        assert bench.is_done(place)
    finally:
        server.resume()


@pytest.mark.parametrize("n_streams", [0, 2])
def test_a_request_without_three_streams_is_refused(n_streams, make_bench):
    bench = make_bench()
    assert bench.run(bench.upload())[0] == 0
    (path,) = bench.sockets.glob("*/*.sock")
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(60)
        connection.connect(str(path))
        answers = b""
        while not answers.endswith(b"go\n"):
            answers += connection.recv(64)
        if n_streams:
            socket.send_fds(connection, [b"\0\0\0\0"], [0, 1, 2][:n_streams])
        else:
            connection.sendall(b"\0\0\0\0")
        assert connection.recv(64) == b""
    assert bench.run(bench.upload())[0] == 0
    assert len(bench.servers()) == 1


@pytest.mark.parametrize(
    ("n_tasks", "n_files"),
    [
        (16, 64),
        pytest.param(40, 64, marks=pytest.mark.soak),
        pytest.param(300, 1024, marks=[pytest.mark.soak, pytest.mark.timeout(900)]),
    ],
)
def test_more_tasks_than_files_all_end_well(make_bench, n_tasks, n_files):
    def limit_files() -> None:
        resource.setrlimit(resource.RLIMIT_NOFILE, (n_files, n_files))

    bench = make_bench()
    first = bench.upload("first")
    assert bench.run(first, preexec_fn=limit_files)[0] == 0
    places = [bench.upload(f"circuit {index}") for index in range(n_tasks)]
    processes = [bench.start(place, preexec_fn=limit_files) for place in places]
    for process in processes:
        _, errors = process.communicate(timeout=800)
        assert process.returncode == 0, errors
    assert len({json.dumps(bench.output(place)) for place in places}) == n_tasks
    # The process may have ended for want of a task while the others ran cold.
    assert bench.run(bench.upload("last"), preexec_fn=limit_files)[0] == 0
    (server,) = bench.servers()
    before = server.cpu_times()
    time.sleep(1.0)
    used = server.cpu_times()
    assert used.user + used.system - before.user - before.system < 0.5


def test_no_secret_is_kept_in_the_preloaded_process(make_bench):
    secrets = {
        "LANGSMITH_API_KEY": "a",
        "PATH_TO_SECRET": "b",
        "HOMEBREW_GITHUB_API_TOKEN": "c",
        "PYTHON_KEYRING_PASSWORD": "d",
        "TKR_NEXUS_WARM_TOKEN": "e",
    }
    bench = make_bench(**secrets, OMP_NUM_THREADS="1")
    assert bench.run(bench.upload())[0] == 0
    (server,) = bench.servers()
    environment = server.environ()
    assert not secrets.keys() & environment.keys()
    assert environment["OMP_NUM_THREADS"] == "1"


@pytest.fixture
def folder(tmp_path) -> Iterator[Path]:
    return tmp_path / f"worker-{os.getuid()}"


def test_a_private_folder_is_made_and_found_again(tmp_path, folder):
    assert private_folder(str(tmp_path), "worker") == str(folder)
    assert folder.stat().st_mode & 0o777 == 0o700
    assert private_folder(str(tmp_path), "worker") == str(folder)


def test_a_folder_that_others_can_use_is_not_private(tmp_path, folder):
    folder.mkdir()
    folder.chmod(0o770)
    assert private_folder(str(tmp_path), "worker") is None


def test_a_link_to_a_private_folder_is_not_private(tmp_path, folder):
    target = tmp_path / "target"
    target.mkdir(mode=0o700)
    folder.symlink_to(target)
    assert private_folder(str(tmp_path), "worker") is None


def test_a_folder_of_somebody_else_is_not_private(tmp_path, folder):
    folder.mkdir(mode=0o700)
    if os.getuid() != 0:
        pytest.skip("only root can give a folder away")
    os.chown(folder, 65534, 65534)
    assert private_folder(str(tmp_path), "worker") is None
