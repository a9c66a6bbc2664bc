"""Whatever a program does to its simulator, the pool goes on and nothing stays."""

import os
import queue
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import psutil
import pytest
from guppylang import guppy
from guppylang.std.quantum import measure, qubit
from pytket.circuit import Circuit

from local_cloud.pool.child import Child
from local_nexus.simulators import RunRequest, SimulatorPool

from .conftest import circuit_request, wait_for

BELL = circuit_request(Circuit(2).H(0).CX(0, 1).measure_all(), "QulacsConfig")
MIB = 2**20


def endless():
    """Hours of work in a single call into the simulator, which holds Python's lock."""
    circuit = Circuit(22)
    for _ in range(2000):
        for index in range(22):
            circuit.Rx(0.1, index).CX(index, (index + 1) % 22)
    return circuit_request(circuit.measure_all(), "QulacsConfig")


ENDLESS = endless()


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


def processes():
    return {
        process
        for process in psutil.Process().children(recursive=True)
        if "local_cloud.pool.worker" in process.cmdline()
    }


def simulator_of(before):
    """The process, among those started since ``before``, that simulates."""
    (simulator,) = (p for p in processes() - before if p.ppid() != os.getpid())
    return simulator


def test_processes_stay_warm(fresh_pool):
    before, pool = processes(), fresh_pool()
    wait_for(pool, BELL)
    first = processes() - before
    assert first
    wait_for(pool, BELL)
    assert processes() - before == first


@pytest.mark.parametrize("policy", [None, "active"])
def test_threads_that_wait_leave_the_cores_to_others(fresh_pool, monkeypatch, policy):
    monkeypatch.delenv("OMP_WAIT_POLICY", raising=False)
    if policy is not None:
        monkeypatch.setenv("OMP_WAIT_POLICY", policy)
    before, pool = processes(), fresh_pool()
    wait_for(pool, BELL)
    environment = simulator_of(before).environ()
    assert environment["OMP_WAIT_POLICY"] == (policy or "passive")


def test_files_in_the_working_directory_do_not_disturb(
    fresh_pool, monkeypatch, tmp_path
):
    (tmp_path / "select.py").write_text("raise SystemExit(1)")
    monkeypatch.chdir(tmp_path)
    assert wait_for(fresh_pool(), BELL).status == "COMPLETED"


def test_programs_run_side_by_side():
    before, pool = processes(), SimulatorPool(workers=2)
    try:
        for _ in range(2):
            start(pool, ENDLESS)
        # Two simulators beside their guards, the second one of which is just forking.
        while len(processes() - before) < 4:
            time.sleep(0.05)
    finally:
        pool.close()


@pytest.mark.parametrize("how", [signal.SIGSEGV, signal.SIGKILL])
def test_a_crashed_simulator_is_an_error_and_the_next_program_runs(fresh_pool, how):
    before, pool = processes(), fresh_pool()
    wait_for(pool, BELL)
    _handle, outcomes = start(pool, ENDLESS)
    simulator_of(before).send_signal(how)
    outcome = outcomes.get(timeout=30)
    assert outcome.status == "ERROR"
    assert how.name in outcome.error_detail
    # A cause is given only if it is known.
    assert "did not say why" in outcome.error_detail
    assert "memory" not in outcome.error_detail
    assert wait_for(pool, BELL).status == "COMPLETED"


def test_a_program_beyond_the_time_limit_is_an_error(fresh_pool):
    pool = fresh_pool(time_limit=8)
    outcome = wait_for(pool, ENDLESS)
    assert outcome.status == "ERROR"
    assert "limit of 8 s" in outcome.error_detail
    assert wait_for(pool, BELL).status == "COMPLETED"


def test_a_program_beyond_the_memory_limit_is_an_error(fresh_pool):
    pool = fresh_pool(memory_limit=1024 * MIB)
    circuit = Circuit(26)
    for index in range(26):
        circuit.Rx(0.3, index)
    outcome = wait_for(pool, circuit_request(circuit.measure_all(), "AerConfig"))
    assert outcome.status == "ERROR"
    assert "memory" in outcome.error_detail
    assert wait_for(pool, BELL).status == "COMPLETED"


@pytest.mark.skipif(sys.platform != "linux", reason="psutil reads limits on Linux only")
def test_a_simulator_gets_its_share_of_the_memory_and_at_least_two_gibibytes():
    limits = []
    for workers in (4, 1000):
        before, pool = processes(), SimulatorPool(workers=workers)
        try:
            wait_for(pool, BELL)
            limits.append(simulator_of(before).rlimit(psutil.RLIMIT_DATA))
        finally:
            pool.close()
    share, least = (soft for soft, _hard in limits)
    assert least == 2048 * MIB
    assert least <= share <= max(least, psutil.virtual_memory().total // 4)


def test_a_cancelled_program_ends_and_the_next_one_runs(fresh_pool):
    before, pool = processes(), fresh_pool()
    handle, outcomes = start(pool, ENDLESS)
    simulator = processes() - before
    handle.cancel()
    _gone, alive = psutil.wait_procs(simulator, timeout=30)
    assert not alive
    assert wait_for(pool, BELL).status == "COMPLETED"
    assert outcomes.empty()


def test_a_program_cancelled_in_the_moment_of_its_end_spares_the_next_one(
    fresh_pool, monkeypatch
):
    pool = fresh_pool()
    handles = queue.SimpleQueue()

    def end_and_be_cancelled(worker, request):
        outcome = run(worker, request)
        handles.get(timeout=30).cancel()
        return outcome

    run = Child.run
    with monkeypatch.context() as patch:
        patch.setattr(Child, "run", end_and_be_cancelled)
        handle, outcomes = start(pool, BELL)
    handles.put(handle)
    assert wait_for(pool, BELL).status == "COMPLETED"
    assert outcomes.empty()


def test_a_program_cancelled_while_it_waits_never_starts(fresh_pool):
    pool = fresh_pool()
    running, _ = start(pool, ENDLESS)
    calls = queue.SimpleQueue()
    waiting = pool.submit(BELL, lambda: calls.put("start"), calls.put)
    waiting.cancel()
    running.cancel()
    assert wait_for(pool, BELL).status == "COMPLETED"
    assert calls.empty()


def test_cancelling_a_finished_program_does_nothing(fresh_pool):
    pool = fresh_pool()
    handle, outcomes = start(pool, BELL)
    assert outcomes.get(timeout=30).status == "COMPLETED"
    handle.cancel()
    assert wait_for(pool, BELL).status == "COMPLETED"


def test_programs_that_cannot_be_started_report_nothing_after_close(fresh_pool):
    before, pool = processes(), fresh_pool()
    _handle, outcomes = start(pool, ENDLESS)
    pool.close()
    pool.close()
    assert processes() == before
    assert outcomes.empty()
    with pytest.raises(RuntimeError, match="closed"):
        pool.submit(BELL, lambda: None, outcomes.put)


def test_a_failing_callback_leaves_the_pool_usable(fresh_pool, caplog):
    pool = fresh_pool()

    def fail(_outcome):
        raise ValueError("no room")

    pool.submit(BELL, lambda: None, fail)
    assert wait_for(pool, BELL).status == "COMPLETED"
    assert "no room" in caplog.text


def family(parents):
    children = [process.children(recursive=True) for process in parents]
    return set(parents).union(*children)


@guppy
def spins() -> None:
    while True:
        measure(qubit())


def test_a_cancelled_program_leaves_no_process_and_no_file(
    fresh_pool, monkeypatch, tmp_path
):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    before, pool = processes(), fresh_pool()
    program = spins.compile().to_bytes()
    handle, outcomes = start(
        pool, RunRequest("hugr", program, {"type": "SeleneConfig"}, 1, n_qubits=1)
    )
    # Beside the two halves of the worker, a process of Selene or of its compiler.
    while len(started := family(processes() - before)) <= 2:
        assert outcomes.empty()
        time.sleep(0.05)
    handle.cancel()
    _gone, alive = psutil.wait_procs(started, timeout=30)
    assert not alive
    assert not list(tmp_path.iterdir())


PARENT = """
import sys, threading
from local_nexus.simulators import RunRequest, SimulatorPool
started = threading.Event()
request = RunRequest("circuit", sys.stdin.read(), {"type": "QulacsConfig"}, 10)
SimulatorPool(workers=1).submit(request, started.set, lambda outcome: None)
started.wait()
print("started", flush=True)
threading.Event().wait()
"""


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_simulators_end_with_the_process_of_the_pool(how):
    with subprocess.Popen(
        [sys.executable, "-c", PARENT],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=Path(__file__).parent,
        text=True,
    ) as parent:
        parent.stdin.write(ENDLESS.program)
        parent.stdin.close()
        assert parent.stdout.readline() == "started\n"
        simulators = psutil.Process(parent.pid).children(recursive=True)
        assert simulators
        parent.send_signal(how)
        parent.wait()
    _gone, alive = psutil.wait_procs(simulators, timeout=30)
    assert not alive
