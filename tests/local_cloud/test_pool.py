"""Whatever a program does to its process, the pool goes on and nothing stays."""

import json
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from functools import partial

import psutil
import pytest

from local_cloud.pool import ProcessPool
from local_cloud.pool.child import Child

MIB = 2**20


@pytest.fixture
def quick(programs):
    """A program that ends at once."""
    return programs.Look("environment")


@pytest.fixture
def endless(programs):
    """A program that computes in one call, which holds Python's lock."""
    return programs.Look("compute_forever")


@pytest.fixture
def new_pool(programs):
    pools = []

    def make(**options):
        options = {"workers": 1, **options}
        pools.append(ProcessPool(programs.HANDLER, **options))
        return pools[-1]

    yield make
    for pool in pools:
        pool.close()


def start(pool, request):
    """Submit a program and wait until its process has it."""
    started, outcomes = threading.Event(), queue.SimpleQueue()
    handle = pool.submit(request, started.set, outcomes.put)
    assert started.wait(30)
    return handle, outcomes


def wait_for(pool, request):
    outcomes = queue.SimpleQueue()
    pool.submit(request, lambda: None, outcomes.put)
    return outcomes.get(timeout=120)


def completes(pool, request):
    return "PATH" in json.loads(wait_for(pool, request))


def processes():
    return {
        process
        for process in psutil.Process().children(recursive=True)
        if "local_cloud.pool.worker" in process.cmdline()
    }


def working_half(before):
    """The process, among those started since ``before``, that runs programs."""
    (process,) = (p for p in processes() - before if p.ppid() != os.getpid())
    return process


def test_processes_stay_warm(new_pool, quick):
    before, pool = processes(), new_pool()
    wait_for(pool, quick)
    first = processes() - before
    assert first
    wait_for(pool, quick)
    assert processes() - before == first


@pytest.mark.parametrize("policy", [None, "active"])
def test_threads_that_wait_leave_the_cores_to_others(
    new_pool, quick, monkeypatch, policy
):
    monkeypatch.delenv("OMP_WAIT_POLICY", raising=False)
    if policy is not None:
        monkeypatch.setenv("OMP_WAIT_POLICY", policy)
    environment = json.loads(wait_for(new_pool(), quick))
    assert environment["OMP_WAIT_POLICY"] == (policy or "passive")


def test_files_in_the_working_directory_do_not_disturb(
    new_pool, quick, monkeypatch, tmp_path
):
    (tmp_path / "select.py").write_text("raise SystemExit(1)")
    monkeypatch.chdir(tmp_path)
    assert completes(new_pool(), quick)


def test_programs_run_side_by_side(new_pool, endless):
    before, pool = processes(), new_pool(workers=2)
    for _ in range(2):
        start(pool, endless)
    # Two working halves beside their guards, the second one of which is just forking.
    while len(processes() - before) < 4:
        time.sleep(0.05)


@pytest.mark.parametrize("how", [signal.SIGSEGV, signal.SIGKILL])
def test_a_crash_is_an_error_and_the_next_program_runs(new_pool, quick, endless, how):
    before, pool = processes(), new_pool()
    wait_for(pool, quick)
    _handle, outcomes = start(pool, endless)
    working_half(before).send_signal(how)
    detail = outcomes.get(timeout=30)
    assert how.name in detail
    # A cause is given only if it is known.
    assert "did not say why" in detail
    assert "memory" not in detail
    assert completes(pool, quick)


def test_a_program_beyond_the_time_limit_is_an_error(new_pool, quick, programs):
    pool = new_pool(time_limit=5)
    assert "limit of 5 s" in wait_for(pool, programs.Look("sleep_forever"))
    assert completes(pool, quick)


@pytest.mark.skipif(sys.platform != "linux", reason="psutil reads limits on Linux only")
def test_a_process_gets_its_share_of_the_memory_and_at_least_two_gibibytes(
    new_pool, quick
):
    limits = []
    for workers in (4, 1000):
        before, pool = processes(), new_pool(workers=workers)
        wait_for(pool, quick)
        limits.append(working_half(before).rlimit(psutil.RLIMIT_DATA))
    share, least = (soft for soft, _hard in limits)
    assert least == 2048 * MIB
    assert least <= share <= max(least, psutil.virtual_memory().total // 4)


def test_a_cancelled_program_ends_and_the_next_one_runs(new_pool, quick, endless):
    before, pool = processes(), new_pool()
    handle, outcomes = start(pool, endless)
    started = processes() - before
    handle.cancel()
    _gone, alive = psutil.wait_procs(started, timeout=30)
    assert not alive
    assert completes(pool, quick)
    assert outcomes.empty()


def test_a_program_cancelled_in_the_moment_of_its_end_spares_the_next_one(
    new_pool, quick, monkeypatch
):
    pool = new_pool()
    handles = queue.SimpleQueue()

    def end_and_be_cancelled(worker, request):
        outcome = run(worker, request)
        handles.get(timeout=30).cancel()
        return outcome

    run = Child.run
    with monkeypatch.context() as patch:
        patch.setattr(Child, "run", end_and_be_cancelled)
        handle, outcomes = start(pool, quick)
    handles.put(handle)
    assert completes(pool, quick)
    assert outcomes.empty()


def test_a_program_cancelled_while_it_waits_never_starts(new_pool, quick, endless):
    pool = new_pool()
    running, _ = start(pool, endless)
    calls = queue.SimpleQueue()
    waiting = pool.submit(quick, partial(calls.put, "start"), calls.put)
    waiting.cancel()
    running.cancel()
    assert completes(pool, quick)
    assert calls.empty()


def test_cancelling_a_finished_program_does_nothing(new_pool, quick):
    pool = new_pool()
    handle, outcomes = start(pool, quick)
    assert outcomes.get(timeout=30)
    handle.cancel()
    assert completes(pool, quick)


def test_programs_that_cannot_be_started_report_nothing_after_close(
    new_pool, quick, endless
):
    before, pool = processes(), new_pool()
    _handle, outcomes = start(pool, endless)
    pool.close()
    pool.close()
    assert processes() == before
    assert outcomes.empty()
    with pytest.raises(RuntimeError, match="closed"):
        pool.submit(quick, lambda: None, outcomes.put)


def test_a_failing_callback_leaves_the_pool_usable(new_pool, quick, caplog):
    pool = new_pool()

    def fail(_outcome):
        raise ValueError("no room")

    pool.submit(quick, lambda: None, fail)
    assert completes(pool, quick)
    assert "no room" in caplog.text


PARENT = """
import threading
from curious_programs import HANDLER, Look
from local_cloud.pool import ProcessPool
started = threading.Event()
program = Look("compute_forever")
ProcessPool(HANDLER, workers=1).submit(program, started.set, lambda outcome: None)
started.wait()
print("started", flush=True)
threading.Event().wait()
"""


@pytest.mark.usefixtures("programs")
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_processes_end_with_that_of_the_pool(how):
    with subprocess.Popen(
        [sys.executable, "-c", PARENT], stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdout.readline() == "started\n"
        started = psutil.Process(parent.pid).children(recursive=True)
        assert started
        parent.send_signal(how)
        parent.wait()
    _gone, alive = psutil.wait_procs(started, timeout=30)
    assert not alive
