"""Commands for programs in files: run them, or check that they fit a device."""

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tkr_nexus_worker.cli.costs import (
    confirm_cost,
    max_cost_option,
    max_program_cost_option,
    yes_option,
)
from tkr_nexus_worker.cli.results import check_complete, print_plots, print_results
from tkr_runtime.cli.checks import print_validation
from tkr_runtime.cli.completion import completes
from tkr_runtime.cli.jobs import Decorator
from tkr_runtime.cli.local import UnlessLocal, announce_defaults, local_option
from tkr_runtime.cli.output import json_option, new_table, print_json
from tkr_runtime.cli.results import (
    force_option,
    plot_option,
    save_option,
    top_option,
)
from tkr_runtime.cli.workflows import (
    directory_option,
    interval_option,
    seconds_between_requests,
)

if TYPE_CHECKING:
    from rich.table import Table

    from tkr_nexus_worker.program_files.jobs import Compile
    from tkr_nexus_worker.program_files.read import ProgramFile
    from tkr_nexus_worker.validation import JobValidation

_LEVELS = ("0", "1", "2", "3")
_LOCAL = "local"

_files_argument: Decorator = click.argument(
    "files",
    metavar="FILE...",
    nargs=-1,
    required=True,
    type=click.Path(path_type=Path),
)
_DEVICE_HELP = "The name of a device; `tkr-nexus devices` lists them."
_SHOTS_HELP = "The number of shots of each program."
_SHOTS = click.IntRange(min=1)

# What `--local` takes where nothing else is given.
_CIRCUIT_DEVICE = "H2-1LE"
_PROGRAM_DEVICE = "Helios-1E-lite"
_LOCAL_SHOTS = 100


class _RunCommand(click.Command):
    """A command whose option ``--compile`` takes a level only after an equals sign.

    click would take the file after ``--compile`` for its level.
    """

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        given = ["--compile=2" if arg == "--compile" else arg for arg in args]
        return super().parse_args(ctx, given)


@click.command(cls=_RunCommand)
@_files_argument
@click.option(
    "--device",
    cls=UnlessLocal,
    shell_complete=completes("device"),
    help=f"{_DEVICE_HELP}  [default with --local: {_CIRCUIT_DEVICE}, for Guppy, HUGR "
    f"and QIR {_PROGRAM_DEVICE}]",
)
@click.option(
    "--shots",
    cls=UnlessLocal,
    type=_SHOTS,
    help=f"{_SHOTS_HELP}  [default with --local: {_LOCAL_SHOTS}]",
)
@click.option(
    "--compile",
    metavar="[=LEVEL]",
    type=click.Choice([*_LEVELS, _LOCAL]),
    help="Let Nexus compile the circuits for the device first, as a job of its own. "
    "LEVEL is 0 (gates alone) to 3 (most optimised), 2 without it; with local, pytket "
    "changes the gates on this machine, without optimisation.",
)
@click.option(
    "--two-qubit-gate",
    metavar="GATE",
    help="With --compile: the gate on two qubits, ZZPhase, ZZMax or TK2.",
)
@click.option(
    "--qubits",
    type=click.IntRange(min=1),
    help="The number of qubits of each program; most systems need it for Guppy, HUGR "
    "and QIR.",
)
@click.option(
    "--max-programs",
    metavar="N",
    type=click.IntRange(min=1),
    help="Divide circuits into several jobs of N at most, a few of them at once.",
)
@local_option(
    "Run on an embedded Nexus on this machine, where programs run as your user: take "
    "only those that you trust. Unlike Nexus, it translates gates that the device does "
    "not have."
)
@click.option("--name", help="The name of the job.  [default: the names of the files]")
@click.option(
    "--project",
    shell_complete=completes("project"),
    default="tkr-nexus",
    show_default=True,
    help="The project of the job; created if it does not exist.",
)
@max_cost_option
@max_program_cost_option
@yes_option
@interval_option
@directory_option
@plot_option
@top_option
@json_option
@save_option
@force_option
def run(
    files: tuple[Path, ...],
    device: str | None,
    shots: int | None,
    compile: str | None,  # noqa: A002 (the name of the option)
    two_qubit_gate: str | None,
    qubits: int | None,
    max_programs: int | None,
    local: bool,
    name: str | None,
    project: str,
    max_cost: float | None,
    max_program_cost: float | None,
    yes: bool,
    polling_interval: float | None,
    directory: Path,
    plot: bool,
    top: int,
    as_json: bool,
    save: Path | None,
    force: bool,
) -> None:
    """Run programs from files as one job of each kind, and show their results.

    FILE is a circuit (.qasm: OpenQASM 2 or 3, .json: pytket) or a program (.py: a Guppy
    function main, which is executed as code; .hugr; .ll or .bc: QIR). If you stop the
    command, the jobs continue on Nexus. Before a job on hardware, a terminal shows what
    it costs and asks.
    """
    from tkr_nexus_worker.executors import preload
    from tkr_nexus_worker.program_files.read import read_programs
    from tkr_runtime.files import check_writable

    if save is not None:
        check_writable(save, force=force)
    programs = read_programs(files)
    if local:
        _check_versions(programs)
    device, shots = _chosen(programs, device, shots)
    preload()
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
            polling_interval=seconds_between_requests(polling_interval, local=local),
            directory=directory.expanduser().absolute(),
            compile=_compilation(compile),
            target_2qb_gate=two_qubit_gate,
            n_qubits=qubits,
            refuse_gates=not local,
            max_cost=max_program_cost,
            max_job_cost=max_cost,
            on_estimate=None if local else partial(confirm_cost, yes=yes),
            allow_failed=True,
            max_programs=max_programs,
        )
    if save is not None:
        save_results(found, save, force=force)
        click.echo(f"Saved the {found} to {save}.", err=True)
    if as_json:
        print_json(found.to_counts())
    elif plot:
        print_plots([one for one in found if one.has_result], top)
    else:
        print_results(found, found, top)
    check_complete(found)


@click.command()
@_files_argument
@click.option(
    "--device",
    required=True,
    shell_complete=completes("device"),
    help=_DEVICE_HELP,
)
@click.option("--shots", type=_SHOTS, required=True, help=_SHOTS_HELP)
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
    print_validation(context, found, needs_table(found), device, as_json=as_json)


def needs_table(found: "JobValidation") -> "Table":
    """Return a table of the qubits, gates and cost of circuits.

    :param found: The validation of their job.
    """
    table = new_table()
    table.add_column("circuit", overflow="fold")
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


def _chosen(
    programs: "Sequence[ProgramFile]", device: str | None, shots: int | None
) -> tuple[str, int]:
    """Return where to run programs and how often; say what was not given."""
    from pytket.circuit import Circuit

    chosen: dict[str, object] = {}
    if device is None:
        circuits = all(isinstance(one.program, Circuit) for one in programs)
        device = chosen["--device"] = _CIRCUIT_DEVICE if circuits else _PROGRAM_DEVICE
    if shots is None:
        shots = chosen["--shots"] = _LOCAL_SHOTS
    announce_defaults("tkr-nexus run", chosen)
    return device, shots


def _compilation(chosen: str | None) -> "Compile | None":
    if chosen is None:
        return None
    return int(chosen) if chosen in _LEVELS else "local"


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


def _nexus(*, local: bool) -> AbstractContextManager[None]:
    """Connect this process and its workers to an embedded Nexus if ``local`` is set."""
    if not local:
        return nullcontext()
    from local_cloud import started
    from local_nexus import LocalNexus

    # It is for a first look at a program, before it is compiled for the device.
    return started(LocalNexus(strict=False))
