"""The commands run and check, as a person calls them."""

import json
import os
import subprocess
import sys
from pathlib import Path
from uuid import UUID

import pytest
from pytket.circuit import Circuit

BELL = """OPENQASM 2.0;
include "qelib1.inc";
qreg q[2];
creg c[2];
h q[0];
cx q[0], q[1];
measure q -> c;
"""
OLD_PACKAGE = (
    Path(__file__)
    .parents[2]
    .joinpath("local_nexus", "simulators", "coin_guppylang_0_21_6.hugr")
)


@pytest.fixture
def bell(tmp_path):
    path = tmp_path / "bell.qasm"
    path.write_text(BELL)
    return path


@pytest.fixture
def options(tmp_path):
    return ["--shots", 20, "--directory", tmp_path, "--polling-interval", 0.2]


def test_files_are_run_and_their_results_shown_and_saved(
    connected, command, bell, options, tmp_path
):
    saved = tmp_path / "results.json"
    shown = command(
        "run", bell, "--device", "H2-1LE", *options, "--json", "--save", saved
    )
    assert shown.exit_code == 0, shown.output
    [circuit] = json.loads(shown.stdout)["circuits"]
    assert sum(circuit["counts"].values()) == 20
    assert set(circuit["counts"]) <= {"00", "11"}
    again = json.loads(command("results", saved, "--json").stdout)
    assert again["circuits"] == [circuit]


def test_an_embedded_nexus_runs_files_without_an_account(bell, tmp_path):
    result = subprocess.run(
        [
            Path(sys.executable).with_name("tkr-nexus"),
            *("run", bell, "--local", "--plot", "--directory", tmp_path),
        ],
        capture_output=True,
        text=True,
        env={**os.environ, "HOME": str(tmp_path)},
        timeout=200,
    )
    assert result.returncode == 0, result.stderr
    assert "circuit 0 ('bell'): 100 shots" in result.stdout
    assert "█" in result.stdout
    assert "submitted" not in result.stdout
    first, *others = result.stderr.splitlines()
    assert first == "tkr-nexus run --local takes --device H2-1LE --shots 100"
    [submitted] = [line for line in others if line.startswith("submitted job 'bell' (")]
    assert UUID(submitted.split("(")[1].removesuffix(")"))


def test_what_a_job_gave_before_it_failed_is_shown(
    connected, command, bell, options, tmp_path
):
    wide = tmp_path / "wide.json"
    wide.write_text(json.dumps(Circuit(60, name="wide").X(0).measure_all().to_dict()))
    shown = command("run", bell, wide, "--device", "Qulacs", *options, "--json")
    assert shown.exit_code == 4, shown.output
    found = json.loads(shown.stdout)
    assert (found["complete"], found["state"]) == (False, "ERROR")
    good, bad = found["circuits"]
    assert (good["n_shots"], bad["n_shots"]) == (20, 0)
    assert "60 qubits" in bad["reason"]
    assert (good["name"], bad["name"]) == ("bell", "wide")
    assert "60 qubits" in shown.stderr.splitlines()[-1]


def test_a_package_of_an_older_guppylang_is_refused_before_a_server_starts(refusal):
    options = ["--local", "--device", "Helios-1E-lite", "--shots", 5]
    line = refusal("run", OLD_PACKAGE, *options, exit_code=1)
    assert f"{OLD_PACKAGE}: guppylang 0.21.6 made the HUGR package" in line
    assert "guppylang==0.21.6 python FILE" in line


@pytest.mark.parametrize("name", ["run", "check"])
def test_wrong_files_and_devices_are_refused_in_one_line(
    connected, refusal, bell, name
):
    line = refusal(name, bell, "--device", "H2-1L", "--shots", 5, exit_code=2)
    assert "no device 'H2-1L'" in line
    assert "H2-1LE" in line
    bell.write_text(BELL.replace("h q[0]", "foo q[0]"))
    line = refusal(name, bell, "--device", "H2-1LE", "--shots", 5, exit_code=2)
    assert f"{bell}, line 5: " in line
    assert "--shots" in refusal(name, bell, "--device", "H2-1LE", exit_code=2)


def test_hardware_runs_circuits_that_are_compiled_first(
    connected, command, refusal, bell, options
):
    device = ["--device", "H2-1", *options, "--json"]
    line = refusal("run", bell, *device, exit_code=2)
    assert (
        "gates that are not among those of H2-1, such as CX, H. A job does not" in line
    )
    assert "--compile=local" in line
    assert not [it for it in connected.requests() if it.method == "POST"]
    shown = command("run", "--compile", bell, *device, "--two-qubit-gate", "ZZMax")
    assert shown.exit_code == 0, shown.output
    [circuit] = json.loads(shown.stdout)["circuits"]
    assert set(circuit["counts"]) <= {"00", "11"}
    listed = json.loads(command("jobs", "--all", "--type", "compile", "--json").stdout)
    assert (listed[0]["name"], listed[0]["items_done"]) == ("bell", 1)
    line = refusal("run", "--compile=7", bell, *device, exit_code=2)
    assert "'7' is not one of '0', '1', '2', '3', 'local'" in line


def test_run_overwrites_nothing_and_then_runs_nothing(connected, refusal, bell):
    options = ["--device", "H2-1LE", "--shots", 5, "--save", bell]
    assert "exists already" in refusal("run", bell, *options, exit_code=2)
    assert bell.read_text() == BELL
    assert connected.requests() == []


@pytest.mark.parametrize("option", ["--name", "--project"])
def test_a_name_that_is_not_unicode_is_refused_before_an_upload(
    connected, refusal, bell, option
):
    odd = "a\udcff"  # what Python makes of an argument that is no UTF-8
    options = ["--device", "H2-1LE", "--shots", 5, "--compile=local", option, odd]
    assert "not valid Unicode" in refusal("run", bell, *options, exit_code=2)
    assert "not valid Unicode" in refusal("show", odd, exit_code=2)
    assert connected.requests(method="POST") == []


def test_a_file_that_cannot_be_written_is_refused_before_anything_is_sent(
    connected, refusal, bell, tmp_path
):
    saved = tmp_path / "missing" / "results.json"
    options = ["--device", "H2-1LE", "--shots", 5, "--compile=local", "--save", saved]
    line = refusal("run", bell, *options, exit_code=2)
    assert "results.json cannot be written: No such file or directory" in line
    assert connected.requests() == []


def test_check_tells_what_circuits_need_and_cost(connected, command, bell):
    result = command("check", bell, "--device", "H2-1", "--shots", 100)
    assert result.exit_code == 0, result.output
    [row] = [line for line in result.stdout.splitlines() if line.startswith("bell")]
    assert row.split() == ["bell", "100", "2", "1", "1", "2", "3", "5.68"]
    assert "warning: circuit 0: has gates" in result.stdout
    assert "H2-1 may refuse the job." in result.stdout
    assert "fits" not in result.stdout


def test_check_says_that_a_job_fits_if_nothing_is_against_it(
    connected, command, tmp_path
):
    native = Circuit(1, name="native").PhasedX(0.5, 0.5, 0).measure_all()
    path = tmp_path / "native.json"
    path.write_text(json.dumps(native.to_dict()))
    result = command("check", path, "--device", "H2-1", "--shots", 100)
    assert result.exit_code == 0, result.output
    assert "The job fits H2-1." in result.stdout


def test_check_fails_where_the_job_does_not_fit(connected, command, bell):
    result = command("check", bell, "--device", "H2-1", "--shots", 20_000)
    assert result.exit_code == 1
    assert "problem: circuit 0: n_shots is 20000" in result.stdout
    assert "does not fit H2-1" in result.stdout
    options = ["--device", "H2-1", "--shots", 20_000, "--json"]
    found = json.loads(command("check", bell, *options).stdout)
    assert (found["device"], found["fits"]) == ("H2-1", False)
