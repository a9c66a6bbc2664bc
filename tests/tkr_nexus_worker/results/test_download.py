import time
from collections import Counter

import numpy as np
import pytest
from pytket.backends.backendresult import BackendResult
from pytket.circuit import Circuit
from quantinuum_schemas.models.backend_config import QuantinuumConfig
from scipy.stats import chisquare

from local_nexus import Progress
from tkr_nexus_worker import jobs, programs, results
from tkr_nexus_worker.errors import JobFailedError, ResultsNotReadyError

CONFIG = QuantinuumConfig(device_name="H2-1LE")
PROJECT = "tests of results"
# A correct program fails a statistical test with at most this probability.
ERROR_RATE = 1e-6


def number_circuit(number: int, n_bits: int = 9) -> Circuit:
    """Write a number into the bits, the most significant bit first."""
    circuit = Circuit(n_bits, name=f"number-{number}")
    for position, digit in enumerate(f"{number:0{n_bits}b}"):
        if digit == "1":
            circuit.X(position)
    return circuit.measure_all()


def submit(circuits: list[Circuit], n_shots: int):
    refs = [programs.upload_circuit(circuit, PROJECT) for circuit in circuits]
    return jobs.start_execute_job(PROJECT, "a job", refs, [n_shots] * len(refs), CONFIG)


def wait(job) -> None:
    while jobs.is_running(job):
        time.sleep(0.05)


def read_number(result) -> int:
    [(bits, shots)] = result.get_counts().items()
    assert shots == 3
    return int("".join(map(str, bits)), 2)


def test_hundreds_of_results_come_in_the_order_of_the_circuits(connected):
    numbers = list(np.random.default_rng(1).permutation(150))
    job = submit([number_circuit(number) for number in numbers], 3)
    wait(job)
    assert [read_number(result) for result in results.get_results(job)] == numbers


def test_counts_agree_with_the_exact_distribution(connected):
    circuit = Circuit(3, name="random").Ry(0.37, 0).CX(0, 1).Ry(0.81, 2).CRy(0.6, 1, 2)
    circuit.H(1)
    probabilities = np.abs(circuit.get_statevector()) ** 2
    n_shots = 20_000
    job = submit([circuit.measure_all()], n_shots)
    wait(job)
    counts = Counter(results.get_results(job)[0].get_counts())
    observed = [counts[tuple(map(int, f"{i:03b}"))] for i in range(8)]
    possible = probabilities > 1e-12
    assert sum(np.array(observed)[~possible]) == 0
    test = chisquare(np.array(observed)[possible], probabilities[possible] * n_shots)
    assert test.pvalue > ERROR_RATE


def test_results_of_an_unfinished_job_are_not_ready(connected):
    connected.progress = Progress.seconds(queued=3600)
    job = submit([number_circuit(1)], 3)
    with pytest.raises(ResultsNotReadyError, match=f"{job.id}.*QUEUED"):
        results.get_results(job)


def test_results_of_a_failed_job_say_why(connected):
    job = submit([number_circuit(1)], 3)
    connected.set_job_status(job.id, "ERROR", "no luck")
    with pytest.raises(JobFailedError, match="no luck"):
        results.get_results(job)


@pytest.fixture
def job_with_failures(connected):
    """A job of four circuits, of which the first completed."""
    job = submit([number_circuit(n) for n in range(4)], 3)
    wait(job)
    connected.set_job_status(job.id, "ERROR", "", "the laser was off", item=1)
    connected.set_job_status(job.id, "ERROR", "", "the laser was off", item=2)
    connected.set_job_status(job.id, "ERROR", "Internal error.", None, item=3)
    return job


@pytest.mark.parametrize("task", [jobs.is_running, results.get_results])
def test_each_failed_item_of_a_failed_job_is_named_with_its_reason(
    task, job_with_failures
):
    with pytest.raises(JobFailedError) as caught:
        task(job_with_failures)
    message = str(caught.value)
    assert "3 of its 4 circuits" in message
    assert "circuits 1-2: it ended with an error (ERROR): the laser was off" in message
    assert "circuit 3: it ended with an error (ERROR): Internal error" in message
    assert str(job_with_failures.id) in message
    assert "get_item_results" in message


def test_a_circuit_without_a_result_in_a_completed_job_is_named(connected):
    job = submit([number_circuit(1), Circuit(60).H(0).measure_all()], 3)
    with pytest.raises(JobFailedError):
        wait(job)
    connected.set_job_status(job.id, "COMPLETED", item=1)
    with pytest.raises(JobFailedError, match=r"circuit 1: .* without a result"):
        results.get_results(job)


def test_failed_items_are_marked_by_an_empty_result_if_that_is_asked_for(
    job_with_failures,
):
    first, *others = results.get_results(job_with_failures, allow_failed=True)
    assert read_number(first) == 0
    assert others == [BackendResult()] * 3


def test_what_became_of_each_program_is_told_in_their_order(job_with_failures):
    items = results.get_item_results(job_with_failures)
    assert [item.index for item in items] == [0, 1, 2, 3]
    assert [item.state for item in items] == ["COMPLETED", "ERROR", "ERROR", "ERROR"]
    assert [item.reason for item in items[1:]] == [
        "the laser was off",
        "the laser was off",
        "Internal error",
    ]
    assert [item.retryable for item in items] == [False, False, False, True]
    assert {item.job_id for item in items} == {str(job_with_failures.id)}
    assert read_number(BackendResult.from_dict(items[0].result)) == 0


def test_a_program_that_was_stopped_keeps_its_partial_result_but_has_not_succeeded(
    connected,
):
    job = submit([number_circuit(5)], 3)
    wait(job)
    connected.set_job_status(job.id, "TERMINATED", "out of time", item=0)
    [item] = results.get_item_results(job)
    assert read_number(BackendResult.from_dict(item.result)) == 5
    assert not item.succeeded
    assert results.get_results(job, allow_failed=True) == [BackendResult()]


def test_an_expired_access_token_is_renewed_before_the_downloads(connected):
    job = submit([number_circuit(n) for n in range(20)], 3)
    wait(job)
    connected.advance(24 * 3600)
    connected.clear_requests()
    assert len(results.get_results(job)) == 20
    paths = [request.path for request in connected.requests()]
    assert paths.count("/auth/tokens/refresh") == 1
