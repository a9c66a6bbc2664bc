"""Random numbers and shot numbers that a circuit asks its machine for."""

import pytest
from pytket.circuit import Circuit
from scipy.stats import chisquare

from local_nexus.simulators.circuits.classical import number
from local_nexus.simulators.circuits.random_numbers import RandomNumbers

from .conftest import ALPHA, circuit_request

CONFIG = {"type": "QuantinuumConfig", "device_name": "H2-1E", "noisy_simulation": False}


def drawing(*, seed=None, bound=None, by_shot=False) -> Circuit:
    """A circuit that draws two numbers, ``first`` and ``second``, in each shot."""
    circuit = Circuit(1)
    shot = circuit.add_c_register("shot", 32)
    circuit.get_job_shot_num(shot)
    if seed is not None:
        register = circuit.add_c_register("seed", 64)
        circuit.add_c_setreg(seed, register)
        circuit.set_rng_seed(register)
    if by_shot:
        circuit.set_rng_index(shot)
    if bound is not None:
        register = circuit.add_c_register("bound", 32)
        circuit.add_c_setreg(bound, register)
        circuit.set_rng_bound(register)
    for name in ("first", "second"):
        circuit.get_rng_num(circuit.add_c_register(name, 32))
    return circuit


@pytest.fixture
def numbers(run_circuit):
    def of_register(circuit, n_shots=20, config=CONFIG):
        result = run_circuit(circuit, config, n_shots)
        registers = {
            name: list(circuit.get_c_register(name))
            for name in ("shot", "first", "second")
        }
        return {
            name: [number(map(int, row)) for row in result.get_shots(bits)]
            for name, bits in registers.items()
        }

    return of_register


def test_the_generator_gives_the_numbers_of_its_published_demonstration():
    generator = RandomNumbers(seed=42, index=54)
    assert [generator.draw() for _ in range(3)] == [0xA15C02B7, 0x7B47F409, 0xBA1D3330]


def test_shots_are_numbered_in_the_order_of_the_result(numbers):
    assert numbers(drawing(seed=1))["shot"] == list(range(20))


def test_a_seed_gives_the_same_numbers_in_each_shot_and_job(numbers):
    first, second = numbers(drawing(seed=7)), numbers(drawing(seed=7))
    assert first == second
    assert len(set(first["first"])) == 1
    assert first["first"] != first["second"]
    assert numbers(drawing(seed=8))["first"] != first["first"]


def test_the_index_chooses_a_stream_of_the_seed(numbers):
    by_shot = numbers(drawing(seed=7, by_shot=True))
    drawn = by_shot["first"] + by_shot["second"]
    assert len(set(drawn)) == 40
    assert numbers(drawing(seed=7, by_shot=True)) == by_shot


def test_the_bound_is_the_largest_number(numbers):
    drawn = numbers(drawing(bound=5), 600)["first"]
    assert set(drawn) == set(range(6))
    assert chisquare([drawn.count(value) for value in range(6)]).pvalue > ALPHA


def test_shots_differ_without_a_seed(numbers):
    drawn = numbers(drawing())["first"]
    assert len(set(drawn)) > 15


def test_numbers_steer_gates_shot_by_shot(run_circuit):
    circuit = Circuit(1)
    shot = circuit.add_c_register("shot", 32)
    outcome = circuit.add_c_register("outcome", 1)
    circuit.get_job_shot_num(shot)
    circuit.X(0, condition=shot[0]).Measure(circuit.qubits[0], outcome[0])
    shots = run_circuit(circuit, CONFIG, 6).get_shots([outcome[0]])
    assert [int(row[0]) for row in shots] == [0, 1, 0, 1, 0, 1]


def test_simulators_without_numbers_refuse_them_by_name(run):
    for config in ({"type": "AerConfig"}, {"type": "BraketConfig", "local": True}):
        outcome = run(circuit_request(drawing(seed=1), config))
        assert outcome.status == "ERROR"
        assert "JobShotNum" in outcome.error_detail
