import time
from collections import Counter

import numpy as np
import pytest
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
    numbers = list(np.random.default_rng(1).permutation(300))
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


def test_a_failed_item_is_named_with_its_reason(connected):
    connected.progress = Progress.seconds(queued=3600)
    job = submit([number_circuit(n) for n in range(3)], 3)
    connected.set_job_status(job.id, "ERROR", "", "the laser was off", item=1)
    connected.progress = Progress.immediate()
    connected.set_job_status(job.id, "COMPLETED")
    connected.set_job_status(job.id, "ERROR", "", "the laser was off", item=1)
    with pytest.raises(JobFailedError) as caught:
        results.get_results(job)
    assert "the laser was off" in str(caught.value)
    assert str(job.id) in str(caught.value)


def test_an_expired_access_token_is_renewed_before_the_downloads(connected):
    job = submit([number_circuit(n) for n in range(20)], 3)
    wait(job)
    connected.advance(24 * 3600)
    connected.clear_requests()
    assert len(results.get_results(job)) == 20
    paths = [request.path for request in connected.requests()]
    assert paths.count("/auth/tokens/refresh") == 1
