"""A wait that stays inside one task until the status of the job changes."""

import pytest
from pytket.circuit import Circuit
from qnexus.models.annotations import Annotations
from qnexus.models.references import ExecuteJobRef
from quantinuum_schemas.models.backend_config import QuantinuumConfig
from tests.helpers.waiting import Clock
from tierkreis.storage import read_loop_trace

from local_nexus import Progress
from tkr_nexus_worker import InProcessExecutor, InvalidInputError, run
from tkr_nexus_worker.graphs import nexus_submit_and_poll
from tkr_nexus_worker.graphs.submit_poll import POLLING_LOOP
from tkr_nexus_worker.jobs import wait
from tkr_nexus_worker.jobs.models import JobStatus
from tkr_nexus_worker.jobs.status import status_fields
from tkr_runtime.jobs import waits
from tkr_runtime.tasks.context import TaskContext

DAY = 24 * 3600.0


@pytest.fixture
def clock(monkeypatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(waits, "time", clock)
    return clock


@pytest.fixture
def queue(clock, monkeypatch):
    """A job whose status is a function of the time; returns how to wait for it."""

    def make(status_at) -> None:
        monkeypatch.setattr(
            wait,
            "await_status",
            lambda _job: JobStatus(
                job_id="", name="", project="", **status_fields(status_at(clock.now))
            ),
        )

    return make


JOB = ExecuteJobRef.model_construct(annotations=Annotations(name="a job"))


def queued(position: int | None = None) -> dict:
    return {"status": "QUEUED", "queue_position": position}


def test_the_first_answer_is_a_change_to_who_knows_no_status(queue, clock):
    queue(lambda _: queued(3))
    assert wait.wait_for_change(JOB, 30.0, "").summary == "QUEUED, queue position 3"
    assert clock.now == 0.0


def test_it_waits_until_the_state_changes(queue, clock):
    queue(lambda now: queued() if now < 100 else {"status": "RUNNING"})
    assert wait.wait_for_change(JOB, 30.0, "QUEUED").summary == "RUNNING"
    assert 100 <= clock.now <= 130


def test_the_pauses_grow_up_to_the_interval(queue, clock):
    queue(lambda _: queued())
    wait.wait_for_change(JOB, 30.0, "QUEUED")
    assert clock.pauses[:7] == [0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 30.0]
    assert set(clock.pauses[6:]) == {30.0}


def test_a_short_interval_is_kept_from_the_start(queue, clock):
    queue(lambda now: queued() if now < 1 else {"status": "COMPLETED"})
    assert wait.wait_for_change(JOB, 0.1, "QUEUED").is_final
    assert set(clock.pauses) == {0.1}


def test_without_a_change_it_ends_after_an_hour(queue, clock):
    queue(lambda _: queued())
    assert wait.wait_for_change(JOB, 30.0, "QUEUED").summary == "QUEUED"
    assert 3500 < clock.now <= 3600


def test_the_end_is_always_a_change(queue):
    queue(lambda _: {"status": "ERROR", "message": "broken"})
    assert wait.wait_for_change(JOB, 30.0, "ERROR").state.name == "ERROR"


@pytest.mark.parametrize("interval", [0.0, -1.0, float("inf"), float("nan")])
def test_an_interval_that_is_none_is_refused(interval, queue):
    queue(lambda _: queued())
    with pytest.raises(InvalidInputError, match="polling interval"):
        wait.wait_for_change(JOB, interval, "")


def test_a_day_in_a_moving_queue_is_at_most_a_hundred_passes(
    queue, clock, monkeypatch, tmp_path
):
    queue(
        lambda now: queued(2000 - int(now / 60)) if now < DAY else {"status": "ERROR"}
    )
    passes, seen = 0, ""
    while True:
        location = f"-.N3.L0.N1.L{passes}.N0"
        task = TaskContext("workflow", location, None, tmp_path)
        monkeypatch.setattr(waits.context, "current", lambda task=task: task)
        status = wait.wait_for_change(JOB, 30.0, seen)
        seen = status.summary
        passes += 1
        if status.is_final:
            break
    assert 50 < passes <= 100
    assert clock.now >= DAY


def test_each_state_and_place_is_a_pass_of_the_named_loop(connected, make_storage):
    connected.set_progress(Progress(queued=0.9, queue=2, running=0.5))
    bell = Circuit(2, name="bell").H(0).CX(0, 1).measure_all()
    storage = make_storage()
    graph = nexus_submit_and_poll(polling_interval=0.05)
    inputs = {
        "project_name": "tests of waits",
        "job_name": "a job",
        "circuits": [bell],
        "n_shots": [5],
        "backend_config": QuantinuumConfig(device_name="H2-1LE"),
    }
    assert len(run(graph, inputs, storage, InProcessExecutor(storage))) == 1
    trace = read_loop_trace(graph, storage, POLLING_LOOP, "status")
    assert trace[0].startswith("QUEUED, queue position ")
    assert trace[-2:] == ["RUNNING", "COMPLETED"]
    assert len(trace) == len(set(trace)) >= 4
