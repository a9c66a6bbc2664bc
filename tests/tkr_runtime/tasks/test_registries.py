"""Workers of registries that run in the process of the controller."""

import itertools
import logging
import os
import sys
import threading
from collections.abc import Callable
from importlib.machinery import PathFinder
from pathlib import Path
from typing import NamedTuple

import pytest
from tierkreis.builder import Graph
from tierkreis.models import TKR, Workflow

from tkr_nexus_worker import (
    InProcessExecutor,
    InvalidInputError,
    WorkflowFailedError,
    run,
)
from tkr_runtime.tasks.registries import import_worker

MAIN = """
import logging, sys
import helper
from tierkreis import Worker

worker = Worker("{name}")

@worker.task()
def greet(name: str) -> str:
    logging.getLogger(__name__).info("greeting %s", name)
    if not name:
        raise ValueError("There is nobody to greet.")
    return f"{{helper.GREETING}} {{name}}"

if __name__ == "__main__":
    sys.exit("never run here")
"""


def add_worker(registry: Path, name: str, greeting: str) -> None:
    folder = registry / name
    folder.mkdir(parents=True)
    (folder / "main.py").write_text(MAIN.format(name=name))
    (folder / "helper.py").write_text(f"GREETING = {greeting!r}\n")


def greeting_of(worker: str, task: str = "greet") -> Workflow[TKR[str], TKR[str]]:
    class Stub(NamedTuple):
        name: TKR[str]

        @staticmethod
        def out() -> type[TKR[str]]:
            return TKR[str]

        @property
        def namespace(self) -> str:
            return worker

    Stub.__name__ = task
    g = Graph(TKR[str], TKR[str])
    return g.finish_with_outputs(g.task(Stub(g.inputs)))


type Greet = Callable[..., str]


@pytest.fixture
def greet(tmp_path, make_storage, monkeypatch) -> Greet:
    """Run a task of one of two workers, whose names end with those of the test."""
    monkeypatch.setitem(sys.modules, "helper", sys)  # a module of the controller
    registry = tmp_path / "registry"
    add_worker(registry, f"hello_{tmp_path.name}", "Hello")
    add_worker(registry, f"bye_{tmp_path.name}", "Bye")

    def greet(kind: str, name: str, task: str = "greet") -> str:
        storage = make_storage()
        executor = InProcessExecutor(storage, registry)
        graph = greeting_of(f"{kind}_{tmp_path.name}", task)
        greet.log = storage.logs_path
        return run(graph, name, storage, executor)

    greet.registry = registry
    return greet


def test_workers_with_modules_of_one_name_stay_apart(greet):
    assert greet("hello", "Ada") == "Hello Ada"
    assert greet("bye", "Ada") == "Bye Ada"
    assert greet("hello", "Alan") == "Hello Alan"
    assert sys.modules["helper"] is sys
    assert "greeting Alan" in greet.log.read_text()


def test_tasks_of_workflows_in_several_directories_run_at_once(
    greet, tmp_path, make_storage
):
    before = os.environ.get("TKR_DIR")
    greetings = []
    threads = [
        threading.Thread(target=lambda it=it: greetings.append(greet("hello", it)))
        for it in ("a", "b", "c", "d")
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(greetings) == ["Hello a", "Hello b", "Hello c", "Hello d"]
    assert os.environ.get("TKR_DIR") == before


def test_a_worker_is_imported_while_other_tasks_import(tmp_path):
    ended = threading.Event()
    is_found = []

    def import_others() -> None:
        for number in itertools.count():
            sys.modules[f"other_{number}"] = sys
            if number > 999:
                del sys.modules[f"other_{number - 1000}"]
            is_found.append(PathFinder.find_spec("tierkreis") is not None)
            if ended.is_set():
                return

    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    thread = threading.Thread(target=import_others)
    thread.start()
    try:
        for number in range(20):
            add_worker(tmp_path, f"worker_{number}", "Hello")
            import_worker(tmp_path / f"worker_{number}")
    finally:
        ended.set()
        thread.join()
        sys.setswitchinterval(before)
        for name in [it for it in sys.modules if it.startswith("other_")]:
            del sys.modules[name]
    assert all(is_found)


def test_a_failed_task_says_why_and_its_log_has_the_trace(greet):
    with pytest.raises(WorkflowFailedError, match=r"^There is nobody to greet\. \["):
        greet("hello", "")
    assert "Traceback" in greet.log.read_text()


def test_a_worker_that_is_nowhere_or_lacks_the_task_is_named(greet):
    with pytest.raises(InvalidInputError, match=r"not of other_.*MultipleExecutor"):
        greet("other", "Ada")
    with pytest.raises(WorkflowFailedError, match="has no task wave; it has greet"):
        greet("hello", "Ada", "wave")


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("import no_such_package", "cannot be imported.*no_such_package.*warm_exec"),
        ("worker = 5", "makes no worker; give a registry"),
    ],
)
def test_a_main_file_that_is_no_worker_is_refused(greet, code, words):
    (main,) = greet.registry.glob("hello_*/main.py")
    main.write_text(code)
    with pytest.raises(WorkflowFailedError, match=words):
        greet("hello", "Ada")


@pytest.fixture(autouse=True)
def _quiet():
    """Leave no handlers at the loggers of these workers."""
    yield
    for name in list(logging.Logger.manager.loggerDict):
        if name.startswith("tkr_worker_"):
            logging.getLogger(name).handlers.clear()
