"""Run a graph under one executor and print its outputs as JSON; used by the tests.

Usage: run_workflow.py EXECUTOR GRAPH, with the inputs of the graph as JSON on stdin.
"""

import json
import os
import sys
from functools import partial
from pathlib import Path
from uuid import uuid4

from pytket.circuit import Circuit
from quantinuum_schemas.models.backend_config import QuantinuumConfig
from tierkreis.controller.executor.in_memory_executor import InMemoryExecutor
from tierkreis.executor import (
    MultipleExecutor,
    ShellExecutor,
    TaskExecutor,
    UvExecutor,
)
from tierkreis.graphs.nexus.submit_poll import (
    nexus_submit_and_poll as graph_of_tierkreis,
)
from tierkreis.storage import FileStorage, InMemoryStorage

from tkr_nexus_worker import (
    REGISTRY_PATH,
    InProcessExecutor,
    NexusWorkerError,
    run,
    uv_executor,
)
from tkr_nexus_worker.graphs import (
    nexus_submit_and_poll,
    nexus_submit_and_poll_retrying,
)

GRAPHS = {
    "ours": nexus_submit_and_poll,
    "retrying": partial(nexus_submit_and_poll_retrying, max_attempts=2),
    "tierkreis": graph_of_tierkreis,
}


def make_executor(name, storage):
    match name:
        case "uv-registry":
            return UvExecutor(REGISTRY_PATH, storage.logs_path)
        case "uv-ready":
            return uv_executor(storage)
        case "shell":
            return ShellExecutor(None, storage.workflow_dir, log_env_in_debug=False)
        case "in-process":
            return InProcessExecutor(storage)
        case "memory":
            return InMemoryExecutor(REGISTRY_PATH, storage)
        case "multiple":
            return MultipleExecutor(
                ShellExecutor(None, storage.workflow_dir, log_env_in_debug=False),
                {"nexus": uv_executor(storage)},
                {"nexus_worker": "nexus"},
            )
        case "task":
            shell = ShellExecutor(None, storage.workflow_dir, log_env_in_debug=False)
            polls = {"nexus_worker.await_news": shell}
            return TaskExecutor(
                {**polls, "nexus_worker.*": uv_executor(storage)}, storage
            )
    raise ValueError(name)


def main() -> None:
    executor_name, graph_name = sys.argv[1:]
    inputs = json.load(sys.stdin)
    if executor_name == "memory":
        storage = InMemoryStorage(uuid4())
    else:
        directory = Path(os.environ["HOME"]) / "checkpoints"
        storage = FileStorage(uuid4(), tierkreis_directory=directory)
    inputs["circuits"] = [Circuit.from_dict(c) for c in inputs["circuits"]]
    inputs["backend_config"] = QuantinuumConfig(device_name="H2-1LE")
    try:
        outputs = run(
            GRAPHS[graph_name](polling_interval=0.2),
            inputs,
            storage,
            make_executor(executor_name, storage),
        )
    except NexusWorkerError as error:
        sys.exit(f"{type(error).__name__}: {error}")
    print(json.dumps(outputs))


if __name__ == "__main__":
    main()
