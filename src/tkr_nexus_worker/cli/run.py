"""Commands for programs in files: run them, or check that they fit a device."""

import os
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tkr_nexus_worker.cli.results import (
    force_option,
    print_plots,
    print_results,
    save_option,
    top_option,
)
from tkr_nexus_worker.cli.workflows import directory_option
from tkr_runtime.cli.output import (
    json_option,
    new_table,
    print_json,
    print_table,
)

if TYPE_CHECKING:
    from rich.table import Table

    from tkr_nexus_worker.program_files.read import ProgramFile
    from tkr_nexus_worker.validation import JobValidation

type _Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]

_files_argument: _Decorator = click.argument(
    "files",
    metavar="FILE...",
    nargs=-1,
    required=True,
    type=click.Path(path_type=Path),
)
_device_option: _Decorator = click.option(
    "--device",
    required=True,
    help="The name of a device; `tkr-nexus devices` lists them.",
)
_shots_option: _Decorator = click.option(
    "--shots",
    type=click.IntRange(min=1),
    required=True,
    help="The number of shots of each program.",
)


@click.command()
@_files_argument
@_device_option
@_shots_option
@click.option(
    "--local",
    is_flag=True,
    help="Run on an embedded Nexus on this machine, where programs run as your user: "
    "take only those that you trust. Unlike Nexus, it translates gates that the device "
    "does not have.",
)
@click.option("--name", help="The name of the job.  [default: the names of the files]")
@click.option(
    "--project",
    default="tkr-nexus",
    show_default=True,
    help="The project of the job; created if it does not exist.",
)
@click.option(
    "--polling-interval",
    type=click.FloatRange(min=0.0, min_open=True),
    help="Seconds between two status requests.  [default: 30, with --local 1]",
)
@directory_option
@click.option("--plot", is_flag=True, help="Draw histograms in the terminal.")
@top_option
@json_option
@save_option
@force_option
def run(
    files: tuple[Path, ...],
    device: str,
    shots: int,
    local: bool,
    name: str | None,
    project: str,
    polling_interval: float | None,
    directory: Path,
    plot: bool,
    top: int,
    as_json: bool,
    save: Path | None,
    force: bool,
) -> None:
    """Run programs from files as one job, and show their results.

    FILE is a circuit (.qasm: OpenQASM 2 or 3, .json: pytket) or a program (.py: a Guppy
    function main, which is executed as code; .hugr). If you stop the command, the job
    continues on Nexus.
    """
    from tkr_nexus_worker.program_files.read import read_programs
    from tkr_runtime.files import check_absent

    if save is not None:
        check_absent(save, force=force)
    programs = read_programs(files)
    if local:
        _check_versions(programs)
    with _nexus(local=local):
        # qnexus reads its configuration when it is imported, so import it here.
        from tkr_nexus_worker.devices import config_of
        from tkr_nexus_worker.program_files.jobs import submit_files
        from tkr_nexus_worker.results.saved import save_results

        found = submit_files(
            programs,
            config_of(device),
            shots,
            job_name=name,
            project_name=project,
            polling_interval=polling_interval or (1.0 if local else 30.0),
            directory=directory.expanduser().absolute(),
        )
    if save is not None:
        save_results(found, save, force=force)
        click.echo(f"Saved the {found} to {save}.", err=True)
    if as_json:
        print_json(found.to_counts())
    elif plot:
        print_plots(found, top)
    else:
        print_results(found, found, top)


@click.command()
@_files_argument
@_device_option
@_shots_option
@json_option
@click.pass_context
def check(
    context: click.Context,
    files: tuple[Path, ...],
    device: str,
    shots: int,
    as_json: bool,
) -> None:
    """Check whether circuits fit a device, and estimate their cost.

    Nothing is uploaded. FILE is a circuit (.qasm: OpenQASM 2 or 3, .json: pytket). The
    exit code is 1 if the job does not fit.
    """
    from tkr_nexus_worker.devices import config_of
    from tkr_nexus_worker.program_files.jobs import circuits_of
    from tkr_nexus_worker.program_files.read import read_programs
    from tkr_nexus_worker.validation import validate_job

    circuits = circuits_of(read_programs(files))
    found = validate_job(circuits, [shots] * len(circuits), config_of(device))
    if as_json:
        print_json(found)
    else:
        print_table(needs_table(found))
        for problem in found.problems:
            click.secho(f"problem: {problem}", fg="red")
        for warning in found.warnings:
            click.secho(f"warning: {warning}", fg="yellow")
        click.echo(_verdict(found, device))
    context.exit(1 if found.problems else 0)


def _verdict(found: "JobValidation", device: str) -> str:
    if found.problems:
        return f"The job does not fit {device}."
    return f"The job fits {device}." if found.fits else f"{device} may refuse the job."


def needs_table(found: "JobValidation") -> "Table":
    """Return a table of the qubits, gates and cost of circuits.

    :param found: The validation of their job.
    """
    table = new_table()
    table.add_column("circuit", no_wrap=True, overflow="ellipsis")
    for heading in ("shots", "qubits", "1q", "2q", "measured", "depth", "HQC"):
        table.add_column(heading, justify="right", no_wrap=True)
    for one in found.circuits:
        table.add_row(
            one.name or str(one.index),
            str(one.n_shots),
            str(one.n_qubits),
            str(one.n_one_qubit_gates),
            str(one.n_two_qubit_gates),
            str(one.n_measurements),
            str(one.depth),
            "" if one.cost is None else f"{one.cost:.2f}",
        )
    return table


def _check_versions(programs: "Sequence[ProgramFile]") -> None:
    """Refuse HUGR packages that the simulators on this machine cannot run."""
    from hugr.package import Package

    try:
        from local_nexus.simulators.guppy_versions import version_problem
    except ImportError:
        return
    for one in programs:
        if isinstance(one.program, Package):
            problem = version_problem(one.program)
            if problem is not None:
                raise click.ClickException(f"{one.path}: {problem}")


@contextmanager
def _nexus(*, local: bool) -> Generator[None]:
    """Connect this process and its workers to an embedded Nexus if ``local`` is set."""
    if not local:
        yield
        return
    try:
        from local_cloud import StartError
        from local_nexus import LocalNexus
    except ImportError as error:
        raise click.ClickException(
            "The embedded Nexus is not installed. Install this distribution with the "
            'extra "local": pip install "/path/to/the/checkout[local]".'
        ) from error
    # It is for a first look at a program, before it is compiled for the device.
    nexus = LocalNexus(strict=False)
    try:
        nexus.start()
    except StartError as error:
        raise click.ClickException(str(error)) from error
    try:
        os.environ.update(nexus.env)
        yield
    finally:
        nexus.stop()
