"""Samplers in files: checked, run, and their results shown, saved and plotted."""

import csv
import io
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from tests.helpers.photonic_workflows import QPU, hong_ou_mandel, identity, rich_sampler

from tkr_lightworks_worker.cli.saved_results import load_results, save_results
from tkr_lightworks_worker.results import SamplingResult
from tkr_lightworks_worker.samplers import SamplerSpec

COMMAND = Path(sys.executable).with_name("tkr-lightworks")
HOM = SamplerSpec.of(hong_ou_mandel())
PYTHON = """
import lightworks as lw

circuit = lw.PhotonicCircuit(2)
circuit.bs(0)
sampler = lw.Sampler(circuit, lw.State([1, 1]), 100, min_detection=1)
samplers = [sampler, sampler]
"""


@pytest.fixture
def hom(tmp_path):
    path = tmp_path / "hom.json"
    path.write_text(HOM.model_dump_json())
    return path


@pytest.fixture
def script(tmp_path):
    path = tmp_path / "hom.py"
    path.write_text(PYTHON)
    return path


@pytest.fixture
def saved(tmp_path):
    """A file of results: one with heralds and post-selection, one that timed out."""
    selected = SamplingResult(
        job_id=1,
        job_name="selected",
        state="Completed",
        raw_counts={"|1,0,1>": 60, "|0,1,1>": 30, "|1,1,0>": 10},
        heralds=[{"modes": [2], "photons": [1]}],
    )
    partial = SamplingResult(
        job_id=2,
        state="TimedOut",
        is_partial=True,
        raw_counts={"|1,0>": 3},
    )
    path = tmp_path / "saved.json.gz"
    save_results([selected, partial], path)
    return path


def test_samplers_are_run_and_their_jobs_can_be_worked_with_afterwards(
    photonic_environment, command, refusal, tmp_path, monkeypatch
):
    for name, value in photonic_environment.items():
        monkeypatch.setenv(name, value)
    file, results = tmp_path / "two.json", tmp_path / "results.json"
    specs = [HOM, SamplerSpec.of(rich_sampler())]
    file.write_text(json.dumps([it.model_dump(mode="json") for it in specs]))
    options = ["--directory", os.environ["TKR_DIR"], "--polling-interval", 0.2]
    shown = command(
        *("run", file, "--qpu", QPU, *options, "--samples", 40),
        *("--json", "--save", results, "--name", "two samplers"),
    )
    assert shown.exit_code == 0, shown.output
    first, second = json.loads(shown.stdout)
    assert set(first["counts"]) <= {"|1,0>", "|0,1>"}
    assert [sum(it["raw_counts"].values()) for it in (first, second)] == [40, 40]
    assert [it.model_dump(mode="json") for it in load_results(results)] == [
        first,
        second,
    ]
    assert first["job_name"].startswith("two samplers_1 [")
    again = command("results", first["job_id"], "two samplers_2", "--json")
    assert json.loads(again.stdout) == [first, second]
    payload = tmp_path / "payload.json"
    assert command("payload", first["job_id"], "--save", payload).exit_code == 0
    assert json.loads(payload.read_text())["n_samples"] == 40
    submitted = json.loads(command("payload", first["job_id"], "--json").stdout)
    assert submitted["payload"] == json.loads(payload.read_text())
    table = command("payload", second["job_id"]).stdout
    assert "modes 1, 2: 1 or 2 photons; mode 1: 0 or 1 photons" in table
    assert "is not submitted again" in refusal("retry", first["job_id"], exit_code=2)
    (new,) = json.loads(command("retry", first["job_id"], "--force", "--json").stdout)
    assert new["job_id"] not in (first["job_id"], second["job_id"])


def test_an_embedded_artemis_runs_a_python_file_without_an_account(script, tmp_path):
    environment = {
        name: value for name, value in os.environ.items() if "LIGHTWORKS" not in name
    }
    result = subprocess.run(
        [COMMAND, "run", script, "--local", "--samples", "50"],
        capture_output=True,
        text=True,
        env={**environment, "HOME": str(tmp_path)},
        timeout=200,
    )
    assert result.returncode == 0, result.stderr
    lines = result.stdout.splitlines()
    heads = [line for line in lines if line.startswith("hom_")]
    assert len(heads) == 2
    assert all(head.endswith("Completed, 50 samples") for head in heads)
    states = {line.split()[0] for line in lines if line.startswith("|")}
    assert states == {"|1,0>", "|0,1>"}
    first, *others = result.stderr.splitlines()
    assert first == "tkr-lightworks run --local takes --qpu Artemis"
    assert any(line.startswith("submitted job 'hom_1 [") for line in others)


def test_check_tells_what_samplers_need_and_fails_where_they_do_not_fit(
    artemis, command, hom, tmp_path
):
    good = command("check", hom, "--qpu", QPU)
    assert good.exit_code == 0, good.output
    assert good.stdout.splitlines()[1].split() == [
        "0",
        "2",
        "2",
        "1",
        "100",
        "1,000,000",
    ]
    assert "The job fits Artemis." in good.stdout
    file = tmp_path / "wide.json"
    file.write_text(identity(21, 1).model_dump_json())
    bad = command("check", file, "--qpu", QPU)
    assert bad.exit_code == 1
    assert "problem: Sampler 0 of the input samplers has 21 modes" in bad.stdout
    found = json.loads(command("check", file, "--qpu", QPU, "--json").stdout)
    assert (found["qpu_name"], found["fits"]) == (QPU, False)
    assert not [it for it in artemis.requests() if it.method == "POST"]


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.py", "x = 1", "it defines neither sampler nor samplers."),
        ("a.py", "\nsampler = 1 / 0", ", line 2: the program fails: ZeroDivisionError"),
        ("a.py", "\n\nsampler = ", ", line 3: the program is not Python"),
        ("a.py", "sampler = 5", "A int is not a sampler"),
        ("a.json", "{", "is not JSON"),
        ("a.json", '{"n_modes": 2}', "samplers[0] is not a sampler: components"),
        ("a.json", "[]", "holds no samplers"),
        ("a.txt", "", "ends in .json or .py"),
    ],
)
def test_a_file_without_samplers_is_refused_in_a_line(
    artemis, refusal, tmp_path, name, content, words
):
    path = tmp_path / name
    path.write_text(content)
    line = refusal("run", path, "--qpu", QPU, exit_code=2)
    assert line.startswith(str(path))
    assert words in line
    assert artemis.requests() == []


def test_what_artemis_refuses_is_said_before_there_is_a_workflow(
    artemis, refusal, hom, tmp_path
):
    directory = tmp_path / "workflows"
    options = ["--directory", directory]
    line = refusal("run", hom, "--qpu", "Artemsi", *options, exit_code=2)
    assert "'Artemsi'" in line
    assert not directory.exists()
    line = refusal("run", hom, "--qpu", QPU, "--save", hom, exit_code=2)
    assert "exists already" in line


def test_results_are_post_selected_or_raw(command, saved):
    shown = command("results", saved).stdout.splitlines()
    assert shown[0] == "selected  1  Completed, 90 selected of 100 samples"
    assert shown[2].split() == ["|1,0>", "60", "0.6667", "±", "0.0497"]
    assert "2  TimedOut, 3 samples (partial)" in shown
    top = command("results", saved, "--raw", "--top", 1).stdout.splitlines()
    assert top[2].split()[:2] == ["|1,0,1>", "60"]
    assert top[3].split() == ["2", "others", "40", "0.4000"]


def test_csv_has_a_row_for_each_state(command, saved):
    rows = list(csv.DictReader(io.StringIO(command("results", saved, "--csv").stdout)))
    assert [row["outcome"] for row in rows] == ["|1,0>", "|0,1>", "|1,0>"]
    assert [row["job_id"] for row in rows] == ["1", "1", "2"]


def test_results_are_a_data_frame(saved):
    selected, _ = load_results(saved)
    frame = selected.df()
    assert list(frame.columns) == [
        *("job_id", "job_name", "outcome", "count", "probability", "standard_error")
    ]
    assert frame["outcome"].tolist() == ["|1,0>", "|0,1>"]
    assert frame["probability"].sum() == 1
    assert selected.df(raw=True)["count"].tolist() == [60, 30, 10]


def test_a_plot_shows_bars_and_what_they_are_compared_with(command, saved, tmp_path):
    ideal = tmp_path / "ideal.json"
    ideal.write_text('{"|1,0>": 0.5, "|0,1>": 0.5}')
    result = command("plot", saved, "--ideal", ideal)
    assert result.exit_code == 0, result.output
    assert "0.6667 ± 0.0497  0.5000" in result.stdout
    assert "█" in result.stdout
    picture = tmp_path / "plot.svg"
    assert command("plot", saved, "-o", picture).exit_code == 0
    assert "<svg" in picture.read_text()


def test_files_that_hold_no_results_are_named(refusal, hom, saved):
    assert f"{hom} is not a file of results" in refusal("results", hom, exit_code=2)
    line = refusal("results", saved, "--save", saved, exit_code=2)
    assert f"{saved} exists already" in line
    assert "either --json or --csv" in refusal(
        "results", saved, "--json", "--csv", exit_code=2
    )


def test_qpus_are_listed_and_compared(artemis, command, refusal):
    _, row = command("qpus").stdout.splitlines()
    assert row.split()[0] == QPU
    assert [it["name"] for it in json.loads(command("qpus", "--json").stdout)] == [QPU]
    shown = command("qpu", QPU, QPU).stdout
    rows = {
        it[0]: it[1:]
        for it in (re.split("  +", x.rstrip()) for x in shown.splitlines())
    }
    assert rows["samples at min_detection 4"] == ["10,000", "10,000"]
    assert rows["status"] == ["online", "online"]
    (found,) = json.loads(command("qpu", QPU, "--json").stdout)
    assert found["n_modes"] == 20
    assert "Artemis" in refusal("qpu", "Artemsi", exit_code=2)
