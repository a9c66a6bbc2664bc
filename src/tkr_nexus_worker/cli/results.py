"""Commands that show, save and plot the results of jobs."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tkr_runtime.cli.jobs import Decorator, result_argument, results_argument
from tkr_runtime.cli.output import (
    check_formats,
    csv_option,
    json_option,
    print_json,
    print_table,
)
from tkr_runtime.cli.results import (
    MOST_PLOTS,
    counts_table,
    force_option,
    output_option,
    print_csv,
    print_histograms,
    save_option,
    top_option,
)
from tkr_runtime.cli.terminal_text import printable

if TYPE_CHECKING:
    from tkr_nexus_worker.results.counts import CircuitResult, JobResults

_EXACT = "exact"
_LISTED_SHOTS = 10

_circuit_option: Decorator = click.option(
    "--circuit",
    "--program",
    "circuits",
    type=click.IntRange(min=0),
    multiple=True,
    help="Only this circuit or program, counted from 0; repeatable.  [default: all]",
)
_select_option: Decorator = click.option(
    "--post-select",
    "selection",
    multiple=True,
    metavar="BIT=VALUE",
    help="Count only shots in which a bit has this value, as in c[0]=1; repeatable.",
)
_partial_option: Decorator = click.option(
    "--partial",
    is_flag=True,
    help="Accept a job that has not ended or in which programs failed.",
)


@click.command()
@results_argument
@_circuit_option
@_select_option
@top_option
@_partial_option
@json_option
@csv_option
@save_option
@force_option
def results(
    jobs: tuple[str, ...],
    circuits: tuple[int, ...],
    selection: tuple[str, ...],
    top: int,
    partial: bool,
    as_json: bool,
    as_csv: bool,
    save: Path | None,
    force: bool,
) -> None:
    """Show or save the results of jobs.

    JOB is a job's id, the start of its id (at least four digits), its name, a receipt
    file, or a file of saved results. In an outcome, the first bit of a register is on
    the left. The programs of several jobs are counted on from job to job.
    """
    check_formats(as_json=as_json, as_csv=as_csv)
    # Importing qnexus takes seconds, and --help does not need it.
    from tkr_nexus_worker.results.counts import JobResults
    from tkr_nexus_worker.results.saved import save_results
    from tkr_runtime.files import check_writable

    if save is not None:
        check_writable(save, force=force)
    each = [_fetch(job, partial=partial) for job in jobs]
    found = JobResults.chained(each) if each[1:] else each[0]
    chosen = _choose(found, circuits, selection)
    if save is not None:
        save_results(found, save, force=force)
        click.echo(f"Saved the {found} to {save}.", err=True)
    if as_json:
        counts = found.to_counts()
        shown = [one.to_counts() for one in chosen]
        print_json(counts.model_copy(update={"circuits": shown}))
    elif as_csv:
        _print_csv(chosen)
    elif save is None:
        print_results(found, chosen, top)


@click.command()
@result_argument
@_circuit_option
@_select_option
@top_option
@_partial_option
@output_option
@click.option(
    "--ideal",
    metavar="FILE|exact",
    help='Compare with the probabilities in a JSON file, such as {"00": 0.5, "11": '
    "0.5}, or with those that the circuits of the job have without errors: exact for "
    "up to 20 qubits, sampled for up to 26, or for more with Clifford gates alone.",
)
@force_option
def plot(
    job: str,
    circuits: tuple[int, ...],
    selection: tuple[str, ...],
    top: int,
    partial: bool,
    output: Path | None,
    ideal: str | None,
    force: bool,
) -> None:
    """Plot the results of a job as histograms, with binomial standard errors.

    JOB is a job's id, the start of its id (at least four digits), its name, a receipt
    file, or a file of saved results.
    """
    from tkr_nexus_worker.results.plots import (
        check_picture,
        ideal_of_job,
        plot_results,
        read_distribution,
    )

    if output is not None:
        check_picture(output, force=force)
    given = None if ideal in (None, _EXACT) else read_distribution(Path(str(ideal)))
    found = _fetch(job, partial=partial)
    exact = ideal_of_job(str(found.receipt.job_id)) if ideal == _EXACT else {}
    chosen = _choose(found, circuits, selection)
    if not circuits:
        chosen = [one for one in chosen if one.has_result]
        if len(chosen) > MOST_PLOTS:
            click.echo(
                f"Plotting the first {MOST_PLOTS} of {len(chosen)} {found.noun}s; "
                f"choose others with --{found.noun}.",
                err=True,
            )
            chosen = chosen[:MOST_PLOTS]
    expected = [exact.get(one.index, given) for one in chosen]
    if output is None:
        print_plots(chosen, top, expected)
    else:
        plot_results(chosen, output, ideal=expected, top=top, force=force)
        click.echo(f"Saved the plot to {output}.")


def print_plots(
    circuits: "Sequence[CircuitResult]",
    top: int,
    ideal: Sequence[dict[str, float] | None] | None = None,
) -> None:
    """Draw histograms in the terminal.

    :param circuits: The results to draw.
    :param top: How many outcomes to show of each at most.
    :param ideal: For each, the probabilities to compare with, or None.
    """
    from tkr_nexus_worker.results.plots import histogram

    print_histograms(
        histogram(one, ideal=expected, top=top)
        for one, expected in zip(circuits, ideal or [None] * len(circuits), strict=True)
    )


def check_complete(found: "JobResults") -> None:
    """Refuse results that a job has given before it failed, after they were shown.

    :param found: The results of a job that has ended.
    :raises JobFailedError: If programs failed; it names each with its reason.
    """
    from tkr_nexus_worker.errors import JobFailedError
    from tkr_nexus_worker.jobs import failure_message

    if not found.complete:
        raise JobFailedError(found.failure or failure_message(found.job))


def print_results(
    found: "JobResults", circuits: "Sequence[CircuitResult]", top: int
) -> None:
    """Print the outcomes of circuits as tables.

    :param found: The results of their job.
    :param circuits: The results to print.
    :param top: How many outcomes to show of each at most.
    """
    for job in found.jobs:
        cost = "" if job.cost is None else f", {job.cost:.2f} HQC"
        click.echo(f"{job.name}  {job.job_id}  {job.state.name}{cost}")
    for circuit in circuits:
        click.echo()
        _print_circuit(circuit, top)


def _print_circuit(circuit: "CircuitResult", top: int) -> None:
    counts = circuit.to_counts()
    if counts.no_counts:
        reason = f": {counts.reason}" if counts.reason else ""
        click.echo(f"{circuit}  {counts.state}{reason}. {counts.no_counts}")
        return
    shots = f"{counts.n_shots} shots"
    if counts.selection:
        chosen = ", ".join(f"{bit}={value}" for bit, value in counts.selection.items())
        shots += f" of {counts.n_shots_taken} with {chosen}"
    click.echo(f"{circuit}  {shots}, {len(counts.counts)} outcomes, {counts.state}")
    print_table(counts_table(counts.counts, top))
    for reason, numbers in counts.stopped.items():
        shown_numbers = ", ".join(map(str, numbers[:_LISTED_SHOTS]))
        more = ", …" if len(numbers) > _LISTED_SHOTS else ""
        click.echo(
            f"{len(numbers)} shots ended with {printable(reason)}: "
            f"{shown_numbers}{more}"
        )


def _print_csv(circuits: "Sequence[CircuitResult]") -> None:
    print_csv(
        ["circuit", "name"],
        (([one.index, one.name or ""], dict(one)) for one in circuits),
    )


def _fetch(job: str, *, partial: bool) -> "JobResults":
    from tkr_nexus_worker.results import get_results_by_id
    from tkr_nexus_worker.results.saved import is_saved_results, load_results

    path = Path(job)
    # A receipt is a .json as well, and never compressed.
    if path.name.endswith(".json.gz") or (
        path.suffix == ".json" and is_saved_results(path)
    ):
        return load_results(path)
    return get_results_by_id(job, allow_failed=partial, allow_unfinished=partial)


def _choose(
    found: "JobResults", circuits: Sequence[int], selection: Sequence[str]
) -> "list[CircuitResult]":
    """Return the chosen circuits, with the chosen shots."""
    from tkr_nexus_worker.results.counts import parse_selection

    chosen = [found.circuit(index) for index in circuits] if circuits else list(found)
    if not selection:
        return chosen
    values = parse_selection(selection)
    return [one.post_select(values) if one.has_result else one for one in chosen]
