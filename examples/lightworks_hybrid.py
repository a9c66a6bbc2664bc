# /// script
# requires-python = ">=3.12"
# dependencies = ["tkr-nexus-worker[lightworks,artemis-local]"]
#
# [tool.uv.sources]
# tkr-nexus-worker = { path = "..", editable = true }
# ///
"""Tune a circuit from the counts of photonic jobs, in a loop of one workflow.

Artemis runs an interferometer at two phases, and a classical task moves the phase to
where two photons leave it in different modes more often, until they always do.
"""

import sys
from pathlib import Path
from typing import NamedTuple, cast
from uuid import uuid4

import click
from tierkreis.builder import Graph
from tierkreis.executor import MultipleExecutor, UvExecutor
from tierkreis.models import TKR, Workflow
from tierkreis.storage import (
    FileStorage,
    read_loop_trace,  # pyright: ignore[reportUnknownVariableType]
)

from artemis_choice import (
    artemis_option,
    polling_option,
    polling_seconds,
    qpu_option,
    samples_option,
    use_artemis,
)
from tkr_lightworks_worker import LightworksWorkerError, uv_executor
from tkr_lightworks_worker.graphs import JobInputs, lightworks_submit_and_poll
from tkr_nexus_worker import run
from workers.tuning_worker.stubs import Tuning, interferometers, tune

WORKERS = Path(__file__).parent / "workers"
LOOP = "tuning"


class TuningInputs(NamedTuple):
    """The inputs of an iteration."""

    qpu_name: TKR[str]
    n_samples: TKR[int]
    phase: TKR[float]
    iteration: TKR[int]


def iteration_graph(polling_interval: float) -> Workflow[TuningInputs, Tuning]:
    """Build an iteration: two photonic jobs, and a classical task."""
    g = Graph(TuningInputs, Tuning)
    samplers = g.task(interferometers(g.inputs.phase, g.inputs.n_samples))
    results = g.eval(
        lightworks_submit_and_poll(polling_interval),
        JobInputs(
            qpu_name=g.inputs.qpu_name,
            job_name=g.const("lightworks_hybrid"),
            samplers=samplers,
        ),
    )
    return g.finish_with_outputs(
        g.task(tune(g.inputs.phase, g.inputs.iteration, results))
    )


def tuning_graph(polling_interval: float) -> Workflow[TuningInputs, TKR[float]]:
    """Build the loop over the iterations, from a phase to the tuned phase."""
    g = Graph(TuningInputs, TKR[float])
    tuned = g.loop(iteration_graph(polling_interval), g.inputs, name=LOOP)
    return g.finish_with_outputs(tuned.phase)


@click.command(help=__doc__)
@artemis_option
@qpu_option
@samples_option
@polling_option
@click.option("--phase", default=1.0, show_default=True, help="The first, in radians.")
def main(
    *,
    artemis: bool,
    qpu: str,
    samples: int,
    polling_interval: float | None,
    phase: float,
) -> None:
    """Tune the phase and print it after each iteration."""
    storage = FileStorage(uuid4(), name="lightworks_hybrid")
    # Like the photonic worker, the worker of this example runs in this environment.
    here = {"UV_NO_SYNC": "1", "UV_PROJECT_ENVIRONMENT": sys.prefix}
    executor = MultipleExecutor(
        UvExecutor(WORKERS, storage.logs_path, env=here, log_env_in_debug=False),
        {"artemis": uv_executor(storage)},
        {"lightworks_worker": "artemis"},
    )
    inputs = {"qpu_name": qpu, "n_samples": samples, "phase": phase, "iteration": 0}
    graph = tuning_graph(polling_seconds(polling_interval, artemis=artemis))
    try:
        with use_artemis(real=artemis):
            tuned = run(graph, inputs, storage, executor)
    except LightworksWorkerError as error:
        raise click.ClickException(str(error)) from error
    phases = cast("list[float]", read_loop_trace(graph, storage, LOOP, "phase"))
    for number, value in enumerate(phases):
        click.echo(f"Phase after iteration {number + 1}: {value:.3f}")
    click.echo(f"The tuned phase is {tuned:.3f}; the best is 0 (modulo pi).")
    click.echo(f"The files of this run are in {storage.workflow_dir}")


if __name__ == "__main__":
    main()
