"""What is made once: a try that was lost is waited for, one turned away is not."""

import json
import os
import time
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import httpx
import pytest
import qnexus.exceptions
from tierkreis.controller.data.location import WorkerCallArgs
from tierkreis.worker.storage.filestorage import WorkerFileStorage

from tkr_nexus_worker.errors import NexusRefusedError, NexusUnavailableError
from tkr_nexus_worker.nexus.idempotency import Doubt, key_of, make_once
from tkr_runtime.jobs import idempotency
from tkr_runtime.requests import TransientResponseError
from tkr_runtime.tasks import context

pytestmark = pytest.mark.usefixtures("connected")

TURNED_AWAY = [
    httpx.ConnectError("refused"),
    TransientResponseError(429, 0.0, "slow down"),
]
TIMED_OUT = [httpx.ReadTimeout("silence"), TransientResponseError(504, None, "late")]
LOST = [httpx.ReadError("reset"), TransientResponseError(502, None, "bad gateway")]


class Clock:
    """Stands for the module ``time``: to sleep moves the clock on."""

    def __init__(self) -> None:
        self.now = time.monotonic()
        self.slept = 0.0

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds
        self.slept += seconds


@pytest.fixture
def clock(monkeypatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(idempotency, "time", clock)
    monkeypatch.setenv("TKR_NEXUS_SETTLE_TIME", "1000")
    return clock


class Nexus:
    """Makes a thing, unless it fails first."""

    def __init__(self, *failures: Exception) -> None:
        self.failures = list(failures)
        self.n_looks = 0

    def find(self) -> str | None:
        self.n_looks += 1
        return None

    def make(self) -> str:
        if self.failures:
            raise self.failures.pop()
        return "made"


@pytest.mark.parametrize("failure", TURNED_AWAY, ids=repr)
def test_a_try_that_was_turned_away_is_repeated_at_once(clock, failure, tmp_path):
    nexus, marker = Nexus(failure), tmp_path / "marker"
    assert make_once("make it", nexus.find, nexus.make, marker=marker) == "made"
    assert (clock.slept, nexus.n_looks) == (0.0, 0)


@pytest.mark.parametrize("failure", TURNED_AWAY, ids=repr)
def test_a_process_that_was_turned_away_leaves_no_marker(
    clock, failure, tmp_path, monkeypatch
):
    monkeypatch.setenv("TKR_NEXUS_RETRY_TIME", "0.001")
    monkeypatch.setenv("TKR_NEXUS_RETRY_WAIT", "0.001")
    nexus, marker = Nexus(*[failure] * 1000), tmp_path / "marker"
    with pytest.raises(NexusUnavailableError):
        make_once("make it", nexus.find, nexus.make, marker=marker)
    assert not marker.exists()


@pytest.mark.parametrize("failure", LOST, ids=repr)
def test_a_try_that_was_lost_is_looked_for_once_it_has_settled(
    clock, failure, tmp_path
):
    nexus, marker = Nexus(failure), tmp_path / "marker"
    assert make_once("make it", nexus.find, nexus.make, marker=marker) == "made"
    assert clock.slept == pytest.approx(1000, abs=1)
    assert nexus.n_looks == 2  # once more at the end, for the lost one


@pytest.mark.parametrize("failure", TIMED_OUT, ids=repr)
def test_a_try_that_timed_out_is_given_more_time_to_settle(clock, failure):
    nexus = Nexus(failure)
    assert make_once("make it", nexus.find, nexus.make) == "made"
    assert clock.slept == pytest.approx(6000, abs=1)


def test_only_a_try_that_may_have_been_carried_out_raises_a_doubt(clock):
    raised = []
    turned_away, lost = Nexus(*TURNED_AWAY), Nexus(*LOST)
    for nexus in (turned_away, lost):
        make_once(
            "make it", nexus.find, nexus.make, on_doubt=lambda n=nexus: raised.append(n)
        )
    assert set(raised) == {lost}


def test_a_try_that_nexus_refused_leaves_no_marker_and_no_doubt(clock, tmp_path):
    refusal = qnexus.exceptions.ResourceCreateFailed("no", 403)
    nexus, marker, raised = Nexus(refusal), tmp_path / "marker", []
    with pytest.raises(NexusRefusedError):
        make_once(
            "make it",
            nexus.find,
            nexus.make,
            marker=marker,
            on_doubt=lambda: raised.append(True),
        )
    assert not marker.exists()
    assert raised == []


@pytest.fixture
def task(clock, tmp_path, monkeypatch) -> context.TaskContext:
    """The current task, which began ten seconds ago."""
    folder = tmp_path / "workflow" / "-.N1"
    folder.mkdir(parents=True)
    task = context.TaskContext(
        "workflow", "-.N1", datetime.now(UTC), folder, "start", clock.now - 10
    )
    monkeypatch.setattr(idempotency.context, "current", lambda: task)
    return task


def test_a_batch_that_was_cut_off_waits_once_for_all_its_circuits(clock, task):
    markers = [task.folder / f"marker{index}" for index in range(20)]
    for marker in markers:
        marker.touch()
    nexus = Nexus()
    for marker in markers:
        make_once("make it", nexus.find, nexus.make, marker=marker)
    assert clock.slept == pytest.approx(990, abs=1)
    assert nexus.n_looks == len(markers)


@pytest.mark.parametrize("days", [-1, 0, 1])
def test_a_step_of_the_wall_clock_does_not_change_the_wait_for_a_killed_process(
    clock, task, days
):
    marker = task.folder / "marker"
    marker.touch()
    begun = time.time() + days * 24 * 3600
    os.utime(marker, (begun, begun))
    nexus = Nexus()
    make_once("make it", nexus.find, nexus.make, marker=marker)
    assert clock.slept == pytest.approx(990, abs=1)


def test_a_marker_of_a_process_that_was_killed_stays_and_raises_a_doubt(
    clock, tmp_path
):
    marker, raised = tmp_path / "marker", []
    marker.touch()
    nexus = Nexus(*TURNED_AWAY)
    make_once(
        "make it",
        nexus.find,
        nexus.make,
        marker=marker,
        on_doubt=lambda: raised.append(True),
    )
    assert marker.exists()
    assert nexus.n_looks == 3
    assert raised


def test_a_doubt_is_known_to_the_other_tasks_of_the_workflow(task, monkeypatch):
    key = key_of("thing")
    assert Doubt.about(key.description) is None
    Doubt(key.digest).record()
    Doubt(key.digest).note("billed", "a-job")
    other = task.folder.with_name("-.N2")
    later = context.TaskContext("workflow", "-.N2", datetime.now(UTC), other)
    monkeypatch.setattr(idempotency.context, "current", lambda: later)
    doubt = Doubt.about(key.description)
    assert doubt is not None
    assert (doubt.noted("billed"), doubt.noted("cancelled")) == (["a-job"], [])


ZONES = [
    "UTC",
    "Etc/GMT+12",
    "America/Los_Angeles",
    "Europe/Berlin",
    "Asia/Kolkata",
    "Pacific/Kiritimati",
]
# As Tierkreis writes them; Berlin skips the second and has the third twice.
STARTS = [
    "2026-01-15T12:00:00.123456",
    "2026-03-29T02:30:00",
    "2026-10-25T02:30:00.5",
]


@pytest.fixture
def keys_in_all_zones(node_storage, monkeypatch):
    """Return the key of one task as processes in several time zones see it."""
    folder = node_storage.workflow_dir / "-.N1"
    folder.mkdir()
    location = folder.relative_to(node_storage.tkr_dir)
    arguments = WorkerCallArgs(
        function_name="start_execute_job",
        inputs={},
        outputs={},
        output_dir=location / "outputs",
        done_path=location / "_done",
        error_path=location / "_error",
        logs_path=None,
    )

    def keys(start: str) -> list[idempotency.Key]:
        metadata = json.dumps({"start_time": start})
        (node_storage.workflow_dir / "_metadata").write_text(metadata)
        found = []
        for zone in ZONES:
            monkeypatch.setenv("TZ", zone)
            time.tzset()
            storage = WorkerFileStorage(node_storage.tkr_dir)
            with context.task_context(arguments, storage):
                found.append(key_of("job"))
        return found

    yield keys
    monkeypatch.undo()
    time.tzset()


@pytest.mark.parametrize("start", STARTS)
def test_a_task_has_the_same_key_in_each_time_zone(keys_in_all_zones, start):
    assert len({key.digest for key in keys_in_all_zones(start)}) == 1


@pytest.mark.parametrize("start", STARTS)
def test_a_job_is_looked_for_from_before_its_workflow_started_in_any_zone(
    keys_in_all_zones, start
):
    starts = [datetime.fromisoformat(start).replace(tzinfo=ZoneInfo(z)) for z in ZONES]
    assert all(key.since < min(starts) for key in keys_in_all_zones(start))


def test_a_job_that_a_former_version_submitted_is_recognised(keys_in_all_zones):
    for key in keys_in_all_zones(STARTS[0]):
        assert key.is_in(f"Tierkreis workflow [tkr-nexus-worker {key.former_digest}]")
        assert key.former_digest != key.digest
        assert not key.is_in("Tierkreis workflow")
