"""Running a workflow for a person: what fails says why, and nothing is sent too early.

The workflows run in this process, under ShellExecutor; where tests say so, in every way
to run tasks.
"""

import errno
import gc
import json
import os
import signal
import subprocess
import sys
from contextlib import suppress
from uuid import UUID

import pytest
from pytket.circuit import Circuit
from quantinuum_schemas.models.backend_config import QuantinuumConfig
from tests.conftest import in_every_way
from tierkreis import run_graph
from tierkreis.builder import Graph
from tierkreis.builtins import tkr_id
from tierkreis.controller.data.location import Loc
from tierkreis.controller.data.types import bytes_from_ptype
from tierkreis.controller.executor.protocol import ControllerExecutor
from tierkreis.executor import ShellExecutor
from tierkreis.models import TKR, OpaqueType
from tierkreis.storage import FileStorage, read_loop_trace, read_outputs

from tkr_nexus_worker import (
    CheckpointError,
    InvalidInputError,
    WorkflowFailedError,
    read_failures,
    readable_errors,
    resume,
    run,
)
from tkr_nexus_worker.graphs import (
    JobInputs,
    nexus_submit_and_poll,
    polling_loop_body,
)

BELL = Circuit(2, name="bell").H(0).CX(0, 1).measure_all()
UNMEASURED = Circuit(1, name="bare").H(0)


@pytest.fixture
def storage(make_storage) -> FileStorage:
    return make_storage()


@pytest.fixture
def executor(storage, make_executor) -> ControllerExecutor:
    return make_executor(storage)


def inputs(**changes):
    good = {
        "project_name": "tests of workflows",
        "job_name": "a job",
        "circuits": [BELL],
        "n_shots": [10],
        "backend_config": QuantinuumConfig(device_name="H2-1LE"),
    }
    return {**good, **changes}


def circuits_from_a_task():
    """nexus_submit_and_poll, with its circuits made by another task."""
    g = Graph(JobInputs, TKR[list[dict]])
    circuits = g.task(tkr_id(g.inputs.circuits))
    job_inputs = g.inputs._replace(circuits=circuits)
    return g.finish_with_outputs(g.eval(nexus_submit_and_poll(1.0), job_inputs))


@pytest.mark.parametrize("graph", [nexus_submit_and_poll(1.0), circuits_from_a_task()])
def test_a_bad_job_fails_before_anything_is_sent(graph, nexus, storage, executor):
    circuits = [BELL, UNMEASURED]
    bad = inputs(circuits=circuits, n_shots=[10, 10])
    with pytest.raises(WorkflowFailedError) as caught:
        run(graph, bad, storage, executor)
    assert "circuits[1] ('bare') has no measurement" in str(caught.value)
    assert nexus.requests() == []


@in_every_way
def test_a_failed_task_is_told_once_with_its_name_and_an_existing_log(
    nexus, storage, executor
):
    with pytest.raises(WorkflowFailedError) as caught:
        run(nexus_submit_and_poll(1.0), inputs(n_shots=10), storage, executor)
    [failure] = read_failures(storage)
    assert failure.task == "nexus_worker.prepare_batches"
    assert failure.message.startswith("n_shots is 10; give a list")
    assert failure.message in failure.log_path.read_text()
    assert str(caught.value) == str(failure)


def test_an_input_that_cannot_be_read_is_named(nexus, storage, executor):
    with pytest.raises(WorkflowFailedError, match="The input circuits of the task"):
        run(nexus_submit_and_poll(1.0), inputs(circuits=[{"a": 1}]), storage, executor)
    assert nexus.requests() == []


@in_every_way
def test_without_a_login_nothing_is_uploaded_and_the_command_is_named(
    nexus, storage, executor, connect_qnexus, tmp_path
):
    connect_qnexus({**nexus.env, "NEXUS_TOKEN_PATH": str(tmp_path / "nowhere")})
    with pytest.raises(WorkflowFailedError, match="qnx login"):
        run(nexus_submit_and_poll(1.0), inputs(), storage, executor)
    assert not nexus.requests()


def test_readable_errors_serves_the_run_graph_of_tierkreis(nexus, storage, executor):
    with (
        pytest.raises(WorkflowFailedError, match="circuits is empty"),
        readable_errors(storage),
    ):
        run_graph(
            storage,
            executor,
            nexus_submit_and_poll(1.0),
            inputs(circuits=[], n_shots=[]),
        )


@in_every_way
def test_a_job_that_fails_on_nexus_fails_the_workflow_with_its_id(
    nexus, storage, executor
):
    # Too large for the simulator, but not by the qubits that it uses.
    too_large = Circuit(60, 1, name="too large").H(0).Measure(0, 0)
    with pytest.raises(WorkflowFailedError) as caught:
        run(nexus_submit_and_poll(0.2), inputs(circuits=[too_large]), storage, executor)
    [job] = [job for job in nexus.jobs() if job["id"] in str(caught.value)]
    assert job["status"] == "ERROR"
    assert "Next: " in str(caught.value)


def test_a_worker_that_is_not_there_is_reported(storage, monkeypatch):
    script = storage.tkr_dir / "nexus_worker"
    script.parent.mkdir(parents=True)
    script.write_text("#!/bin/sh\necho this worker is broken >&2\nexit 3\n")
    script.chmod(0o755)
    monkeypatch.setenv("PATH", f"{script.parent}{os.pathsep}{os.environ['PATH']}")
    executor = ShellExecutor(None, storage.workflow_dir, log_env_in_debug=False)
    with pytest.raises(WorkflowFailedError, match=r"this worker is broken|no message"):
        run(nexus_submit_and_poll(1.0), inputs(), storage, executor)


def test_a_storage_that_holds_a_run_is_refused(storage, executor):
    g = Graph(TKR[int], TKR[int])
    graph = g.finish_with_outputs(g.inputs)
    assert run(graph, 1, storage, executor) == 1
    with pytest.raises(InvalidInputError, match="do_cleanup"):
        run(graph, 2, storage, executor)


def test_the_polling_loop_is_traced_by_its_name(nexus, storage, executor):
    graph = nexus_submit_and_poll(0.2)
    results = run(graph, inputs(), storage, executor)
    trace = read_loop_trace(graph, storage, "nexus_polling", "results")
    assert trace[-1] == results
    assert all(entry == [] for entry in trace[:-1])


@pytest.mark.parametrize("interval", [0, -1.0, float("nan"), float("inf")])
def test_an_interval_that_is_no_time_is_refused_when_the_graph_is_built(interval):
    with pytest.raises(InvalidInputError, match="polling interval"):
        polling_loop_body(interval)


@pytest.mark.parametrize("circuits", [[BELL], [[BELL, UNMEASURED], [BELL]], [[]]])
def test_each_circuit_is_written_in_one_line_and_is_the_same(
    circuits, storage, executor
):
    g = Graph(TKR[list], TKR[list])
    returned = run(g.finish_with_outputs(g.inputs), circuits, storage, executor)
    assert returned == json.loads(bytes_from_ptype(circuits))
    lines = storage.read_output(Loc().N(-1), "value").splitlines()
    assert len(lines) == len(circuits) + len("[]")


def test_inputs_that_are_not_circuits_alone_arrive_too(storage, executor):
    g = Graph(TKR[list], TKR[list])
    values = [[BELL], "and a word"]
    returned = run(g.finish_with_outputs(g.inputs), values, storage, executor)
    assert returned == json.loads(bytes_from_ptype(values))


@pytest.mark.parametrize(
    "value",
    [
        [{"a": [1, -2.5e-7, 10**30, True, None]}, float("inf")],
        {"text": "é\ud800", "bytes": b"\x00\xff"},
        [b"\x80", {"b": [b""]}],
        b"\x80 is not JSON",
        "words",
        None,
    ],
    ids=str,
)
@pytest.mark.parametrize("type_of_value", [TKR[OpaqueType["any"]], TKR[list]])
def test_outputs_are_those_that_tierkreis_reads(
    value, type_of_value, storage, executor
):
    g = Graph(type_of_value, type_of_value)
    graph = g.finish_with_outputs(g.inputs)
    returned = run(graph, {"value": value}, storage, executor)
    assert returned == read_outputs(graph, storage) == value
    assert resume(storage, executor) == read_outputs(graph.data, storage)


@pytest.mark.parametrize(
    "lines", ['[\n{"a": 1},\n[2, 3]\n]', "[\n\n]", "[\n]", "[\n1,\n[\n2]\n]", "[]"]
)
def test_a_list_in_lines_is_read_whole(lines, storage, executor):
    g = Graph(TKR[OpaqueType["any"]], TKR[OpaqueType["any"]])
    graph = g.finish_with_outputs(g.inputs)
    returned = run(graph, {"value": lines.encode()}, storage, executor)
    assert returned == read_outputs(graph, storage) == json.loads(lines)
    assert gc.isenabled()


def identity():
    graph = Graph(TKR[str], TKR[str])
    return graph.finish_with_outputs(graph.task(tkr_id(graph.inputs)))


def test_a_graph_without_outputs_is_refused_before_a_folder_is_made(storage, executor):
    with pytest.raises(InvalidInputError, match="finish_with_outputs"):
        run(Graph(TKR[str], TKR[str]), "text", storage, executor)
    assert not storage.workflow_dir.exists()


def test_all_missing_and_unknown_inputs_are_named_before_a_folder_is_made(
    storage, executor
):
    wrong = inputs(shots=[10])
    del wrong["n_shots"], wrong["job_name"]
    message = r"missing: job_name, n_shots; unknown: shots\); it has the inputs backend"
    with pytest.raises(InvalidInputError, match=message):
        run(nexus_submit_and_poll(), wrong, storage, executor)
    assert not storage.workflow_dir.exists()


def test_a_run_that_fails_before_its_start_leaves_no_folder(
    storage, executor, monkeypatch
):
    def write_output(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(FileStorage, "write_output", write_output)
    with pytest.raises(CheckpointError, match=r"not started .*\(No space left"):
        run(identity(), "text", storage, executor)
    assert not storage.workflow_dir.exists()
    monkeypatch.undo()
    assert run(identity(), "text", storage, executor) == "text"


KILLED = """
import os, signal, sys
from pathlib import Path
from uuid import UUID
from tierkreis.builder import Graph
from tierkreis.executor import ShellExecutor
from tierkreis.models import TKR
from tierkreis.storage import FileStorage
from tkr_nexus_worker import run

n_files, write = int(sys.argv[3]), FileStorage.write

def write_or_die(*arguments):
    global n_files
    if not n_files:
        os.kill(os.getpid(), signal.SIGKILL)
    n_files -= 1
    write(*arguments)

FileStorage.write = write_or_die
storage = FileStorage(UUID(sys.argv[1]), tierkreis_directory=Path(sys.argv[2]))
g = Graph(TKR[str], TKR[str])
executor = ShellExecutor(None, storage.workflow_dir)
run(g.finish_with_outputs(g.inputs), "text", storage, executor)
"""


@pytest.mark.parametrize("n_files", range(4))
def test_a_run_that_is_killed_before_its_start_can_be_shown_and_run_again(
    n_files, storage, executor
):
    place = [str(storage.workflow_id), str(storage.tkr_dir), str(n_files)]
    killed = subprocess.run([sys.executable, "-c", KILLED, *place], check=False)
    assert killed.returncode == -signal.SIGKILL
    assert not storage.is_node_started(Loc())
    # What Tierkreis's visualiser reads of each folder that is named by an id.
    for folder in storage.tkr_dir.iterdir():
        with suppress(ValueError):
            seen = FileStorage(UUID(folder.name), tierkreis_directory=storage.tkr_dir)
            assert seen.read_metadata(Loc(""))["start_time"]
            assert seen.read_errors(Loc()) == ""
    with pytest.raises(InvalidInputError, match=r"start one with run\(\)"):
        resume(storage, executor)
    assert run(identity(), "text", storage, executor) == "text"
