"""Qubits leak, and circuits detect that where their config asks for it."""

import pytest
from pytket.circuit import Bit, Circuit
from pytket.circuit.logic_exp import if_bit
from scipy.stats import binomtest

from local_nexus.simulators.noise.leakage_detection import BITS, with_detection

from .conftest import ALPHA, circuit_request

CONFIG = {
    "type": "QuantinuumConfig",
    "device_name": "H1-1E",
    "leakage_detection": True,
    "noisy_simulation": False,
}
N_SHOTS = 10_000
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


def leaky(**rates):
    silent = {"p1": 0.0, "p2": 0.0, "p_init": 0.0, "p_meas": 0.0}
    quiet = {"p_crosstalk_meas": 0.0, "linear_dephasing_rate": 0.0}
    return {
        "type": "QuantinuumConfig",
        "device_name": "H1-1E",
        "error_params": silent | quiet | rates,
    }


ALWAYS = {"p1": 1.0, "p1_emission_ratio": 1.0, "leakage_scale": 2.0}
FLIPPED = Circuit(1).X(0).measure_all()
TWICE = Circuit(1).X(0).X(0).measure_all()
MEASURED = Circuit(1, 2).Measure(0, 0).X(0).Measure(0, 1)
PREPARED = Circuit(1).X(0).Reset(0).measure_all()
COUPLED = Circuit(2).ZZMax(0, 1).measure_all()
# The second qubit becomes 1 if the first one takes part.
PARTNERS = Circuit(2).H(1).ZZPhase(1.0, 0, 1).H(1).measure_all()
LEAKING = {"p_init": 0.3, "p_prep_leak_ratio": 1.0}
LEAKED = {"p_init": 1.0, "p_prep_leak_ratio": 1.0}


@pytest.mark.parametrize(
    ("circuit", "rates", "expected"),
    [
        # Emission alone leaves 0 or 1, with equal probability.
        (
            FLIPPED,
            {"p1": 0.4, "p1_emission_ratio": 1.0, "leakage_scale": 0.0},
            {(1,): 0.8},
        ),
        (
            FLIPPED,
            {"p1": 0.4, "p1_emission_ratio": 0.5, "leakage_scale": 0.0},
            {(1,): 1 - 0.2 * 2 / 3 - 0.2 / 2},
        ),
        # Half of it leaks, and is read as 1.
        (FLIPPED, {"p1": 0.4, "p1_emission_ratio": 1.0}, {(1,): 0.9}),
        (
            FLIPPED,
            {"p1": 0.4, "p1_emission_ratio": 0.5, "emission_scale": 2.0},
            {(1,): 0.9},
        ),
        (
            FLIPPED,
            {"p1": 0.4, "p1_emission_ratio": 1.0, "leak2depolar": True},
            {(1,): 0.8},
        ),
        # No gate brings a leaked qubit back.
        (TWICE, ALWAYS | {"p1": 0.4}, {(1,): 1 - 0.6**2}),
        (TWICE, ALWAYS | {"p_meas": [0.0, 0.3]}, {(1,): 0.7}),
        # One of two qubits leaks.
        (
            COUPLED,
            {"p2": 0.4, "p2_emission_ratio": 1.0, "leakage_scale": 2.0},
            {(1, 0): 0.2, (0, 1): 0.2},
        ),
        (
            COUPLED,
            {"p2": 0.4, "p2_emission_ratio": 1.0, "leak2depolar": True},
            {(1, 0): 0.1, (0, 1): 0.1, (1, 1): 0.0},
        ),
        (PARTNERS, LEAKING, {(1, 0): 0.21, (0, 1): 0.7, (1, 1): 0.09}),
        # A qubit alone keeps 12 of 15 Pauli errors, of which 8 flip it.
        (
            PARTNERS,
            LEAKING | {"p2": 0.3},
            {(1, 0): 0.21 * (1 - 0.3 * 8 / 15) + 0.49 * 0.3 * 4 / 15},
        ),
        (FLIPPED, LEAKED | {"p1_seepage_prob": 0.5}, {(1,): 0.75}),
        (COUPLED, LEAKED | {"p2_seepage_prob": 0.5}, {(0, 0): 0.25**2}),
        (COUPLED, LEAKED | {"p1_seepage_prob": 1.0}, {(1, 1): 1.0}),
        (MEASURED, LEAKED, {(1, 1): 1.0}),
        (PREPARED, ALWAYS, {(0,): 1.0}),
        (PREPARED, LEAKING, {(1,): 0.3}),
    ],
)
def test_a_leaked_qubit_is_out_and_reads_1(run_circuit, circuit, rates, expected):
    counts = run_circuit(circuit, leaky(**rates), N_SHOTS).get_counts()
    for outcome, probability in expected.items():
        assert binomtest(counts[outcome], N_SHOTS, probability).pvalue > ALPHA


@pytest.mark.parametrize(
    ("circuit", "rates", "expected"),
    [
        (FLIPPED, {"p1": 0.4, "p1_emission_ratio": 1.0}, {(1,): 0.8}),
        (
            COUPLED,
            {"p2": 0.4, "p2_emission_ratio": 1.0},
            {(1, 0): 0.1, (0, 1): 0.1, (1, 1): 0.0},
        ),
        (PREPARED, LEAKING, {(1,): 0.15}),
        (Circuit(1).add_barrier([0]).measure_all(), LEAKING, {(1,): 0.15}),
    ],
)
def test_stabilizers_are_depolarised_in_place_of_leakage(
    run_circuit, circuit, rates, expected
):
    config = leaky(**rates) | {"simulator": "stabilizer"}
    counts = run_circuit(circuit, config, N_SHOTS).get_counts()
    for outcome, probability in expected.items():
        assert binomtest(counts[outcome], N_SHOTS, probability).pvalue > ALPHA


def test_leaked_qubits_are_detected(run_circuit):
    circuit = Circuit(1, 1).Measure(0, 0)
    config = leaky(**LEAKING) | {"leakage_detection": True}
    counts = run_circuit(circuit, config, N_SHOTS).get_counts([Bit(0), DETECTED[0]])
    # The qubit is in 0 or has leaked; the spare one may have leaked, too.
    assert counts[1, 0] == 0
    assert binomtest(counts[1, 1], N_SHOTS, 0.3).pvalue > ALPHA
    assert binomtest(counts[0, 1], N_SHOTS, 0.7 * 0.3).pvalue > ALPHA


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
