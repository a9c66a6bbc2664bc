"""Jobs that one submission made twice, because a request arrived late."""

from uuid import uuid4

import pytest
import qnexus as qnx
from pytket.circuit import Circuit
from quantinuum_schemas.models.backend_config import QuantinuumConfig

from local_nexus import Fault, Progress
from tkr_nexus_worker import jobs, programs
from tkr_nexus_worker.errors import JobFailedError
from tkr_nexus_worker.jobs import duplicates
from tkr_nexus_worker.jobs import receipt as receipts
from tkr_nexus_worker.jobs.duplicates import settle_duplicates
from tkr_nexus_worker.jobs.status import get_status
from tkr_nexus_worker.nexus import projects
from tkr_nexus_worker.nexus.idempotency import Doubt, digest_in
from tkr_runtime.jobs import idempotency
from tkr_runtime.jobs.idempotency import LOOK_AFTER
from tkr_runtime.tasks.receipts import RECEIPT_FILE

CONFIG = QuantinuumConfig(device_name="H2-1LE")
PROJECT = "tests of duplicates"
LISTING = "/api/jobs/v1beta3"


@pytest.fixture
def submit(connected, node, monkeypatch):
    """Submit a job as the task of a node, which may be started again."""
    monkeypatch.setenv("TKR_NEXUS_SETTLE_TIME", "0.1")
    connected.set_progress(Progress(queued=3600))
    bell = Circuit(2, name="bell").H(0).CX(0, 1).measure_all()
    circuit = programs.upload_circuit(bell, PROJECT)
    name = f"job {uuid4()}"

    def submit(**options):
        job = jobs.start_execute_job(PROJECT, name, [circuit], [1], CONFIG, **options)
        receipts.write_submission(job, [circuit], [1], CONFIG)
        return job

    submit.circuit = circuit
    return submit


@pytest.fixture
def arrive_late(submit):
    """Let a request for a job arrive a second time."""

    def arrive(job):
        return qnx.start_execute_job(
            programs=[submit.circuit],
            n_shots=[1],
            backend_config=CONFIG,
            name=job.annotations.name,
            description=job.annotations.description,
            project=job.project,
        )

    return arrive


def doubt(job) -> Doubt:
    return Doubt(digest_in(job.annotations.description))


def state_of(connected, job) -> str:
    [found] = [it for it in connected.jobs() if it["id"] == str(job.id)]
    return found["status"]


def n_listings(connected) -> int:
    listings = [it for it in connected.requests() if it.path == LISTING]
    return sum(request.method == "GET" for request in listings)


@pytest.mark.parametrize(
    "wait",
    [
        jobs.is_running,
        jobs.is_unfinished,
        lambda job: settle_duplicates(job, get_status(job)),
    ],
)
def test_a_duplicate_that_has_not_run_is_cancelled_while_the_job_waits(
    connected, submit, arrive_late, caplog, wait
):
    job = submit()
    doubt(job).record()
    late = arrive_late(job)
    wait(job)
    assert (state_of(connected, job), state_of(connected, late)) == (
        "QUEUED",
        "CANCELLED",
    )
    assert f"({late.id}), a duplicate of {job.id}" in caplog.text
    assert "billed" not in caplog.text


def test_wait_until_complete_looks_for_duplicates_at_the_end(
    connected, submit, arrive_late
):
    job = submit()
    doubt(job).record()
    late = arrive_late(job)
    connected.set_job_status(job.id, "COMPLETED")
    jobs.wait_until_complete(job)
    assert state_of(connected, late) == "CANCELLED"


@pytest.mark.parametrize("state", ["RUNNING", "COMPLETED"])
def test_a_duplicate_that_has_run_is_named_in_the_log_the_error_and_the_receipt(
    connected, submit, arrive_late, node, caplog, state
):
    job = submit()
    doubt(job).record()
    late = arrive_late(job)
    connected.set_job_status(late.id, state)
    connected.set_job_status(job.id, "ERROR", "the reason")
    with pytest.raises(JobFailedError) as caught:
        jobs.is_running(job)
    assert f"({late.id}) has run as a duplicate of {job.id}" in caplog.text
    assert str(late.id) in str(caught.value)
    receipts.write_submission(job, [submit.circuit], [1], CONFIG)
    receipt = receipts.read_receipt(node / RECEIPT_FILE)
    assert receipt.duplicates == [str(late.id)]


def test_a_task_started_again_uses_a_completed_duplicate_and_cancels_one_that_waits(
    connected, submit, arrive_late
):
    job = submit()
    late = arrive_late(job)
    connected.set_job_status(late.id, "COMPLETED")
    assert submit().id == late.id
    assert state_of(connected, job) == "CANCELLED"


@pytest.mark.parametrize("state", ["COMPLETED", "ERROR", "CANCELLED", "DEPLETED"])
@pytest.mark.parametrize("adopt_failed", [True, False])
def test_a_duplicate_that_has_ended_does_not_keep_the_task_from_going_on(
    connected, submit, arrive_late, state, adopt_failed
):
    job = submit()
    connected.set_job_status(job.id, "COMPLETED")
    connected.set_job_status(arrive_late(job).id, state)
    assert submit(adopt_failed=adopt_failed).id == job.id


def test_a_duplicate_that_ends_before_it_is_cancelled_does_not_fail_the_wait(
    connected, submit, arrive_late, caplog
):
    caplog.set_level("INFO")
    job = submit()
    doubt(job).record()
    late = arrive_late(job)
    ended = Fault("answer", status=409, path=f"*/{late.id}/rpc/cancel")
    with connected.fault(ended):
        assert jobs.is_running(job)
    assert f"({late.id}) ended before it was cancelled" in caplog.text
    assert "could not look" not in caplog.text


@pytest.mark.parametrize("adopt_failed", [True, False])
def test_a_duplicate_that_was_cancelled_is_not_used_later(
    connected, submit, arrive_late, adopt_failed
):
    job = submit(adopt_failed=adopt_failed)
    doubt(job).record()
    late = arrive_late(job)
    jobs.is_running(job)
    # The device takes its time, and meanwhile the job ends badly.
    connected.set_job_status(late.id, "CANCELLING")
    connected.set_job_status(job.id, "ERROR")
    again = submit(adopt_failed=adopt_failed)
    assert again.id != late.id
    assert (again.id == job.id) is adopt_failed


def test_an_earlier_job_that_ended_badly_is_no_duplicate(connected, submit, caplog):
    job = submit()
    connected.set_job_status(job.id, "RUNNING")
    connected.set_job_status(job.id, "ERROR")
    again = submit()
    jobs.is_running(again)
    assert again.id != job.id
    assert "billed" not in caplog.text


def test_a_job_whose_submission_was_never_in_doubt_costs_no_look_up(connected, submit):
    job = submit()
    connected.clear_requests()
    jobs.is_running(job)
    jobs.is_unfinished(job)
    assert n_listings(connected) == 0


def test_while_nothing_changes_it_is_looked_for_after_1_5_and_30_minutes(
    connected, submit, monkeypatch
):
    class Clock:
        now = 0.0

        def monotonic(self) -> float:
            return self.now

    clock = Clock()
    monkeypatch.setattr(idempotency, "time", clock)
    job = submit()
    doubt(job).record()
    status = get_status(job)
    looked_at = []
    monkeypatch.setattr(
        duplicates, "_settle", lambda *_job_and_doubt: looked_at.append(clock.now)
    )
    for clock.now in range(0, 6000, 10):
        settle_duplicates(job, status)
    assert looked_at == [0, *LOOK_AFTER, 3600, 5400]


def test_a_look_up_that_fails_does_not_fail_the_wait(
    connected, submit, caplog, quick_retries
):
    job = submit()
    doubt(job).record()
    with connected.fault(Fault("answer", status=503, method="GET", path=LISTING)):
        assert jobs.is_running(job)
    assert "could not look for duplicates" in caplog.text


def test_a_project_that_a_late_request_made_twice_is_used_and_named(
    connected, node, caplog
):
    name = f"project {uuid4()}"
    project = projects.get_or_create_project(name)
    late = qnx.projects.create(name, description=project.annotations.description)
    assert projects.get_or_create_project(name).id == project.id
    assert projects.find_project(name).id == project.id
    assert str(late.id) in caplog.text


def test_a_circuit_that_a_late_request_uploaded_twice_is_used_and_named(
    connected, node, caplog, monkeypatch
):
    monkeypatch.setenv("TKR_NEXUS_SETTLE_TIME", "0.1")
    bell = Circuit(2, name=f"bell {uuid4()}").H(0).measure_all()
    circuit = programs.upload_circuit(bell, PROJECT)
    late = qnx.circuits.upload(
        circuit=bell,
        name=bell.name,
        description=circuit.annotations.description,
        project=circuit.project,
    )
    assert programs.upload_circuit(bell, PROJECT).id == circuit.id
    assert str(late.id) in caplog.text


def test_a_compile_task_started_again_takes_its_job_and_cancels_a_late_one(
    connected, submit
):
    executed = submit()
    name = executed.annotations.name
    job = jobs.start_compile_job(PROJECT, name, [submit.circuit], CONFIG)
    again = jobs.start_compile_job(PROJECT, name, [submit.circuit], CONFIG)
    assert again.id == job.id
    doubt(job).record()
    late = qnx.start_compile_job(
        programs=[submit.circuit],
        backend_config=CONFIG,
        name=name,
        description=job.annotations.description,
        project=job.project,
    )
    assert jobs.is_unfinished(job)
    states = [state_of(connected, one) for one in (executed, job, late)]
    assert states == ["QUEUED", "QUEUED", "CANCELLED"]
