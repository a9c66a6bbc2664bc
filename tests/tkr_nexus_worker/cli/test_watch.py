"""``tkr-nexus watch``, in a pipe and at a terminal."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest
from rich.console import Console

from local_nexus import Progress
from tkr_nexus_worker.jobs.models import WaitProgress
from tkr_runtime.cli import watch

COMMAND = Path(sys.executable).with_name("tkr-nexus")


def test_a_pipe_gets_a_line_for_each_change(connected, submit, command):
    connected.progress = Progress.after_reads(4, queue=2)
    first, second = submit("first"), submit("second")
    result = command("watch", "first", second.id, "--interval", "0.1")
    assert result.exit_code == 0, result.output
    lines = result.stdout.splitlines()
    assert len(lines) == len(set(lines))
    for job in (first, second):
        own = [line for line in lines if str(job.id)[:8] in line]
        assert "QUEUED, queue position" in own[0]
        assert "COMPLETED" in own[-1]


def test_json_is_a_line_for_each_change(connected, submit, command):
    job = submit()
    connected.set_job_status(job.id, "COMPLETED")
    result = command("watch", job.id, "--json")
    (progress,) = map(WaitProgress.model_validate_json, result.stdout.splitlines())
    assert progress.status.job_id == str(job.id)
    assert progress.status.state == "COMPLETED"


def test_one_bad_end_is_the_exit_code(connected, submit, command):
    good, bad = submit(), submit()
    connected.set_job_status(good.id, "COMPLETED")
    connected.set_job_status(bad.id, "ERROR", "no luck")
    result = command("watch", good.id, bad.id)
    assert result.exit_code == 4
    assert "ERROR, no luck" in result.stdout


def test_the_end_of_the_time_is_an_exit_code_of_its_own(waiting_job, command):
    result = command("watch", waiting_job.id, "--timeout", "0.2")
    assert result.exit_code == 3
    assert "It continues" in result.stderr


def test_too_many_jobs_are_refused(connected, refusal):
    message = refusal("watch", *["job"] * 51, exit_code=2)
    assert "at most 50" in message
    assert connected.requests() == []


def test_a_terminal_shows_a_table_of_all_jobs(connected, submit, command, monkeypatch):
    job = submit("[red]a name of many words[/red] " * 5)
    connected.set_job_status(job.id, "ERROR", "no luck")
    console = Console(
        width=80, markup=False, force_terminal=True, force_interactive=True
    )
    monkeypatch.setattr(watch, "new_console", lambda: console)
    with console.capture() as captured:
        result = command("watch", job.id)
    assert result.exit_code == 4
    shown = captured.get()
    for text in ("starts in", "ERROR", "no luck", str(job.id)[:8], "[red]a"):
        assert text in shown


def test_ctrl_c_ends_at_once_and_says_that_the_jobs_go_on(waiting_job):
    with subprocess.Popen(
        [COMMAND, "watch", str(waiting_job.id)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # Shells let what they start in the background ignore it.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509
    ) as watching:
        assert "QUEUED" in watching.stdout.readline()
        watching.send_signal(signal.SIGINT)
        _, errors = watching.communicate(timeout=60)
    assert watching.returncode == 1
    assert errors.splitlines() == ["The jobs continue on Nexus.", "", "Aborted!"]


@pytest.mark.parametrize("option", ["--timeout", "--interval"])
def test_times_are_above_zero(refusal, option):
    assert "is not in the range" in refusal("watch", "x", option, "0", exit_code=2)
