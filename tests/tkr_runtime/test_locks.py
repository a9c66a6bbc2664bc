"""Locks and whole files, also where the file system has no locks."""

import errno
import fcntl
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from tkr_nexus_worker.nexus import login
from tkr_nexus_worker.nexus.projects import get_or_create_project
from tkr_runtime.files import replace_file
from tkr_runtime.locks import hold_lock, is_locked, open_lock, try_lock

HOLDER = """
import sys
from pathlib import Path
from tkr_runtime.locks import hold_lock
with hold_lock(Path(sys.argv[1]), timeout=60):
    print("held", flush=True)
    sys.stdin.read()
"""

FORKER = """
import os, signal, sys
from pathlib import Path
from tkr_runtime.locks import hold_lock
with hold_lock(Path(sys.argv[1]), timeout=60):
    child = os.fork()
    if not child:
        signal.pause()
try:
    with hold_lock(Path(sys.argv[1]), timeout=0.1):
        print("free")
finally:
    os.kill(child, signal.SIGKILL)
"""


@pytest.fixture
def path(tmp_path) -> Path:
    return tmp_path / "lock"


@pytest.fixture(params=["ENOSYS", "ENOLCK", "EOPNOTSUPP"])
def no_locks(request, monkeypatch) -> None:
    """A file system that has no locks."""
    number = getattr(errno, request.param)

    def flock(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(fcntl, "flock", flock)


def test_a_lock_keeps_others_out_until_its_process_is_killed(path):
    command = [sys.executable, "-c", HOLDER, path]
    holder = subprocess.Popen(command, stdin=-1, stdout=-1, text=True)
    assert holder.stdout.readline() == "held\n"
    with path.open() as file:
        assert is_locked(file)
    descriptor = open_lock(str(path))
    assert not try_lock(descriptor)
    with pytest.raises(TimeoutError, match=str(path)), hold_lock(path, timeout=0.1):
        pass
    with hold_lock(path, timeout=0.1, required=False):
        pass  # a suspended process holds nobody up for ever
    holder.kill()
    holder.communicate()
    assert try_lock(descriptor)
    os.close(descriptor)
    with hold_lock(path, timeout=10.0), path.open() as file:
        assert is_locked(file)


def test_a_fork_does_not_hold_a_lock_on(path):
    command = [sys.executable, "-c", FORKER, path]
    assert subprocess.check_output(command, text=True) == "free\n"


def test_the_folder_of_a_lock_is_made(tmp_path):
    with hold_lock(tmp_path / "new" / "lock", timeout=60):
        assert (tmp_path / "new" / "lock").exists()


def test_where_there_are_no_locks_the_body_runs(no_locks, path):
    with hold_lock(path, timeout=60):
        pass
    with path.open("w") as file:
        assert not is_locked(file)


def test_where_there_are_no_locks_a_login_is_stored(no_locks, monkeypatch, tmp_path):
    monkeypatch.setattr(login.CONFIG, "token_path", str(tmp_path))
    login.store_login("a refresh token", "an access token")
    assert login.read_login()


def test_an_error_of_the_body_is_raised_as_it_is(path):
    with pytest.raises(OSError, match="of the body"), hold_lock(path, timeout=9):
        raise OSError("of the body")


@pytest.mark.parametrize(
    "opener", [open_lock, lambda it: hold_lock(Path(it), timeout=60)]
)
def test_a_link_in_place_of_a_lock_leaves_its_target_alone(opener, tmp_path, path):
    target = tmp_path / "target"
    target.write_text("of value")
    path.symlink_to(target)
    if opener is open_lock:
        with pytest.raises(OSError, match="symbolic links"):
            opener(str(path))
    else:
        with opener(str(path)):
            pass
    assert target.read_text() == "of value"


def test_a_planted_folder_of_locks_is_not_used(
    connected, monkeypatch, tmp_path, caplog
):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    planted = tmp_path / f"tkr-nexus-worker-{os.getuid()}"
    planted.mkdir()
    planted.chmod(0o777)
    assert get_or_create_project("of a planted folder").annotations.name
    assert list(planted.iterdir()) == []
    assert "no private folder can be made" in caplog.text


@pytest.mark.parametrize(("private", "mode"), [(True, 0o600), (False, 0o640)])
def test_a_file_is_replaced_as_a_whole(private, mode, path):
    before = os.umask(0o027)
    try:
        path.write_text("before")
        replace_file(path, b"after", private=private)
    finally:
        os.umask(before)
    assert path.read_text() == "after"
    assert path.stat().st_mode & 0o777 == mode
    assert list(path.parent.iterdir()) == [path]


def test_a_file_that_cannot_be_written_stays_as_it_was(path, monkeypatch):
    path.write_text("before")

    def replace(*_: object) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(Path, "replace", replace)
    with pytest.raises(OSError, match="Input/output"):
        replace_file(path, b"after")
    assert path.read_text() == "before"
    assert list(path.parent.iterdir()) == [path]
