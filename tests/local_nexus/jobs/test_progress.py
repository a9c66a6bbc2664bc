import subprocess
import sys

import pytest
from tests.helpers.waiting import wait_until

from local_nexus import Fault, LocalNexus, Progress, ProgressRule

SCENARIO = """
[[progress]]
queued = 60
queue = 3

[[progress]]
job = "quick-*"
project = "team *"
reads = 1

[[faults]]
action = "answer"
status = 429
retry_after = 2
path = "/api/jobs/*"
times = 2

[[faults]]
action = "drop"
start = 3600
"""


@pytest.fixture
def status(client):
    """Reads the state and the queue position of a job."""

    def status(job: str) -> list:
        return client.run(
            """
            status = qnx.jobs.status(qnx.jobs.get(id=job))
            result = [status.status.name, status.queue_position]
            """,
            job=job,
        )

    return status


def shown(http, job: str) -> tuple[str, int | None]:
    """The state and the queue position, with a single read."""
    answer = http.get(f"/api/jobs/v1beta3/{job}/attributes/status").json()
    return answer["status"], answer.get("queue_position")


def test_a_queue_gets_shorter_with_every_read(nexus, http, submit):
    nexus.progress = Progress.after_reads(3, queue=3)
    job = submit("queue by reads")
    seen = [shown(http, job) for _ in range(4)]
    assert seen == [("QUEUED", 4), ("QUEUED", 3), ("QUEUED", 2), ("SUBMITTED", None)]


def test_a_queue_gets_shorter_with_time(nexus, submit, status):
    nexus.progress = Progress.seconds(queued=100, running=1000, queue=10)
    job = submit("queue by time")
    seen = [status(job)]
    for _ in range(2):
        nexus.advance(50)
        seen.append(status(job))
    assert seen == [["QUEUED", 11], ["QUEUED", 6], ["RUNNING", None]]


def test_a_listing_shows_each_state_as_soon_as_time_has_brought_it(nexus, submit, http):
    nexus.progress = Progress.seconds(queued=100, submitted=100, running=100)
    job = submit("listed")

    def listed() -> str:
        jobs = http.get("/api/jobs/v1beta3?filter[name]=listed").json()["data"]
        return {it["id"]: it["attributes"]["status"]["status"] for it in jobs}[job]

    seen = []
    for _ in range(5):
        seen.append(listed())
        nexus.advance(60)
    assert seen == ["QUEUED"] * 2 + ["SUBMITTED"] * 2 + ["RUNNING"]
    assert wait_until(lambda: listed() == "COMPLETED")


def test_jobs_ahead_in_the_queue_add_to_its_length(nexus, submit, status):
    nexus.progress = Progress.seconds(queued=1000, queue=5)
    positions = [status(submit(f"behind-{number}"))[1] for number in range(3)]
    assert positions == [6, 7, 8]


def test_jobs_move_by_the_rule_for_their_name(nexus, submit, status):
    nexus.set_progress(Progress.seconds(queued=1000), job="slow-*")
    assert status(submit("slow-one"))[0] == "QUEUED"
    nexus.progress = Progress.after_reads(100)
    assert status(submit("slow-two"))[1] is not None
    nexus.advance(1000)
    assert "QUEUED" not in [job["status"] for job in nexus.jobs()[-2:]]


def test_one_job_is_told_by_its_id(nexus, submit, status):
    nexus.progress = Progress.seconds(queued=1000)
    first, second = submit("same name"), submit("same name")
    nexus.set_progress(Progress.seconds(queued=1000, queue=50), job=second)
    assert [status(job)[1] for job in (first, second)] == [1, 52]


def test_jobs_move_by_the_rule_for_their_project(nexus, client, submit, status):
    client.run("qnx.projects.get_or_create('patient')")
    nexus.set_progress(Progress.seconds(queued=1000), project="pat*")
    assert status(submit("held", project="patient"))[0] == "QUEUED"
    job = submit("not held")
    ended = "result = qnx.jobs.wait_for(qnx.jobs.get(id=job), timeout=120).status.name"
    assert client.run(ended, job=job) == "COMPLETED"


def test_the_rule_set_last_decides_and_the_one_for_all_jobs_comes_after_them(nexus):
    rules = [
        ProgressRule(Progress.after_reads(2), job="a*"),
        ProgressRule(Progress.seconds(running=5, queued=1, queue=2), project="b*"),
    ]
    for rule in rules:
        nexus.set_progress(rule.progress, job=rule.job, project=rule.project)
    nexus.progress = Progress.after_reads(9)
    default = ProgressRule(Progress.after_reads(9))
    assert nexus.progress_rules() == [*reversed(rules), default]
    nexus.set_progress(Progress.immediate(), job="a*")
    assert nexus.progress_rules()[0] == ProgressRule(Progress.immediate(), job="a*")
    assert len(nexus.progress_rules()) == 3
    nexus.clear_progress()
    assert nexus.progress_rules() == [ProgressRule(Progress.immediate())]


def test_removing_the_rules_lets_held_jobs_go(nexus, client, submit):
    nexus.set_progress(Progress.seconds(queued=1000), job="let go")
    job = submit("let go")
    nexus.clear_progress()
    ended = "result = qnx.jobs.wait_for(qnx.jobs.get(id=job), timeout=120).status.name"
    assert client.run(ended, job=job) == "COMPLETED"


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"queued": -1}, "takes no negative numbers"),
        ({"queue": 5}, "a queue of 5 takes reads, queued or submitted"),
    ],
    ids=str,
)
def test_a_wrong_progress_is_refused_in_a_sentence(values, sentence):
    with pytest.raises(ValueError, match=sentence):
        Progress(**values)


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"queued": -1}, "queued: Input should be greater than or equal to 0."),
        (
            {"queue": 5},
            "body: a queue of 5 takes reads, queued or submitted to get shorter in.",
        ),
        ({"rums": 5}, "rums: Extra inputs are not permitted."),
    ],
    ids=str,
)
def test_the_server_names_the_field_of_a_wrong_progress(
    nexus, administrator, values, sentence
):
    answer = administrator.put("/_local/progress", json=values)
    assert (answer.status_code, answer.json()["message"]) == (422, sentence)
    assert nexus.progress == Progress.immediate()


def test_a_file_says_how_jobs_move_and_what_goes_wrong(tmp_path):
    path = tmp_path / "faults.toml"
    path.write_text(SCENARIO)
    with LocalNexus(faults=path) as nexus:
        assert nexus.progress == Progress.seconds(queued=60, queue=3)
        assert nexus.progress_rules()[0] == ProgressRule(
            Progress.after_reads(1), job="quick-*", project="team *"
        )
        path = "/api/jobs/*"
        assert [active.fault for active in nexus.faults()] == [
            Fault("answer", status=429, retry_after=2, path=path, times=2),
            Fault("drop", start=3600),
        ]


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("[[faults]]\naction = 'explode'\n", "faults.0.action: Input should be"),
        ("[[faults]]\naction = 'delay'\n", "a fault 'delay' needs seconds"),
        ("[[fault]]\naction = 'drop'\n", "fault: Extra inputs are not permitted"),
        ("[[progress]]\nqueue = 5\n", "progress.0: a queue of 5 takes"),
        ("[[faults\n", "at line 1"),
    ],
    ids=repr,
)
def test_a_wrong_file_is_one_sentence_and_exit_code_1(tmp_path, content, sentence):
    path = tmp_path / "faults.toml"
    path.write_text(content)
    ended = subprocess.run(
        [sys.executable, "-m", "local_nexus", "--faults", str(path)],
        capture_output=True,
        text=True,
    )
    assert ended.returncode == 1
    assert ended.stderr.startswith(f"Cannot use the file {path}: ")
    assert sentence in ended.stderr
    assert ended.stderr.count("\n") == 1
