"""The result of a finished program reaches a graph while others of its job run."""

import threading
from typing import NamedTuple
from uuid import uuid4

import pytest
from pytket.circuit import Circuit
from quantinuum_schemas.models.backend_config import QuantinuumConfig
from tests.helpers.waiting import wait_for
from tierkreis.builder import Graph
from tierkreis.builtins import iadd
from tierkreis.models import TKR

from local_nexus import Progress
from tkr_nexus_worker import (
    InProcessExecutor,
    InvalidInputError,
    WorkflowFailedError,
    jobs,
    resume,
    run,
)
from tkr_nexus_worker.graphs import FinishedProgram, nexus_stream_results
from tkr_nexus_worker.graphs.submit_poll import BackendResult
from tkr_runtime.workflows.interrupt import unfinished_jobs


class StrangeInputs(NamedTuple):
    job: TKR[int]


def add_100():
    """A body that returns the index of a program plus 100."""
    g = Graph(FinishedProgram, TKR[int])
    return g.finish_with_outputs(g.task(iadd(g.inputs.program_index, g.const(100))))


def identity():
    g = Graph(TKR[BackendResult], TKR[BackendResult])
    return g.finish_with_outputs(g.inputs)


@pytest.fixture
def inputs() -> dict:
    circuits = [Circuit(1, name="x").X(0).measure_all() for _ in range(4)]
    return {
        "project_name": "tests of streams",
        "job_name": f"stream {uuid4()}",
        "circuits": circuits,
        "n_shots": [1, 2, 3, 4],
        "backend_config": QuantinuumConfig(device_name="H2-1LE"),
    }


def outputs_kept(storage) -> list[str]:
    return [path.read_text() for path in storage.workflow_dir.glob("*/outputs.jsonl")]


def test_the_body_runs_for_a_finished_program_while_others_of_its_job_wait(
    connected, inputs, make_storage
):
    """The job is held in the queue until the body has run for one of its programs."""
    connected.progress = Progress.seconds(queued=1e6)
    storage = make_storage()
    outputs = []
    graph = nexus_stream_results(add_100(), polling_interval=0.05)
    runner = threading.Thread(
        target=lambda: outputs.extend(
            run(graph, inputs, storage, InProcessExecutor(storage))
        ),
        daemon=True,
    )
    runner.start()

    def submitted():
        return [it for it in connected.jobs() if it["name"] == inputs["job_name"]]

    [job] = wait_for(submitted)

    def finished() -> bool:
        connected.set_job_status(job["id"], "COMPLETED", item=2)
        return jobs.get_job_details(job["id"]).items[2].result_id is not None

    wait_for(finished)
    assert wait_for(lambda: outputs_kept(storage)) == ["\n2 102\n"]
    [job] = submitted()
    assert job["items"] == ["QUEUED", "QUEUED", "COMPLETED", "QUEUED"]
    assert not outputs
    assert [it.id for it in unfinished_jobs(storage)] == [job["id"]]
    connected.clear_progress()
    runner.join()
    assert outputs == [100, 101, 102, 103]
    assert len(submitted()) == 1


def test_programs_that_failed_end_a_stream_last_and_are_resumed_alone(
    connected, inputs, make_storage
):
    connected.progress = Progress.seconds(queued=1e6)
    storage = make_storage()
    name = f"{inputs['job_name']} (part 1 of 2)"

    def operate() -> None:
        [job] = wait_for(lambda: [it for it in connected.jobs() if it["name"] == name])
        connected.set_job_status(job["id"], "ERROR", "Broken laser.", item=1)
        connected.clear_progress()

    operator = threading.Thread(target=operate)
    operator.start()
    graph = nexus_stream_results(
        identity(), 2, polling_interval=0.05, max_programs=3, max_jobs=1
    )
    with pytest.raises(WorkflowFailedError, match="circuit 1: it ended with an error"):
        run(graph, inputs, storage, InProcessExecutor(storage))
    operator.join()
    passes = [text.splitlines()[1:] for text in outputs_kept(storage)]
    assert max(map(len, passes)) <= 2
    places = sorted(int(line.split()[0]) for lines in passes for line in lines)
    assert places == [0, 2, 3]
    [failed] = [it for it in connected.jobs() if it["name"] == name]
    jobs.retry_job(failed["id"])
    n_jobs = len(connected.jobs())
    outputs = resume(storage, InProcessExecutor(storage))
    assert [len(output["bits"]) for output in outputs] == [1, 1, 1, 1]
    assert len(connected.jobs()) == n_jobs


def test_a_body_with_other_inputs_is_refused_when_the_graph_is_built():
    g = Graph(StrangeInputs, TKR[int])
    body = g.finish_with_outputs(g.inputs.job)
    with pytest.raises(InvalidInputError, match="inputs job"):
        nexus_stream_results(body)


@pytest.mark.parametrize("at_once", [0, 1.0, None])
def test_a_number_at_once_that_is_none_is_refused(at_once):
    with pytest.raises(InvalidInputError, match="max_at_once"):
        nexus_stream_results(add_100(), at_once)
