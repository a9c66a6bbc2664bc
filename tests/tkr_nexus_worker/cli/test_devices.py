"""The commands for devices, as a person calls them."""

import json


def test_devices_are_listed_in_80_columns(connected, command):
    result = command("devices")
    assert result.exit_code == 0, result.output
    lines = result.stdout.splitlines()
    assert max(map(len, lines)) <= 80
    [row] = [line.split() for line in lines if line.startswith("H2-1 ")]
    assert row == ["H2-1", "Quantinuum", "hardware", "56", "online"]
    found = json.loads(command("devices", "--json").stdout)
    assert {"H2-1", "H2-1LE", "Qulacs"} <= {one["name"] for one in found}


def test_devices_are_compared_side_by_side(connected, command):
    result = command("device", "H1-1", "H2-1", "IBMQ/ibm_torino")
    assert result.exit_code == 0, result.output
    rows = {line[:30].strip(): line[30:] for line in result.stdout.splitlines()}
    assert rows["qubits"].split() == ["20", "56", "133"]
    assert "1.05e-03 ± 8.1e-05" in rows["error: two-qubit gate"]
    assert "150 coupled pairs" in rows["connectivity"]
    [one] = json.loads(command("device", "H2-1", "--json").stdout)
    assert one["max_shots"] == 10_000


def test_an_unknown_device_offers_the_closest(connected, refusal):
    line = refusal("device", "H2-1LF", exit_code=2)
    assert "closest names are H2-1LE" in line
