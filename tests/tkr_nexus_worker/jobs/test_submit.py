from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import pytest
import qnexus as qnx
from pytket.circuit import Circuit
from quantinuum_schemas.models.backend_config import QuantinuumConfig

from tkr_nexus_worker import jobs, programs
from tkr_nexus_worker.errors import (
    InvalidInputError,
    JobFailedError,
    NexusRefusedError,
    NotLoggedInError,
)
from tkr_nexus_worker.nexus import projects

CONFIG = QuantinuumConfig(device_name="H2-1LE")
PROJECT = "tests of the worker"


def bell() -> Circuit:
    return Circuit(2, name="bell").H(0).CX(0, 1).measure_all()


@pytest.fixture
def job(connected):
    circuit = programs.upload_circuit(bell(), PROJECT)
    return jobs.start_execute_job(PROJECT, "a job", [circuit], [10], CONFIG)


@pytest.mark.parametrize(
    "state", ["SUBMITTED", "QUEUED", "RUNNING", "RETRYING", "CANCELLING"]
)
def test_a_job_that_waits_is_running(connected, job, state):
    connected.set_job_status(job.id, state)
    assert jobs.is_running(job) is True


def test_a_completed_job_is_not_running(connected, job):
    connected.set_job_status(job.id, "COMPLETED")
    assert jobs.is_running(job) is False


@pytest.mark.parametrize(
    ("state", "advice"),
    [
        ("ERROR", "fix what the message says"),
        ("CANCELLED", "intended"),
        ("TERMINATED", "limits"),
        ("DEPLETED", "credits"),
    ],
)
def test_a_job_that_ended_badly_says_all_that_is_known(connected, job, state, advice):
    connected.set_job_status(job.id, state, "the message", "the detail")
    with pytest.raises(JobFailedError) as caught:
        jobs.is_running(job)
    message = str(caught.value)
    for part in ("Job 'a job'", str(job.id), state, "the message", "the detail"):
        assert part in message
    assert advice in message.partition("Next: ")[2]


def test_a_state_that_is_not_known_yet_is_waited_for(connected, job, caplog):
    connected.set_job_status(job.id, "PAUSED")
    assert jobs.is_running(job) is True
    assert "'PAUSED'" in caplog.text


def test_the_log_tells_the_queue_position(connected, job, caplog):
    caplog.set_level("INFO")
    connected.set_job_status(job.id, "QUEUED")
    jobs.is_running(job)
    assert f"nexus: job 'a job' ({job.id}): QUEUED" in caplog.text


@pytest.mark.parametrize(
    ("project", "name", "n_programs", "n_shots", "words"),
    [
        ("", "j", 1, [1], "project_name"),
        ("p", " ", 1, [1], "job_name"),
        ("p", "j", 0, [], "no programs for job 'j'"),
        ("p", "j", 1, [1, 2], "there are 1 circuits"),
        ("p", "j", 1, [0], r"n_shots\[0\], for circuit 0, is 0"),
    ],
)
def test_a_bad_submission_is_refused_before_any_request(
    connected, project, name, n_programs, n_shots, words
):
    circuits = [programs.upload_circuit(bell(), PROJECT)] * n_programs
    connected.clear_requests()
    with pytest.raises(InvalidInputError, match=words):
        jobs.start_execute_job(project, name, circuits, n_shots, CONFIG)
    assert connected.requests() == []


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"n_qubits": [1, 2]}, "n_qubits has length 2, and there are 1 programs"),
        ({"n_qubits": [0]}, r"n_qubits\[0\], for program 0, is 0"),
        ({"n_qubits": 3}, "n_qubits is no list"),
        ({"max_cost": [-1.0]}, r"max_cost\[0\], for program 0, is -1.0"),
        ({"max_cost": [float("nan")]}, "is nan; give a number of HQC above 0"),
    ],
)
def test_a_bad_option_of_a_program_is_refused_before_any_request(
    connected, options, words
):
    circuit = programs.upload_circuit(bell(), PROJECT)
    connected.clear_requests()
    with pytest.raises(InvalidInputError, match=words):
        jobs.start_execute_job(PROJECT, "j", [circuit], [1], CONFIG, **options)
    assert connected.requests() == []


def test_the_qubits_and_the_largest_cost_of_each_program_reach_nexus(connected):
    circuits = programs.upload_circuits([bell(), bell()], PROJECT)
    job = jobs.start_execute_job(
        PROJECT, "j", circuits, [1, 1], CONFIG, n_qubits=[2, None], max_cost=[7.5, 8]
    )
    submitted = jobs.get_job_payload(job).programs
    assert [one.options for one in submitted] == [
        {"max_cost": 7.5, "n_qubits": 2},
        {"max_cost": 8.0},
    ]


def test_a_program_that_nexus_does_not_have_is_refused_in_a_sentence(connected):
    circuit = programs.upload_circuit(bell(), PROJECT)
    unknown = circuit.model_copy(update={"id": uuid4()})
    with pytest.raises(NexusRefusedError, match="Could not submit job 'j'") as caught:
        jobs.start_execute_job(PROJECT, "j", [unknown], [1], CONFIG)
    assert 400 <= (caught.value.status_code or 0) < 500
    assert caught.value.__cause__ is not None


def test_many_tasks_that_meet_a_new_project_make_it_once(connected):
    name = f"new {uuid4()}"
    with ThreadPoolExecutor(12) as pool:
        found = list(pool.map(projects.get_or_create_project, [name] * 12))
    assert len({project.id for project in found}) == 1
    assert qnx.projects.get_all(name_exact=[name]).count() == 1


def test_two_projects_of_one_name_are_an_error_that_lists_them(connected):
    name = f"double {uuid4()}"
    ids = {str(qnx.projects.create(name=name).id) for _ in range(2)}
    with pytest.raises(InvalidInputError) as caught:
        projects.get_or_create_project(name)
    assert all(project_id in str(caught.value) for project_id in ids)


def test_without_a_login_the_error_names_the_command(nexus, connect_qnexus, tmp_path):
    connect_qnexus({**nexus.env, "NEXUS_TOKEN_PATH": str(tmp_path)})
    with pytest.raises(NotLoggedInError, match="qnx login"):
        projects.get_or_create_project(PROJECT)


def test_a_login_file_that_cannot_be_read_is_an_error_that_names_the_command(
    nexus, connect_qnexus, tmp_path
):
    (tmp_path / "token.json").write_text("")
    (tmp_path / "id.json").write_text("")
    connect_qnexus({**nexus.env, "NEXUS_TOKEN_PATH": str(tmp_path)})
    with pytest.raises(NotLoggedInError, match="qnx login"):
        projects.get_or_create_project(PROJECT)


def test_circuits_without_a_name_are_named_by_their_content(connected):
    nameless = Circuit(1).X(0).measure_all()
    first = programs.upload_circuit(nameless, PROJECT)
    second = programs.upload_circuit(nameless.copy(), PROJECT)
    assert first.annotations.name.startswith("circuit-")
    assert first.annotations.name == second.annotations.name
