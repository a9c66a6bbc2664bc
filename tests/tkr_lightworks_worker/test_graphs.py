"""Graphs of photonic jobs, under the executors of Tierkreis."""

import json
import os
import subprocess
import sys
from pathlib import Path
from uuid import uuid4

import pytest
from tests.conftest import EXECUTABLES
from tests.helpers.photonic_workflows import (
    QPU,
    hong_ou_mandel,
    identity,
    living,
    random_sampler,
)
from tierkreis.builder import Graph
from tierkreis.controller.executor.in_memory_executor import InMemoryExecutor
from tierkreis.executor import MultipleExecutor, ShellExecutor, UvExecutor
from tierkreis.models import TKR
from tierkreis.storage import FileStorage, InMemoryStorage, read_loop_trace

from local_artemis import Progress
from tkr_lightworks_worker import REGISTRY_PATH, jobs, stubs, uv_executor
from tkr_lightworks_worker.graphs import JobInputs, lightworks_submit_and_poll
from tkr_lightworks_worker.graphs.submit_poll import POLLING_LOOP
from tkr_lightworks_worker.results import SamplingResult
from tkr_lightworks_worker.samplers import SamplerSpec
from tkr_lightworks_worker.stubs import is_running, submit_jobs
from tkr_nexus_worker import InProcessExecutor, run
from tkr_runtime.errors import InvalidInputError, WorkflowFailedError
from tkr_runtime.workflows.interrupt import resume_command, unfinished_jobs

SAMPLERS = [SamplerSpec.of(hong_ou_mandel(40)), SamplerSpec.of(random_sampler(30))]


@pytest.fixture
def storage(photonic_environment, tmp_path, monkeypatch) -> FileStorage:
    for name, value in photonic_environment.items():
        monkeypatch.setenv(name, value)
    return FileStorage(uuid4(), tierkreis_directory=tmp_path)


def inputs(name: str, samplers=SAMPLERS) -> dict:
    return {"qpu_name": QPU, "job_name": name, "samplers": samplers}


def make_executor(name: str, storage):
    match name:
        case "uv":
            return uv_executor(storage)
        case "uv-registry":
            return UvExecutor(REGISTRY_PATH, storage.logs_path, log_env_in_debug=False)
        case "shell":
            return ShellExecutor(None, storage.workflow_dir, log_env_in_debug=False)
        case "multiple":
            return MultipleExecutor(
                ShellExecutor(None, storage.workflow_dir, log_env_in_debug=False),
                {"artemis": uv_executor(storage)},
                {"lightworks_worker": "artemis"},
            )
    return InProcessExecutor(storage)


EXECUTORS = ["uv-registry", "multiple", "in-process"]


@pytest.mark.parametrize("executor", EXECUTORS)
def test_samplers_give_one_result_each_in_their_order(artemis, storage, executor):
    outputs = run(
        lightworks_submit_and_poll(0.2),
        inputs(f"under {executor}"),
        storage,
        make_executor(executor, storage),
    )
    found = [SamplingResult(**output) for output in outputs]
    assert [result.n_samples for result in found] == [40, 30]
    assert set(found[0].counts) == {"|1,0>", "|0,1>"}
    ours = [it for it in artemis.jobs() if it["name"].startswith(f"under {executor}")]
    assert len(ours) == 2


def test_it_runs_in_memory(artemis, storage):
    memory = InMemoryStorage(uuid4())
    outputs = run(
        lightworks_submit_and_poll(0.2),
        inputs("in memory"),
        memory,
        InMemoryExecutor(REGISTRY_PATH, memory),
    )
    assert [SamplingResult(**it).n_samples for it in outputs] == [40, 30]


def test_the_payload_is_kept_and_a_failed_job_is_retried_with_it(artemis, storage):
    artemis.progress = Progress.seconds(running=0.05)
    graph = lightworks_submit_and_poll(0.1)
    run(graph, inputs("keep me"), storage, InProcessExecutor(storage))
    [first, _] = [it for it in artemis.jobs() if it["name"].startswith("keep me")]
    kept = jobs.get_job_payload(first["id"])
    assert kept.payload == artemis.payload(first["id"])
    artemis.set_job_status(first["id"], "Failed")
    again = jobs.retry_job(first["id"])
    assert again.job_id != first["id"]
    theirs = artemis.payload(again.job_id)
    assert {**theirs, "job_name": kept.name} == kept.payload
    assert theirs["job_name"].startswith("keep me_1 [")


def test_each_change_is_a_pass_of_the_named_loop(artemis, storage):
    artemis.progress = Progress.after_reads(1)
    graph = lightworks_submit_and_poll(0.05)
    run(graph, inputs("a trace", SAMPLERS[:1]), storage, InProcessExecutor(storage))
    trace = read_loop_trace(graph, storage, POLLING_LOOP, "status")
    assert trace[-1] == "Completed"
    assert trace[0].startswith(("Accepted", "Scheduled"))
    assert len(trace) == len(set(trace))


def test_a_job_that_failed_fails_the_workflow_by_name(artemis, storage):
    artemis.progress = Progress.seconds(queued=1e6)
    job = jobs.submit_job(QPU, "to be failed", SAMPLERS[0])
    artemis.set_job_status(job.job_id, "Failed", "The laser is off")
    g = Graph(TKR, TKR[bool])
    graph = g.finish_with_outputs(g.task(is_running(g.inputs)))
    with pytest.raises(WorkflowFailedError, match="The laser is off"):
        run(graph, job, storage, make_executor("shell", storage))


def test_a_bad_input_fails_the_workflow_before_anything_is_submitted(artemis, storage):
    with pytest.raises(WorkflowFailedError, match=r"Sampler 0 .*0 samples"):
        run(
            lightworks_submit_and_poll(0.2),
            inputs("bad", [identity(3, 1, n_samples=0)]),
            storage,
            make_executor("shell", storage),
        )
    assert not [it for it in artemis.requests() if it.method == "POST"]


@pytest.mark.parametrize("interval", [0.0, -1.0, float("nan"), float("inf")])
def test_a_polling_interval_is_a_number_of_seconds(interval):
    with pytest.raises(InvalidInputError, match="polling interval"):
        lightworks_submit_and_poll(interval)


def test_after_ctrl_c_all_jobs_that_have_not_ended_are_known(artemis, storage):
    artemis.progress = Progress.seconds(queued=1e6)
    g = Graph(JobInputs, TKR)
    graph = g.finish_with_outputs(g.task(submit_jobs(*g.inputs)))
    run(graph, inputs("left"), storage, InProcessExecutor(storage))
    left = unfinished_jobs(storage)
    assert [job.id for job in left] == [str(it["id"]) for it in artemis.jobs(2)]
    assert left[0].cancel_command == f"tkr-lightworks cancel {left[0].id}"
    assert resume_command(storage).startswith("tkr-lightworks resume")
    assert left[0].cloud.cancel_job(left[0].id) == "Cancelled"


def test_a_finished_workflow_leaves_no_job(artemis, storage):
    graph = lightworks_submit_and_poll(0.1)
    run(graph, inputs("finished"), storage, InProcessExecutor(storage))
    assert unfinished_jobs(storage) == []


def test_secrets_are_in_no_file_of_a_workflow(artemis, storage):
    graph = lightworks_submit_and_poll(0.2)
    executor = make_executor("uv", storage)
    run(graph, inputs("secrets", SAMPLERS[:1]), storage, executor)
    [tokens] = Path(artemis.env["TKR_LIGHTWORKS_HOME"]).rglob("tokens.json")
    [token] = json.loads(tokens.read_text()).values()
    for path in storage.workflow_dir.rglob("*"):
        if path.is_file():
            assert token.encode() not in path.read_bytes(), path
    assert len(living(artemis.jobs(1))) == 1


def test_the_committed_stubs_are_those_that_tierkreis_generates(tmp_path):
    generated = tmp_path / "stubs.py"
    subprocess.run(
        [EXECUTABLES / "tkr_lightworks_worker", "--stubs-path", generated],
        check=True,
        env={**os.environ, "PATH": f"{EXECUTABLES}:{os.environ['PATH']}"},
        capture_output=True,
    )
    assert generated.read_text() == Path(stubs.__file__).read_text()


def test_without_lightworks_it_is_told_what_to_install():
    code = (
        "import sys; sys.modules['lightworks'] = None; "
        "from tkr_lightworks_worker import lightworks\n"
        "try: lightworks.remote()\n"
        "except Exception as error: print(type(error).__name__, error)"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert result.stdout.startswith("SetupError Lightworks is not installed")
    assert "PATH[lightworks]" in result.stdout
