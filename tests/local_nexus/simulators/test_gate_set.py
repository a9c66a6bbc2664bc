"""A strict request runs on Quantinuum's devices only what they run as it is."""

import dataclasses
import json

import pytest
from pytket.circuit import Bit, CircBox, Circuit, OpType, reg_eq
from pytket.passes import AutoRebase

from local_nexus.simulators import CompileRequest, RunRequest
from local_nexus.simulators.devices import devices

from .conftest import circuit_request


def config_of(device):
    helios = device["backend_name"] == "HeliosBackend"
    kind, field = (
        ("HeliosConfig", "system_name")
        if helios
        else ("QuantinuumConfig", "device_name")
    )
    return {"type": kind, field: device["device_name"]}


CONFIGS = [
    config_of(device)
    for device in devices()
    if device["backend_name"] in ("QuantinuumBackend", "HeliosBackend")
]
H2 = {"type": "QuantinuumConfig", "device_name": "H2-1LE"}
BELL = Circuit(2).H(0).CX(0, 1).measure_all()


def strictly(circuit: Circuit, config) -> RunRequest:
    return dataclasses.replace(circuit_request(circuit, config, 5), strict=True)


def name_of(config):
    return config.get("device_name") or config["system_name"]


@pytest.mark.parametrize("config", CONFIGS, ids=name_of)
def test_gates_of_others_are_an_error_that_names_them_and_the_device(run, config):
    outcome = run(strictly(BELL, config))
    assert outcome.status == "ERROR"
    assert (
        f"{name_of(config)} does not run CX, H: its gates are" in outcome.error_detail
    )
    assert "Compile" in outcome.error_detail
    assert outcome.result is None
    assert outcome.cost is None


@pytest.mark.parametrize("config", CONFIGS, ids=name_of)
def test_a_request_that_is_not_strict_translates_them(run, config):
    assert run(circuit_request(BELL, config, 5)).status == "COMPLETED"


@pytest.mark.parametrize("level", range(4))
@pytest.mark.parametrize(
    "config", [H2, {"type": "HeliosConfig", "system_name": "Helios-1"}], ids=name_of
)
def test_what_was_compiled_runs(run, config, level):
    circuit = Circuit(3, 2).H(0).CX(0, 1).Measure(0, 0)
    writes = Circuit(1, 1).X(0).Measure(0, 0)
    circuit.add_circbox(CircBox(writes), [1, 0], condition=Bit(0))
    register = circuit.add_c_register("r", 3)
    circuit.X(2, condition=reg_eq(register, 0)).Reset(1).Measure(2, 1)
    compiled = run(CompileRequest(json.dumps(circuit.to_dict()), config, level))
    outcome = run(strictly(Circuit.from_dict(json.loads(compiled.circuit)), config))
    assert outcome.status == "COMPLETED", outcome.error_detail


def test_a_gate_in_a_condition_or_a_box_counts(run):
    conditional = Circuit(1, 1).H(0, condition_bits=[0], condition_value=1)
    outcome = run(strictly(conditional.Measure(0, 0), H2))
    assert "does not run H:" in outcome.error_detail
    boxed = Circuit(1, 1).add_circbox(CircBox(Circuit(1).Rz(0.5, 0)), [0])
    outcome = run(strictly(boxed.Measure(0, 0), H2))
    assert "does not run CircBox:" in outcome.error_detail


def test_the_detection_of_leakage_compiles_the_circuit(run):
    outcome = run(strictly(BELL, H2 | {"leakage_detection": True}))
    assert outcome.status == "COMPLETED", outcome.error_detail


def test_simulators_of_others_take_any_gate(run):
    for name in ("AerConfig", "QulacsConfig", "SeleneConfig"):
        assert run(strictly(BELL, {"type": name})).status == "COMPLETED"


@pytest.mark.parametrize("config", CONFIGS, ids=name_of)
def test_a_conditional_gate_that_was_rebased_runs_with_the_phase_that_is_left(
    run, config
):
    circuit = Circuit(2, 2).X(0).Measure(0, 0)
    circuit.X(1, condition_bits=[0], condition_value=1).Measure(1, 1)
    AutoRebase({OpType.PhasedX, OpType.Rz, OpType.ZZPhase}).apply(circuit)
    assert any("THEN Phase(" in str(command) for command in circuit)
    assert run(strictly(circuit, config)).status == "COMPLETED"
