"""The commands for results, as a person calls them."""

import csv
import io
import json
import re
import time
from pathlib import Path
from uuid import uuid4

import pytest
from pytket.circuit import Circuit
from quantinuum_schemas.models.backend_config import (
    AerStateConfig,
    HeliosConfig,
    QuantinuumConfig,
)
from tests.helpers.circuit_results import counted, job_of, result_of

from local_nexus import Fault, Progress
from tkr_nexus_worker import jobs, programs
from tkr_nexus_worker.errors import JobFailedError
from tkr_nexus_worker.results.counts import JobResults
from tkr_nexus_worker.results.saved import load_results, save_results

PROJECT = "tests of the command results"
CONFIG = QuantinuumConfig(device_name="H2-1LE")
QIR = Path(__file__).parents[3] / "examples" / "data" / "bell.ll"
ONE = Circuit(2, name="one").X(0).measure_all()


def submit(*circuits, config=CONFIG):
    refs = [programs.upload_circuit(circuit, PROJECT) for circuit in circuits]
    shots = [10] * len(refs)
    name = f"job {uuid4()}"
    job = jobs.start_execute_job(PROJECT, name, refs, shots, config)
    while jobs.is_unfinished(job):
        time.sleep(0.02)
    return job


@pytest.fixture
def saved(tmp_path):
    """A file of results: a Bell state with some errors, and a circuit that failed."""
    bell = counted({"00": 48, "11": 50, "01": 2}, name="bell")
    failed = result_of(None, 1, "unlucky", state="ERROR")
    return save_results(job_of([bell, failed]), tmp_path / "saved.json")


def test_results_are_shown_by_id_and_by_name(connected, command):
    job = submit(ONE)
    for named in (job.id, job.annotations.name):
        result = command("results", named)
        assert result.exit_code == 0, result.output
        assert str(job.id) in result.stdout
        [row] = [line for line in result.stdout.splitlines() if "±" in line]
        assert row.split() == ["10", "10", "1.0000", "±", "0.0000"]


def test_the_most_frequent_outcomes_are_shown_and_the_others_added_up(command, saved):
    lines = command("results", saved, "--circuit", 0, "--top", 1).stdout.splitlines()
    assert any("3 outcomes" in line for line in lines)
    assert [line.split() for line in lines[-2:]] == [
        ["11", "50", "0.5000", "±", "0.0500"],
        ["2", "others", "50", "0.5000"],
    ]


def test_a_circuit_without_a_result_says_why(command, saved):
    result = command("results", saved)
    assert "circuit 1 ('unlucky')  ERROR. There is no result." in result.stdout


def test_post_selection_counts_some_shots(command, saved):
    result = command("results", saved, "--post-select", "c[0]=0", "--json")
    bell, _failed = json.loads(result.stdout)["circuits"]
    assert bell["counts"] == {"00": 48, "01": 2}
    assert (bell["n_shots"], bell["n_shots_taken"]) == (50, 100)
    table = command("results", saved, "--post-select", "c[0]=0").stdout
    assert "50 shots of 100 with c[0]=0" in table


def test_csv_has_a_row_for_each_outcome(command, saved):
    rows = list(csv.DictReader(io.StringIO(command("results", saved, "--csv").stdout)))
    assert [row["outcome"] for row in rows] == ["11", "00", "01"]
    assert rows[0]["name"] == "bell"
    assert float(rows[0]["standard_error"]) == pytest.approx(0.05)


def test_saved_results_are_those_of_the_job(connected, command, tmp_path):
    job = submit(ONE)
    path = tmp_path / "results.json.gz"
    result = command("results", job.id, "--save", path)
    assert (result.exit_code, result.stdout) == (0, "")
    assert str(path) in result.stderr
    assert dict(load_results(path)[0]) == {"10": 10}


def test_a_damaged_file_of_results_is_not_taken_for_the_name_of_a_job(
    refusal, tmp_path
):
    path = tmp_path / "results.json.gz"
    path.write_text("no gzip")
    assert "is damaged" in refusal("results", path, exit_code=2)


def test_results_are_a_data_frame_with_a_row_for_each_outcome(saved):
    results = load_results(saved)
    frame = results.df()
    assert list(frame.columns) == [
        *("job_id", "job_name", "project", "circuit", "name"),
        *("outcome", "count", "probability", "standard_error"),
    ]
    first = frame[frame["circuit"] == 0]
    assert dict(zip(first["outcome"], first["count"], strict=True)) == results[0].counts
    assert set(first["job_id"]) == {results.job.job_id}
    assert first["probability"].sum() == pytest.approx(1)
    alone = results[0].df()
    assert alone["outcome"].tolist() == results[0].outcomes
    assert len(frame) == sum(len(one) for one in results)


def test_rows_of_several_jobs_name_each_its_job():
    parts = []
    for number in range(2):
        circuit = counted({"0": 3}, 0)
        item = circuit.item.model_copy(update={"result_id": f"result {number}"})
        circuit.item = item
        results = job_of([circuit])
        update = {"job_id": f"job {number}", "items": [item]}
        job = results.job.model_copy(update=update)
        parts.append((JobResults(job, [circuit]), [number]))
    frame = JobResults.joined(parts).df()
    assert frame["job_id"].tolist() == ["job 0", "job 1"]
    assert frame["circuit"].tolist() == [0, 1]


def test_a_file_is_not_overwritten_and_nothing_is_fetched(connected, refusal, saved):
    before = saved.read_bytes()
    line = refusal("results", uuid4(), "--save", saved, exit_code=2)
    assert f"{saved} exists already" in line
    assert saved.read_bytes() == before
    assert connected.requests() == []


def test_a_state_is_explained(connected, command):
    job = submit(Circuit(1).X(0), config=AerStateConfig())
    result = command("results", job.id)
    assert "state or unitary" in result.stdout
    assert result.exit_code == 0


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--post-select", "d[0]=1"], "no bit 'd[0]' in circuit 0 ('bell')"),
        (["--post-select", "c[0]"], "give a bit and its value"),
        (["--circuit", 2], "no circuit 2"),
        (["--json", "--csv"], "either --json or --csv"),
        (["--top", 0], "--top"),
    ],
)
def test_wrong_options_are_refused(refusal, saved, options, message):
    assert message in refusal("results", saved, *options, exit_code=2)


def test_an_unfinished_job_has_results_with_partial_only(connected, refusal, command):
    connected.progress = Progress.seconds(queued=3600)
    ref = programs.upload_circuit(ONE, PROJECT)
    job = jobs.start_execute_job(PROJECT, "slow", [ref], [10], CONFIG)
    assert "not ready" in refusal("results", job.id, exit_code=3)
    result = command("results", job.id, "--partial")
    assert "circuit 0  QUEUED" in result.stdout


def test_programs_that_are_no_circuits_are_called_by_their_names(
    connected, refusal, command
):
    connected.progress = Progress.seconds(queued=3600)
    ref = programs.upload_qir(QIR.read_bytes(), PROJECT, "coin")
    job = jobs.start_execute_job(PROJECT, "slow", [ref], [10], HeliosConfig())
    result = command("results", job.id, "--partial")
    assert "program 0 ('coin')  QUEUED" in result.stdout
    line = refusal("results", job.id, "--partial", "--program", 2, exit_code=2)
    assert "no program 2" in line
    connected.set_job_status(job.id, "ERROR", "", "Broken laser")
    failure = "1 of its 1 programs gave no complete result: program 0 ('coin'): it"
    assert failure in refusal("results", job.id, exit_code=4)
    with pytest.raises(JobFailedError, match=re.escape(failure)) as caught:
        jobs.is_running(job)
    assert "circuit" not in str(caught.value)


def test_unknown_jobs_and_results_that_are_gone_fail_in_one_line(connected, refusal):
    assert "no job" in refusal("results", uuid4(), exit_code=2)
    job = submit(ONE)
    with connected.fault(Fault("answer", path="/api/results/*", status=410)):
        assert "no longer keeps" in refusal("results", job.id, exit_code=1)


def test_files_that_hold_no_results_are_named(refusal, tmp_path):
    path = tmp_path / "circuit.json"
    assert "No such file" in refusal("results", path, exit_code=2)
    path.write_text("{}")
    assert f"{path} is not a receipt" in refusal("results", path, exit_code=2)


def test_a_plot_in_the_terminal_shows_bars_and_errors(command, saved, tmp_path):
    ideal = tmp_path / "ideal.json"
    ideal.write_text('{"00": 0.5, "11": 0.5}')
    result = command("plot", saved, "--ideal", ideal)
    assert result.exit_code == 0, result.output
    assert "0.4800 ± 0.0500  0.5000" in result.stdout
    assert "█" in result.stdout


def test_a_plot_is_compared_with_the_exact_distribution(connected, command, refusal):
    job = submit(ONE, Circuit(2, name="two").H(0).CX(0, 1).measure_all())
    result = command("plot", job.id, "--ideal", "exact")
    assert result.exit_code == 0, result.output
    assert "1.0000 ± 0.0000  1.0000" in result.stdout
    assert result.stdout.count("  0.5000\n") == 2
    again = Circuit(1, 1, name="again").Measure(0, 0).X(0).Measure(0, 0)
    job = submit(again)
    line = refusal("plot", job.id, "--ideal", "exact", exit_code=2)
    assert "ideal distribution of circuit 'again' cannot be calculated" in line
    line = refusal("plot", job.id, "--ideal", "nowhere.json", exit_code=2)
    assert "nowhere.json cannot be read" in line


def test_a_plot_goes_to_a_file(command, refusal, saved, tmp_path):
    path = tmp_path / "bell.svg"
    result = command("plot", saved, "-o", path)
    assert (result.exit_code, str(path) in result.stdout) == (0, True), result.output
    assert "<svg" in path.read_text()
    assert "exists already" in refusal("plot", saved, "-o", path, exit_code=2)
    assert command("plot", saved, "-o", path, "--force").exit_code == 0


def test_a_plot_of_nothing_is_refused(refusal, saved, tmp_path):
    assert "no result (ERROR)" in refusal("plot", saved, "--circuit", 1, exit_code=2)
    picture = tmp_path / "bell.pdf"
    assert "ends in .png" in refusal("plot", saved, "-o", picture, exit_code=2)


def test_of_many_circuits_the_first_are_drawn_and_that_is_said(command, tmp_path):
    many = job_of([counted({"0": 9}, index) for index in range(20)])
    path = save_results(many, tmp_path / "many.json")
    result = command("plot", path)
    assert "first 12 of 20 circuits" in result.stderr
    assert result.stdout.count("█") >= 12
