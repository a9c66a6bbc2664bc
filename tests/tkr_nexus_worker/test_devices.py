"""Devices: what there is, and what each can do."""

import pytest
from quantinuum_schemas.models.backend_config import (
    BraketConfig,
    HeliosConfig,
    QuantinuumConfig,
    QulacsConfig,
)

from local_nexus import Fault
from tkr_nexus_worker import devices
from tkr_nexus_worker.errors import InvalidInputError


def test_devices_are_listed_with_what_a_person_chooses_by(connected):
    found = {(d.backend, d.name): d for d in devices.list_devices()}
    assert found["Quantinuum", "H2-1"].model_dump() == {
        "name": "H2-1",
        "backend": "Quantinuum",
        "kind": "hardware",
        "nexus_hosted": False,
        "n_qubits": 56,
        "status": "online",
    }
    hosted = found["Quantinuum", "H2-1LE"]
    assert (hosted.nexus_hosted, hosted.status) == (True, None)
    assert found["Qulacs", "Qulacs"].n_qubits is None


def test_the_status_is_asked_for_only_if_it_is_wanted(connected):
    devices.list_devices(status=False)
    [request] = connected.requests()
    assert request.path == "/api/v5/available_devices"


@pytest.mark.parametrize("status", [404, 503])
@pytest.mark.usefixtures("quick_retries")
def test_a_status_that_nexus_does_not_tell_is_unknown(connected, status):
    fault = Fault("answer", path="/api/machines/*", status=status)
    with connected.fault(fault):
        assert {one.status for one in devices.list_devices()} == {None}


def test_details_of_a_machine_are_those_that_its_owner_publishes(connected):
    details = devices.get_device_details("H2-1")
    assert details.connectivity == "all-to-all"
    assert {"PhasedX", "Rz", "ZZPhase"} <= set(details.gate_set)
    assert (details.max_shots, details.max_register_width) == (10_000, 63)
    rates = {one.name: one for one in details.error_rates}
    assert rates["two-qubit gate"].rate == pytest.approx(1.05e-3)
    assert rates["two-qubit gate"].uncertainty == pytest.approx(8.08e-5)
    assert list(rates)[:2] == ["one-qubit gate", "two-qubit gate"]
    assert details.midcircuit_measurement
    assert details.feedforward
    assert details.error_date == "2025-04-30"


def test_coupled_qubits_are_listed_once(connected):
    details = devices.get_device_details("IBMQ/ibm_torino")
    assert details.connectivity == f"{len(details.coupled)} coupled pairs"
    assert details.coupled[0] == (0, 1)
    assert len({frozenset(pair) for pair in details.coupled}) == len(details.coupled)


def test_devices_are_compared_in_the_order_that_was_asked_for(connected):
    found = devices.compare_devices(["Helios-1", "H1-1", "Helios-1"])
    assert [one.name for one in found] == ["Helios-1", "H1-1", "Helios-1"]


@pytest.mark.parametrize("find", [devices.get_device_details, devices.config_of])
def test_an_unknown_device_offers_the_closest_names(connected, find):
    with pytest.raises(InvalidInputError, match=r"no device 'h2-1el' .*H2-1LE"):
        find("h2-1el")
    with pytest.raises(InvalidInputError, match=r"'photon' .* `tkr-nexus devices`"):
        find("photon")


def test_a_name_that_two_backends_have_takes_the_backend_as_well(connected):
    with pytest.raises(
        InvalidInputError, match="IBMQ/ibm_torino or IBMQEmulator/ibm_torino"
    ):
        devices.get_device_details("ibm_torino")


@pytest.mark.parametrize(
    ("name", "config"),
    [
        ("H2-1LE", QuantinuumConfig(device_name="H2-1LE")),
        ("Helios-1E", HeliosConfig(system_name="Helios-1E")),
        ("Qulacs", QulacsConfig()),
        ("local", BraketConfig(local=True)),
    ],
)
def test_a_config_is_made_from_the_name_of_a_device(connected, name, config):
    assert devices.config_of(name) == config


def test_a_device_that_needs_more_than_its_name_is_refused(connected):
    with pytest.raises(InvalidInputError, match=r"options .*instance.* from Python"):
        devices.config_of("IBMQ/ibm_torino")


def test_the_device_of_a_config_takes_one_request(connected):
    config = QuantinuumConfig(device_name="H2-1LE")
    assert devices.find_device(config, retry_time=1.0).name == "H2-1LE"
    assert len(connected.requests()) == 1


def test_a_device_that_is_not_listed_is_no_proof_that_it_is_not_there(connected):
    found = devices.find_device(QuantinuumConfig(device_name="H2-9"), retry_time=1.0)
    assert found.startswith("Nexus lists no device 'H2-9'")
    assert "H2-1" in found


@pytest.mark.usefixtures("quick_retries")
def test_a_list_of_devices_that_fails_is_told(connected):
    with connected.fault(Fault("answer", path="/api/v5/*", status=403)):
        found = devices.find_device(QulacsConfig(), retry_time=1.0)
    assert found.startswith("Nexus does not tell what the device can do")
