"""A PostgreSQL server of a test's own."""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest


def initdb() -> Path | None:
    """Return the program that makes a PostgreSQL cluster; Debian hides it."""
    found = shutil.which("initdb")
    versions = Path("/usr/lib/postgresql").glob("*/bin/initdb")
    return Path(found) if found else max(versions, default=None)


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


@contextlib.contextmanager
def database() -> Iterator[str]:
    """Start a server and give its URL; a test is skipped where there is none."""
    program = initdb()
    if program is None:
        pytest.skip("PostgreSQL is not installed: apt-get install postgresql")
    pytest.importorskip("psycopg")
    # The folders of pytest belong to their owner alone, and PostgreSQL to another.
    folder = Path(tempfile.mkdtemp(prefix="postgresql-"))
    # PostgreSQL refuses to run as root.
    account: dict = {}
    if os.geteuid() == 0:
        account = {"user": "postgres", "cwd": "/"}
        shutil.chown(folder, "postgres")
    data = folder / "data"
    subprocess.run(
        [program, "-D", data, "-U", "tester", "--auth=trust", "--no-sync"],
        check=True,
        stdout=subprocess.DEVNULL,
        **account,
    )
    port = free_port()
    options = ["-p", str(port), "-k", str(folder), "-h", "127.0.0.1", "-F"]
    server = subprocess.Popen(
        [program.with_name("postgres"), "-D", data, *options],
        stderr=subprocess.PIPE,
        text=True,
        **account,
    )
    with server:
        for line in server.stderr:
            if "ready to accept connections" in line:
                break
        yield f"postgresql+psycopg://tester@127.0.0.1:{port}/postgres"
        server.send_signal(signal.SIGINT)
        server.stderr.read()
    shutil.rmtree(folder)
