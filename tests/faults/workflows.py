"""Run the graph again and again under some executor; used by the tests.

Reads a line of JSON for each workflow, and answers with its id and its outputs or its
error. The process is the controller; the tasks are processes of their own, but with the
InProcessExecutor.
"""

import json
import os
import sys
from pathlib import Path
from unittest.mock import patch
from uuid import uuid4

from pytket.circuit import Circuit
from quantinuum_schemas.models.backend_config import QuantinuumConfig
from tierkreis.executor import ShellExecutor, UvExecutor
from tierkreis.storage import FileStorage

from tkr_nexus_worker import (
    REGISTRY_PATH,
    InProcessExecutor,
    NexusWorkerError,
    run,
    uv_executor,
)
from tkr_nexus_worker.graphs import nexus_submit_and_poll

POLLING_INTERVAL = 0.1


def make_executor(kind: str, storage: FileStorage, environment: dict[str, str]):
    match kind:
        case "uv":
            return uv_executor(storage, env=environment)
        case "uv-registry":
            return UvExecutor(REGISTRY_PATH, storage.logs_path, env=environment)
        case "shell":
            return ShellExecutor(
                None, storage.workflow_dir, env=environment, log_env_in_debug=False
            )
        case "in-process":
            return InProcessExecutor(storage)
    raise ValueError(kind)


def run_workflow(
    inputs: dict, directory: str, executor: str, environment: dict[str, str]
) -> dict:
    storage = FileStorage(uuid4(), tierkreis_directory=Path(directory))
    answer = {"workflow": str(storage.workflow_id)}
    inputs["circuits"] = [Circuit.from_dict(circuit) for circuit in inputs["circuits"]]
    inputs["backend_config"] = QuantinuumConfig(device_name="H2-1LE")
    # Tasks in this process have its environment.
    own = environment if executor == "in-process" else {}
    try:
        with patch.dict(os.environ, own):
            outputs = run(
                nexus_submit_and_poll(POLLING_INTERVAL),
                inputs,
                storage,
                make_executor(executor, storage, environment),
            )
    except NexusWorkerError as error:
        return {**answer, "error": str(error)}
    return {**answer, "outputs": outputs}


if __name__ == "__main__":
    for line in sys.stdin:
        print(json.dumps(run_workflow(**json.loads(line))), flush=True)
