"""A controller that dies at any write of its storage leaves what can be resumed.

The workflows run in memory, where the state before and within each write is kept.
"""

from pathlib import Path
from uuid import UUID

import pytest
from tests.helpers import control_workflow
from tests.helpers.repetition import soak
from tierkreis.controller.data.location import Loc
from tierkreis.controller.executor.in_memory_executor import InMemoryExecutor
from tierkreis.storage import InMemoryStorage

from tkr_nexus_worker import REGISTRY_PATH, resume, run

nested = control_workflow.nested
START, RESULT = 1, 5


class RecordingStorage(InMemoryStorage):
    """A storage that keeps what a controller would leave that dies at a write."""

    def __init__(self, files: dict) -> None:
        super().__init__(UUID(int=1))
        self.files = files
        self.left_behind: list[dict] = []

    def _record(self) -> None:
        self.left_behind.append(dict(self.files))

    def write(self, path: Path, value: bytes) -> None:
        super().write(path, value[: len(value) // 2])
        self._record()
        super().write(path, value)

    def link(self, src: Path, dst: Path) -> None:
        self._record()
        super().link(src, dst)

    def touch(self, path: Path) -> None:
        self._record()
        super().touch(path)

    def delete(self, path: Path) -> None:
        self._record()
        super().delete(path)


@pytest.fixture(autouse=True)
def _no_settling(monkeypatch):
    monkeypatch.setattr("tkr_runtime.workflows.recovery._SETTLE_SECONDS", 0.0)


def finish(storage: RecordingStorage) -> None:
    """Go on with a workflow, or start it if it died before its start; check the end."""
    executor = InMemoryExecutor(REGISTRY_PATH, storage)
    if storage.is_node_started(Loc()):
        result = resume(storage, executor, polling_interval_seconds=0.0)
    else:
        result = run(nested(), START, storage, executor, polling_interval_seconds=0.0)
    assert result == RESULT


@pytest.mark.parametrize("n_writes", [12, soak(100)])
def test_a_controller_that_dies_at_any_write_is_resumed(rng, n_writes):
    first = RecordingStorage({})
    finish(first)
    for files in rng.sample(first.left_behind, n_writes):
        finish(RecordingStorage(files))


def test_a_controller_that_dies_while_it_resumes_is_resumed(rng):
    first = RecordingStorage({})
    finish(first)
    for files in rng.sample(first.left_behind, 3):
        second = RecordingStorage(files)
        finish(second)
        # The first writes are those of the recovery.
        finish(RecordingStorage(second.left_behind[3]))
