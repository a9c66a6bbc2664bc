"""Keep parallel branches of a workflow within one budget.

Three branches submit a job each, and the budget is enough for two of them: the third is
refused before anything of it is uploaded. Then the budget is raised and the workflow
resumed. The two jobs are not run again.
"""

from typing import NamedTuple
from uuid import uuid4

import click
from pytket.backends.backendresult import BackendResult as PytketResult
from pytket.circuit import Circuit as PytketCircuit
from pytket.circuit import OpType
from pytket.passes import AutoRebase
from quantinuum_schemas.models.backend_config import QuantinuumConfig
from tierkreis.builder import Graph
from tierkreis.models import TKR, Workflow
from tierkreis.storage import FileStorage

from nexus_choice import (
    nexus_option,
    polling_option,
    polling_seconds,
    shots_option,
    use_nexus,
)
from tkr_nexus_worker import (
    NexusWorkerError,
    WorkflowFailedError,
    budget,
    costs,
    resume,
    run,
    uv_executor,
)
from tkr_nexus_worker.graphs import JobInputs, nexus_submit_and_poll
from tkr_nexus_worker.graphs.submit_poll import BackendResult
from tkr_runtime.jobs.budget import ledgers_of_workflow

BRANCHES = ("first", "second", "third")
DEVICE = QuantinuumConfig(device_name="H2-1E", noisy_simulation=False)


class Outputs(NamedTuple):
    """The results of each branch."""

    first: TKR[list[BackendResult]]
    second: TKR[list[BackendResult]]
    third: TKR[list[BackendResult]]


def run_branches(polling_interval: float) -> Workflow[JobInputs, Outputs]:
    """Build a graph that runs the same circuits in three branches, a job for each."""
    g = Graph(JobInputs, Outputs)
    graph = nexus_submit_and_poll(polling_interval)
    results = [
        g.eval(graph, g.inputs._replace(job_name=g.const(f"budget {name}")))
        for name in BRANCHES
    ]
    return g.finish_with_outputs(Outputs(*results))


@click.command(help=__doc__)
@nexus_option
@shots_option
@polling_option
def main(*, nexus: bool, shots: int, polling_interval: float | None) -> None:
    """Run a Bell pair in three branches under one budget."""
    bell = PytketCircuit(2, name="bell").H(0).CX(0, 1).measure_all()
    AutoRebase({OpType.PhasedX, OpType.Rz, OpType.ZZPhase}).apply(bell)
    storage = FileStorage(uuid4(), name="budget")
    inputs = {
        "project_name": "tkr-nexus-worker examples",
        "job_name": "budget",
        "circuits": [bell],
        "n_shots": [shots],
        "backend_config": DEVICE,
    }
    graph = run_branches(polling_seconds(polling_interval, nexus=nexus))
    try:
        with use_nexus(real=nexus):
            # The first use of this module reads the address of Nexus.
            cost = costs.estimate_cost([bell], [shots], DEVICE).cost or 0.0
            click.echo(f"A job costs {cost:.2f} HQC; the budget is {2.5 * cost:.2f}.")
            try:
                with budget(hqc=2.5 * cost):
                    run(graph, inputs, storage, uv_executor(storage))
            except WorkflowFailedError as error:
                click.echo(f"Refused: {error}")
            show_balance(storage)
            with budget(hqc=4 * cost):
                outputs = resume(storage, uv_executor(storage))
            show_balance(storage)
    except NexusWorkerError as error:
        raise click.ClickException(str(error)) from error
    for name in BRANCHES:
        [output] = outputs[name]
        click.echo(f"{name}: {dict(PytketResult.from_dict(output).get_counts())}")
    click.echo(f"The files of this run are in {storage.workflow_dir}")


def show_balance(storage: FileStorage) -> None:
    """Print what is reserved, spent and left, as `tkr-nexus budget` does."""
    [ledger] = ledgers_of_workflow(storage.workflow_dir)
    found = ledger.balance()
    click.echo(
        f"Of {found.limit:.2f} {found.unit}: reserved {found.reserved:.2f}, "
        f"spent {found.spent:.2f}, left {found.left:.2f}."
    )


if __name__ == "__main__":
    main()
