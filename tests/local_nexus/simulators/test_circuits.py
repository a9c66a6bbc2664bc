"""Circuits give the results that their owners expect, whichever engine runs them."""

import json
import warnings

import numpy as np
import pytest
from pytket.backends.backendresult import BackendResult
from pytket.circuit import Bit, Circuit, OpType, Qubit
from pytket.utils.outcomearray import OutcomeArray
from quantinuum_schemas.models.backend_info import StoredBackendInfo
from scipy.stats import chi2_contingency, chisquare

from local_nexus.simulators.circuits.preparation import parse
from local_nexus.simulators.circuits.run import Shots
from local_nexus.simulators.errors import SimulationError

from .conftest import ALPHA, circuit_request, table

PLAIN_CONFIGS = [
    {"type": "QulacsConfig"},
    {"type": "AerConfig"},
    {"type": "QuantinuumConfig", "device_name": "H2-1LE"},
]


def uneven() -> Circuit:
    """Three entangled qubits, eight outcomes of different probabilities."""
    circuit = Circuit(3).Ry(0.4, 0).CX(0, 1).Ry(0.3, 1).CX(1, 2).Rx(0.7, 2)
    return circuit.TK2(0.2, 0.3, 0.1, 0, 2)


@pytest.mark.parametrize("config", PLAIN_CONFIGS, ids=lambda config: config["type"])
def test_shots_follow_the_exact_probabilities(run_circuit, config):
    n_shots = 20_000
    expected = uneven().get_statevector()
    counts = run_circuit(uneven().measure_all(), config, n_shots).get_counts()
    observed = [counts[tuple(map(int, f"{index:03b}"))] for index in range(8)]
    assert chisquare(observed, abs(expected) ** 2 * n_shots).pvalue > ALPHA


@pytest.mark.parametrize("n_bits", [0, 1, 8, 11])
@pytest.mark.parametrize("n_shots", [1, 5])
def test_shots_are_stored_as_pytket_stores_them(n_shots, n_bits):
    table = np.random.default_rng(0).integers(0, 2, (n_shots, n_bits))
    bits = [Bit(name, 3) for name in "zyxwvutsrqp"[:n_bits]]
    by_pytket = BackendResult(shots=OutcomeArray.from_readouts(table), c_bits=bits)
    assert Shots(table, bits).to_dict() == by_pytket.to_dict()


def qulacs_backend():
    from pytket.extensions.qulacs import QulacsBackend

    return QulacsBackend()


def aer_backend():
    from pytket.extensions.qiskit import AerBackend

    return AerBackend()


@pytest.mark.parametrize(
    ("config", "make_backend"),
    [("QulacsConfig", qulacs_backend), ("AerConfig", aer_backend)],
)
def test_counts_agree_with_the_simulator_called_directly(
    run_circuit, config, make_backend
):
    circuit = uneven().measure_all()
    with warnings.catch_warnings():
        # Qulacs warns that there is no GPU, Aer about simulators of its own.
        warnings.simplefilter("ignore")
        backend = make_backend()
    direct = backend.run_circuit(
        backend.get_compiled_circuit(circuit, 0), n_shots=20_000
    ).get_counts()
    counts = run_circuit(circuit, config, 20_000).get_counts()
    assert chi2_contingency(table(direct, counts)).pvalue > ALPHA


@pytest.mark.parametrize("config", ["QulacsConfig", "AerConfig"])
def test_registers_and_order_of_the_bits_are_those_of_the_circuit(run_circuit, config):
    circuit = Circuit()
    first, second = circuit.add_q_register("z", 2), circuit.add_q_register("a", 1)
    late, early = circuit.add_c_register("out", 2), circuit.add_c_register("ancilla", 3)
    circuit.X(first[0]).CX(first[0], second[0]).SWAP(second[0], first[1])
    circuit.Measure(first[0], early[2])
    circuit.Measure(first[1], late[0])
    circuit.Measure(second[0], late[1])
    result = run_circuit(circuit, config, 10)
    assert set(result.c_bits) == set(circuit.bits)
    assert result.get_counts(cbits=list(late) + list(early)) == {(1, 0, 0, 0, 1): 10}
    assert result.get_counts() == {(0, 0, 1, 1, 0): 10}


@pytest.mark.parametrize("config", ["QulacsConfig", "AerConfig"])
def test_implicit_swaps_are_followed(run_circuit, config):
    circuit = Circuit(3).X(0).SWAP(0, 1).SWAP(1, 2)
    circuit.replace_SWAPs()
    result = run_circuit(circuit.measure_all(), config, 5)
    assert result.get_counts() == {(0, 0, 1): 5}


@pytest.mark.parametrize("config", ["QulacsConfig", "AerConfig"])
def test_a_circuit_without_measurement_gives_zeros(run_circuit, config):
    assert run_circuit(Circuit(1, 2).X(0), config, 4).get_counts() == {(0, 0): 4}


def test_boxes_run(run_circuit):
    from pytket.circuit import CircBox

    circuit = Circuit(2).add_circbox(CircBox(Circuit(2).X(0).CX(0, 1)), [1, 0])
    counts = run_circuit(circuit.measure_all(), "QulacsConfig", 3).get_counts()
    assert counts == {(1, 1): 3}


DYNAMIC = {
    "a measurement in the middle": Circuit(1, 2).H(0).Measure(0, 0).X(0).Measure(0, 1),
    "a gate that depends on a bit": Circuit(2, 2)
    .H(0)
    .Measure(0, 0)
    .X(1)
    .X(1, condition_bits=[0], condition_value=1)
    .Measure(1, 1),
    "a reset": Circuit(2, 2).H(0).CX(0, 1).Measure(0, 0).Reset(1).X(1).Measure(1, 1),
}
DYNAMIC_OUTCOMES = {
    "a measurement in the middle": {(0, 1), (1, 0)},
    "a gate that depends on a bit": {(0, 1), (1, 0)},
    "a reset": {(0, 1), (1, 1)},
}


@pytest.mark.parametrize("what", DYNAMIC)
def test_dynamic_circuits_run_for_every_config(run_circuit, what):
    counts = run_circuit(DYNAMIC[what], "QulacsConfig", 10_000).get_counts()
    assert set(counts) == DYNAMIC_OUTCOMES[what]
    assert chisquare(list(counts.values())).pvalue > ALPHA


def selene_with(seed):
    simulator = {"type": "StatevectorSimulator", "seed": seed}
    return {"type": "SeleneConfig", "simulator": simulator}


@pytest.mark.parametrize(
    "config_with",
    [
        lambda seed: {"type": "QulacsConfig", "seed": seed},
        lambda seed: {"type": "AerConfig", "seed": seed},
        selene_with,
    ],
)
@pytest.mark.parametrize("seed", [0, 7])
def test_a_seed_makes_shots_reproducible(run_circuit, config_with, seed):
    circuit = Circuit(8)
    for qubit in range(8):
        circuit.H(qubit)
    circuit.measure_all()
    first, second, other = (
        run_circuit(circuit, config_with(number), 50).get_shots()
        for number in (seed, seed, seed + 1)
    )
    assert (first == second).all()
    assert (first != other).any()


def test_without_a_seed_shots_differ(run_circuit):
    circuit = Circuit(8)
    for qubit in range(8):
        circuit.H(qubit)
    circuit.measure_all()
    first, second = (run_circuit(circuit, "QulacsConfig").get_shots() for _ in range(2))
    assert (first != second).any()


def test_without_shots_qulacs_returns_the_state(run_circuit):
    circuit = Circuit()
    circuit.add_qubit(Qubit("b", 0))
    circuit.add_qubit(Qubit("a", 0))
    circuit.Ry(0.4, Qubit("b", 0)).CX(Qubit("b", 0), Qubit("a", 0)).add_phase(0.3)
    result = run_circuit(circuit, "QulacsConfig", None)
    np.testing.assert_allclose(
        result.get_state(circuit.qubits), circuit.get_statevector(), atol=1e-9
    )


def test_the_backend_info_is_one_that_nexus_could_store(run):
    for config in ("QulacsConfig", "AerConfig"):
        outcome = run(circuit_request(Circuit(1).measure_all(), config))
        StoredBackendInfo.model_validate_json(outcome.backend_info)


@pytest.mark.parametrize(
    ("program", "config", "sentence"),
    [
        ("{}", "QulacsConfig", "not a pytket circuit"),
        ("not JSON", "QulacsConfig", "not a pytket circuit"),
        (Circuit(1).measure_all(), "UnheardOfConfig", "UnheardOfConfig"),
        (Circuit(36).measure_all(), "QulacsConfig", "36 qubits needs 1.02e+03 GiB"),
    ],
)
def test_a_program_that_cannot_run_ends_in_error_and_says_why(
    run, program, config, sentence
):
    request = circuit_request(Circuit(), config)
    text = program if isinstance(program, str) else json.dumps(program.to_dict())
    outcome = run(type(request)("circuit", text, {"type": config}, 10))
    assert outcome.status == "ERROR"
    assert sentence in outcome.error_detail
    assert outcome.result is None


def test_symbols_are_named(run):
    from sympy import Symbol

    circuit = Circuit(1, 1).Rx(Symbol("alpha"), 0).Measure(0, 0)
    outcome = run(circuit_request(circuit, "QulacsConfig"))
    assert outcome.status == "ERROR"
    assert "alpha" in outcome.error_detail


def test_a_bit_with_two_indices_keeps_its_name(run_circuit):
    circuit = Circuit()
    circuit.add_qubit(Qubit(0))
    circuit.add_bit(Bit("grid", [1, 2]))
    circuit.X(Qubit(0)).Measure(Qubit(0), Bit("grid", [1, 2]))
    for config in ("QulacsConfig", "AerConfig"):
        result = run_circuit(circuit, config, 2)
        assert result.get_counts([Bit("grid", [1, 2])]) == {(1,): 2}


@pytest.mark.parametrize(
    "angle",
    [
        "9**9**9",
        "9^(9^9)",
        "((9**999)**999)**999",
        "9" * 5000,
        "gamma(999999999)",
        "2**9999999999",
    ],
)
def test_an_angle_that_cannot_be_computed_is_refused(angle):
    circuit = Circuit(1).Rx(0.5, 0).to_dict()
    circuit["commands"][0]["op"]["params"] = [angle]
    with pytest.raises(SimulationError, match="may be too large to compute"):
        parse(json.dumps(circuit))


@pytest.mark.parametrize("angle", ["2**(1/2)", "sqrt(2)/2", "pi^2", "1.5e-3", "2**-3"])
def test_an_angle_may_be_an_expression(angle):
    circuit = Circuit(1).Rx(0.5, 0).to_dict()
    circuit["commands"][0]["op"]["params"] = [angle]
    (command,) = parse(json.dumps(circuit)).get_commands()
    assert command.op.type == OpType.Rx
