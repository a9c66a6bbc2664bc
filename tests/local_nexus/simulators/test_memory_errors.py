"""Qubits lose their phase while they wait, move, and are beside others."""

import math

import pytest
from pytket.circuit import Bit, Circuit
from scipy.stats import binomtest
from tests.helpers.repetition import few_and_all

from local_nexus.simulators.noise.error_rates import MEASURE_SECONDS, TRANSPORT_SECONDS

from .conftest import ALPHA

N_SHOTS = 10_000
SILENT = {
    "p1": 0.0,
    "p2": 0.0,
    "p_init": 0.0,
    "p_meas": 0.0,
    "p_crosstalk_meas": 0.0,
    "linear_dephasing_rate": 0.0,
}
FLIP = 0.1
"""Probability of Z in the time of a measurement or transport."""
PER_MEASUREMENT = FLIP / MEASURE_SECONDS
PER_TRANSPORT = FLIP / TRANSPORT_SECONDS
FREQUENCY = math.asin(math.sqrt(FLIP)) / (math.pi * MEASURE_SECONDS)
"""The frequency of which Z is the average with that probability."""


def noisy(simulator="state-vector", **rates):
    if simulator == "matrix-product-state":
        model = {"type": "HeliosCustomErrorModel", "error_params": SILENT | rates}
        return {
            "type": "HeliosConfig",
            "system_name": "Helios-1E",
            "emulator_config": {
                "simulator": {"type": "MatrixProductStateSimulator"},
                "error_model": model,
            },
        }
    return {
        "type": "QuantinuumConfig",
        "device_name": "H1-1E",
        "simulator": simulator,
        "error_params": SILENT | rates,
    }


def ones(run_circuit, circuit, config):
    """Return how often the first bit is 1."""
    return run_circuit(circuit, config, N_SHOTS).get_counts([Bit(0)])[1,]


def wait(circuit):
    """Let the first qubit wait for a measurement of the second."""
    return circuit.add_barrier([0, 1]).Measure(1, 1).add_barrier([0, 1])


RAMSEY = wait(Circuit(2, 2).H(0)).H(0).Measure(0, 0)
ECHO = wait(wait(Circuit(2, 2).H(0)).X(0)).H(0).Measure(0, 0)
# A whole turn is Z on each qubit.
COUPLED = Circuit(2, 2).H(0).ZZPhase(1.0, 0, 1).Z(0).H(0).Measure(0, 0)
UNUSED = wait(Circuit(2, 2)).H(0).H(0).Measure(0, 0)
CONDITIONAL = (
    wait(Circuit(2, 2).H(0)).H(0, condition_bits=[1], condition_value=0).Measure(0, 0)
)


@pytest.mark.parametrize(
    "simulator",
    few_and_all(["state-vector"], ["stabilizer", "matrix-product-state"]),
)
@pytest.mark.parametrize(
    ("circuit", "rates", "expected"),
    [
        (RAMSEY, {"linear_dephasing_rate": PER_MEASUREMENT}, FLIP),
        (CONDITIONAL, {"linear_dephasing_rate": PER_MEASUREMENT}, FLIP),
        (
            RAMSEY,
            {"linear_dephasing_rate": PER_MEASUREMENT, "memory_scale": 2, "scale": 2},
            4 * FLIP,
        ),
        (ECHO, {"linear_dephasing_rate": PER_MEASUREMENT}, 2 * FLIP * (1 - FLIP)),
        (RAMSEY, {"quadratic_dephasing_rate": FREQUENCY}, FLIP),
        # Twice the angle.
        (
            RAMSEY,
            {"quadratic_dephasing_rate": FREQUENCY, "memory_scale": 4},
            math.sin(2 * math.asin(math.sqrt(FLIP))) ** 2,
        ),
        (
            ECHO,
            {"quadratic_dephasing_rate": FREQUENCY, "coherent_dephasing": False},
            2 * FLIP * (1 - FLIP),
        ),
        (
            RAMSEY,
            {
                "quadratic_dephasing_rate": FREQUENCY,
                "coherent_dephasing": False,
                "coherent_to_incoherent_factor": 3.0,
            },
            3 * FLIP,
        ),
        (COUPLED, {"linear_dephasing_rate": PER_TRANSPORT}, FLIP),
        (COUPLED, {"p2_idle": 0.1, "memory_scale": 3.0}, 0.3),
    ],
)
def test_time_costs_phase(run_circuit, circuit, rates, expected, simulator):
    found = ones(run_circuit, circuit, noisy(simulator, **rates))
    assert binomtest(found, N_SHOTS, expected).pvalue > ALPHA


@pytest.mark.parametrize("simulator", ["state-vector", "matrix-product-state"])
@pytest.mark.parametrize(
    ("circuit", "rates"),
    [
        (RAMSEY, {}),
        (ECHO, {"quadratic_dephasing_rate": FREQUENCY}),
        (UNUSED, {"linear_dephasing_rate": PER_MEASUREMENT}),
        (
            RAMSEY,
            {"linear_dephasing_rate": PER_MEASUREMENT, "idle_dephasing": False},
        ),
        (
            COUPLED,
            {"linear_dephasing_rate": PER_TRANSPORT, "transport_dephasing": False},
        ),
    ],
)
def test_phase_is_kept(run_circuit, circuit, rates, simulator):
    assert ones(run_circuit, circuit, noisy(simulator, **rates)) == 0


def test_stabilizers_have_no_coherent_errors(run_circuit):
    config = noisy("stabilizer", quadratic_dephasing_rate=FREQUENCY)
    expected = 2 * FLIP * (1 - FLIP)
    assert binomtest(ones(run_circuit, ECHO, config), N_SHOTS, expected).pvalue > ALPHA


def test_a_machine_has_its_published_memory_error(run_circuit):
    # 1.5 times 2.22e-4 a layer, three thousandfold.
    rates = {name: rate for name, rate in SILENT.items() if "dephasing" not in name}
    config = noisy() | {"error_params": rates | {"memory_scale": 1000.0}}
    expected = 1.5 * 2.22e-4 * 1000
    assert (
        binomtest(ones(run_circuit, COUPLED, config), N_SHOTS, expected).pvalue > ALPHA
    )


@pytest.mark.parametrize("simulator", ["state-vector", "stabilizer"])
@pytest.mark.parametrize(
    ("per_gate", "expected"), [(None, 0.32), (True, 0.32), (False, 0.2)]
)
def test_measurements_done_together_have_crosstalk_of_each_or_of_one(
    run_circuit, per_gate, expected, simulator
):
    circuit = Circuit(3, 3).H(0).add_barrier([0, 1, 2])
    circuit.Measure(1, 1).Measure(2, 2).add_barrier([0, 1, 2]).H(0).Measure(0, 0)
    config = noisy(simulator, p_crosstalk_meas=0.4, crosstalk_per_gate=per_gate)
    # A measurement between two H gives 1 in half of the cases.
    found = ones(run_circuit, circuit, config)
    assert binomtest(found, N_SHOTS, expected).pvalue > ALPHA
