"""The commands that look at jobs and change them, as a person calls them."""

import csv
import io
import json
from uuid import uuid4

import pytest
from pydantic import TypeAdapter
from tests.helpers.photonic_workflows import QPU, hong_ou_mandel

from local_artemis import Progress
from tkr_lightworks_worker import jobs
from tkr_lightworks_worker.artemis.states import JOB_STATES
from tkr_lightworks_worker.cli.job_tables import jobs_list
from tkr_lightworks_worker.jobs import get_job_details, get_job_status, list_jobs
from tkr_lightworks_worker.jobs.models import Job, JobStatus, WaitProgress
from tkr_lightworks_worker.samplers import SamplerSpec
from tkr_runtime.cli.output import new_console

HOM = SamplerSpec.of(hong_ou_mandel())


@pytest.fixture
def submit(artemis):
    def submit(name=None):
        return jobs.submit_job(QPU, name or f"job {uuid4()}", HOM)

    return submit


@pytest.fixture
def waiting(artemis, submit):
    artemis.progress = Progress.seconds(queued=1e6)
    return submit()


def test_jobs_lists_what_waits_or_runs(artemis, waiting, submit, command):
    artemis.set_job_status(submit().job_id, "Completed")
    result = command("jobs")
    head, row = result.stdout.splitlines()
    assert head.split() == ["name", "id", "qpu", "status", "queue", "age"]
    assert f"  {waiting.job_id}  " in row
    assert waiting.name in row
    assert (result.exit_code, result.stderr) == (0, "")


def test_jobs_lists_all_or_those_of_a_state(artemis, submit, command):
    failed = submit()
    artemis.set_job_status(failed.job_id, "Failed")
    for options in (["--all"], ["--status", "failed"]):
        result = command("jobs", *options, "--limit", 1)
        _, row = result.stdout.splitlines()
        assert f"  {failed.job_id}  " in row
        assert "--limit shows more" in result.stderr
    found = json.loads(command("jobs", "--all", "--limit", 1, "--json").stdout)
    assert [it["job_id"] for it in found] == [failed.job_id]
    listed = command("jobs", "--all", "--limit", 1, "--csv").stdout
    (row,) = csv.DictReader(io.StringIO(listed))
    assert (row["job_id"], row["state"]) == (str(failed.job_id), "Failed")


def test_where_no_job_is_listed_a_hint_says_how_to_see_more(artemis, command):
    result = command("jobs")
    assert (result.exit_code, result.stdout) == (0, "")
    assert "--all" in result.stderr


def test_the_longest_values_fit_into_80_columns(artemis, waiting, monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "80")
    (job,) = list_jobs(limit=1)
    long = job.model_copy(
        update={"name": "[red]long name[/red] " * 9, "queue_position": 100_000}
    )
    console = new_console()
    with console.capture() as captured:
        console.print(jobs_list([long]))
    row = captured.get().splitlines()[2]
    assert len(row) == 80
    assert row.startswith("[red]long")
    assert str(job.job_id) in row


@pytest.mark.parametrize("state", [*JOB_STATES, "Calibrating"])
def test_the_exit_code_of_status_tells_the_state(artemis, waiting, command, state):
    artemis.set_job_status(waiting.job_id, state, "because")
    result = command("status", waiting.name)
    known = JOB_STATES.get(state)
    phase = "waiting" if known is None else known.phase
    assert result.exit_code == {"succeeded": 0, "waiting": 3, "failed": 4}[phase]
    assert result.stdout.startswith(f"{waiting.name}  {waiting.job_id}  {state}")
    assert result.stdout.endswith("because\n")


def test_show_tells_everything(artemis, waiting, command):
    artemis.set_job_status(waiting.job_id, "Failed", "no luck", [(7, "too deep")])
    result = command("show", waiting.name)
    for text in (waiting.name, "Failed, no luck", "too deep (code 7)", "created"):
        assert text in result.stdout


def test_every_command_prints_the_json_of_its_model(artemis, waiting, command):
    name = waiting.name
    details = Job.model_validate_json(command("show", name, "--json").stdout)
    assert details == get_job_details(name)
    status = JobStatus.model_validate_json(command("status", name, "--json").stdout)
    assert status == get_job_status(name)
    reports = TypeAdapter(list[JobStatus])
    (cancelled,) = reports.validate_json(command("cancel", name, "--json").stdout)
    assert cancelled.state == "Cancelled"
    watched = command("watch", name, "--json")
    (progress,) = map(WaitProgress.model_validate_json, watched.stdout.splitlines())
    assert (progress.status.phase, watched.exit_code) == ("failed", 4)


def test_cancel_takes_several_jobs_and_finds_all_of_them_first(
    waiting, submit, command, refusal
):
    other = submit()
    message = refusal("cancel", waiting.job_id, "no such job", exit_code=2)
    assert "no job called 'no such job'" in message
    assert get_job_status(waiting).phase == "waiting"
    result = command("cancel", waiting.job_id, other.job_id)
    assert result.stdout.count("is now in state Cancelled.") == 2


def test_cancel_of_a_job_that_had_ended_is_no_success(
    artemis, waiting, command, refusal
):
    artemis.set_job_status(waiting.job_id, "Completed")
    line = refusal("cancel", waiting.job_id, exit_code=1)
    assert "had ended before" in line
    assert f"({waiting.job_id}): Completed." in line


def test_a_job_that_is_not_there_is_an_unknown_name(artemis, refusal):
    assert "There is no job 987654" in refusal("status", 987654, exit_code=2)


def test_no_line_in_a_pipe_is_padded(artemis, waiting, command):
    for arguments in (["jobs"], ["show", waiting.job_id], ["qpus"], ["qpu", QPU, QPU]):
        lines = command(*arguments).stdout.splitlines()
        assert lines
        assert [line for line in lines if line != line.rstrip()] == []


def test_watch_prints_a_line_for_each_change(artemis, submit, command):
    artemis.progress = Progress.after_reads(4, queue=2)
    first, second = submit("first"), submit("second")
    result = command("watch", first.job_id, second.job_id, "--interval", "0.1")
    assert result.exit_code == 0, result.output
    lines = result.stdout.splitlines()
    assert len(lines) == len(set(lines))
    for job in (first, second):
        own = [line for line in lines if f"  {job.job_id}  " in line]
        assert "Completed" in own[-1]
        assert len(own) > 1


def test_watch_ends_with_the_time_and_says_that_the_job_goes_on(waiting, command):
    result = command("watch", waiting.job_id, "--timeout", "0.2")
    assert result.exit_code == 3
    assert "It continues" in result.stderr


def test_a_name_cannot_command_the_terminal(artemis, submit, command):
    job = submit("hom\x1b[2J\x07\nfake row")
    artemis.set_job_status(job.job_id, "Scheduled", "note\x1b]0;title\x07")
    for arguments in (["jobs"], ["status"], ["show"], ["watch", "--timeout", "0.1"]):
        name, *options = arguments
        named = [] if name == "jobs" else [job.job_id]
        result = command(name, *named, *options)
        assert "\x1b" not in result.output
        assert "\nfake" not in result.output


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["jobs", "--all", "--status", "Failed"], 2, "either --all or --status"),
        (["jobs", "--status", "Done"], 2, "'Done' is not one of"),
        (["status", ""], 2, "give its id"),
        (["show", "no such job"], 2, "no job called"),
        (["payload", "no such job", "--save", __file__], 2, "exists already"),
        (["status", "1" * 5000], 2, "no job called"),
        (["status"], 2, "Missing argument 'JOB'. Try"),
        (["run"], 2, "Missing argument 'FILE' and option '--qpu'; with"),
        (["watch", *["job"] * 51], 2, "at most 50"),
    ],
)
def test_wrong_use_is_refused_in_a_line(artemis, refusal, arguments, code, words):
    assert words in refusal(*arguments, exit_code=code)


def test_without_a_token_watch_refuses_instead_of_waiting_for_one(
    artemis, own_settings, refusal
):
    (own_settings / "tokens.json").unlink()
    assert "no access token" in refusal("watch", 1, exit_code=1)
    assert artemis.requests() == []
