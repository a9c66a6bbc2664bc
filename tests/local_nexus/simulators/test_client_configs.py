"""What the client sends by default runs, whatever the backend config."""

import pytest
from pytket.circuit import Circuit
from quantinuum_schemas.models import backend_config as schemas
from quantinuum_schemas.models import emulator_config

from local_nexus.simulators import RunRequest

from .conftest import circuit_request

BELL = Circuit(2).H(0).CX(0, 1)

LITE = schemas.HeliosEmulatorConfig(
    simulator=emulator_config.StabilizerSimulator(seed=3),
    error_model=emulator_config.DepolarizingErrorModel(p_2q=0.1),
)

WITH_SHOTS = [
    schemas.AerConfig(),
    schemas.BraketConfig(local=True),
    schemas.QuantinuumConfig(device_name="H1-1"),
    schemas.QuantinuumConfig(device_name="H1-1LE"),
    schemas.QuantinuumConfig(device_name="H2-1E", simulator="stabilizer"),
    schemas.QuantinuumConfig(device_name="H2-1E", error_params={"p2": 0.1}),
    schemas.QulacsConfig(),
]
FOR_HUGR = [
    schemas.SeleneConfig(),
    schemas.SelenePlusConfig(),
    schemas.SelenePlusConfig(
        error_model=emulator_config.HeliosCustomErrorModel(),
    ),
    schemas.HeliosConfig(),
    schemas.HeliosConfig(system_name="Helios-1SC"),
    schemas.HeliosConfig(emulator_config=schemas.HeliosEmulatorConfig()),
    schemas.HeliosConfig(system_name="Helios-1E-lite", emulator_config=LITE),
]
STATES = [
    schemas.AerStateConfig(),
    schemas.AerUnitaryConfig(),
    schemas.QulacsConfig(result_type="density_matrix"),
]


def sent(config):
    return config.model_dump(mode="json")


@pytest.mark.parametrize("config", WITH_SHOTS + FOR_HUGR, ids=repr)
def test_circuits_run(run_circuit, config):
    result = run_circuit(BELL.copy().measure_all(), sent(config), 50)
    assert sum(result.get_counts().values()) == 50


@pytest.mark.parametrize("config", STATES, ids=repr)
def test_states_are_returned_where_no_shots_are_asked_for(run_circuit, config):
    assert run_circuit(BELL, sent(config), None).contains_state_results


@pytest.mark.parametrize("config", FOR_HUGR, ids=repr)
def test_hugr_runs(run, bell_hugr, config):
    outcome = run(RunRequest("hugr", bell_hugr, sent(config), 20, n_qubits=2))
    assert outcome.status == "COMPLETED", outcome.error_detail
    assert outcome.result_type == "QSYS"


@pytest.mark.parametrize(
    "config",
    [
        schemas.IBMQConfig(backend_name="ibm_nowhere", instance="mine"),
        schemas.IBMQEmulatorConfig(backend_name="ibm_nowhere", instance="mine"),
    ],
    ids=repr,
)
def test_a_device_of_ibm_without_a_snapshot_is_an_error_that_names_the_known(
    run, config
):
    outcome = run(circuit_request(BELL, sent(config)))
    assert outcome.status == "ERROR"
    assert "devices are ibm_brisbane, ibm_torino" in outcome.error_detail
