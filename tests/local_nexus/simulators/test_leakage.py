"""Circuits detect leakage where their config asks for it."""

import pytest
from pytket.circuit import Bit, Circuit
from pytket.circuit.logic_exp import if_bit
from scipy.stats import binomtest

from local_nexus.simulators.leakage import BITS, with_detection

from .conftest import ALPHA, circuit_request

CONFIG = {
    "type": "QuantinuumConfig",
    "device_name": "H1-1E",
    "leakage_detection": True,
    "noisy_simulation": False,
}
DETECTED = [Bit(BITS, 0), Bit(BITS, 1)]


@pytest.fixture
def branching():
    """A circuit that measures in its middle, with classical logic."""
    circuit = Circuit(2, 2).H(0).Measure(0, 0)
    return circuit.X(1, condition=if_bit(Bit(0))).Measure(1, 1)


@pytest.mark.parametrize("simulator", ["state-vector", "stabilizer"])
def test_a_circuit_does_the_same_and_nothing_leaks(run_circuit, branching, simulator):
    result = run_circuit(branching, CONFIG | {"simulator": simulator}, 200)
    assert set(result.get_counts([Bit(0), Bit(1)])) == {(0, 0), (1, 1)}
    assert result.get_counts(DETECTED) == {(0, 0): 200}


def test_other_errors_are_taken_for_leakage(run_circuit, branching):
    silent = {"p1": 0.0, "p2": 0.0, "p_init": 0.0, "p_crosstalk_meas": 0.0}
    noisy = {"noisy_simulation": True, "error_params": silent | {"p_meas": [0.3, 0.0]}}
    counts = run_circuit(branching, CONFIG | noisy, 2000).get_counts(DETECTED[:1])
    assert binomtest(counts[1,], 2000, 0.3).pvalue > ALPHA


def test_detection_costs(run, branching):
    plain = run(circuit_request(branching, CONFIG | {"leakage_detection": False}))
    with_it = run(circuit_request(branching, CONFIG))
    assert with_it.cost > plain.cost


def test_a_full_device_has_no_spare_qubit_for_the_first_measurement(branching):
    assert with_detection(branching, 2).n_bits == 3


def test_a_single_measurement_of_a_full_device_goes_without():
    circuit = Circuit(1, 1).Measure(0, 0)
    assert with_detection(circuit, 1) == circuit


def test_a_register_of_the_same_name_is_an_error(run):
    circuit = Circuit(1)
    circuit.add_bit(Bit(BITS, 0))
    circuit.Measure(circuit.qubits[0], Bit(BITS, 0))
    outcome = run(circuit_request(circuit, CONFIG))
    assert f"register '{BITS}'" in outcome.error_detail
