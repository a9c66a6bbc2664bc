"""Devices and what their backends are able to do."""

import pytest
import qnexus as qnx
from pytket.backends.backendinfo import BackendInfo
from qnexus.client.devices import DeviceStateEnum
from qnexus.exceptions import ResourceFetchFailed
from qnexus.models import IssuerEnum
from tests.helpers.contract import covers


def names(**filters) -> set[str]:
    return {it.device_name for it in qnx.devices.get_all(**filters)}


@covers("devices.get_all", "issuers")
@pytest.mark.parametrize(
    ("issuer", "backends"),
    [
        (IssuerEnum.QUANTINUUM, {"Quantinuum"}),
        (IssuerEnum.IBMQ, {"IBMQ"}),
        (IssuerEnum.QISKIT, {"IBMQEmulator", "Aer", "AerState", "AerUnitary"}),
        (IssuerEnum.BRAKET, {"Braket"}),
        (IssuerEnum.QULACS, {"Qulacs"}),
    ],
    ids=lambda it: getattr(it, "value", ""),
)
def test_devices_are_listed_by_issuer(issuer, backends):
    found = qnx.devices.get_all(issuers=[issuer])
    assert found
    assert {it.backend_name for it in found} <= backends
    every = {it.device_name for it in qnx.devices.get_all()}
    assert {it.device_name for it in found} <= every


@covers("devices.get_all", "issuers")
def test_several_issuers_add_up():
    both = names(issuers=[IssuerEnum.QUANTINUUM, IssuerEnum.QULACS])
    assert both == names(issuers=[IssuerEnum.QUANTINUUM]) | names(
        issuers=[IssuerEnum.QULACS]
    )


@covers("devices.get_all", "nexus_hosted")
def test_devices_are_hosted_by_nexus_or_elsewhere():
    hosted = qnx.devices.get_all(nexus_hosted=True)
    elsewhere = qnx.devices.get_all(nexus_hosted=False)
    assert hosted
    assert elsewhere
    assert all(it.nexus_hosted for it in hosted)
    assert not any(it.nexus_hosted for it in elsewhere)
    assert len(hosted) + len(elsewhere) == len(qnx.devices.get_all())


@covers(
    "devices.get_all",
    "aws_region",
    "ibm_instance",
    "ibm_region",
    "credentials",
    "credential_names",
)
def test_the_region_and_the_credentials_reach_the_server(nexus):
    nexus.add_credential(nexus.email, "of devices", "Braket")
    credentials = qnx.credentials.get_all(issuer="Braket")
    nexus.clear_requests()
    found = names(
        aws_region="eu-west-2",
        ibm_instance="ibm-q/open/main",
        ibm_region="us-east",
        credentials=credentials,
        credential_names=["of devices"],
    )
    (request,) = nexus.requests()
    assert found
    for value in ("eu-west-2", "us-east", credentials[0].id, "of+devices"):
        assert value in request.query


IBM = [IssuerEnum.IBMQ, IssuerEnum.QISKIT]
IBM_DEVICES = {"ibm_brisbane", "ibm_torino"}


@covers("devices.get_all", "issuers", "ibm_region")
def test_devices_of_ibm_stand_in_a_region():
    assert names(issuers=IBM, ibm_region="us-east") >= IBM_DEVICES
    assert not names(issuers=IBM, ibm_region="eu-de") & IBM_DEVICES


@covers("devices.get_all", "nexus_hosted", "credentials")
@covers("devices.get_all", "nexus_hosted", "credential_names")
def test_credentials_open_the_devices_of_their_issuer(nexus):
    for issuer in ("Quantinuum", "Qiskit"):
        nexus.add_credential(nexus.email, f"for {issuer}", issuer)
    (own,) = [it for it in qnx.credentials.get_all() if it.name == "for Quantinuum"]
    machines = {it.device_name for it in qnx.devices.get_all(nexus_hosted=False)}
    quantinuum = names(credentials=[own], nexus_hosted=False)
    ibm = names(credential_names=["for Qiskit"], nexus_hosted=False)
    assert "H2-1" in quantinuum
    assert ibm == IBM_DEVICES
    assert quantinuum | ibm == machines
    # What Nexus runs needs no credential.
    assert names(credentials=[own], nexus_hosted=True) == names(nexus_hosted=True)


@covers("devices.get_all", "credential_names", raises="ResourceFetchFailed")
def test_a_credential_that_nobody_has_opens_nothing():
    with pytest.raises(ResourceFetchFailed, match="no credential 'lost'"):
        names(credential_names=["lost"])


@covers("Device.df")
@covers("Device.backend_info")
@covers("DataframableList.df")
def test_every_device_has_backend_information_of_pytket():
    devices = qnx.devices.get_all()
    for device in devices:
        assert isinstance(device.backend_info, BackendInfo)
        assert device.backend_info.gate_set
        assert device.df()["device_name"][0] == device.device_name
    assert len(devices.df()) == len(devices)


CONFIGS = {
    "Aer": qnx.AerConfig(),
    "AerState": qnx.AerStateConfig(),
    "AerUnitary": qnx.AerUnitaryConfig(),
    "Braket": qnx.BraketConfig(local=True),
    "BraketDensity": qnx.BraketConfig(local=True, local_device="braket_dm"),
    "IBMQEmulator": qnx.IBMQEmulatorConfig(
        backend_name="ibm_torino", instance="ibm-q/open/main"
    ),
    "Quantinuum": qnx.QuantinuumConfig(device_name="H2-1E"),
    "Qulacs": qnx.QulacsConfig(),
    "QulacsDensity": qnx.QulacsConfig(result_type="density_matrix"),
}
# What the backends of pytket 2 say of themselves.
SHOTS = {"Aer", "Braket", "BraketDensity", "Quantinuum", "Qulacs", "QulacsDensity"}
SUPPORTED = {
    "supports_shots": SHOTS,
    "supports_counts": SHOTS | {"IBMQEmulator"},
    "supports_state": {"AerState", "Braket", "Qulacs"},
    "supports_unitary": {"AerUnitary"},
    "supports_density_matrix": {"BraketDensity", "QulacsDensity"},
    "supports_expectation": SHOTS - {"Quantinuum"} | {"AerState"},
    "expectation_allows_nonhermitian": set(),
    "supports_contextual_optimisation": {"IBMQEmulator", "Quantinuum"},
}


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        pytest.param(
            name, expected, marks=covers(f"devices.{name}", "backend_config"), id=name
        )
        for name, expected in SUPPORTED.items()
    ],
)
def test_backends_say_what_they_support(name, expected):
    ask = getattr(qnx.devices, name)
    assert {it for it, config in CONFIGS.items() if ask(config)} == expected


@covers("devices.status", "backend_config")
def test_machines_are_online():
    config = qnx.QuantinuumConfig(device_name="H2-1")
    assert qnx.devices.status(config) is DeviceStateEnum.ONLINE


@covers("devices.status", "backend_config", raises="ResourceFetchFailed")
def test_an_unknown_machine_is_not_found():
    with pytest.raises(ResourceFetchFailed, match="no machine 'H9-9'") as raised:
        qnx.devices.status(qnx.QuantinuumConfig(device_name="H9-9"))
    assert raised.value.status_code == 404
