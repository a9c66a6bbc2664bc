"""What real programs do to the pool; tests/local_cloud/test_pool.py has the rest."""

import queue
import threading
import time

import psutil
import pytest
from guppylang import guppy
from guppylang.std.quantum import measure, qubit
from pytket.circuit import Circuit

from local_nexus.simulators import RunRequest, SimulatorPool

from .conftest import circuit_request, wait_for

BELL_CIRCUIT = Circuit(2).H(0).CX(0, 1).measure_all()
BELL = circuit_request(BELL_CIRCUIT, "QulacsConfig")
MIB = 2**20


@pytest.fixture
def fresh_pool():
    pools = []

    def make(**options):
        pools.append(SimulatorPool(workers=1, **options))
        return pools[-1]

    yield make
    for pool in pools:
        pool.close()


def start(pool, request):
    """Submit a program and wait until its simulator has it."""
    started, outcomes = threading.Event(), queue.SimpleQueue()
    handle = pool.submit(request, started.set, outcomes.put)
    assert started.wait(30)
    return handle, outcomes


def family():
    return {
        process
        for worker in psutil.Process().children()
        if "local_cloud.pool.worker" in worker.cmdline()
        for process in [worker, *worker.children(recursive=True)]
    }


def test_a_simulator_that_needs_more_memory_than_allowed_is_an_error(fresh_pool):
    pool = fresh_pool(memory_limit=1024 * MIB)
    circuit = Circuit(26)
    for index in range(26):
        circuit.Rx(0.3, index)
    outcome = wait_for(pool, circuit_request(circuit.measure_all(), "AerConfig"))
    assert outcome.status == "ERROR"
    assert "memory" in outcome.error_detail
    assert wait_for(pool, BELL).status == "COMPLETED"


def test_more_shots_than_memory_are_an_error_that_says_what_to_do(fresh_pool):
    pool = fresh_pool(memory_limit=1024 * MIB)
    outcome = wait_for(pool, circuit_request(BELL_CIRCUIT, "QulacsConfig", 70_000_000))
    assert outcome.status == "ERROR"
    assert "fewer shots" in outcome.error_detail


def test_a_simulation_ends_in_the_middle_of_a_call_that_takes_long(fresh_pool):
    before, pool = family(), fresh_pool()
    wait_for(pool, BELL)
    circuit = Circuit(24)
    for _ in range(100):
        for index in range(24):
            circuit.Rx(0.1, index).CX(index, (index + 1) % 24)
    request = circuit_request(circuit.measure_all(), "QulacsConfig")
    handle, outcomes = start(pool, request)
    started = family() - before
    (simulator,) = (it for it in started if not it.children())
    # Its state takes this, and is made when the simulation begins.
    while simulator.memory_info().rss < 2**24 * 16:
        assert outcomes.empty()
        time.sleep(0.05)
    handle.cancel()
    _gone, alive = psutil.wait_procs(started, timeout=30)
    assert not alive


@guppy
def spins() -> None:
    while True:
        measure(qubit())


def test_a_cancelled_program_leaves_no_process_and_no_file(
    fresh_pool, monkeypatch, tmp_path
):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    before, pool = family(), fresh_pool()
    program = spins.compile().to_bytes()
    handle, outcomes = start(
        pool, RunRequest("hugr", program, {"type": "SeleneConfig"}, 1, n_qubits=1)
    )
    # Beside the two halves of the worker, a process of Selene or of its compiler.
    while len(started := family() - before) <= 2:
        assert outcomes.empty()
        time.sleep(0.05)
    handle.cancel()
    _gone, alive = psutil.wait_procs(started, timeout=30)
    assert not alive
    assert not list(tmp_path.iterdir())
