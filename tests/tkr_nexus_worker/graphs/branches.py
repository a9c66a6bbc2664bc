"""Run branches side by side under a budget, in a process that may be killed.

The arguments are the directory and the id of the workflow, and the budget in HQC.
"""

import sys
from pathlib import Path
from typing import NamedTuple
from uuid import UUID

from pytket.circuit import Circuit
from quantinuum_schemas.models.backend_config import QuantinuumConfig
from tierkreis.builder import Graph
from tierkreis.models import TKR
from tierkreis.storage import FileStorage

from tkr_nexus_worker import InProcessExecutor, budget, run
from tkr_nexus_worker.graphs import JobInputs, nexus_submit_and_poll

NATIVE = Circuit(2, name="native").PhasedX(0.5, 0.5, 0).ZZPhase(0.5, 0, 1).measure_all()
BRANCHES = 3
COST = 5 + 100 * (1 + 10 + 5 * 4) / 5000


class Results(NamedTuple):
    first: TKR[list]
    second: TKR[list]
    third: TKR[list]


def branches():
    """A graph that submits the same job in each branch."""
    g = Graph(JobInputs, Results)
    return g.finish_with_outputs(
        Results(
            *(g.eval(nexus_submit_and_poll(0.2), g.inputs) for _ in range(BRANCHES))
        )
    )


def inputs(name: str) -> dict:
    return {
        "project_name": "tests of branches",
        "job_name": name,
        "circuits": [NATIVE],
        "n_shots": [100],
        "backend_config": QuantinuumConfig(device_name="H2-1", noisy_simulation=False),
    }


def storage_of(directory: str, workflow: str) -> FileStorage:
    return FileStorage(UUID(workflow), tierkreis_directory=Path(directory))


def main(directory: str, workflow: str, hqc: str) -> None:
    storage = storage_of(directory, workflow)
    with budget(hqc=float(hqc)):
        run(branches(), inputs(workflow), storage, InProcessExecutor(storage))


if __name__ == "__main__":
    main(*sys.argv[1:])
