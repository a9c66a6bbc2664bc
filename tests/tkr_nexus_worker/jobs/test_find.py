from uuid import UUID, uuid4

import httpx
import pytest
import qnexus as qnx
from pytket.circuit import Circuit
from qnexus.models.references import CompileJobRef
from quantinuum_schemas.models.backend_config import QuantinuumConfig
from tests.conftest import MANY_JOBS, OLDEST, PROJECT, TWO_OF_A_START

from tkr_nexus_worker import programs
from tkr_nexus_worker.errors import InvalidInputError, NexusRefusedError
from tkr_nexus_worker.jobs import find, find_job
from tkr_nexus_worker.results import get_results_by_id

CONFIG = QuantinuumConfig(device_name="H2-1LE")


@pytest.fixture
def job(submit):
    return submit()


def test_an_id_is_found_by_one_request_with_all_that_a_reference_has(connected, job):
    connected.clear_requests()
    found = find_job(str(job.id))
    assert (found.id, found.annotations.name) == (job.id, job.annotations.name)
    assert found.project.annotations.name == PROJECT
    # Nexus fills in the limit of the organisation.
    filled_in = {"max_batch_cost": found.backend_config.max_batch_cost}
    assert found.backend_config == CONFIG.model_copy(update=filled_in)
    [request] = connected.requests()
    assert request.path == f"/api/jobs/v1beta3/{job.id}"


def test_an_id_is_read_in_any_case_with_blanks_around_it(connected, job):
    assert find_job(f" {str(job.id).upper()}\n").id == job.id


def test_a_name_is_found_by_one_filtered_request(connected, job):
    connected.clear_requests()
    assert find_job(job.annotations.name).id == job.id
    [request] = connected.requests()
    assert httpx.QueryParams(request.query)["filter[name_exact]"] == (
        job.annotations.name
    )


@pytest.mark.parametrize("digits", [8, 13, 30])
def test_the_start_of_an_id_is_found(connected, job, digits):
    assert find_job(str(job.id)[:digits]).id == job.id


def test_a_name_that_looks_like_the_start_of_an_id_goes_before_it(submit, job):
    name = str(job.id)[:8]
    named = submit(name)
    assert find_job(name).id == named.id


def test_a_job_in_a_state_that_qnexus_does_not_know_is_found(connected, job):
    connected.set_job_status(job.id, "PAUSED")
    for text in (str(job.id), job.annotations.name, str(job.id)[:8]):
        assert find_job(text).id == job.id


def test_several_jobs_of_a_name_are_listed(submit):
    name = f"twice {uuid4()}"
    ids = [submit(name, project=project).id for project in (PROJECT, f"{PROJECT}, too")]
    with pytest.raises(InvalidInputError) as caught:
        find_job(name)
    message = str(caught.value)
    assert message.startswith("2 jobs are called")
    for job_id in ids:
        assert f"'{name}' {job_id} in project '{PROJECT}" in message
    assert "s old" in message


def test_more_jobs_of_a_name_than_one_can_read_are_not_all_listed(submit):
    name = f"often {uuid4()}"
    for _ in range(12):
        submit(name)
    with pytest.raises(InvalidInputError, match="More than 10 jobs") as caught:
        find_job(name)
    assert str(caught.value).count(" old") == 10


def test_a_job_that_compiles_is_found_and_its_results_are_refused(submit):
    project = qnx.projects.get_or_create(name=PROJECT)
    name = f"compile {uuid4()}"
    bell = Circuit(2, name="bell").H(0).CX(0, 1)
    circuit = programs.upload_circuit(bell, PROJECT)
    job = qnx.start_compile_job(
        programs=[circuit], backend_config=CONFIG, name=name, project=project
    )
    for text in (name, str(job.id), str(job.id)[:8]):
        assert find_job(text).id == job.id
        assert isinstance(find_job(text), CompileJobRef)
        with pytest.raises(InvalidInputError, match="compiles programs and does not"):
            get_results_by_id(text)
    execute_job = submit(name)
    assert find_job(name).id == execute_job.id


@pytest.mark.parametrize("text", ["no such job", "abc", "abcd", str(UUID(int=7))])
def test_what_is_not_there_is_said_in_one_sentence(connected, text):
    with pytest.raises(NexusRefusedError, match="you may see") as caught:
        find_job(text)
    assert caught.value.status_code == 404
    assert text in str(caught.value)


@pytest.mark.parametrize("text", ["", " ", None, 7])
def test_what_is_no_text_is_refused_before_any_request(connected, text):
    with pytest.raises(InvalidInputError, match="give its id"):
        find_job(text)
    assert connected.requests() == []


def test_a_job_of_somebody_else_is_not_there(connected, job, connect_other):
    connect_other()
    with pytest.raises(NexusRefusedError, match="has not shared it"):
        find_job(str(job.id))


def test_a_start_that_two_ids_have_lists_both(full_nexus):
    with pytest.raises(InvalidInputError) as caught:
        find_job("beefed")
    assert all(job_id in str(caught.value) for job_id in TWO_OF_A_START)
    assert f"project {PROJECT!r}" in str(caught.value)


def test_eight_digits_are_found_in_the_first_page(full_nexus):
    assert find_job("beefed11").annotations.name == "job 1"
    assert len(full_nexus.requests()) == 2


def test_an_older_job_than_are_looked_through_is_said_to_need_its_whole_id(full_nexus):
    with pytest.raises(NexusRefusedError, match=r"newest 1000 jobs.*the whole id"):
        find_job("0ddba11f")
    assert len(full_nexus.requests()) == 1 + find.NEWEST_JOBS / 100
    found = find_job(OLDEST)
    assert found.annotations.name == f"job {MANY_JOBS - 1}"


def test_few_digits_are_not_taken_as_unique_where_older_jobs_may_have_them(full_nexus):
    with pytest.raises(InvalidInputError, match="at least 8 digits"):
        find_job("beefed1")
