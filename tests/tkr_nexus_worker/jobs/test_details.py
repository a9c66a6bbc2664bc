import httpx
import pytest
import qnexus as qnx
from qnexus.models.references import JobType
from tests.conftest import PROJECT

from local_nexus import Progress
from tkr_nexus_worker.errors import InvalidInputError, NexusRefusedError
from tkr_nexus_worker.jobs import (
    get_job_details,
    get_job_payload,
    get_job_status,
    list_jobs,
    list_scheduled_jobs,
    wait_until_complete,
)
from tkr_nexus_worker.jobs.listing import listed_jobs, of_type
from tkr_nexus_worker.jobs.models import JobDetails, JobStatusReport, JobSummary
from tkr_nexus_worker.nexus.client import read_json


def test_a_waiting_job_is_listed_with_all_that_matters(connected, waiting_job):
    connected.set_job_status(waiting_job.id, "COMPLETED", item=0)
    connected.set_job_status(waiting_job.id, "QUEUED", item=1)
    (listed,) = list_scheduled_jobs()
    assert listed.job_id == str(waiting_job.id)
    assert listed.name == waiting_job.annotations.name
    assert (listed.project, listed.backend) == (PROJECT, "H2-1LE")
    assert (listed.state, listed.phase) == ("RUNNING", "waiting")
    assert (listed.items_done, listed.items_total) == (1, 2)
    assert listed.created.utcoffset() is not None


def test_a_queued_job_tells_its_place(waiting_job):
    assert list_scheduled_jobs()[0].queue_position == 1


def test_only_jobs_that_wait_or_run_are_scheduled(connected, submit, waiting_job):
    ended = submit()
    connected.set_job_status(ended.id, "COMPLETED")
    assert [it.job_id for it in list_scheduled_jobs()] == [str(waiting_job.id)]
    everything = list_jobs(limit=2)
    assert [it.job_id for it in everything] == [str(ended.id), str(waiting_job.id)]


def test_a_job_in_an_unknown_state_is_listed_as_waiting(connected, submit):
    job = submit()
    connected.set_job_status(job.id, "PAUSED")
    listed = list_jobs(limit=1)[0]
    assert (listed.job_id, listed.state) == (str(job.id), "PAUSED")
    assert listed.phase == "waiting"


def test_jobs_of_a_project_and_a_state_are_asked_for_by_filters(connected, submit):
    job = submit(project="a project of one job")
    connected.set_job_status(job.id, "ERROR")
    submit()
    (listed,) = list_jobs(project="a project of one job", states=["error"])
    assert listed.job_id == str(job.id)
    assert list_jobs(project="a project of one job", states=["QUEUED"]) == []


def test_nexus_is_asked_for_no_more_than_is_listed(connected, submit):
    for _ in range(3):
        submit()
    connected.clear_requests()
    assert len(list_jobs(limit=2, items=False)) == 2
    [request] = connected.requests()
    query = httpx.QueryParams(request.query)
    assert (query["page[size]"], query["filter[job_type]"]) == ("2", "execute")
    connected.clear_requests()
    listed = list_jobs(limit=2)
    assert sorted(it.path for it in connected.requests()) == sorted(
        ["/api/jobs/v1beta3", *(f"/api/jobs/v1beta3/{it.job_id}" for it in listed)]
    )


def test_jobs_that_compile_are_not_listed(connected, submit):
    job = submit()
    circuit = qnx.circuits.get_all(project=job.project).list()[0]
    qnx.start_compile_job(
        programs=[circuit],
        backend_config=job.backend_config,
        name="compiles",
        project=job.project,
    )
    assert list_jobs(limit=1)[0].job_id == str(job.id)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"limit": 0}, "limit is 0"),
        ({"states": ["DONE"]}, "'DONE' is not a state"),
        ({"job_type": "run"}, "give 'execute' or 'compile'"),
    ],
)
def test_a_wrong_list_is_refused_before_any_request(connected, arguments, words):
    with pytest.raises(InvalidInputError, match=words):
        list_jobs(**arguments)
    assert connected.requests() == []


def test_a_project_that_is_not_there_is_said(connected):
    with pytest.raises(NexusRefusedError, match="no project called 'nowhere'"):
        list_jobs(project="nowhere")


def test_the_status_of_a_job_is_told_by_its_name(waiting_job):
    status = get_job_status(waiting_job.annotations.name)
    assert (status.job_id, status.state) == (str(waiting_job.id), "QUEUED")
    assert list(status.times) == ["queued"]
    assert not status.is_final


@pytest.mark.parametrize("ask", [get_job_status, get_job_details, get_job_payload])
def test_a_job_that_is_named_by_its_id_is_asked_for_once(connected, waiting_job, ask):
    connected.clear_requests()
    ask(str(waiting_job.id))
    asked = [it.path for it in connected.requests() if "/jobs/" in it.path]
    assert asked == [f"/api/jobs/v1beta3/{waiting_job.id}"]


def test_a_job_that_moves_to_the_next_page_is_listed_once(connected, submit):
    jobs = [submit() for _ in range(4)]
    seen = []

    def read(path, query):
        page = read_json(path, query)
        if not seen:
            # A job that is submitted now moves all others down by one.
            submit()
        seen.append(query["page[number]"])
        return page

    query = {"sort": "-timestamps.created"}
    query |= of_type(JobType.EXECUTE, project=jobs[0].project)
    listed = [job.job_id for job in listed_jobs(query, read, limit=4, page_size=2)]
    assert listed == [str(job.id) for job in reversed(jobs)]
    assert len(seen) == 3


def test_the_details_tell_states_items_costs_and_errors_in_order(connected, submit):
    connected.set_progress(Progress(queued=3600.0))
    job = submit(circuits=3)
    connected.set_job_status(job.id, "RUNNING")
    connected.set_job_status(job.id, "COMPLETED", item=0)
    connected.set_job_status(job.id, "ERROR", "no luck", "gate X is unknown", item=1)
    connected.set_job_status(job.id, "CANCELLED", "stopped", item=2)
    details = get_job_details(str(job.id))
    assert (details.state, details.phase) == ("ERROR", "failed")
    assert (details.items_done, details.items_total) == (3, 3)
    assert [it.state for it in details.items] == ["COMPLETED", "ERROR", "CANCELLED"]
    assert [it.n_shots for it in details.items] == [10, 10, 10]
    assert details.items[1].error_detail == "gate X is unknown"
    assert details.backend_config["device_name"] == "H2-1LE"
    assert details.project_id == str(job.project.id)
    told = [(it.subject, it.state) for it in details.log]
    assert told[0] == ("job", "queued")
    assert {("item 1", "error"), ("item 2", "cancelled"), ("job", "error")} <= {*told}
    times = [it.time for it in details.log]
    assert times == sorted(times)
    failure = next(it for it in details.log if it.subject == "item 1")
    assert failure.message == "no luck; gate X is unknown"


def test_a_job_that_ran_tells_its_cost_and_its_results(submit):
    job = submit(device="H2-1E")
    wait_until_complete(job)
    details = get_job_details(job)
    assert details.cost > 5.0
    assert details.items[0].result_id is not None
    assert [it.state for it in details.log][-1] == "completed"


@pytest.mark.parametrize(
    ("tell", "model"),
    [
        (get_job_details, JobDetails),
        (get_job_status, JobStatusReport),
        (lambda _job: list_jobs(limit=1)[0], JobSummary),
    ],
)
def test_what_is_told_can_be_written_as_json_and_read_again(waiting_job, tell, model):
    told = tell(waiting_job)
    assert type(told) is model
    assert model(**told.model_dump(mode="json")) == told
