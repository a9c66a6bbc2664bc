"""Programs cost what the published formula says, and no more than allowed."""

import pytest
from pytket.circuit import Circuit

from .conftest import circuit_request

BELL = Circuit(2).H(0).CX(0, 1).measure_all()


def machine(name):
    return {"type": "QuantinuumConfig", "device_name": name}


@pytest.mark.parametrize(
    ("circuit", "per_shot"),
    [
        # Every qubit is prepared and every measured: 5 each.
        (Circuit(1).measure_all(), 10),
        (Circuit(1).Rz(0.3, 0).measure_all(), 10),
        (Circuit(1).Rx(0.3, 0).measure_all(), 11),
        (Circuit(2).ZZPhase(0.1, 0, 1).measure_all(), 20 + 10),
        (Circuit(2).ZZMax(0, 1).measure_all(), 20 + 10),
        (Circuit(1, 1).Reset(0).Measure(0, 0), 15),
        (Circuit(1, 2).Measure(0, 0).Measure(0, 1), 15),
    ],
)
def test_a_circuit_costs_its_operations(run, circuit, per_shot):
    outcome = run(circuit_request(circuit, machine("H1-1SC"), 1000))
    assert outcome.cost == 5 + 1000 * per_shot / 5000
    assert outcome.cost_confidence == 1.0


def test_gates_are_counted_after_they_became_those_of_the_device(run):
    # A CX is one ZZPhase and gates on one qubit, a CCX has at least five of them.
    cnot = run(circuit_request(BELL, machine("H1-1SC"), 5000)).cost
    toffoli = run(
        circuit_request(Circuit(3).CCX(0, 1, 2).measure_all(), machine("H1-1SC"), 5000)
    ).cost
    assert cnot - 5 >= 20 + 10 + 1
    assert toffoli - 5 >= 30 + 5 * 10


def test_a_gate_under_a_condition_is_paid(run):
    circuit = Circuit(2, 2).Measure(0, 0)
    circuit.ZZMax(0, 1, condition_bits=[0], condition_value=1).Measure(1, 1)
    outcome = run(circuit_request(circuit, machine("H1-1SC"), 5000))
    assert outcome.cost == 5 + 20 + 10


def test_a_machine_its_emulator_and_its_syntax_checker_cost_the_same(run):
    costs = {
        run(circuit_request(BELL, machine(name))).cost
        for name in ("H2-1", "H2-1E", "H2-1SC")
    }
    assert len(costs) == 1
    assert None not in costs


@pytest.mark.parametrize(
    "config", [machine("H2-1LE"), {"type": "QulacsConfig"}, {"type": "AerConfig"}]
)
def test_local_simulators_cost_nothing(run, config):
    assert run(circuit_request(BELL, config)).cost is None


def test_a_syntax_checker_returns_zeros_at_once(run_circuit):
    # A simulation would have to flip this qubit.
    circuit = Circuit(50, 1).X(0).Measure(0, 0)
    assert run_circuit(circuit, machine("H2-1SC"), 7).get_counts() == {(0,): 7}


def test_a_syntax_checker_still_checks(run):
    outcome = run(circuit_request(Circuit(57).measure_all(), machine("H2-1SC")))
    assert "H2-1SC has 56" in outcome.error_detail


def test_a_circuit_that_costs_more_than_allowed_is_an_error(run):
    request = circuit_request(Circuit(1).measure_all(), machine("H1-1"), 1000)
    allowed = run(type(request)(**vars(request) | {"max_cost": 7.0}))
    refused = run(type(request)(**vars(request) | {"max_cost": 6.9}))
    older = run(
        circuit_request(
            Circuit(1).measure_all(), machine("H1-1") | {"max_cost": 6}, 1000
        )
    )
    assert older.status == "ERROR"
    assert allowed.status == "COMPLETED"
    assert refused.status == "ERROR"
    assert "7.00 HQC, more than its max_cost of 6.9 HQC" in refused.error_detail
