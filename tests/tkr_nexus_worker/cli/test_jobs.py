"""The commands that look at jobs and change them, as a person calls them."""

import csv
import io
import json
import os
import subprocess
import sys
from pathlib import Path
from uuid import UUID

import httpx
import pytest
from pydantic import TypeAdapter
from tests.conftest import MANY_JOBS, PROJECT, WAITING_JOBS

from local_nexus import Progress
from tkr_nexus_worker.cli.job_tables import details_tables, jobs_list
from tkr_nexus_worker.errors import NexusRefusedError
from tkr_nexus_worker.jobs import find_job, get_job_details, get_job_status, list_jobs
from tkr_nexus_worker.jobs.models import (
    JobDetails,
    JobPayload,
    JobStatusReport,
    JobSummary,
)
from tkr_nexus_worker.jobs.payload import with_program_names
from tkr_runtime.cli.output import new_console, print_tables

COMMAND = Path(sys.executable).with_name("tkr-nexus")
COLUMNS = "name id project backend status queue items HQC age"


def cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.split("  ") if cell.strip()]


def test_jobs_lists_what_waits_or_runs(connected, waiting_job, submit, command):
    connected.set_job_status(submit().id, "COMPLETED")
    result = command("jobs")
    head, row = result.stdout.splitlines()
    assert head.split() == COLUMNS.split()
    assert cells(row)[:-1] == [
        waiting_job.annotations.name,
        str(waiting_job.id)[:8],
        PROJECT,
        "H2-1LE",
        "QUEUED",
        "1",
        "0/2",
    ]
    assert (result.exit_code, result.stderr) == (0, "")


def test_jobs_lists_all_or_those_of_a_state_or_project(connected, submit, command):
    ended = submit(project="a project for the command line")
    connected.set_job_status(ended.id, "ERROR")
    for options in (
        ["--all", "--limit", 1],
        ["--status", "error", "--limit", 1],
        ["--all", "--project", "a project for the command line"],
    ):
        _, row = command("jobs", *options).stdout.splitlines()
        assert str(ended.id)[:8] in row


def test_jobs_are_printed_as_csv(connected, waiting_job, command, refusal):
    (job,) = list_jobs(limit=1)
    (row,) = csv.DictReader(io.StringIO(command("jobs", "--csv").stdout))
    expected = job.model_dump(mode="json")
    assert row == {
        name: "" if expected[name] is None else str(expected[name]) for name in row
    }
    assert (row["state"], row["items_total"]) == ("QUEUED", "2")
    connected.set_job_status(waiting_job.id, "COMPLETED")
    assert command("jobs", "--csv").stdout.startswith("job_id,name,project,")
    assert "either --json or --csv" in refusal("jobs", "--csv", "--json", exit_code=2)


def test_where_no_job_is_listed_a_hint_says_how_to_see_more(connected, command):
    result = command("jobs")
    assert (result.exit_code, result.stdout) == (0, "")
    assert "--all" in result.stderr


def test_jobs_of_ten_thousand_asks_for_what_it_shows_alone(full_nexus, command):
    result = command("jobs")
    assert len(result.stdout.splitlines()) == 21
    assert "--limit shows more" in result.stderr
    listing, *others = sorted(full_nexus.requests(), key=lambda it: it.path)
    query = httpx.QueryParams(listing.query)
    assert listing.path == "/api/jobs/v1beta3"
    assert query["page[size]"] == "20"
    assert "QUEUED" in query.get_list("filter[status][status]")
    shown = {line.split()[2] for line in result.stdout.splitlines()[1:]}
    assert {it.path.rsplit("/")[-1][:8] for it in others} == shown
    assert len(others) == 20


def test_all_that_wait_are_listed_out_of_ten_thousand(full_nexus, command):
    result = command("jobs", "--json", "--limit", MANY_JOBS)
    found = TypeAdapter(list[JobSummary]).validate_json(result.stdout)
    assert [it.name for it in found] == [f"job {n}" for n in range(WAITING_JOBS)]
    assert {(it.items_done, it.items_total) for it in found} == {(1, 2)}


def test_the_longest_values_fit_into_80_columns(connected, submit, monkeypatch, capsys):
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "80")
    submit("[red]a very long name[/red] " * 10, project="a long project " * 10)
    (job,) = list_jobs(limit=1)
    long = job.model_copy(
        update={
            "state": "TERMINATED",
            "queue_position": 100_000,
            "items_done": 1000,
            "items_total": 1000,
            "cost": 12_345.67,
        }
    )
    console = new_console()
    with console.capture() as captured:
        console.print(jobs_list([long]))
    row = captured.get().splitlines()[2]
    assert len(row) == 80
    assert row.startswith("[red]")
    assert cells(row)[-5:-1] == ["TERMINATED", "100000", "1000/1000", "12345.67"]


@pytest.mark.parametrize(
    ("state", "code"),
    [
        ("COMPLETED", 0),
        ("QUEUED", 3),
        ("PAUSED", 3),
        ("ERROR", 4),
        ("CANCELLED", 4),
        ("TERMINATED", 4),
        ("DEPLETED", 4),
    ],
)
def test_the_exit_code_of_status_tells_the_state(
    connected, submit, command, state, code
):
    job = submit()
    connected.set_job_status(job.id, state, "because")
    result = command("status", job.id)
    assert result.exit_code == code
    (line,) = result.stdout.splitlines()
    assert f"{job.annotations.name}  {job.id}  {state}" in line
    assert line.endswith("because")


def test_show_tells_everything_in_80_columns(connected, submit, command):
    job = submit("shown", circuits=2)
    connected.set_job_status(job.id, "COMPLETED", item=0)
    connected.set_job_status(job.id, "ERROR", "no luck", "gate X is unknown", item=1)
    shown = command("show", str(job.id)[:8]).stdout
    for text in (
        "shown",
        str(job.id),
        PROJECT,
        "H2-1LE",
        "device_name=H2-1LE",
        "2 of 2 done",
        "ERROR, no luck, gate X is unknown",
        "error, no luck; gate X is unknown",
        "queued",
        "circuit bell",
    ):
        assert text in shown
    assert "tkr-nexus-worker" not in shown


@pytest.mark.parametrize(
    ("description", "shown"),
    [
        ("The first of three runs.", "description  The first of three runs."),
        (f"Made by tkr-nexus-worker [tkr-nexus-worker {'0' * 32}]", None),
        (
            f"Tierkreis workflow {UUID(int=7)}, task - [tkr-nexus-worker {'0' * 32}]",
            f"workflow     {UUID(int=7)}",
        ),
    ],
)
def test_show_tells_what_a_person_wrote_and_no_key(
    connected, waiting_job, capsys, description, shown
):
    job = get_job_details(waiting_job).model_copy(update={"description": description})
    print_tables(*details_tables(job))
    lines = capsys.readouterr().out.splitlines()
    assert not any("0" * 32 in line for line in lines)
    found = [it for it in lines if it.startswith(("description", "workflow"))]
    assert [" ".join(it.split()) for it in found] == [
        " ".join(it.split()) for it in filter(None, [shown])
    ]


def test_no_line_in_a_pipe_is_padded(connected, waiting_job, command):
    for arguments in (
        ["jobs", "--all"],
        ["status", waiting_job.id],
        ["show", waiting_job.id],
        ["payload", waiting_job.id],
        ["results", waiting_job.id, "--partial"],
        ["devices"],
        ["device", "H1-1", "H2-1"],
        ["whoami"],
        ["cancel", waiting_job.id],
    ):
        result = command(*arguments)
        lines = result.stdout.splitlines()
        assert lines, result.output
        assert [line for line in lines if line != line.rstrip()] == []


def test_every_command_prints_the_json_of_its_model(connected, waiting_job, command):
    name = waiting_job.annotations.name
    details = JobDetails.model_validate_json(command("show", name, "--json").stdout)
    assert details == with_program_names(get_job_details(waiting_job))
    assert {it.program_name for it in details.items} == {"bell"}
    status = command("status", name, "--json").stdout
    assert JobStatusReport.model_validate_json(status) == get_job_status(waiting_job)
    payload = command("payload", name, "--json").stdout
    assert JobPayload.model_validate_json(payload).job_id == str(waiting_job.id)
    reports = TypeAdapter(list[JobStatusReport])
    (cancelled,) = reports.validate_json(command("cancel", name, "--json").stdout)
    assert cancelled.state == "CANCELLED"
    (retried,) = reports.validate_json(command("retry", name, "--json").stdout)
    assert retried.phase == "waiting"
    command("cancel", name)
    (deleted,) = reports.validate_json(
        command("delete", name, "--yes", "--json").stdout
    )
    assert deleted.job_id == str(waiting_job.id)


def test_payload_draws_each_circuit_once(waiting_job, command):
    shown = command("payload", waiting_job.annotations.name).stdout
    assert "program 1" in shown
    assert "circuit bell, 10 shots" in shown
    assert shown.count("M>c[0]") == 2  # two uploads of one circuit


def test_cancel_takes_several_jobs_and_finds_all_of_them_first(
    connected, waiting_job, submit, command, refusal
):
    other = submit()
    message = refusal("cancel", waiting_job.id, "no such job", exit_code=2)
    assert "no job called 'no such job'" in message
    assert get_job_status(waiting_job).state == "QUEUED"
    result = command("cancel", waiting_job.id, other.id)
    assert result.stdout.count("is now in state CANCELLED.") == 2


def test_cancel_of_a_job_that_had_ended_is_no_success(
    connected, waiting_job, submit, command
):
    ended = submit("ended")
    connected.set_job_status(ended.id, "COMPLETED")
    result = command("cancel", ended.id, waiting_job.id)
    assert result.exit_code == 1
    assert result.stderr == (
        "Error: Not cancelled, because it had ended before: job 'ended' "
        f"({ended.id}): COMPLETED.\n"
    )
    assert "is now in state CANCELLED." in result.stdout
    assert "ended" not in result.stdout
    again = command("cancel", waiting_job.id)
    assert (again.exit_code, again.stderr) == (0, "")
    states = json.loads(command("cancel", ended.id, "--json").stdout)
    assert [it["state"] for it in states] == ["COMPLETED"]


def test_retry_of_what_could_still_run_is_refused(waiting_job, refusal, command):
    message = refusal("retry", waiting_job.id, exit_code=2)
    assert "could still run" in message
    assert "billed twice" in " ".join(command("retry", "--help").stdout.split())


@pytest.mark.parametrize("answer", ["n\n", ""])
def test_delete_asks_and_does_nothing_without_a_yes(connected, submit, command, answer):
    job = submit("not to be deleted")
    connected.set_job_status(job.id, "COMPLETED")
    result = command("delete", job.id, stdin=answer)
    assert (result.exit_code, result.stdout) == (1, "")
    assert "not to be deleted" in result.stderr
    assert find_job(str(job.id)).id == job.id


@pytest.mark.parametrize("yes", [True, False])
def test_delete_deletes_after_a_yes(connected, submit, command, yes):
    job = submit()
    connected.set_job_status(job.id, "COMPLETED")
    result = command("delete", job.id, *["--yes"] * yes, stdin="y\n")
    assert result.stdout == (f"Deleted job '{job.annotations.name}' ({job.id}).\n")
    with pytest.raises(NexusRefusedError):
        find_job(str(job.id))


def test_delete_of_a_job_that_could_still_run_is_refused(waiting_job, refusal):
    message = refusal("delete", waiting_job.id, "--yes", exit_code=2)
    assert "could still run" in message


def test_a_name_cannot_command_the_terminal(connected, submit, command, refusal):
    evil = "bell\x1b[2J\x07\nfake row"
    job = submit(evil)
    connected.set_job_status(job.id, "QUEUED", "message\x1b]0;title\x07")
    for arguments in (
        ["jobs"],
        ["status", job.id],
        ["show", job.id],
        ["payload", job.id],
        ["watch", job.id, "--timeout", "0.1"],
        ["cancel", job.id],
    ):
        result = command(*arguments)
        assert "\x1b" not in result.output
        assert "\x07" not in result.output
        assert "\nfake" not in result.output
    submit(evil)
    assert "\x1b" not in refusal("status", evil, exit_code=2)


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["jobs", "--all", "--status", "ERROR"], 2, "either --all or --status"),
        (["jobs", "--status", "DONE"], 2, "'DONE' is not one of"),
        (["jobs", "--limit", "0"], 2, "0 is not in the range"),
        (["jobs", "--project", "nowhere"], 2, "no project called 'nowhere'"),
        (["status", ""], 2, "give its id"),
        (["show", "no such job"], 2, "no job called"),
        (["payload", "no such job", "--save", __file__], 2, "is a file"),
    ],
)
def test_wrong_use_is_refused_in_a_line(connected, refusal, arguments, code, words):
    assert words in refusal(*arguments, exit_code=code)


def test_a_shell_lists_jobs(connected, waiting_job):
    connected.progress = Progress.seconds(queued=1e6)
    result = subprocess.run(
        [COMMAND, "jobs"], capture_output=True, text=True, env=os.environ, timeout=200
    )
    assert (result.returncode, result.stderr) == (0, "")
    assert str(waiting_job.id)[:8] in result.stdout


def test_the_help_of_no_command_loads_qnexus_or_pytket():
    code = """
import sys
import click
from tkr_nexus_worker.cli import cli
for name in cli.list_commands(click.Context(cli)):
    cli([name, "--help"], standalone_mode=False)
print([m for m in ("qnexus", "pytket") if m in sys.modules])
"""
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True
    )
    assert result.stdout.splitlines()[-1] == "[]", result.stderr
