"""Commands for samplers in files: run them, or check that they fit a QPU."""

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.table import Table

from tkr_lightworks_worker.cli.results import histograms, print_results
from tkr_runtime.cli.checks import print_validation
from tkr_runtime.cli.completion import completes
from tkr_runtime.cli.jobs import Decorator
from tkr_runtime.cli.local import UnlessLocal, announce_defaults, local_option
from tkr_runtime.cli.output import json_option, new_table, print_json
from tkr_runtime.cli.results import (
    force_option,
    plot_option,
    print_histograms,
    save_option,
    top_option,
)
from tkr_runtime.cli.workflows import (
    directory_option,
    interval_option,
    seconds_between_requests,
)

if TYPE_CHECKING:
    from tkr_lightworks_worker.results import SamplingResult
    from tkr_lightworks_worker.samplers import SamplerSpec
    from tkr_lightworks_worker.validation import JobValidation

_file_argument: Decorator = click.argument("file", type=click.Path(path_type=Path))
_QPU_HELP = "The name of a QPU; `tkr-lightworks qpus` lists them."
# What `--local` takes where nothing else is given.
_LOCAL_QPU = "Artemis"
_samples_option: Decorator = click.option(
    "--samples",
    type=click.IntRange(min=1),
    help="The number of samples of each sampler.  [default: as in the file]",
)


@click.command()
@_file_argument
@click.option(
    "--qpu",
    cls=UnlessLocal,
    shell_complete=completes("qpu"),
    help=f"{_QPU_HELP}  [default with --local: {_LOCAL_QPU}]",
)
@_samples_option
@local_option("Run on an embedded Artemis on this machine, which needs no account.")
@click.option("--name", help="The name of the jobs.  [default: the name of the file]")
@interval_option
@directory_option
@plot_option
@top_option
@json_option
@save_option
@force_option
def run(
    file: Path,
    qpu: str | None,
    samples: int | None,
    local: bool,
    name: str | None,
    polling_interval: float | None,
    directory: Path,
    plot: bool,
    top: int,
    as_json: bool,
    save: Path | None,
    force: bool,
) -> None:
    """Run samplers from a file, one job for each, and show their results.

    FILE is JSON of SamplerSpec or of a list of them (.json), or Python that defines
    sampler or samplers (.py), which is executed as code. If you stop the command, the
    jobs continue on Artemis.
    """
    from tkr_lightworks_worker.cli.sampler_files import read_sampler_file
    from tkr_lightworks_worker.cli.saved_results import save_results
    from tkr_lightworks_worker.executors import preload
    from tkr_runtime.files import check_writable

    if save is not None:
        check_writable(save, force=force)
    samplers = read_sampler_file(file, samples)
    if qpu is None:
        qpu = _LOCAL_QPU
        announce_defaults("tkr-lightworks run", {"--qpu": qpu})
    preload()
    with _artemis(local=local):
        found = _submit(
            samplers,
            qpu,
            name or file.stem,
            seconds_between_requests(polling_interval, local=local),
            directory.expanduser().absolute(),
        )
    if save is not None:
        save_results(found, save, force=force)
        click.echo(f"Saved {len(found)} results to {save}.", err=True)
    if as_json:
        print_json(found)
    elif plot:
        print_histograms(histograms(found, top))
    else:
        print_results(found, top)


@click.command()
@_file_argument
@click.option("--qpu", required=True, shell_complete=completes("qpu"), help=_QPU_HELP)
@_samples_option
@json_option
@click.pass_context
def check(
    context: click.Context, file: Path, qpu: str, samples: int | None, as_json: bool
) -> None:
    """Check whether samplers fit a QPU. Nothing is submitted.

    FILE is JSON of SamplerSpec or of a list of them (.json), or Python that defines
    sampler or samplers (.py), which is executed as code. The exit code is 1 if they do
    not fit.
    """
    from tkr_lightworks_worker.cli.sampler_files import read_sampler_file
    from tkr_lightworks_worker.validation import validate_job

    found = validate_job(qpu, read_sampler_file(file, samples))
    print_validation(context, found, _needs_table(found), qpu, as_json=as_json)


def _needs_table(found: "JobValidation") -> Table:
    table = new_table()
    for heading in (
        *("sampler", "modes", "photons", "min_detection"),
        *("samples", "at most"),
    ):
        table.add_column(heading, justify="right", no_wrap=True)
    for one in found.samplers:
        table.add_row(
            str(one.index),
            str(one.n_modes),
            str(one.n_photons),
            str(one.min_detection),
            f"{one.n_samples:,}",
            f"{one.max_samples:,}",
        )
    return table


def _submit(
    samplers: "Sequence[SamplerSpec]",
    qpu: str,
    name: str,
    polling_interval: float,
    directory: Path,
) -> "list[SamplingResult]":
    """Run samplers by a workflow, which can be resumed."""
    from uuid import uuid4

    from tierkreis.storage import FileStorage

    from tkr_lightworks_worker.executors import uv_executor
    from tkr_lightworks_worker.graphs import lightworks_submit_and_poll
    from tkr_lightworks_worker.jobs import prepare_job
    from tkr_lightworks_worker.results import SamplingResult
    from tkr_runtime.workflows.run import run as run_workflow

    # What is wrong is said before there is a workflow.
    prepare_job(qpu, name, samplers)
    storage = FileStorage(uuid4(), name=name, tierkreis_directory=directory)
    inputs = {"qpu_name": qpu, "job_name": name, "samplers": list(samplers)}
    graph = lightworks_submit_and_poll(polling_interval)
    outputs = run_workflow(graph, inputs, storage, uv_executor(storage))
    return [SamplingResult.model_validate(output) for output in outputs]


def _artemis(*, local: bool) -> AbstractContextManager[None]:
    """Connect this process and its workers to an embedded Artemis if asked for."""
    if not local:
        return nullcontext()
    from local_artemis import LocalArtemis
    from local_cloud import Progress, started

    return started(LocalArtemis(progress=Progress.immediate()))
