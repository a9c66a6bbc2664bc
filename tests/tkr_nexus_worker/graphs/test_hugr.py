"""HUGR programs: their upload, cost, results and raw shots."""

import time

import pytest
from guppylang import guppy
from guppylang.std.builtins import output
from guppylang.std.quantum import h, measure, qubit, x
from quantinuum_schemas.models.backend_config import HeliosConfig, SeleneConfig

from tkr_nexus_worker import jobs, programs, results, tasks
from tkr_nexus_worker.errors import InvalidInputError, ResultFormatError

PROJECT = "tests of HUGR"
N_SHOTS = 12


@guppy
def one_and_random() -> None:
    sure, coin = qubit(), qubit()
    x(sure)
    h(coin)
    output("c[0]", measure(sure).read())
    output("c[1]", measure(coin).read())


@guppy
def sometimes_silent() -> None:
    coin = qubit()
    h(coin)
    if measure(coin).read():
        output("heads", True)


@pytest.fixture(scope="module")
def package():
    return one_and_random.compile()


def run(package, config):
    program = programs.upload_hugr(package, PROJECT)
    job = jobs.start_execute_job(PROJECT, "hugr", [program], [N_SHOTS], config)
    while jobs.is_running(job):
        time.sleep(0.1)
    return job


@pytest.mark.parametrize(
    "config", [SeleneConfig(), HeliosConfig(system_name="Helios-1E")]
)
def test_results_and_raw_shots_of_a_hugr_program_agree(connected, package, config):
    job = run(package, config)
    [as_pytket] = results.get_results(job)
    [shots] = results.get_qsys_shots(job)
    assert as_pytket.get_counts().total() == len(shots) == N_SHOTS
    assert {bits[0] for bits in as_pytket.get_counts()} == {1}
    assert [[tag for tag, _ in shot] for shot in shots] == [["c[0]", "c[1]"]] * N_SHOTS
    values = [tuple(int(value) for _, value in shot) for shot in shots]
    assert sorted(values) == sorted(map(tuple, as_pytket.get_shots().tolist()))


def test_shots_with_different_registers_have_no_backend_result(connected):
    job = run(sometimes_silent.compile(), SeleneConfig())
    with pytest.raises(ResultFormatError, match="get_qsys_shots"):
        results.get_results(job)
    [shots] = results.get_qsys_shots(job)
    assert {len(shot) for shot in shots} == {0, 1}


def test_the_cost_of_several_programs_is_the_sum(connected, package):
    program = programs.upload_hugr(package, PROJECT, "named")
    assert program.annotations.name == "named"
    one = tasks.cost(program, N_SHOTS, PROJECT)
    two = tasks.cost([program, program], N_SHOTS, PROJECT)
    assert one > 0
    assert two == pytest.approx(2 * one)


def test_the_cost_of_nothing_is_refused(connected):
    with pytest.raises(InvalidInputError, match="no programs"):
        tasks.cost([], 1, PROJECT)
