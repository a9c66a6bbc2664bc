"""A submission to Artemis makes one job, whatever happens to its requests."""

import json
import shutil
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import httpx
import pytest
from tests.helpers.photonic_workflows import (
    QPU,
    hong_ou_mandel,
    identity,
    jobs_called,
    living,
)
from tests.helpers.waiting import wait_until
from tierkreis.controller.data.location import WorkerCallArgs
from tierkreis.worker.storage.filestorage import WorkerFileStorage

from local_artemis import Fault, Progress
from tkr_lightworks_worker import jobs
from tkr_lightworks_worker.errors import (
    ArtemisRefusedError,
    ArtemisUnavailableError,
    SubmissionUnclearError,
    TokenError,
)
from tkr_lightworks_worker.jobs.submissions import Doubt, digest_in
from tkr_lightworks_worker.samplers import SamplerSpec
from tkr_runtime import requests
from tkr_runtime.tasks import context

HOM = SamplerSpec.of(hong_ou_mandel(10))
POST = {"method": "POST", "path": "/jobs"}
LOST = [
    Fault("drop", when="after", times=1, **POST),
    Fault("drop", when="before", times=1, **POST),
    Fault("answer", status=502, when="after", times=1, **POST),
    Fault("answer", status=504, when="after", times=1, **POST),
    Fault("answer", status=503, when="before", times=2, **POST),
    Fault("answer", status=429, retry_after=0, times=2, **POST),
    Fault("answer", status=202, when="after", times=1, **POST),  # no X-Job-Id
    Fault("malformed", shape="html", times=1, method="GET", path="/jobs"),
    Fault("answer", status=503, times=1, method="GET", path="/jobs"),
    Fault("hang", when="after", seconds=30, times=1, **POST),
]


@pytest.fixture(autouse=True)
def _quick(monkeypatch):
    for name, value in {
        "SETTLE_TIME": "0.05",
        "RETRY_WAIT": "0.05",
        "READ_TIMEOUT": "1",
    }.items():
        monkeypatch.setenv(f"TKR_LIGHTWORKS_{name}", value)


@pytest.fixture
def name() -> str:
    return f"job {uuid4()}"


@pytest.fixture
def as_task(node_storage):
    """Run the body as the task of a node, again and again if so asked."""

    @contextmanager
    def as_task(node: str = "-.N1") -> Iterator[Path]:
        folder = node_storage.workflow_dir / node
        folder.mkdir(exist_ok=True)
        location = folder.relative_to(node_storage.tkr_dir)
        arguments = WorkerCallArgs(
            function_name="submit_jobs",
            inputs={},
            outputs={},
            output_dir=location / "outputs",
            done_path=location / "_done",
            error_path=location / "_error",
            logs_path=None,
        )
        storage = WorkerFileStorage(node_storage.tkr_dir)
        with context.task_context(arguments, storage):
            yield folder

    return as_task


@pytest.mark.parametrize("listing", ["names", "ids"])
@pytest.mark.parametrize("fault", LOST, ids=lambda it: f"{it.action}-{it.status}")
def test_one_job_lives_after_a_fault(artemis, name, fault, listing, as_task):
    artemis.set_listing(listing)
    with artemis.fault(fault), as_task():
        job = jobs.submit_job(QPU, name, HOM)
        assert artemis.faults()[0].fired == fault.times
    [alive] = living(jobs_called(artemis, name))
    assert alive["id"] == job.job_id


def test_a_refused_job_is_told_by_its_fields(artemis, name):
    body = {"errors": [{"name": "n_samples", "reason": "Too many"}]}
    with (
        artemis.fault(Fault("answer", status=400, body=body, times=1, **POST)),
        pytest.raises(ArtemisRefusedError, match="n_samples: Too many"),
    ):
        jobs.submit_job(QPU, name, HOM)
    assert not jobs_called(artemis, name)


def test_a_task_started_again_adopts_its_jobs_and_submits_the_rest(
    artemis, name, as_task, monkeypatch
):
    specs = [identity(2, 1, n_samples=n) for n in (1, 2, 3, 4)]
    monkeypatch.setenv("TKR_LIGHTWORKS_RETRY_TIME", "0.3")
    stopped = Fault("answer", status=503, skip=2, **POST)
    with (
        artemis.fault(stopped),
        as_task(),
        pytest.raises(ArtemisUnavailableError),
    ):
        jobs.submit_jobs(QPU, name, specs)
    monkeypatch.delenv("TKR_LIGHTWORKS_RETRY_TIME")
    with as_task():
        found = jobs.submit_jobs(QPU, name, specs)
    alive = [it for it in artemis.jobs() if it["name"].startswith(name)]
    assert [job.job_id for job in found] == [it["id"] for it in alive]
    assert [it["n_samples"] for it in alive] == [1, 2, 3, 4]


@pytest.mark.parametrize("state", ["Failed", "Cancelled"])
def test_a_task_started_again_replaces_a_job_that_ended_badly(
    artemis, name, as_task, state
):
    with as_task():
        first = jobs.submit_job(QPU, name, HOM)
        artemis.set_job_status(first.job_id, state)
        second = jobs.submit_job(QPU, name, HOM)
        assert second.job_id != first.job_id
        assert jobs.submit_job(QPU, name, HOM) == second


def lose_an_answer(artemis, name, as_task) -> None:
    """Leave a task whose request made a job and whose process then died."""
    with (
        artemis.fault(Fault("drop", when="after", times=1, **POST)),
        artemis.fault(Fault("answer", status=403, skip=1, method="GET", path="/jobs")),
        as_task(),
        pytest.raises(TokenError),
    ):
        jobs.submit_job(QPU, name, HOM)
    assert len(jobs_called(artemis, name)) == 1


def test_where_lists_have_no_names_the_only_new_job_is_adopted(
    artemis, name, as_task, caplog
):
    artemis.set_listing("ids")
    lose_an_answer(artemis, name, as_task)
    with as_task():
        job = jobs.submit_job(QPU, name, HOM)
    assert [it["id"] for it in jobs_called(artemis, name)] == [job.job_id]
    assert "is the only new one" in caplog.text


def test_where_several_new_jobs_have_no_names_they_are_named_and_none_is_submitted(
    artemis, name, as_task
):
    artemis.set_listing("ids")
    lose_an_answer(artemis, name, as_task)
    other = jobs.submit_job(QPU, "somebody else's", HOM)
    with (
        as_task(),
        pytest.raises(SubmissionUnclearError, match=f"{other.job_id} are new"),
    ):
        jobs.submit_job(QPU, name, HOM)
    assert len(jobs_called(artemis, name)) == 1
    # Once a person has cancelled one of them, the other is taken.
    jobs.cancel_job(other)
    artemis.set_job_status(other.job_id, "Cancelled")
    with as_task():
        jobs.submit_job(QPU, name, HOM)
    assert len(jobs_called(artemis, name)) == 1


def test_jobs_of_other_tasks_of_the_workflow_are_not_taken_for_ones_own(
    artemis, name, as_task
):
    artemis.set_listing("ids")
    lose_an_answer(artemis, name, as_task)
    [lost] = jobs_called(artemis, name)
    with as_task("-.N2"):
        other = jobs.submit_job(QPU, "of another task", HOM)
    with as_task():
        job = jobs.submit_job(QPU, name, HOM)
    assert job.job_id == lost["id"] != other.job_id


def post_again(artemis, job_id: int) -> int:
    """Send a payload again, as a gateway does that held the request."""
    home = Path(artemis.env["TKR_LIGHTWORKS_HOME"])
    [tokens] = home.rglob("tokens.json")
    [token] = json.loads(tokens.read_text()).values()
    answer = httpx.post(
        f"{artemis.url}/jobs",
        json=artemis.payload(job_id),
        headers={"x-access-token": token},
        verify=ssl.create_default_context(cafile=next(home.rglob("certificate.pem"))),
    )
    return int(answer.headers["X-Job-Id"])


def test_a_request_that_arrives_late_is_cancelled_by_what_waits_for_the_job(
    artemis, name, as_task, caplog
):
    artemis.progress = Progress.seconds(queued=1e6)
    with as_task(), artemis.fault(Fault("drop", when="before", times=1, **POST)):
        job = jobs.submit_job(QPU, name, HOM)
    late = post_again(artemis, job.job_id)
    with as_task("-.N2"):
        assert jobs.is_running(job)
    assert jobs.get_job_status(late).state.name == "Cancelled"
    assert [it["id"] for it in living(jobs_called(artemis, name))] == [job.job_id]


def test_a_duplicate_that_ran_is_named(artemis, name, as_task):
    with as_task(), artemis.fault(Fault("drop", when="before", times=1, **POST)):
        job = jobs.submit_job(QPU, name, HOM)
    late = post_again(artemis, job.job_id)
    jobs.wait_until_complete(late, poll_interval=0.05)
    with as_task("-.N2"):
        jobs.wait_until_complete(job, poll_interval=0.05)
        assert Doubt(digest_in(job.name)).noted("billed") == [str(late)]
    assert artemis.jobs(1)[0]["id"] == late


def test_an_outage_is_outlasted_by_a_wait(artemis, name, quick_retries):
    job = jobs.submit_job(QPU, name, HOM)
    outage = Fault("answer", status=503, retry_after=0, times=2, path="/jobs/*")
    with artemis.fault(outage):
        assert jobs.wait_until_complete(job, poll_interval=0.05).is_final


def test_a_wait_is_parked_until_there_is_a_new_token(
    artemis, name, tmp_path, monkeypatch, caplog
):
    home = tmp_path / "home"
    shutil.copytree(artemis.env["TKR_LIGHTWORKS_HOME"], home)
    monkeypatch.setenv("TKR_LIGHTWORKS_HOME", str(home))
    monkeypatch.setattr(requests, "_LOGIN_POLL_SECONDS", 0.05)
    job = jobs.submit_job(QPU, name, HOM)
    [tokens] = home.rglob("tokens.json")
    good = tokens.read_text()
    tokens.write_text('{"mine": "expired"}')
    found = []
    wait = threading.Thread(
        target=lambda: found.append(jobs.wait_until_complete(job, poll_interval=0.05))
    )
    wait.start()
    assert wait_until(lambda: "until you save a new one" in caplog.text)
    assert not found
    tokens.write_text(good)
    wait.join(30)
    assert found[0].state.name == "Completed"
    assert "expired" not in caplog.text.replace("has expired", "")
