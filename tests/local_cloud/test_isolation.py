"""A program reaches no network, no server, and no files of people."""

import os
import queue
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import landlockpy
import pytest

from local_cloud.pool import ProcessPool, child

pytestmark = pytest.mark.skipif(
    landlockpy.abi_version() < 6, reason="this kernel has no Landlock, or an old one"
)
HERE = Path(__file__).parent
LEAVE_NETWORK = "import os; os.unshare(os.CLONE_NEWUSER | os.CLONE_NEWNET)"
Look = Callable[..., str]


@pytest.fixture
def folder(tmp_path) -> Path:
    """A folder that programs may read, with one in it that is private."""
    (tmp_path / "server").mkdir()
    (tmp_path / "server" / "token").write_text("the token")
    (tmp_path / "open").write_text("open to all")
    return tmp_path


@pytest.fixture
def look(folder, programs) -> Iterator[Look]:
    """Let a program look for something, and return what it finds."""
    pool = ProcessPool(
        programs.HANDLER, str(folder), workers=1, private=[folder / "server"]
    )

    def outcome_of(what: str, *arguments: object) -> str:
        outcomes: queue.SimpleQueue[str] = queue.SimpleQueue()
        pool.submit(programs.Look(what, arguments), lambda: None, outcomes.put)
        return outcomes.get(timeout=60)

    yield outcome_of
    pool.close()


def test_a_program_reaches_only_its_own_network(look):
    tried = subprocess.run([sys.executable, "-c", LEAVE_NETWORK], check=False)
    if tried.returncode:
        pytest.skip("namespaces are not permitted here")
    with socket.create_server(("127.0.0.1", 0)) as server:
        assert look("connect", server.getsockname()[1]) == "ConnectionRefusedError"
    assert look("connect_to_itself") == "connected"


def test_a_program_reads_what_it_is_given_and_not_what_is_private_in_it(look, folder):
    assert look("read", str(folder / "open")) == "open to all"
    assert look("read", str(folder / "server" / "token")) == "PermissionError"
    assert look("list_folder", str(folder / "server")) == "PermissionError"


def test_a_program_reads_nothing_of_people(look, tmp_path_factory):
    other = tmp_path_factory.mktemp("other") / "file"
    other.write_text("of somebody")
    assert look("read", str(other)) == "PermissionError"
    assert look("list_folder", str(Path.home())) == "PermissionError"
    assert look("read", f"/proc/{os.getpid()}/environ") == "PermissionError"


def test_a_program_changes_nothing_but_in_its_home(look, folder):
    assert look("write", str(folder / "new")) == "PermissionError"
    assert look("write", str(HERE / "new.py")) == "PermissionError"
    assert look("write_to_home") == "written"
    assert look("write", os.devnull) == "written"


def test_a_program_signals_no_process_of_others(look):
    assert look("stop", os.getpid()) == "PermissionError"


def test_what_the_machine_does_not_allow_is_logged(look, folder, monkeypatch, caplog):
    child._warn_of.cache_clear()
    old = folder / "old"
    old.mkdir()
    names = "AccessFS = AccessNet = Ruleset = Scope = None"
    (old / "landlockpy.py").write_text(f"{names}\ndef abi_version():\n    return 1\n")
    monkeypatch.setenv("PYTHONPATH", f"{old}:{HERE}")
    assert look("read", str(folder / "server" / "token")) == "the token"
    assert "could read and change your files, as this kernel has no" in caplog.text
