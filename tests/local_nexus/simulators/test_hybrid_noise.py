"""HUGR and QIR programs have the noise of a machine, on every simulator of Selene."""

import json
from collections import Counter

import pytest
from guppylang import guppy
from guppylang.std.angles import angle
from guppylang.std.platform import barrier, result
from guppylang.std.qsystem import phased_x, zz_phase
from guppylang.std.quantum import discard, measure, qubit, reset, rz
from pytket.circuit import Circuit, OpType
from scipy.stats import binomtest, chi2_contingency

from local_nexus.simulators.engines import machine_noise
from local_nexus.simulators.engines.selene import Program
from local_nexus.simulators.errors import SimulationError
from local_nexus.simulators.noise import ErrorRates

from .conftest import ALPHA, SELENE, completed, table

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
def entangled() -> None:
    first, second, third = qubit(), qubit(), qubit()
    phased_x(first, angle(0.4), angle(0.2))
    phased_x(second, angle(0.5), angle(0))
    zz_phase(first, second, angle(0.5))
    rz(second, angle(0.3))
    phased_x(second, angle(0.5), angle(0.5))
    result("third", measure(third).read())
    phased_x(first, angle(-0.4), angle(0.2))
    zz_phase(first, second, angle(0.2))
    phased_x(second, angle(0.3), angle(0.1))
    result("first", measure(first).read())
    result("second", measure(second).read())


@pytest.fixture(scope="session")
def hugr():
    programs = {
        "idle": idle,
        "flipped": flipped,
        "turned_in_software": turned_in_software,
        "coupled": coupled,
        "beside_a_measurement": beside_a_measurement,
        "beside_a_reset": beside_a_reset,
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


ENTANGLED = (
    Circuit(3, 3)
    .add_gate(OpType.PhasedX, [0.4, 0.2], [0])
    .add_gate(OpType.PhasedX, [0.5, 0.0], [1])
    .ZZPhase(0.5, 0, 1)
    .Rz(0.3, 1)
    .add_gate(OpType.PhasedX, [0.5, 0.5], [1])
    .Measure(2, 0)
    .add_gate(OpType.PhasedX, [-0.4, 0.2], [0])
    .ZZPhase(0.2, 0, 1)
    .add_gate(OpType.PhasedX, [0.3, 0.1], [1])
    .Measure(0, 1)
    .Measure(1, 2)
)
"""The same gates as in the program ``entangled``."""


def test_programs_and_circuits_have_the_same_noise(run_hybrid, run_circuit, hugr):
    config = noisy(
        p1=0.05, p2=0.2, p_init=0.1, p_meas_0=0.02, p_meas_1=0.1, p_crosstalk_meas=0.3
    )
    shots = completed(run_hybrid("hugr", hugr["entangled"], config, 4000))["3"]
    counts = Counter(tuple(value for _tag, value in shot) for shot in shots)
    expected = run_circuit(ENTANGLED, config, 4000).get_counts()
    assert chi2_contingency(table(counts, expected)).pvalue > ALPHA


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
    monkeypatch.setattr(machine_noise, "SOURCE", source)
    machine_noise._library.cache_clear()
    with Program(hugr["idle"]) as program:
        with pytest.raises(SimulationError, match=r"cannot be compiled .* error: "):
            program.run({}, 1, 1, ErrorRates(p1=0.1))
        # An ideal device needs no error model.
        for rates in (None, ErrorRates()):
            assert program.run({}, 1, 1, rates).tagged == [[("USER:INT:ones", 0)]]
