"""Emulators have the noise that their config asks for."""

import numpy as np
import pytest
from pytket.circuit import Bit, Circuit, Op, OpType
from quantinuum_schemas.models.backend_config import AerConfig
from quantinuum_schemas.models.quantinuum_systems_noise import (
    HeliosErrorParams,
    UserErrorParams,
)
from scipy.stats import binomtest, chi2_contingency

from local_nexus.simulators.devices import device_of
from local_nexus.simulators.errors import SimulationError
from local_nexus.simulators.noise.configs import rates_of
from local_nexus.simulators.noise.error_rates import (
    TRANSPORT_SECONDS,
    AngleScaling,
    ErrorRates,
)

from .conftest import ALPHA, circuit_request, table

N_SHOTS = 10_000
SILENT = {"p1": 0.0, "p2": 0.0, "p_init": 0.0, "p_meas": 0.0}


def emulator(**options):
    return {"type": "QuantinuumConfig", "device_name": "H1-1E", **options}


def noisy(**rates):
    return emulator(error_params=SILENT | rates)


CLIFFORD = [
    Op.create(kind, params)
    for kind, params in (
        (OpType.H, []),
        (OpType.H, []),
        (OpType.H, []),
        (OpType.S, []),
        (OpType.V, []),
        (OpType.Y, []),
        (OpType.PhasedX, [0.5, 0.5]),
        (OpType.PhasedX, [1.0, 0.25]),
        (OpType.TK1, [0.5, 1.5, 1.0]),
        (OpType.CX, []),
        (OpType.CY, []),
        (OpType.CZ, []),
        (OpType.ZZMax, []),
        (OpType.ZZPhase, [-0.5]),
        (OpType.YYPhase, [1.5]),
        (OpType.ISWAPMax, []),
        (OpType.ECR, []),
        (OpType.SWAP, []),
    )
]
IDLE = Circuit(1, 1).Measure(0, 0)
FLIPPED = Circuit(1, 1).X(0).Measure(0, 0)
RESET = Circuit(1, 1).X(0).Reset(0).Measure(0, 0)
COUPLED = Circuit(2, 1).ZZMax(0, 1).Measure(0, 0)
PARTLY = Circuit(2, 1).ZZPhase(0.25, 0, 1).Measure(0, 0)
BACKWARDS = Circuit(2, 1).ZZPhase(-0.5, 0, 1).Measure(0, 0)
ANGLE = {"przz_a": 0.4, "przz_b": 0.3, "przz_c": 2.0, "przz_d": 0.5}
CONTROLLED = (
    Circuit(2, 2).X(0).Measure(0, 0).X(1, condition_bits=[0], condition_value=1)
).Measure(1, 1)


@pytest.mark.parametrize(
    ("circuit", "rates", "expected"),
    [
        # Two of three Pauli errors flip a qubit, 8 of 15 flip the first of two.
        (FLIPPED, {"p1": 0.3}, 1 - 0.3 * 2 / 3),
        (COUPLED, {"p2": 0.3}, 0.3 * 8 / 15),
        (IDLE, {"p_init": 0.1}, 0.1),
        (RESET, {"p_init": 0.1}, 0.1),
        (IDLE, {"p_meas": 0.2}, 0.2),
        (IDLE, {"p_meas": [0.2, 0.0]}, 0.2),
        (FLIPPED, {"p_meas": [0.0, 0.2]}, 0.8),
        (FLIPPED, {"p_meas": 0.1, "meas_scale": 2.0}, 0.8),
        (FLIPPED, {"p1": 0.1, "p1_scale": 3.0}, 1 - 0.3 * 2 / 3),
        (COUPLED, {"p2": 0.1, "scale": 3.0}, 0.3 * 8 / 15),
        (PARTLY, {"p2": 0.3} | ANGLE, (0.5 + 0.5) * 0.3 * 8 / 15),
        (PARTLY, {"p2": 0.3, "przz_power": 0.5} | ANGLE, (1 + 0.5) * 0.3 * 8 / 15),
        (BACKWARDS, {"p2": 0.4} | ANGLE, (0.2 + 0.3) * 0.4 * 8 / 15),
    ],
)
def test_errors_have_the_probability_asked_for(run_circuit, circuit, rates, expected):
    counts = run_circuit(circuit, noisy(**rates), N_SHOTS).get_counts()
    assert binomtest(counts[1,], N_SHOTS, expected).pvalue > ALPHA


@pytest.mark.parametrize(
    ("circuit", "options", "expected"),
    [
        (PARTLY, {"type": "MatrixProductStateSimulator"}, (0.5 + 0.5) * 0.3 * 8 / 15),
        (BACKWARDS, {"type": "StabilizerSimulator"}, (0.2 + 0.3) * 0.3 * 8 / 15),
    ],
)
def test_the_angle_counts_in_other_simulators(run_circuit, circuit, options, expected):
    model = {
        "type": "HeliosCustomErrorModel",
        "error_params": SILENT | {"p2": 0.3} | ANGLE,
    }
    config = {
        "type": "HeliosConfig",
        "system_name": "Helios-1E",
        "emulator_config": {"simulator": options, "error_model": model},
    }
    counts = run_circuit(circuit, config, N_SHOTS).get_counts()
    assert binomtest(counts[1,], N_SHOTS, expected).pvalue > ALPHA


def test_a_wrong_outcome_in_the_middle_changes_what_follows(run_circuit):
    counts = run_circuit(CONTROLLED, noisy(p_meas=[0.0, 0.3]), N_SHOTS).get_counts()
    # The first outcome is wrong at 0.3 and then the second qubit stays 0.
    assert set(counts) == {(0, 0), (1, 0), (1, 1)}
    assert binomtest(counts[0, 0], N_SHOTS, 0.3).pvalue > ALPHA
    assert binomtest(counts[1, 1], N_SHOTS, 0.7 * 0.7).pvalue > ALPHA


def test_shots_are_not_ordered_by_their_errors(run_circuit):
    result = run_circuit(CONTROLLED, noisy(p_meas=[0.0, 0.5]), 1000)
    first, second = result.get_shots()[:500, 0], result.get_shots()[500:, 0]
    assert binomtest(int(first.sum()), 500, 0.5).pvalue > ALPHA
    assert binomtest(int(second.sum()), 500, 0.5).pvalue > ALPHA


def test_both_simulators_agree_about_noise(run_circuit):
    # One CX is one gate on two qubits for both; gates on one qubit have no errors here.
    circuit = Circuit(4).X(0).CX(0, 1).CX(1, 2).CX(0, 3).measure_all()
    rates = {"p2": 0.1, "p_init": 0.0, "p_meas": [0.02, 0.05]}
    vector, stabilizer = (
        run_circuit(circuit, noisy(**rates) | {"simulator": simulator}, N_SHOTS)
        for simulator in ("state-vector", "stabilizer")
    )
    counts = table(vector.get_counts(), stabilizer.get_counts())
    assert chi2_contingency(counts).pvalue > ALPHA


def test_all_simulators_agree_about_all_noise_that_they_have(run_circuit):
    circuit = Circuit(3, 5).X(0).Measure(0, 3).H(0).CX(0, 1).H(2).CX(1, 2)
    circuit.add_barrier([0, 1, 2]).Measure(1, 4).Reset(1).add_barrier([0, 1, 2])
    circuit.H(0).S(2).H(2, condition_bits=[4], condition_value=1)
    circuit.ZZPhase(-0.5, 0, 2).Reset(0, condition_bits=[4], condition_value=0)
    circuit.CX(2, 1).V(0).H(2)
    for qubit in range(3):
        circuit.Measure(qubit, qubit)
    model = {
        "type": "HeliosCustomErrorModel",
        "error_params": ANGLE
        | {
            "p1": 0.03,
            "p2": 0.1,
            "p_init": 0.05,
            "p_meas_0": 0.02,
            "p_meas_1": 0.05,
            "p_crosstalk_meas": 0.2,
            "p_crosstalk_init": 0.2,
            "p1_emission_ratio": 0.4,
            "p2_emission_ratio": 0.6,
            "p_prep_leak_ratio": 0.5,
            "leak2depolar": True,
            "linear_dephasing_rate": 60.0,
            "quadratic_dephasing_rate": 60.0,
            "coherent_dephasing": False,
            "p2_idle": 0.05,
        },
    }
    counts = []
    for kind in ("Statevector", "Stabilizer", "MatrixProductState"):
        simulator = {"type": f"{kind}Simulator", "seed": 7}
        config = {
            "type": "HeliosConfig",
            "system_name": "Helios-1E",
            "emulator_config": {"simulator": simulator, "error_model": model},
        }
        counts.append(run_circuit(circuit, config, N_SHOTS).get_counts())
    assert chi2_contingency(table(*counts)).pvalue > ALPHA


def test_a_stabilizer_emulator_runs_all_qubits_of_a_machine(run_circuit):
    circuit = Circuit(56).H(0)
    for qubit in range(55):
        circuit.CX(qubit, qubit + 1)
    config = emulator(simulator="stabilizer", noisy_simulation=False)
    counts = run_circuit(
        circuit.measure_all(), config | {"device_name": "H2-1E"}
    ).get_counts()
    assert set(counts) == {(0,) * 56, (1,) * 56}


@pytest.mark.parametrize("seed", range(3))
def test_a_stabilizer_emulator_runs_all_clifford_gates(run_circuit, seed):
    rng = np.random.default_rng(seed)
    circuit = Circuit(4)
    for index in rng.integers(len(CLIFFORD), size=40):
        qubits = rng.permutation(4)[: CLIFFORD[index].n_qubits]
        circuit.add_gate(CLIFFORD[index], list(map(int, qubits)))
    vector, stabilizer = (
        run_circuit(
            circuit.copy().measure_all(),
            emulator(simulator=simulator, noisy_simulation=False),
            1000,
        ).get_counts()
        for simulator in ("state-vector", "stabilizer")
    )
    assert set(vector) == set(stabilizer)


def test_a_stabilizer_emulator_refuses_classical_operations(run):
    circuit = Circuit(1, 1).add_c_setbits([True], [Bit(0)]).Measure(0, 0)
    outcome = run(circuit_request(circuit, emulator(simulator="stabilizer")))
    assert "no classical operations" in outcome.error_detail


def test_a_stabilizer_emulator_refuses_other_gates(run):
    circuit = Circuit(1, 1).T(0).Measure(0, 0)
    outcome = run(circuit_request(circuit, emulator(simulator="stabilizer")))
    assert outcome.status == "ERROR"
    assert "Clifford gates only" in outcome.error_detail


def beside(operation):
    """Two H on one qubit, and between them an operation on another one."""
    # The first measurement finds the other qubit in 0, where crosstalk changes nothing.
    circuit = Circuit(2, 2).X(1).Measure(1, 1).add_barrier([0, 1])
    operation(circuit.H(0).add_barrier([0, 1]))
    return circuit.add_barrier([0, 1]).H(0).Measure(0, 0)


MEASURED = beside(lambda circuit: circuit.Measure(1, 1))
RESET_BESIDE = beside(lambda circuit: circuit.Reset(1))
RESET_IF = beside(lambda circuit: circuit.Reset(1, condition=Bit(1)))


@pytest.mark.parametrize("simulator", ["state-vector", "stabilizer"])
@pytest.mark.parametrize(
    ("circuit", "rates"),
    [
        (MEASURED, {"p_crosstalk_meas": 0.4, "p_crosstalk_init": 0.9}),
        (MEASURED, {"p_crosstalk_meas": 0.1, "crosstalk_scale": 2.0, "scale": 2.0}),
        (RESET_BESIDE, {"p_crosstalk_init": 0.4}),
    ],
)
def test_crosstalk_measures_the_qubits_beside(run_circuit, circuit, rates, simulator):
    config = noisy(**rates) | {"simulator": simulator}
    counts = run_circuit(circuit, config, N_SHOTS).get_counts([Bit(0)])
    # A qubit measured between two H is 0 or 1 afterwards, whatever it was.
    assert binomtest(counts[1,], N_SHOTS, 0.4 / 2).pvalue > ALPHA


def test_crosstalk_of_a_reset_happens_if_the_reset_does(run_circuit):
    config = noisy(p_crosstalk_init=0.4)
    counts = run_circuit(RESET_IF, config, N_SHOTS).get_counts([Bit(0)])
    assert binomtest(counts[1,], N_SHOTS, 0.4 / 2).pvalue > ALPHA


def product_state(**options):
    simulator = {"type": "MatrixProductStateSimulator", **options}
    return {
        "type": "HeliosConfig",
        "system_name": "Helios-1E",
        "emulator_config": {"simulator": simulator},
    }


def test_matrix_product_states_take_many_qubits(run_circuit):
    circuit = Circuit(60).H(0)
    for qubit in range(59):
        circuit.CX(qubit, qubit + 1)
    silent = {"type": "NoErrorModel"}
    config = product_state(chi=2)
    config["emulator_config"]["error_model"] = silent
    counts = run_circuit(circuit.measure_all(), config, 200).get_counts()
    assert set(counts) == {(0,) * 60, (1,) * 60}


@pytest.mark.parametrize(
    ("limits", "outcomes"),
    [
        ({}, {(0, 0), (1, 1)}),
        ({"truncation_fidelity": 0.9}, {(0, 0), (1, 1)}),
        ({"truncation_fidelity": 0.8}, {(0, 0)}),
        ({"zero_threshold": 0.4}, {(0, 0)}),
        ({"chi": 1}, {(0, 0)}),
    ],
)
def test_a_matrix_product_state_is_truncated_as_asked_for(
    run_circuit, limits, outcomes
):
    # Both qubits are 1 with probability 0.146.
    config = product_state(**limits)
    config["emulator_config"]["error_model"] = {"type": "NoErrorModel"}
    circuit = Circuit(2).Ry(0.25, 0).CX(0, 1).measure_all()
    assert set(run_circuit(circuit, config, 200).get_counts()) == outcomes


def test_matrix_product_states_have_the_noise_of_an_emulator(run_circuit):
    config = product_state()
    config["emulator_config"]["error_model"] = {
        "type": "DepolarizingErrorModel",
        "p_1q": 0.3,
        "p_2q": 0.3,
    }
    counts = run_circuit(FLIPPED, config, N_SHOTS).get_counts()
    assert binomtest(counts[1,], N_SHOTS, 1 - 0.3 * 2 / 3).pvalue > ALPHA
    counts = run_circuit(COUPLED, config, N_SHOTS).get_counts()
    assert binomtest(counts[1,], N_SHOTS, 0.3 * 8 / 15).pvalue > ALPHA


def test_simulators_of_hybrid_programs_refuse_circuits(run):
    config = {"type": "SeleneConfig", "simulator": {"type": "CoinflipSimulator"}}
    outcome = run(circuit_request(IDLE, config))
    assert "runs HUGR and QIR programs here" in outcome.error_detail


@pytest.mark.parametrize(
    "config",
    [
        emulator(noisy_simulation=False),
        emulator(device_name="H1-1LE"),
        emulator(device_name="H1-1"),
        {"type": "SeleneConfig"},
        {"type": "SeleneConfig", "error_model": {"type": "NoErrorModel"}},
        {"type": "HeliosConfig", "system_name": "Helios-1"},
    ],
)
def test_these_devices_are_ideal(config):
    assert rates_of(config, device_of(config)) is None


def test_an_emulator_has_the_published_rates_of_its_machine():
    config = emulator()
    assert rates_of(config, device_of(config)) == ErrorRates(
        p1=1.8e-5,
        p2=9.73e-4,
        p_meas_0=1.22e-3,
        p_meas_1=3.43e-3,
        p_crosstalk_meas=4.1e-5,
        # A layer of gates loses 2.22e-4 of fidelity, two thirds of what Z costs.
        linear_dephasing=1.5 * 2.22e-4 / TRANSPORT_SECONDS,
    )


def rates(**parameters):
    config = emulator(error_params=parameters)
    return rates_of(config, device_of(config))


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        ({"p1_emission_ratio": 0.2}, {"p1_emission_ratio": 0.2}),
        ({"p2_emission_ratio": 0.2}, {"p2_emission_ratio": 0.2}),
        ({"p2_emission_ratio": 0.2, "emission_scale": 2}, {"p2_emission_ratio": 0.4}),
        ({"leakage_scale": 0.5}, {"leak_ratio": 0.25}),
        (
            {"p_prep_leak_ratio": 0.2, "leakage_scale": 2},
            {"p_init_leak_ratio": 0.4, "leak_ratio": 1.0},
        ),
        ({"p1_seepage_prob": 0.3}, {"p1_seepage": 0.3}),
        ({"p2_seepage_prob": 0.3}, {"p2_seepage": 0.3}),
        ({"leak2depolar": True}, {"leak_to_depolar": True}),
        ({"crosstalk_per_gate": False}, {"crosstalk_per_gate": False}),
        ({"linear_dephasing_rate": 2}, {"linear_dephasing": 2}),
        (
            {"p_idle_linear_rate": 2, "scale": 3, "memory_scale": 2},
            {"linear_dephasing": 12},
        ),
        ({"quadratic_dephasing_rate": 2}, {"quadratic_dephasing": 2}),
        # The probability of an error goes with the square of the frequency.
        (
            {"p_idle_quadratic_rate": 2, "memory_scale": 4},
            {"quadratic_dephasing": 4},
        ),
        ({"coherent_dephasing": False}, {"coherent_dephasing": False}),
        ({"coherent_to_incoherent_factor": 2}, {"coherent_to_incoherent": 2}),
        ({"idle_dephasing": False}, {"idle_dephasing": False}),
        ({"transport_dephasing": False}, {"transport_dephasing": False}),
        ({"p2_idle": 0.1, "memory_scale": 2, "scale": 2}, {"p2_idle": 0.4}),
        (
            {"przz_a": 1, "przz_b": 2, "przz_c": 3, "przz_d": 4, "przz_power": 2},
            {"angle_scaling": AngleScaling(1, 2, 3, 4, 2)},
        ),
    ],
)
def test_a_parameter_sets_its_rate(parameters, expected):
    found = rates(**parameters)
    assert {name: getattr(found, name) for name in expected} == expected


@pytest.mark.parametrize(
    ("half_turns", "factor"),
    [(-1, 7), (-0.5, 2.25), (0.5, 4.75), (1.5, 2.25), (1, 7), (2.5, 4.75), (0, 3)],
)
def test_the_error_of_a_gate_depends_on_its_angle(half_turns, factor):
    # ZZPhase(-1) is ZZPhase(1), and ZZPhase(1.5) is ZZPhase(-0.5).
    scaling = AngleScaling(1, 2, 3, 4, 2)
    assert scaling.factor(half_turns) == pytest.approx(factor)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"p1_emission_ratio": 0.5, "emission_scale": 3}, "p1_emission_ratio is 1.5"),
        ({"leakage_scale": 3}, "leak_ratio is 1.5"),
        ({"p2_idle": 0.5, "scale": 3}, "p2_idle is 1.5"),
        ({"p2": 0.5, "przz_a": 9, "przz_b": 0, "przz_c": 0, "przz_d": 0}, "is 4.5"),
        ({"przz_a": 1, "przz_c": 1}, "no przz_b, przz_d"),
        ({"linear_dephasing_rate": -1}, "linear_dephasing is -1"),
        ({"coherent_to_incoherent_factor": -1}, "coherent_to_incoherent is -1"),
    ],
)
def test_noise_parameters_that_make_no_sense_are_an_error(parameters, message):
    with pytest.raises(SimulationError, match=message):
        rates(**parameters)


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        (
            {"type": "DepolarizingErrorModel", "p_1q": 0.1, "p_2q": 0.2, "p_meas": 0.3},
            ErrorRates(p1=0.1, p2=0.2, p_meas_0=0.3, p_meas_1=0.3),
        ),
        (
            {"type": "QSystemErrorModel", "name": "alpha"},
            ErrorRates(p1=2.5e-5, p2=7.9e-4, p_meas_0=4.8e-4, p_meas_1=4.8e-4),
        ),
        (
            {
                "type": "HeliosCustomErrorModel",
                "error_params": {
                    "p1": 0.1,
                    "p2": 0.2,
                    "p_prep": 0.3,
                    "p_meas_0": 0.4,
                    "p_meas_crosstalk": 0.1,
                    "p_meas_crosstalk_scale": 2.0,
                },
            },
            ErrorRates(
                p1=0.1,
                p2=0.2,
                p_init=0.3,
                p_meas_0=0.4,
                p_meas_1=4.8e-4,
                p_crosstalk_meas=0.2,
            ),
        ),
    ],
)
def test_error_models_of_helios_and_selene_give_rates(model, expected):
    selene = {"type": "SelenePlusConfig", "error_model": model}
    helios = {
        "type": "HeliosConfig",
        "system_name": "Helios-1E",
        "emulator_config": {"error_model": model},
    }
    for config in (selene, helios):
        assert rates_of(config, device_of(config)) == expected


def test_a_rate_that_is_no_probability_is_an_error(run):
    outcome = run(circuit_request(IDLE, noisy(p_meas=0.6, meas_scale=2.0)))
    assert outcome.status == "ERROR"
    assert "p_meas_0 is 1.2" in outcome.error_detail


def test_a_noise_model_of_aer_is_simulated(run_circuit):
    from qiskit_aer.noise import NoiseModel, ReadoutError, amplitude_damping_error

    model = NoiseModel()
    model.add_quantum_error(amplitude_damping_error(0.4), ["x"], [0])
    model.add_readout_error(ReadoutError([[1, 0], [0.5, 0.5]]), [0])
    config = AerConfig(noise_model=model).model_dump(mode="json")
    counts = run_circuit(FLIPPED, config, N_SHOTS).get_counts()
    assert binomtest(counts[1,], N_SHOTS, 0.6 * 0.5).pvalue > ALPHA


@pytest.mark.parametrize(
    ("circuit", "noise", "expected"),
    [
        # Between the two gates the phase of a whole Z.
        (Circuit(1, 1).H(0).H(0).Measure(0, 0), "single_q_phase_errors", 1.0),
        (Circuit(1, 1).X(0).Measure(0, 0), "amplitude_damping_error", 0.6),
    ],
)
def test_crosstalk_parameters_of_aer_are_simulated(
    run_circuit, circuit, noise, expected
):
    config = AerConfig(crosstalk_params=crosstalk(noise)).model_dump(mode="json")
    counts = run_circuit(circuit, config, N_SHOTS).get_counts()
    assert binomtest(counts[1,], N_SHOTS, expected).pvalue > ALPHA


def crosstalk(noise):
    """Parameters with one kind of noise on the first of three qubits."""
    first, second, third = (("q", (index,)) for index in range(3))
    parameters = {
        "zz_crosstalks": {(first, second): 0.1},
        "single_q_phase_errors": {},
        "two_q_induced_phase_errors": {(first, second): (third, 0.1)},
        "non_markovian_noise": [(third, 0.1, 0.1)],
        "virtual_z": True,
        "N": 1.0,
        "gate_times": {("H", (first,)): 1.0, ("X", (first,)): 1.0},
        "phase_damping_error": {},
        "amplitude_damping_error": {},
    }
    sizes = {"single_q_phase_errors": 1.0, "amplitude_damping_error": 0.4}
    return parameters | {noise: {first: sizes[noise]}}


def test_crosstalk_parameters_that_cannot_be_read_are_an_error(run):
    config = {"type": "AerConfig", "crosstalk_params": {"zz_crosstalks": {"q": 1}}}
    outcome = run(circuit_request(IDLE, config))
    assert "crosstalk_params of the AerConfig cannot be read" in outcome.error_detail


def test_an_emulator_of_ibm_has_noise_and_reproducible_shots(run_circuit):
    config = {"type": "IBMQEmulatorConfig", "backend_name": "ibm_brisbane", "seed": 5}
    circuit = Circuit(3).H(0).CX(0, 1).CX(0, 2).measure_all()
    first, second = (run_circuit(circuit, config, 500) for _ in range(2))
    assert first.get_counts() == second.get_counts()
    assert len(first.get_counts()) > 2
    assert first.get_counts()[0, 0, 0] + first.get_counts()[1, 1, 1] > 300


EVERY_PARAMETER = {
    "p1": 0.01,
    "p2": 0.01,
    "p_init": 0.01,
    "p_meas": 0.01,
    "p_crosstalk_meas": 0.01,
    "p_crosstalk_init": 0.01,
    "p1_emission_ratio": 0.1,
    "p2_emission_ratio": 0.1,
    "p_prep_leak_ratio": 0.1,
    "linear_dephasing_rate": 1.0,
    "quadratic_dephasing_rate": 1.0,
    "p2_idle": 0.01,
    "przz_a": 1.0,
    "przz_b": 1.0,
    "przz_c": 1.0,
    "przz_d": 1.0,
}
SWITCHES = {
    "coherent_dephasing": False,
    "idle_dephasing": False,
    "transport_dephasing": False,
    "crosstalk_per_gate": False,
    "leak2depolar": True,
}


@pytest.mark.parametrize(
    "parameter",
    sorted({*UserErrorParams.model_fields, *HeliosErrorParams.model_fields}),
)
def test_no_parameter_of_the_schemas_is_ignored(parameter):
    other = {parameter: SWITCHES.get(parameter, 0.5)}
    assert rates(**EVERY_PARAMETER | other) != rates(**EVERY_PARAMETER)
