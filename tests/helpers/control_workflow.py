"""Run or resume a workflow and print its outputs as JSON; used by the tests.

Usage: control_workflow.py run|resume GRAPH DIRECTORY WORKFLOW [ON_INTERRUPT [EXECUTOR]]
The process stands for a controller that may be killed. EXECUTOR, or the variable
TKR_TEST_EXECUTOR, is shell, in-process, slurm or psij.
"""

import json
import os
import re
import signal
import sys
from pathlib import Path
from typing import NamedTuple
from uuid import UUID

from pytket.circuit import Circuit
from quantinuum_schemas.models.backend_config import QuantinuumConfig
from tierkreis.builder import Graph
from tierkreis.builtins import iadd, igt, sum_list, tkr_range
from tierkreis.controller.executor.protocol import ControllerExecutor
from tierkreis.executor import ShellExecutor
from tierkreis.models import TKR
from tierkreis.storage import FileStorage

from tkr_nexus_worker import InProcessExecutor, NexusWorkerError, resume, run
from tkr_nexus_worker.graphs import (
    nexus_submit_and_poll,
    nexus_submit_and_poll_batched,
)

BELL = Circuit(2, name="bell").H(0).CX(0, 1).measure_all()


class Count(NamedTuple):
    count: TKR[int]


class Counted(NamedTuple):
    count: TKR[int]
    should_continue: TKR[bool]


def count_up():
    """The body of a loop that counts to 2."""
    g = Graph(Count, Counted)
    count = g.task(iadd(g.inputs.count, g.const(1)))
    return g.finish_with_outputs(Counted(count, g.task(igt(g.const(2), count))))


def count_to_two():
    """A graph with a loop."""
    g = Graph(TKR[int], TKR[int])
    counted = g.loop(count_up(), Count(g.inputs), name="counting")
    return g.finish_with_outputs(counted.count)


def nested():
    """A graph with a map of loops, a choice and a graph in a graph; gives 4 + start."""
    inner = Graph(TKR[int], TKR[int])
    starts = inner.task(tkr_range(inner.const(0), inner.const(2)))
    counts = inner.map(count_to_two(), starts)
    total = inner.finish_with_outputs(
        inner.task(iadd(inner.inputs, inner.task(sum_list(counts))))
    )
    g = Graph(TKR[int], TKR[int])
    is_small = g.task(igt(g.const(100), g.inputs))
    chosen = g.ifelse(is_small, g.inputs, g.const(0))
    return g.finish_with_outputs(g.eval(total, chosen))


GRAPHS = {
    "nested": (nested, 1),
    "nexus": (
        lambda: nexus_submit_and_poll(polling_interval=0.2),
        {
            "project_name": "tests of resuming",
            "job_name": "a job",
            "circuits": [BELL, BELL],
            "n_shots": [10, 20],
            "backend_config": QuantinuumConfig(device_name="H2-1LE"),
        },
    ),
}


# Three jobs of one circuit each, one at a time.
GRAPHS["parts"] = (
    lambda: nexus_submit_and_poll_batched(1, max_jobs=1, polling_interval=0.2),
    {
        **GRAPHS["nexus"][1],
        "job_name": "parts",
        "circuits": [BELL, BELL, BELL],
        "n_shots": [10, 20, 30],
    },
)


def make_executor(kind: str, storage: FileStorage) -> ControllerExecutor:
    match kind:
        case "in-process":
            return InProcessExecutor(storage)
        case "slurm" | "psij":
            return executor_of_page(f"{kind.upper()}Executor(", storage)
    return ShellExecutor(None, storage.workflow_dir, log_env_in_debug=False)


def executor_of_page(words: str, storage: FileStorage) -> ControllerExecutor:
    """Run the code of docs/hpc.md that holds some words, and return its executor."""
    page = (Path(__file__).parents[2] / "docs" / "hpc.md").read_text()
    blocks = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    [code] = [block for block in blocks if words in block]
    names = {"storage": storage}
    exec(code, names)  # noqa: S102 - our own page
    return names["executor"]


def main() -> None:
    # A shell in the background lets its programs ignore Ctrl-C; this one must not.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    action, graph_name, directory, workflow, *more = sys.argv[1:]
    storage = FileStorage(UUID(workflow), tierkreis_directory=Path(directory))
    options = {"on_interrupt": more[0]} if more else {}
    kind = (*more[1:], os.environ.get("TKR_TEST_EXECUTOR", "shell"))[0]
    executor = make_executor(kind, storage)
    graph, inputs = GRAPHS[graph_name]
    try:
        if action == "run":
            outputs = run(graph(), inputs, storage, executor, **options)
        else:
            outputs = resume(storage, executor, **options)
    except NexusWorkerError as error:
        sys.exit(f"{type(error).__name__}: {error}")
    print(json.dumps(outputs))


if __name__ == "__main__":
    main()
