"""Devices are known by name, limited as they are, and can be a user's own."""

import json
import subprocess
import sys

import pytest
from pytket.circuit import Circuit
from quantinuum_schemas.models.backend_config import config_name_to_class
from quantinuum_schemas.models.backend_info import StoredBackendInfo

from local_nexus.simulators import SimulatorPool
from local_nexus.simulators.devices import BACKEND_NAMES, device_of, devices

from .conftest import circuit_request, wait_for

BELL = Circuit(2).H(0).CX(0, 1).measure_all()


def test_every_device_has_a_backend_info_that_nexus_could_store():
    for device in devices():
        info = StoredBackendInfo.model_validate(device["backend_info"])
        assert info.name == device["backend_name"]
        assert info.device_name == device["device_name"]


def test_every_backend_config_of_the_client_has_a_device():
    assert set(BACKEND_NAMES) == set(config_name_to_class)
    assert set(BACKEND_NAMES.values()) == {d["backend_name"] for d in devices()}


@pytest.mark.parametrize(
    ("name", "n_qubits", "hosted"),
    [
        ("H1-1", 20, False),
        ("H1-1E", 20, False),
        ("H1-1LE", 20, True),
        ("H2-1SC", 56, False),
        ("H2-Emulator", 56, True),
        ("Helios-1", 98, False),
    ],
)
def test_quantinuum_devices_are_found_by_name(name, n_qubits, hosted):
    device = device_of({"type": "QuantinuumConfig", "device_name": name})
    assert device["device_name"] == name
    assert device["nexus_hosted"] is hosted
    assert device["backend_info"]["device"]["n_nodes"] == n_qubits
    assert "supports_shots" in device["supports"]


@pytest.mark.parametrize(
    ("config", "circuit", "n_shots", "sentence"),
    [
        ({"device_name": "H9-9"}, BELL, 10, "There is no device 'H9-9'"),
        ({"device_name": "H1-1"}, BELL, 10_001, "at most 10000 shots, not 10001"),
        (
            {"device_name": "H1-1E"},
            Circuit(21).measure_all(),
            10,
            "has 21 qubits, and H1-1E has 20",
        ),
        ({"device_name": "H1-1"}, Circuit(1), 10, "has no bits"),
        ({"device_name": "H1-1LE"}, BELL, None, "needs a number of shots"),
    ],
)
def test_limits_of_a_device_are_enforced(run, config, circuit, n_shots, sentence):
    config = {"type": "QuantinuumConfig"} | config
    outcome = run(circuit_request(circuit, config, n_shots))
    assert outcome.status == "ERROR"
    assert sentence in outcome.error_detail


def test_the_result_comes_with_the_facts_about_its_device(run):
    config = {"type": "QuantinuumConfig", "device_name": "H2-1LE"}
    outcome = run(circuit_request(BELL, config))
    info = StoredBackendInfo.model_validate_json(outcome.backend_info)
    assert (info.device_name, info.device.n_nodes) == ("H2-1LE", 56)


# Each case runs in a fork of a process that has loaded no simulator.
MISSING = """
import json, os, sys
from local_nexus.simulators import CompileRequest, RunRequest
from local_nexus.simulators.dispatch import handle
program, cases = json.load(sys.stdin)
for config, hidden in cases:
    if os.fork() == 0:
        sys.modules.update(dict.fromkeys(hidden))
        print(handle(RunRequest("circuit", program, config, 10)).error_detail)
        print(handle(CompileRequest(program, config, 1)).error_detail, flush=True)
        os._exit(0)
    os.wait()
"""
HIDDEN = {
    "local": ({"type": "QulacsConfig"}, ["qulacs", "pytket.extensions.qulacs"]),
    "aer": ({"type": "AerConfig"}, ["qiskit_aer", "pytket.extensions.qiskit"]),
    "braket": (
        {"type": "BraketConfig", "local": True},
        ["braket", "pytket.extensions.braket"],
    ),
}


def test_a_simulator_that_is_not_installed_is_an_error_that_names_its_extra():
    outcome = subprocess.run(
        [sys.executable, "-c", MISSING],
        input=json.dumps([json.dumps(BELL.to_dict()), [*HIDDEN.values()]]),
        capture_output=True,
        text=True,
    )
    lines = outcome.stdout.splitlines()
    assert lines[::2] == lines[1::2]
    for extra, line in zip(HIDDEN, lines[::2], strict=True):
        assert f"pip install 'PATH[{extra}]'" in line


def own_device():
    device = json.loads(
        json.dumps(device_of({"type": "QuantinuumConfig", "device_name": "H1-1LE"}))
    )
    device["device_name"] = device["backend_info"]["device_name"] = "Desk-1"
    device["backend_info"]["device"]["n_nodes"] = 2
    return device


def test_a_user_can_add_devices(tmp_path):
    device_file = tmp_path / "devices.json"
    device_file.write_text(json.dumps([own_device()]))
    config = {"type": "QuantinuumConfig", "device_name": "Desk-1"}
    pool = SimulatorPool(workers=1, device_file=device_file)
    try:
        assert wait_for(pool, circuit_request(BELL, config)).status == "COMPLETED"
        too_large = wait_for(pool, circuit_request(Circuit(3).measure_all(), config))
    finally:
        pool.close()
    assert "Desk-1 has 2" in too_large.error_detail


def test_a_device_of_a_user_hides_the_built_in_one_of_its_name(tmp_path):
    device = own_device()
    device["device_name"] = device["backend_info"]["device_name"] = "H1-1"
    device_file = tmp_path / "devices.json"
    device_file.write_text(json.dumps([device]))
    config = {"type": "QuantinuumConfig", "device_name": "H1-1"}
    assert device_of(config, device_file)["backend_info"]["device"]["n_nodes"] == 2
    assert len(devices(device_file)) == len(devices())


@pytest.mark.parametrize("text", ["{}", "[1]", '[{"backend_name": "X"}]', "no JSON"])
def test_a_file_without_devices_is_refused(tmp_path, text):
    device_file = tmp_path / "devices.json"
    device_file.write_text(text)
    with pytest.raises(ValueError, match=str(device_file)):
        devices(device_file)
