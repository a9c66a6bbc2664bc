"""The executor that runs tasks in the process of the controller."""

import threading
import time
from pathlib import Path
from uuid import uuid4

import pytest
from pytket.backends.backendresult import BackendResult
from pytket.circuit import Circuit
from quantinuum_schemas.models.backend_config import QuantinuumConfig
from tierkreis.controller.data.location import Loc
from tierkreis.storage import InMemoryStorage

from local_nexus import Progress
from tkr_nexus_worker import (
    InProcessExecutor,
    InvalidInputError,
    WorkflowFailedError,
    run,
)
from tkr_nexus_worker.graphs import nexus_submit_and_poll
from tkr_runtime.tasks import in_process

PROJECT = "tests of tasks in process"


def ones(index: int) -> Circuit:
    """A circuit that gives the binary digits of its index, the last one first."""
    circuit = Circuit(6, name=f"circuit {index}")
    for qubit in range(6):
        if index >> qubit & 1:
            circuit.X(qubit)
    return circuit.measure_all()


def inputs(n_circuits: int, **changed) -> dict:
    return {
        "project_name": PROJECT,
        "job_name": "a job",
        "circuits": [ones(index) for index in range(n_circuits)],
        "n_shots": [3] * n_circuits,
        "backend_config": QuantinuumConfig(device_name="H2-1LE"),
        **changed,
    }


def test_many_circuits_give_their_results_in_order_without_a_process(
    connected, make_storage, monkeypatch
):
    def no_process(*arguments, **options):
        raise AssertionError(arguments)

    monkeypatch.setattr("subprocess.Popen.__init__", no_process)
    storage = make_storage()
    graph = nexus_submit_and_poll(polling_interval=0.1)
    outputs = run(graph, inputs(20), storage, InProcessExecutor(storage))
    counts = [BackendResult.from_dict(output).get_counts() for output in outputs]
    digits = [tuple(index >> qubit & 1 for qubit in range(6)) for index in range(20)]
    assert counts == [{outcome: 3} for outcome in digits]
    log = storage.logs_path.read_text()
    assert log.count("nexus: uploaded circuit") == 20
    assert log.count("nexus: submitted job") == 1


def test_circuits_of_one_name_are_all_uploaded(connected, make_storage):
    circuits = [ones(index) for index in range(12)]
    for circuit in circuits:
        circuit.name = "the same"
    storage = make_storage()
    graph = nexus_submit_and_poll(polling_interval=0.1)
    outputs = run(
        graph, inputs(12, circuits=circuits), storage, InProcessExecutor(storage)
    )
    counts = [BackendResult.from_dict(output).get_counts() for output in outputs]
    assert len({tuple(count) for count in counts}) == 12


def test_a_failed_task_says_why_and_leaves_its_log(connected, make_storage):
    before = connected.jobs()
    storage = make_storage()
    graph = nexus_submit_and_poll(polling_interval=0.1)
    wrong = inputs(1, n_shots=[0])
    with pytest.raises(WorkflowFailedError, match="number of shots of circuit 0") as e:
        run(graph, wrong, storage, InProcessExecutor(storage))
    log = Path(str(e.value).rpartition("log ")[2].rstrip("]"))
    assert "InvalidInputError" in log.read_text()
    assert connected.jobs() == before


def test_it_takes_no_storage_in_memory():
    with pytest.raises(InvalidInputError, match="InMemoryExecutor"):
        InProcessExecutor(InMemoryStorage(uuid4()))


def test_it_runs_no_task_of_another_worker(make_storage):
    executor = InProcessExecutor(make_storage())
    with pytest.raises(InvalidInputError, match="MultipleExecutor"):
        executor.run("aer_worker", Path("definition"))


def test_a_task_that_waits_gives_its_place_to_others(
    connected, make_storage, monkeypatch
):
    monkeypatch.setattr(in_process, "_TASKS_AT_ONCE", 1)
    connected.set_progress(Progress(running=3600.0), job="slow")
    graph = nexus_submit_and_poll(polling_interval=0.1)
    slow = make_storage()
    executor = InProcessExecutor(slow)
    quick = make_storage()
    waiting = threading.Thread(
        target=run, args=(graph, inputs(1, job_name="slow"), slow, executor)
    )
    waiting.start()
    deadline = time.monotonic() + 60
    while not any(job["status"] == "RUNNING" for job in connected.jobs()):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    quick_executor = InProcessExecutor(quick)
    quick_executor._slots = executor._slots
    assert len(run(graph, inputs(1), quick, quick_executor)) == 1
    assert not slow.is_node_finished(Loc())
    connected.clear_progress()
    waiting.join(60)
    assert slow.is_node_finished(Loc())
