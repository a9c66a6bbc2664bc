"""The executor that runs tasks in the process of the controller."""

import logging
import os
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
from tkr_runtime.workflows import loop

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


@pytest.mark.parametrize("config", [{"device_name": "H2-1LE"}, "H2-1LE"])
def test_a_config_that_does_not_say_what_it_is_is_not_guessed(
    connected, make_storage, config
):
    storage = make_storage()
    graph = nexus_submit_and_poll(polling_interval=0.1)
    sentence = "input backend_config .* has no 'type' .* QuantinuumConfig"
    with pytest.raises(WorkflowFailedError, match=sentence):
        run(
            graph,
            inputs(1, backend_config=config),
            storage,
            InProcessExecutor(storage),
        )
    assert connected.requests() == []


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


def test_a_log_that_cannot_be_written_neither_fails_nor_blocks_a_task(
    make_storage, tmp_path
):
    InProcessExecutor(make_storage())
    pipe, log = tmp_path / "pipe", tmp_path / "log"
    os.mkfifo(pipe)

    def task() -> None:
        in_process._log_files.set([tmp_path, pipe, Path("/dev/full"), log])
        logging.getLogger("tkr_runtime.tests").info("a line of %s", "the task")

    thread = threading.Thread(target=task, daemon=True)
    thread.start()
    thread.join(30)
    assert not thread.is_alive()
    assert log.read_text() == "a line of the task\n"


def test_a_task_that_ends_ends_the_pause_of_the_controller(
    connected, make_storage, monkeypatch
):
    monkeypatch.setattr(loop, "_LONGEST_PAUSE", 3600.0)
    storage = make_storage()
    executor = InProcessExecutor(storage)
    graph = nexus_submit_and_poll(polling_interval=0.1)
    # Without that, the controller would look again after an hour.
    outputs = run(graph, inputs(1), storage, executor, polling_interval_seconds=3600.0)
    assert len(outputs) == 1
