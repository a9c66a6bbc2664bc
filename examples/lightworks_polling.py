# /// script
# requires-python = ">=3.12"
# dependencies = ["tkr-nexus-worker[lightworks,artemis-local,plots]"]
#
# [tool.uv.sources]
# tkr-nexus-worker = { path = "..", editable = true }
# ///
"""Run samplers on Artemis with the prepackaged graph lightworks_submit_and_poll.

By default, the example starts an embedded Artemis on this machine, which needs no
account. With --artemis, it uses the real one and your token.
"""

import warnings
from pathlib import Path
from uuid import uuid4

import click
from rich.console import Console
from rich.table import Table
from tierkreis.storage import FileStorage

from artemis_choice import (
    artemis_option,
    polling_option,
    polling_seconds,
    qpu_option,
    samples_option,
    use_artemis,
)
from tkr_lightworks_worker import (
    LightworksWorkerError,
    SamplerSpec,
    SamplingResult,
    uv_executor,
)
from tkr_lightworks_worker.graphs import lightworks_submit_and_poll
from tkr_nexus_worker import run

with warnings.catch_warnings():
    # Lightworks warns where it has no address, which the embedded Artemis brings.
    warnings.simplefilter("ignore")
    import lightworks as lw


@click.command(help=__doc__)
@artemis_option
@qpu_option
@samples_option
@polling_option
def main(
    *, artemis: bool, qpu: str, samples: int, polling_interval: float | None
) -> None:
    """Run the samplers, print their counts and plot them."""
    samplers = {
        "random unitary": random_unitary(samples),
        "Hong-Ou-Mandel": hong_ou_mandel(samples),
    }
    storage = FileStorage(uuid4(), name="lightworks_polling")
    inputs = {
        "qpu_name": qpu,
        "job_name": "lightworks_polling",
        "samplers": [SamplerSpec.of(sampler) for sampler in samplers.values()],
    }
    graph = lightworks_submit_and_poll(
        polling_seconds(polling_interval, artemis=artemis)
    )
    executor = uv_executor(storage)
    try:
        with use_artemis(real=artemis):
            outputs = run(graph, inputs, storage, executor)
    except LightworksWorkerError as error:
        raise click.ClickException(str(error)) from error
    for name, output in zip(samplers, outputs, strict=True):
        result = SamplingResult(**output)
        print_counts(name, result)
        plot(result, storage.workflow_dir / f"{name}.png")
    click.echo(f"Plots and all files of this run are in {storage.workflow_dir}")


def random_unitary(samples: int) -> lw.Sampler:
    """Return a sampler of two photons in four modes."""
    unitary = lw.Unitary(lw.random_unitary(4))
    return lw.Sampler(unitary, lw.State([1, 1, 0, 0]), samples, min_detection=1)


def hong_ou_mandel(samples: int) -> lw.Sampler:
    """Return a sampler of two photons that meet at a beam splitter.

    They leave it together, so that both detectors never click at once.
    """
    circuit = lw.PhotonicCircuit(2)
    circuit.bs(0)
    return lw.Sampler(circuit, lw.State([1, 1]), samples, min_detection=1)


def print_counts(name: str, result: SamplingResult) -> None:
    """Print how often each state was detected, the most frequent first."""
    click.echo(f"\n{name}, {result.n_samples} samples (job {result.job_id})")
    table = Table()
    table.add_column("state")
    table.add_column("count", justify="right")
    for state, count in sorted(result.counts.items(), key=lambda it: -it[1])[:8]:
        table.add_row(state, str(count))
    Console().print(table)


def plot(result: SamplingResult, path: Path) -> None:
    """Plot the counts with Lightworks."""
    figure, _ = result.to_result().plot(show=False) or (None, None)
    if figure is not None:
        figure.savefig(path, bbox_inches="tight")


if __name__ == "__main__":
    main()
