"""Workflows whose controller, workers or both were killed are resumed to their end.

Controllers are processes of their own, under ShellExecutor with real workers.
"""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import uuid4

import psutil
import pytest
from pytket.backends.backendresult import BackendResult
from tests.conftest import in_every_way
from tests.helpers import control_workflow, preloaded
from tests.helpers.preloaded import kill, preloaded_processes
from tests.helpers.repetition import soak
from tests.helpers.slurm import cluster
from tests.helpers.waiting import wait_until
from tierkreis.builder import Graph
from tierkreis.controller.data.location import Loc
from tierkreis.executor import ShellExecutor
from tierkreis.models import TKR
from tierkreis.storage import FileStorage

from local_nexus import Fault, Progress
from tkr_nexus_worker import InvalidInputError, resume, run

DRIVER = Path(control_workflow.__file__)
LIMIT = 200


class Controller:
    """A process that runs a workflow.

    It writes to files: its workers would keep pipes open when it is killed.
    """

    def __init__(self, arguments: list, environment: dict, folder: Path) -> None:
        self.output, self.errors = folder / "output", folder / "errors"
        with self.output.open("w") as output, self.errors.open("w") as errors:
            self.process = subprocess.Popen(
                [sys.executable, DRIVER, *arguments],
                stdout=output,
                stderr=errors,
                env=environment,
                cwd=folder,  # where Slurm writes the output of its jobs
            )

    def wait(self, returncode: int = 0) -> str:
        """Wait for the end; return the output, or the errors of a failure."""
        self.process.wait(LIMIT)
        errors = self.errors.read_text()
        assert self.process.returncode == returncode, errors
        return errors if returncode else self.output.read_text()

    def wait_until(self, condition: Callable[[], object]) -> None:
        def is_over() -> object:
            assert self.process.poll() is None, self.errors.read_text()
            return condition()

        assert wait_until(is_over, LIMIT)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()


class Controlled:
    """A workflow with a controller that is a process of its own."""

    def __init__(self, graph: str, folder: Path, environment: dict) -> None:
        self.graph = graph
        self.workflow = uuid4()
        self.folder = folder
        self.environment = environment
        self.controllers: list[Controller] = []

    @property
    def storage(self) -> FileStorage:
        directory = self.folder / "checkpoints"
        return FileStorage(self.workflow, tierkreis_directory=directory)

    def start(self, action: str, *options: str) -> Controller:
        folder = self.folder / f"controller{len(self.controllers)}"
        folder.mkdir()
        storage = self.storage
        arguments = [action, self.graph, storage.tkr_dir, str(self.workflow), *options]
        self.controllers.append(Controller(arguments, self.environment, folder))
        return self.controllers[-1]

    def is_started(self) -> bool:
        return self.storage.is_node_started(Loc())

    def finish(self):
        """Resume the workflow, or start it if it never was; return its outputs."""
        action = "resume" if self.is_started() else "run"
        return json.loads(self.start(action).wait())

    def tasks(self) -> list[psutil.Process]:
        """The processes that run the tasks of the workflow."""
        return self._processes(r"/-[^/]*/definition")

    def workers(self) -> list[psutil.Process]:
        """All processes that were started for tasks of the workflow."""
        return self._processes("/-")

    def _processes(self, pattern: str) -> list[psutil.Process]:
        argument = re.compile(f"{self.workflow}{pattern}")
        found = []
        for process in psutil.process_iter(["cmdline"]):
            words = process.info["cmdline"] or []
            if any(map(argument.search, words[1:])):
                found.append(process)
        return found

    def kill_workers(self) -> None:
        """Kill the process groups of the workers, as a batch system does."""
        for worker in self.workers():
            try:
                os.killpg(os.getpgid(worker.pid), signal.SIGKILL)
            except ProcessLookupError:
                continue


@pytest.fixture
def controlled(worker_environment, tmp_path) -> Callable[[str], Controlled]:
    environment = {**worker_environment, "TKR_NEXUS_SETTLE_TIME": "0.3"}
    workflows = []

    def make(graph: str) -> Controlled:
        workflows.append(Controlled(graph, tmp_path, environment))
        return workflows[-1]

    yield make
    for workflow in workflows:
        for controller in workflow.controllers:
            controller.kill()
        workflow.kill_workers()


def jobs_since(before: list[dict], nexus) -> list[dict]:
    known = {job["id"] for job in before}
    return [job for job in nexus.jobs() if job["id"] not in known]


def assert_counts(outputs) -> None:
    counts = [BackendResult.from_dict(output).get_counts() for output in outputs]
    assert [sum(count.values()) for count in counts] == [10, 20]


@pytest.mark.parametrize("n_kills", [2, soak(20)])
def test_a_workflow_whose_controller_is_killed_again_and_again_finishes(
    controlled, rng, n_kills
):
    workflow = controlled("nested")
    for _ in range(n_kills):
        controller = workflow.start("resume" if workflow.is_started() else "run")
        time.sleep(rng.uniform(0.5, 2.5))
        if rng.random() < 0.5:
            workflow.kill_workers()
        controller.kill()
    assert workflow.finish() == 5


@in_every_way
@pytest.mark.parametrize("n_kills", [2, soak(20)])
def test_killed_again_and_again_a_workflow_submits_one_job_and_finishes(
    controlled, nexus, warm_worker, rng, n_kills
):
    before = nexus.jobs()
    nexus.set_progress(Progress(queued=3600.0))
    workflow = controlled("nexus")
    for _ in range(n_kills):
        controller = workflow.start("resume" if workflow.is_started() else "run")
        time.sleep(rng.uniform(0.5, 3.0))
        match rng.choice(["controller", "controller", "workers", "all"]):
            case "workers":
                workflow.kill_workers()
            case "all":
                kill(preloaded_processes(warm_worker))
                workflow.kill_workers()
        # It would wait some seconds before it noticed.
        controller.kill()
    nexus.clear_progress()
    assert_counts(workflow.finish())
    assert len(jobs_since(before, nexus)) == 1


def test_the_finished_parts_of_a_killed_run_are_not_run_again(controlled, nexus):
    before = nexus.jobs()
    nexus.set_progress(Progress(queued=3600.0), job="parts (part 2 of 3)")
    workflow = controlled("parts")
    controller = workflow.start("run")
    controller.wait_until(lambda: len(jobs_since(before, nexus)) == 2)
    workflow.kill_workers()
    controller.kill()
    [first, _] = jobs_since(before, nexus)
    nexus.clear_requests()
    nexus.clear_progress()
    counts = [BackendResult.from_dict(it).get_counts() for it in workflow.finish()]
    assert [sum(count.values()) for count in counts] == [10, 20, 30]
    assert [job["name"] for job in jobs_since(before, nexus)] == [
        f"parts (part {number} of 3)" for number in (1, 2, 3)
    ]
    assert not [it for it in nexus.requests() if first["id"] in it.path]
    uploads = [
        it
        for it in nexus.requests()
        if it.method == "POST" and it.path.startswith("/api/circuits")
    ]
    assert len(uploads) == 1


@pytest.mark.parametrize("warm", ["1", soak("0")])
def test_a_task_whose_processes_are_all_killed_fails_the_workflow(
    warm, controlled, nexus
):
    nexus.set_progress(Progress(queued=3600.0))
    workflow = controlled("nexus")
    workflow.environment["TKR_NEXUS_WARM"] = warm
    controller = workflow.start("run")
    log = workflow.storage.logs_path
    controller.wait_until(
        lambda: log.exists() and "running: wait_for_change" in log.read_text()
    )

    def has_ended_of_it() -> bool:
        # One pass of the loop may have ended, and the task of the next not begun.
        workflow.kill_workers()
        return controller.process.poll() is not None

    assert wait_until(has_ended_of_it, LIMIT)
    assert "it may have been killed" in controller.wait(returncode=1)
    nexus.clear_progress()
    assert_counts(workflow.finish())


def test_a_worker_that_is_alive_is_waited_for(controlled, nexus):
    before = nexus.jobs()
    workflow = controlled("nexus")
    workflow.environment["TKR_NEXUS_WARM"] = "1"
    folder = workflow.storage.workflow_dir
    with nexus.fault(Fault("hang", path="/api/projects/*")):
        controller = workflow.start("run")
        controller.wait_until(lambda: preloaded.workers(folder))
        running = preloaded.workers(folder)
        for worker in running:
            worker.suspend()
        controller.kill()
    controller = workflow.start("resume")
    log = workflow.storage.logs_path
    controller.wait_until(lambda: "Resumed workflow" in log.read_text())
    for worker in running:
        worker.resume()
    assert_counts(json.loads(controller.wait()))
    assert log.read_text().count("running: prepare_batches in") == 1
    assert len(jobs_since(before, nexus)) == 1


def test_a_task_that_failed_runs_again_when_its_cause_is_mended(controlled, nexus):
    workflow = controlled("nexus")
    login = workflow.environment["NEXUS_TOKEN_PATH"]
    workflow.environment["NEXUS_TOKEN_PATH"] = str(workflow.folder / "nowhere")
    assert "qnx login" in workflow.start("run").wait(returncode=1)
    workflow.environment["NEXUS_TOKEN_PATH"] = login
    assert_counts(workflow.finish())


def test_a_workflow_has_one_controller_at_a_time(controlled):
    workflow = controlled("nested")
    workflow.start("run").wait_until(workflow.workers)
    errors = workflow.start("resume").wait(returncode=1)
    assert "is being run by another process" in errors


@pytest.fixture(scope="module")
def slurm() -> Iterator[dict[str, str]]:
    """The variables by which processes find a Slurm cluster of these tests."""
    with cluster() as environment:
        yield environment


def scancel(environment: dict[str, str]) -> None:
    """Cancel all jobs of Slurm, and wait until none is left."""
    subprocess.run(["scancel", "--state=RUNNING"], env=environment, check=True)
    listing = ["squeue", "--noheader"]
    assert wait_until(
        lambda: (
            not subprocess.run(
                listing, env=environment, check=True, capture_output=True
            ).stdout
        )
    )


@pytest.mark.parametrize("executor", ["slurm", "psij"])
def test_tasks_that_slurm_cancels_are_resumed_with_the_same_job(
    executor, slurm, controlled, nexus
):
    before = nexus.jobs()
    nexus.set_progress(Progress(queued=3600.0))
    workflow = controlled("nexus")
    workflow.environment.update(slurm, TKR_TEST_EXECUTOR=executor)
    controller = workflow.start("run")
    # What is cancelled first is the submission, which Nexus has received.
    with nexus.fault(Fault("hang", method="POST", path="/api/jobs/*", when="after")):
        controller.wait_until(lambda: jobs_since(before, nexus))
        scancel(workflow.environment)
        controller.kill()
    controller = workflow.start("resume")
    log = workflow.storage.logs_path
    controller.wait_until(lambda: "running: wait_for_change" in log.read_text())
    scancel(workflow.environment)
    controller.kill()
    nexus.clear_progress()
    assert_counts(workflow.finish())
    assert len(jobs_since(before, nexus)) == 1


@pytest.fixture
def storage(tmp_path) -> FileStorage:
    return FileStorage(uuid4(), tierkreis_directory=tmp_path / "checkpoints")


@pytest.fixture
def executor(storage) -> ShellExecutor:
    return ShellExecutor(None, storage.workflow_dir, log_env_in_debug=False)


def identity():
    g = Graph(TKR[int], TKR[int])
    return g.finish_with_outputs(g.inputs)


def test_a_finished_workflow_gives_its_outputs_at_once(storage, executor):
    assert run(identity(), 7, storage, executor) == 7
    assert resume(storage, executor) == 7


def test_there_must_be_a_run_to_resume(storage, executor):
    with pytest.raises(InvalidInputError, match="contains no run"):
        resume(storage, executor)


@pytest.mark.parametrize(
    ("inputs", "message"), [(1, r"call resume\(\)"), (2, "with other inputs")]
)
def test_a_storage_with_an_unfinished_run_is_refused(
    inputs, message, storage, executor
):
    graph = identity()
    run(graph, 1, storage, executor)
    storage.delete(storage.workflow_dir / "-" / "_done")
    with pytest.raises(InvalidInputError, match=message):
        run(graph, inputs, storage, executor)
