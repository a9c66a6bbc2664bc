"""Workers whose main.py says in its metadata what it needs, in preloaded processes."""

import sysconfig
import zipfile
from pathlib import Path
from typing import NamedTuple
from uuid import uuid4

import psutil
import pytest
from tests.helpers.preloaded import kill, preloaded_processes
from tierkreis.builder import Graph
from tierkreis.models import TKR, Workflow
from tierkreis.storage import FileStorage

from tkr_nexus_worker import run, warm_executor

NAME = "script_worker"
MAIN = """# /// script
# requires-python = "=={python}.*"
# dependencies = ["greetings=={version}"]
#
# [tool.uv]
# no-index = true
# find-links = ["{wheels}"]
# ///
import os, sys
import greetings
from tierkreis import Worker

worker = Worker("script_worker")

@worker.task()
def greet(name: str) -> list[str]:
    return [greetings.TEXT + name, sys.prefix, str(os.getppid())]

if __name__ == "__main__":
    worker.app(sys.argv)
"""


class greet(NamedTuple):  # noqa: N801 (as stubs are named)
    """The stub of the task."""

    name: TKR[str]

    @staticmethod
    def out() -> type[TKR[list[str]]]:
        return TKR[list[str]]

    @property
    def namespace(self) -> str:
        return NAME


def greeting() -> Workflow[TKR[str], TKR[list[str]]]:
    g = Graph(TKR[str], TKR[list[str]])
    return g.finish_with_outputs(g.task(greet(g.inputs)))


def add_wheel(folder: Path, version: str, text: str) -> None:
    """Make a wheel with a module, which also finds the packages of this environment."""
    info = f"greetings-{version}.dist-info"
    files = {
        # A module that is one file would have its bytecode beside the packages, which
        # looks as if one had been installed.
        "greetings/__init__.py": f"TEXT = {text!r}\n",
        "packages_of_the_tests.pth": sysconfig.get_path("purelib"),
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: greetings\n"
        f"Version: {version}\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: tests\n"
        "Root-Is-Purelib: true\nTag: py3-none-any\n",
        f"{info}/RECORD": "",
    }
    with zipfile.ZipFile(folder / f"greetings-{version}-py3-none-any.whl", "w") as file:
        for name, content in files.items():
            file.writestr(name, content)


@pytest.fixture
def worker(tmp_path, monkeypatch, warm_worker):
    """The folder of a worker that is one script, with metadata."""
    folder = tmp_path / "registry" / NAME
    folder.mkdir(parents=True)
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("TKR_WORKER_WARM_IDLE", "60")
    monkeypatch.delenv("VIRTUAL_ENV", raising=False)
    yield folder
    kill(servers_of(folder, warm_worker))


def servers_of(worker, sockets) -> list[psutil.Process]:
    servers = preloaded_processes(sockets)
    return [it for it in servers if str(worker) in it.cmdline()]


def test_it_runs_in_the_environment_of_its_metadata_and_follows_their_change(
    worker, tmp_path, warm_worker, caplog
):
    python = sysconfig.get_python_version()  # that of the packages of the tests
    for version, text in (("1", "Hello "), ("2", "Good day ")):
        add_wheel(tmp_path, version, text)
        main = MAIN.format(python=python, version=version, wheels=tmp_path)
        (worker / "main.py").write_text(main)
        storage = FileStorage(uuid4(), tierkreis_directory=tmp_path / "checkpoints")
        executor = warm_executor(worker.parent, storage)
        output, prefix, parent = run(greeting(), "you", storage, executor)
        assert output == f"{text}you"
        assert prefix.startswith(str(tmp_path / "cache"))
        assert int(parent) in {it.pid for it in servers_of(worker, warm_worker)}
    assert "starts cold" not in caplog.text + storage.logs_path.read_text()
    assert not (worker / ".venv").exists()
