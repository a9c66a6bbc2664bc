"""What a person is told, asked and refused before a job costs something."""

import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest
from pytket.circuit import Circuit

from tkr_nexus_worker import budget, jobs, programs
from tkr_nexus_worker.devices import config_of

NATIVE = Circuit(2, name="native").PhasedX(0.5, 0.5, 0).ZZPhase(0.5, 0, 1).measure_all()
COST = 5 + 100 * (1 + 10 + 5 * 4) / 5000
POST = {"method": "POST"}


@pytest.fixture
def native(tmp_path):
    path = tmp_path / "native.json"
    path.write_text(json.dumps(NATIVE.to_dict()))
    return path


@pytest.fixture
def options(tmp_path):
    return ["--shots", 100, "--directory", tmp_path, "--polling-interval", 0.2]


def test_a_job_above_the_limit_is_refused_before_it_is_uploaded(
    connected, refusal, native, options
):
    command = ["run", native, "--device", "H2-1", *options]
    line = refusal(*command, "--max-cost", 5.5, exit_code=2)
    assert "The job costs about 5.62 HQC, above its limit of 5.5" in line
    line = refusal(*command, "--max-program-cost", 5.5, exit_code=2)
    assert "Program 0 costs about 5.62 HQC, above its max_cost of 5.5" in line
    assert connected.requests(**POST) == []


def test_a_script_is_told_the_cost_and_not_asked(connected, command, native, options):
    limits = ["--max-cost", 6, "--max-program-cost", 6]
    shown = command("run", native, "--device", "H2-1E", *options, *limits)
    assert shown.exit_code == 0, shown.output
    assert "The job costs 5.62 HQC on H2-1E." in shown.stderr
    [submitted] = jobs.get_job_payload("native").programs
    assert submitted.options == {"max_cost": 6}


def test_a_person_at_a_terminal_is_asked_before_a_job_on_hardware(
    nexus, native, options, worker_environment
):
    nexus.clear_requests()
    terminal, of_command = pty.openpty()
    program = Path(sys.executable).with_name("tkr-nexus")
    with subprocess.Popen(
        [program, "run", native, "--device", "H2-1", *map(str, options)],
        stdin=of_command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=worker_environment,
    ) as asking:
        os.write(terminal, b"n\n")
        _, told = asking.communicate(timeout=100)
    os.close(terminal)
    os.close(of_command)
    assert asking.returncode == 1
    assert "The job costs 5.62 HQC on H2-1." in told
    assert "Submit the job? [y/N]" in told
    assert nexus.requests(**POST) == []


@pytest.fixture
def ledger(connected, tmp_path):
    """The ledger of a budget of which a job that has ended holds something."""
    path = tmp_path / "ledger"
    circuit = programs.upload_circuit(NATIVE, "tests of budgets")
    config = config_of("H2-1").model_copy(update={"noisy_simulation": False})
    with budget(hqc=20, name="shared", path=str(path)):
        job = jobs.start_execute_job("tests of budgets", "j", [circuit], [100], config)
    while not jobs.get_job_status(job).is_final:
        pass
    return path


def test_budget_shows_what_is_reserved_spent_and_left(ledger, command):
    shown = command("budget", ledger)
    assert shown.exit_code == 0, shown.output
    [row] = [line for line in shown.stdout.splitlines() if line.startswith("shared")]
    assert row.split() == ["shared", "20.00", "5.62", "0.00", "14.38", "HQC"]
    assert "Job 'j'" in shown.stdout
    assert "submitted" in shown.stdout
    shown = command("budget", ledger, "--update", "--limit", 6, "--json")
    [report] = json.loads(shown.stdout)
    assert (report["workflow"], report["ledger"]) == (None, str(ledger))
    balance = report["balance"]
    assert balance["limit"] == 6
    assert (balance["reserved"], balance["spent"]) == (0, pytest.approx(COST))
    assert balance["entries"][0]["state"] == "settled"


def test_budget_finds_those_of_workflows(node, node_storage, command, refusal):
    budget(hqc=5, name="own").ledger(node.parent).reserve("0123456789", 2, "Job 'lost'")
    (node.parent / "_budgets" / "own.json").write_text(
        json.dumps(
            {"budget": budget(hqc=5, name="own").model_dump(), "holds_for_all": 1}
        )
    )
    workflow = str(node_storage.workflow_id)
    directory = ["--directory", node_storage.tkr_dir]
    shown = command("budget", *directory)
    [row] = [line for line in shown.stdout.splitlines() if line.startswith("own")]
    assert row.split() == ["own", workflow, "5.00", "2.00", "0.00", "3.00", "HQC"]
    line = refusal("budget", workflow[:8], *directory, "--limit", 1, exit_code=2)
    assert "The limit 1 HQC is too small: 2 HQC" in line
    line = refusal("budget", workflow, *directory, "--release", "9", exit_code=2)
    assert "No single submission" in line
    command("budget", workflow, *directory, "--release", "0123")
    [report] = json.loads(command("budget", workflow, *directory, "--json").stdout)
    assert report["balance"]["left"] == 5
    line = refusal("budget", *directory, "--limit", 1, exit_code=2)
    assert "Name the workflow or the file" in line
