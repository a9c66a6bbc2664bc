"""HUGR and QIR programs have the noise of a machine, on every simulator of Selene."""

import json
from collections import Counter
from math import pi, sin

import pytest
from guppylang import guppy
from guppylang.std.angles import angle
from guppylang.std.platform import barrier, result
from guppylang.std.qsystem import measure_leaked, phased_x, zz_phase
from guppylang.std.quantum import discard, measure, qubit, reset, rz
from pytket.backends.backendresult import BackendResult
from pytket.circuit import Circuit, OpType
from scipy.stats import binomtest, chi2_contingency
from tests.helpers.repetition import few_and_all

from local_nexus.simulators.engines.selene import error_model
from local_nexus.simulators.engines.selene.programs import Program
from local_nexus.simulators.errors import SimulationError
from local_nexus.simulators.noise.error_rates import (
    TRANSPORT_SECONDS,
    TWO_QUBIT_SECONDS,
    ErrorRates,
)

from .conftest import ALPHA, SELENE, completed, table
from .test_hybrid import bell_qir

N_SHOTS = 100
REPEATS = 50
"""Trials of each shot of a program that counts ones."""
SILENT = {
    "p1": 0.0,
    "p2": 0.0,
    "p_init": 0.0,
    "p_meas_0": 0.0,
    "p_meas_1": 0.0,
    "p_crosstalk_meas": 0.0,
    "p_crosstalk_init": 0.0,
    "linear_dephasing_rate": 0.0,
}
ENGINES = ["StatevectorSimulator", "StabilizerSimulator"]


def noisy(simulator=None, seed=None, **rates):
    model = {"type": "HeliosCustomErrorModel", "error_params": SILENT | rates}
    return {
        "type": "HeliosConfig",
        "system_name": "Helios-1E",
        "emulator_config": {
            "simulator": simulator or {"type": "StatevectorSimulator"},
            "error_model": model | ({} if seed is None else {"seed": seed}),
        },
    }


@guppy
def idle() -> None:
    ones = 0
    for _ in range(50):
        if measure(qubit()).read():
            ones += 1
    result("ones", ones)


@guppy
def flipped() -> None:
    ones = 0
    for _ in range(50):
        turned = qubit()
        phased_x(turned, angle(1), angle(0))
        if measure(turned).read():
            ones += 1
    result("ones", ones)


@guppy
def turned_in_software() -> None:
    ones = 0
    for _ in range(50):
        turned = qubit()
        rz(turned, angle(1))
        if measure(turned).read():
            ones += 1
    result("ones", ones)


@guppy
def coupled() -> None:
    ones = 0
    for _ in range(50):
        first, second = qubit(), qubit()
        zz_phase(first, second, angle(0.5))
        discard(second)
        if measure(first).read():
            ones += 1
    result("ones", ones)


@guppy
def coupled_by_turns() -> None:
    ones = 0
    for _ in range(50):
        first, second = qubit(), qubit()
        zz_phase(first, second, angle(-11))
        discard(second)
        if measure(first).read():
            ones += 1
    result("ones", ones)


@guppy
def beside_a_measurement() -> None:
    ones = 0
    for _ in range(50):
        first, second = qubit(), qubit()
        barrier(first, second)
        phased_x(first, angle(0.5), angle(0))
        barrier(first, second)
        if measure(second).read():
            ones += 50
        phased_x(first, angle(-0.5), angle(0))
        if measure(first).read():
            ones += 1
    result("ones", ones)


@guppy
def beside_a_reset() -> None:
    ones = 0
    for _ in range(50):
        first, second = qubit(), qubit()
        barrier(first, second)
        phased_x(first, angle(0.5), angle(0))
        barrier(first, second)
        reset(second)
        barrier(first, second)
        phased_x(first, angle(-0.5), angle(0))
        discard(second)
        if measure(first).read():
            ones += 1
    result("ones", ones)


@guppy
def beside_two_measurements() -> None:
    ones = 0
    for _ in range(50):
        first, second, third = qubit(), qubit(), qubit()
        barrier(first, second, third)
        phased_x(first, angle(0.5), angle(0))
        barrier(first, second, third)
        one, other = measure(second), measure(third)
        if one.read() or other.read():
            ones += 50
        phased_x(first, angle(-0.5), angle(0))
        if measure(first).read():
            ones += 1
    result("ones", ones)


@guppy
def leaked_once() -> None:
    leaked = 0
    for _ in range(50):
        turned = qubit()
        phased_x(turned, angle(1), angle(0))
        outcome = measure_leaked(turned)
        if outcome.is_leaked():
            leaked += 1
        outcome.discard()
    result("ones", leaked)


@guppy
def leaked_and_turned() -> None:
    leaked = 0
    for _ in range(50):
        turned = qubit()
        phased_x(turned, angle(1), angle(0))
        phased_x(turned, angle(1), angle(0.5))
        outcome = measure_leaked(turned)
        if outcome.is_leaked():
            leaked += 1
        outcome.discard()
    result("ones", leaked)


@guppy
def leaked_and_reset() -> None:
    leaked = 0
    for _ in range(50):
        turned = qubit()
        phased_x(turned, angle(1), angle(0))
        reset(turned)
        outcome = measure_leaked(turned)
        if outcome.is_leaked():
            leaked += 1
        outcome.discard()
    result("ones", leaked)


@guppy
def moved_twice() -> None:
    ones = 0
    for _ in range(50):
        first, second = qubit(), qubit()
        phased_x(first, angle(0.5), angle(0))
        # A gate by a whole turn is none, but the qubits have to meet for it.
        zz_phase(first, second, angle(2))
        zz_phase(first, second, angle(2))
        phased_x(first, angle(-0.5), angle(0))
        discard(second)
        if measure(first).read():
            ones += 1
    result("ones", ones)


@guppy
def waits_and_moves() -> None:
    """A qubit meets another, which then meets a third one twice, and meets it again."""
    first, second, third = qubit(), qubit(), qubit()
    phased_x(first, angle(0.5), angle(0))
    zz_phase(first, second, angle(2))
    zz_phase(second, third, angle(2))
    zz_phase(second, third, angle(2))
    zz_phase(first, second, angle(2))
    phased_x(first, angle(-0.5), angle(0))
    discard(second)
    discard(third)
    result("ones", measure(first).read())


@guppy
def entangled() -> None:
    first, second, third = qubit(), qubit(), qubit()
    phased_x(first, angle(0.4), angle(0.2))
    phased_x(second, angle(0.5), angle(0))
    phased_x(third, angle(0.3), angle(0.7))
    zz_phase(first, second, angle(0.5))
    rz(second, angle(0.3))
    phased_x(second, angle(0.5), angle(0.5))
    zz_phase(second, third, angle(0.3))
    result("third", measure(third).read())
    again = qubit()
    phased_x(again, angle(0.5), angle(0.1))
    zz_phase(again, first, angle(-0.4))
    phased_x(again, angle(0.3), angle(0.6))
    phased_x(first, angle(-0.4), angle(0.2))
    zz_phase(first, second, angle(0.2))
    phased_x(second, angle(0.3), angle(0.1))
    result("first", measure(first).read())
    result("second", measure(second).read())
    result("again", measure(again).read())


@pytest.fixture(scope="session")
def hugr():
    programs = {
        "idle": idle,
        "flipped": flipped,
        "turned_in_software": turned_in_software,
        "coupled": coupled,
        "coupled_by_turns": coupled_by_turns,
        "beside_a_measurement": beside_a_measurement,
        "beside_a_reset": beside_a_reset,
        "beside_two_measurements": beside_two_measurements,
        "leaked_once": leaked_once,
        "leaked_and_turned": leaked_and_turned,
        "leaked_and_reset": leaked_and_reset,
        "moved_twice": moved_twice,
        "waits_and_moves": waits_and_moves,
        "entangled": entangled,
    }
    return {name: program.compile().to_bytes() for name, program in programs.items()}


def ones(outcome):
    return [shot[0][1] for shot in completed(outcome)["3"]]


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(
    ("program", "rates", "expected"),
    [
        # Two of three Pauli errors flip a qubit, 8 of 15 flip the first of two.
        ("flipped", {"p1": 0.3}, 1 - 0.3 * 2 / 3),
        ("coupled", {"p2": 0.3, "p1": 1.0}, 0.3 * 8 / 15),
        ("turned_in_software", {"p1": 1.0, "p2": 1.0}, 0.0),
        ("idle", {"p_init": 0.2}, 0.2),
        ("idle", {"p_meas_0": 0.2, "p_meas_1": 0.9}, 0.2),
        ("flipped", {"p_meas_0": 0.9, "p_meas_1": 0.2}, 0.8),
        # A qubit measured between two half turns is 0 or 1 afterwards.
        ("beside_a_measurement", {"p_crosstalk_meas": 0.4}, 0.4 / 2),
        ("beside_a_measurement", {"p_crosstalk_init": 1.0}, 0.0),
        ("beside_a_reset", {"p_crosstalk_init": 0.4, "p_crosstalk_meas": 1.0}, 0.4 / 2),
    ],
)
def test_errors_have_the_probability_asked_for(
    run_hybrid, hugr, program, rates, expected, engine
):
    config = noisy({"type": engine}, **rates)
    counted = sum(ones(run_hybrid("hugr", hugr[program], config, N_SHOTS)))
    assert binomtest(counted, N_SHOTS * REPEATS, expected).pvalue > ALPHA


ALL_LEAK = {"p1": 1.0, "p1_emission_ratio": 1.0, "leakage_scale": 2.0}


@pytest.mark.parametrize(
    ("program", "rates", "expected"),
    [
        # In half of the cases a qubit that emits leaks, which is measured as 1; else
        # it is 1 by chance.
        ("flipped", {"p1": 0.6, "p1_emission_ratio": 1.0}, 1 - 0.6 / 4),
        ("flipped", {"p1": 0.6, "p1_emission_ratio": 0.5}, 1 - 0.6 * (1 / 8 + 1 / 3)),
        (
            "flipped",
            {"p1": 0.6, "p1_emission_ratio": 1.0, "leakage_scale": 0.0},
            1 - 0.6 / 2,
        ),
        ("flipped", ALL_LEAK | {"leak2depolar": True}, 0.5),
        ("flipped", ALL_LEAK | {"p_meas_1": 0.3}, 0.7),
        # Either one of two qubits emits.
        ("coupled", {"p2": 0.6, "p2_emission_ratio": 1.0}, 0.6 / 2 * (1 / 2 + 1 / 4)),
        ("leaked_once", {"p1": 0.6, "p1_emission_ratio": 1.0}, 0.3),
        ("leaked_once", {"p_init": 0.6, "p_prep_leak_ratio": 0.5}, 0.3),
        ("leaked_and_reset", ALL_LEAK, 0.0),
        ("leaked_and_turned", ALL_LEAK | {"p1_seepage_prob": 0.4}, 0.6),
    ],
)
def test_qubits_leak_and_return(run_hybrid, hugr, program, rates, expected):
    config = noisy({"type": "StabilizerSimulator"}, **rates)
    counted = sum(ones(run_hybrid("hugr", hugr[program], config, N_SHOTS)))
    assert binomtest(counted, N_SHOTS * REPEATS, expected).pvalue > ALPHA


def twice(probability):
    """The probability that an error happens once in two tries."""
    return 2 * probability * (1 - probability)


TURNED = sin(pi * 0.1)
"""A phase of a tenth of a turn in each transport, which takes a millisecond."""
QUADRATIC = {"quadratic_dephasing_rate": 0.1 / TRANSPORT_SECONDS}
LINEAR = {"linear_dephasing_rate": 0.1 / TRANSPORT_SECONDS}


@pytest.mark.parametrize(
    ("engine", "rates", "expected"),
    [
        ("StatevectorSimulator", QUADRATIC, sin(2 * pi * 0.1) ** 2),
        ("StabilizerSimulator", QUADRATIC, twice(TURNED**2)),
        (
            "StatevectorSimulator",
            QUADRATIC
            | {"coherent_dephasing": False, "coherent_to_incoherent_factor": 2},
            twice(2 * TURNED**2),
        ),
        ("StatevectorSimulator", LINEAR, twice(0.1)),
        ("StabilizerSimulator", LINEAR | {"memory_scale": 2.0}, twice(0.2)),
        ("StabilizerSimulator", {"p2_idle": 0.1}, twice(0.1)),
    ],
)
def test_memory_errors_come_from_transport(run_hybrid, hugr, engine, rates, expected):
    config = noisy({"type": engine}, **rates)
    counted = sum(ones(run_hybrid("hugr", hugr["moved_twice"], config, N_SHOTS)))
    assert binomtest(counted, N_SHOTS * REPEATS, expected).pvalue > ALPHA


MEETING = TRANSPORT_SECONDS + TWO_QUBIT_SECONDS


@pytest.mark.parametrize(
    ("flags", "moving", "waiting"),
    [
        ({}, TRANSPORT_SECONDS, 2 * MEETING),
        ({"transport_dephasing": False}, 0.0, 2 * MEETING),
        ({"idle_dephasing": False}, TRANSPORT_SECONDS, 0.0),
    ],
)
def test_memory_errors_come_from_waiting(run_hybrid, hugr, flags, moving, waiting):
    rates = {"linear_dephasing_rate": 100.0} | flags
    config = noisy({"type": "StabilizerSimulator"}, **rates)
    counted = sum(ones(run_hybrid("hugr", hugr["waits_and_moves"], config, 1500)))
    first, second = 100 * moving, 100 * (waiting + moving)
    expected = first * (1 - second) + second * (1 - first)
    assert binomtest(counted, 1500, expected).pvalue > ALPHA


@pytest.mark.parametrize(
    ("rates", "expected"),
    [({}, twice(0.2)), ({"crosstalk_per_gate": False}, 0.2)],
)
def test_measurements_at_one_time_may_have_the_crosstalk_of_one(
    run_hybrid, hugr, rates, expected
):
    config = noisy({"type": "StabilizerSimulator"}, p_crosstalk_meas=0.4, **rates)
    program = hugr["beside_two_measurements"]
    counted = sum(ones(run_hybrid("hugr", program, config, N_SHOTS)))
    assert binomtest(counted, N_SHOTS * REPEATS, expected).pvalue > ALPHA


def test_whole_turns_of_a_coupling_do_not_count(run_hybrid, hugr):
    # A half turn is the end of the positive angles, whatever rounding makes of it.
    scaling = {"przz_a": 0.0, "przz_b": 0.0, "przz_c": 1.0, "przz_d": 0.0}
    config = noisy({"type": "StabilizerSimulator"}, p2=0.6, **scaling)
    counted = sum(ones(run_hybrid("hugr", hugr["coupled_by_turns"], config, N_SHOTS)))
    assert binomtest(counted, N_SHOTS * REPEATS, 0.6 * 8 / 15).pvalue > ALPHA


@pytest.mark.parametrize(
    ("scaling", "expected"),
    [
        ({"przz_a": 0.0, "przz_b": 0.0, "przz_c": 0.5, "przz_d": 0.5}, 0.75),
        ({"przz_a": 0.5, "przz_b": 0.5, "przz_c": 0.0, "przz_d": 0.5}, 0.5),
        (
            {
                "przz_a": 0.0,
                "przz_b": 0.0,
                "przz_c": 1.0,
                "przz_d": 0.0,
                "przz_power": 2.0,
            },
            0.25,
        ),
    ],
)
def test_the_error_of_a_coupling_depends_on_its_angle(
    run_hybrid, hugr, scaling, expected
):
    config = noisy({"type": "StabilizerSimulator"}, p2=0.6, **scaling)
    counted = sum(ones(run_hybrid("hugr", hugr["coupled"], config, N_SHOTS)))
    expected *= 0.6 * 8 / 15
    assert binomtest(counted, N_SHOTS * REPEATS, expected).pvalue > ALPHA


def turned(circuit, qubit, angle, phase):
    return circuit.add_gate(OpType.PhasedX, [angle, phase], [qubit])


def same_as_entangled():
    """The same gates as in the program ``entangled``."""
    circuit = Circuit(3, 4)
    turned(circuit, 0, 0.4, 0.2)
    turned(circuit, 1, 0.5, 0.0)
    turned(circuit, 2, 0.3, 0.7)
    circuit.ZZPhase(0.5, 0, 1).Rz(0.3, 1)
    turned(circuit, 1, 0.5, 0.5).ZZPhase(0.3, 1, 2)
    circuit.Measure(2, 0).Reset(2)
    turned(circuit, 2, 0.5, 0.1).ZZPhase(-0.4, 2, 0)
    turned(circuit, 2, 0.3, 0.6)
    turned(circuit, 0, -0.4, 0.2).ZZPhase(0.2, 0, 1)
    turned(circuit, 1, 0.3, 0.1)
    return circuit.Measure(0, 1).Measure(1, 2).Measure(2, 3)


GATE_ERRORS = {
    "p1": 0.05,
    "p2": 0.2,
    "p_init": 0.1,
    "p_meas_0": 0.02,
    "p_meas_1": 0.1,
}
LEAKAGE = {
    "p1_emission_ratio": 0.7,
    "p2_emission_ratio": 0.8,
    "leakage_scale": 1.5,
    "p_prep_leak_ratio": 0.6,
    "p1_seepage_prob": 0.3,
    "p2_seepage_prob": 0.4,
}
MEMORY = {
    "linear_dephasing_rate": 50.0,
    "quadratic_dephasing_rate": 40.0,
    "p2_idle": 0.05,
}
ANGLES = {
    "przz_a": 1.0,
    "przz_b": 0.2,
    "przz_c": 3.0,
    "przz_d": 0.1,
    "przz_power": 1.5,
}


@pytest.mark.parametrize(
    "rates",
    few_and_all(
        [GATE_ERRORS | LEAKAGE | MEMORY | ANGLES],
        [GATE_ERRORS | {"p_crosstalk_meas": 0.3}, MEMORY],
    ),
)
def test_programs_and_circuits_have_the_same_noise(
    run_hybrid, run_circuit, hugr, rates
):
    config = noisy(**rates)
    shots = completed(run_hybrid("hugr", hugr["entangled"], config, 4000))["3"]
    counts = Counter(tuple(value for _tag, value in shot) for shot in shots)
    expected = run_circuit(same_as_entangled(), config, 4000).get_counts()
    assert chi2_contingency(table(counts, expected)).pvalue > ALPHA


def test_an_h_series_emulator_has_the_noise_of_its_config(run_hybrid):
    config = {
        "type": "QuantinuumConfig",
        "device_name": "H1-1E",
        "error_params": SILENT | {"p_meas_0": 1.0},
    }
    result = completed(run_hybrid("qir", bell_qir(), config, 10))
    assert set(BackendResult.from_dict(result).get_counts()) == {(1, 1)}


@pytest.mark.parametrize(
    "simulator",
    [
        {"type": "CoinflipSimulator", "bias": 1.0},
        {"type": "ClassicalReplaySimulator", "measurements": [[True] * REPEATS] * 20},
    ],
)
def test_outcomes_that_are_not_simulated_are_flipped_too(run_hybrid, hugr, simulator):
    config = noisy(simulator, p1=1.0, p_crosstalk_init=1.0, p_meas_1=0.3)
    counted = sum(ones(run_hybrid("hugr", hugr["flipped"], config, 20)))
    assert binomtest(counted, 20 * REPEATS, 0.7).pvalue > ALPHA


def test_the_seed_of_an_error_model_gives_the_same_errors(run_hybrid, hugr):
    def counted(seed):
        config = noisy(seed=seed, p_init=0.5)
        return ones(run_hybrid("hugr", hugr["idle"], config, 10))

    first, again, other = counted(1), counted(1), counted(2)
    assert first == again != other
    assert len(set(first)) > 1


def test_traces_show_the_errors(run_hybrid, hugr):
    outcome = run_hybrid("hugr", hugr["idle"], noisy(p_init=1.0), 2)
    (trace,) = json.loads(outcome.runtime_traces)
    gates = [
        record["source"]["kind"]
        for record in trace["events"]
        if record["event"].get("gate_name") == "Rxy"
    ]
    assert Counter(gates) == {"ErrorModel": REPEATS, "Simulator": REPEATS}


def test_the_depolarizing_error_model_is_that_of_selene(run_hybrid, hugr):
    model = {"type": "DepolarizingErrorModel", "p_1q": 0.3}
    config = SELENE | {"error_model": model}
    outcome = run_hybrid("hugr", hugr["turned_in_software"], config, N_SHOTS)
    assert binomtest(sum(ones(outcome)), N_SHOTS * REPEATS, 0.2).pvalue > ALPHA


# Selene calls what its own compiler has deprecated.
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_noise_that_cannot_be_compiled_is_an_error(hugr, tmp_path, monkeypatch):
    source = tmp_path / "broken.c"
    source.write_text("no C")
    monkeypatch.setattr(error_model, "SOURCE", source)
    error_model._library.cache_clear()
    with Program(hugr["idle"]) as program:
        with pytest.raises(SimulationError, match=r"cannot be compiled .* error: "):
            program.run({}, 1, 1, ErrorRates(p1=0.1))
        # An ideal device needs no error model.
        for rates in (None, ErrorRates()):
            assert program.run({}, 1, 1, rates).tagged == [[("USER:INT:ones", 0)]]
