"""An executor for the tests: each task is a process forked from the controller.

The processes run the same ``main`` as the executable, but need not import anything, so
that hundreds of workflows can be run. Also a program: it reads the inputs of a workflow
as a line of JSON and answers with its outputs or its error.
"""

import json
import os
import sys
from pathlib import Path
from uuid import uuid4

import qnexus as qnx
from pytket.circuit import Circuit
from quantinuum_schemas.models.backend_config import QuantinuumConfig
from tierkreis.controller.storage.data import ExecutorDebugData
from tierkreis.storage import FileStorage

from tkr_nexus_worker import NexusWorkerError, main, run, tasks
from tkr_nexus_worker.graphs import nexus_submit_and_poll

POLLING_INTERVAL = 0.1


class ForkingExecutor:
    """Starts each task as a fork of this process."""

    def __init__(self, storage: FileStorage) -> None:
        self._storage = storage
        self._children: list[int] = []

    def run(self, launcher_name: str, worker_call_args_path: Path) -> ExecutorDebugData:
        child = os.fork()
        if child == 0:
            self._be_the_task(worker_call_args_path)
        self._children.append(child)
        return ExecutorDebugData(executor="forking", launch_command=launcher_name)

    def wait(self) -> None:
        """Wait for all tasks, also those that a failed workflow left behind."""
        for child in self._children:
            os.waitpid(child, 0)

    def _be_the_task(self, definition: Path) -> None:
        code = 1
        try:
            os.setsid()
            node = self._storage.tkr_dir / definition.parent
            for log in (node / "logs", self._storage.logs_path):
                descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
                os.dup2(descriptor, 2)
            code = main.run([str(definition)])
            if code:
                (node / "_error").touch()
        finally:
            os._exit(code)


def run_workflow(circuits: list[dict], job_name: str, directory: str) -> dict:
    storage = FileStorage(uuid4(), tierkreis_directory=Path(directory))
    # The worker finds its storage as in a process of its own, and logs in anew.
    tasks.worker.storage.tierkreis_dir = storage.tkr_dir
    qnx.client._nexus_client = None
    executor = ForkingExecutor(storage)
    inputs = {
        "project_name": "tests of faults",
        "job_name": job_name,
        "circuits": [Circuit.from_dict(circuit) for circuit in circuits],
        "n_shots": [5] * len(circuits),
        "backend_config": QuantinuumConfig(device_name="H2-1LE"),
    }
    try:
        outputs = run(
            nexus_submit_and_poll(POLLING_INTERVAL), inputs, storage, executor
        )
    except NexusWorkerError as error:
        return {"error": str(error)}
    else:
        return {"outputs": outputs}
    finally:
        executor.wait()


if __name__ == "__main__":
    for line in sys.stdin:
        print(json.dumps(run_workflow(**json.loads(line))), flush=True)
