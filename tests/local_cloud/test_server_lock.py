"""The mark of a running server, and that only the server itself is ever ended."""

import fcntl
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.helpers.waiting import wait_until

from local_cloud import RunningServer, StartError
from local_cloud.server import server_lock
from local_nexus import NEXUS, LocalNexus

URL = "https://127.0.0.1:1"


@pytest.fixture
def stranger() -> Iterator[subprocess.Popen]:
    """A process that has nothing to do with a server."""
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=-1) as process:
        yield process
        process.stdin.close()


@pytest.fixture
def mark(tmp_path, stranger) -> Path:
    """What a server left behind whose id a stranger was given meanwhile."""
    path = tmp_path / "running.json"
    path.write_text(json.dumps({"url": URL, "pid": stranger.pid}))
    return path


def test_who_looks_is_not_taken_for_a_server_by_another_who_looks(mark):
    with mark.open() as other:
        fcntl.flock(other, fcntl.LOCK_SH)
        assert server_lock.find(mark.parent) is None
        assert RunningServer.find(NEXUS, mark.parent) is None


def test_who_looks_delays_no_start(mark):
    with mark.open() as other:
        fcntl.flock(other, fcntl.LOCK_SH)
        code = f"""
from pathlib import Path
from local_cloud.server import server_lock
with server_lock.hold(Path({str(mark.parent)!r}), "url"):
    print("held", flush=True)
    input()
"""
        with subprocess.Popen(
            [sys.executable, "-c", code], stdin=-1, stdout=-1, text=True
        ) as starting:
            fcntl.flock(other, fcntl.LOCK_UN)
            assert starting.stdout.readline() == "held\n"
            assert server_lock.find(mark.parent).url == "url"
            starting.communicate("\n")
    assert server_lock.find(mark.parent) is None


def test_a_second_server_in_a_directory_is_refused(tmp_path):
    with server_lock.hold(tmp_path, URL):
        with pytest.raises(StartError, match="is running in"):
            server_lock.hold(tmp_path, URL).__enter__()
        assert server_lock.find(tmp_path).url == URL


def test_a_stranger_with_the_id_of_a_server_is_never_ended(tmp_path, stranger):
    with LocalNexus(directory=tmp_path) as nexus:
        mark = json.loads((tmp_path / "running.json").read_text())
        # The server is there, and the id that it wrote is wrong.
        (tmp_path / "running.json").write_text(json.dumps(mark | {"pid": stranger.pid}))
        server = RunningServer.find(NEXUS, tmp_path)
        server.stop()
        assert wait_until(lambda: nexus.exit_code == 0)
        assert stranger.poll() is None
        assert RunningServer.find(NEXUS, tmp_path) is None


def test_what_holds_the_lock_and_does_not_answer_is_named_and_left_alone(
    mark, stranger
):
    directory = mark.parent
    with LocalNexus(directory=directory):
        pass  # makes what belongs to a server
    mark.write_text(json.dumps({"url": URL, "pid": stranger.pid}))
    with mark.open() as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        server = RunningServer.find(NEXUS, directory)
        with pytest.raises(TimeoutError, match=str(stranger.pid)):
            server.stop()
    assert stranger.poll() is None
