"""Commands that show, save and plot the results of jobs."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tkr_runtime.cli.jobs import Decorator, results_argument
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
    from tkr_lightworks_worker.results import SamplingResult
    from tkr_runtime.histograms import Histogram

_REQUIREMENT = "tkr-nexus-worker[plots]"
_EXAMPLE = '{"|1,0>": 0.5, "|0,1>": 0.5}'

_raw_option: Decorator = click.option(
    "--raw",
    is_flag=True,
    help="Count all samples in all modes, without post-selection and with heralds.",
)
_partial_option: Decorator = click.option(
    "--partial",
    is_flag=True,
    help="Accept jobs that failed; they have no counts.",
)


@click.command()
@results_argument
@_raw_option
@top_option
@_partial_option
@json_option
@csv_option
@save_option
@force_option
def results(
    jobs: tuple[str, ...],
    raw: bool,
    top: int,
    partial: bool,
    as_json: bool,
    as_csv: bool,
    save: Path | None,
    force: bool,
) -> None:
    """Show or save the results of jobs: how often each state was detected.

    JOB is a job's id, its name, how its name starts, or a file of saved results. A
    state has a number for each mode, 1 where at least one photon was detected.
    """
    check_formats(as_json=as_json, as_csv=as_csv)
    from tkr_lightworks_worker.cli.saved_results import save_results
    from tkr_runtime.files import check_writable

    if save is not None:
        check_writable(save, force=force)
    found = _fetch(jobs, partial=partial)
    if save is not None:
        save_results(found, save, force=force)
        click.echo(f"Saved {len(found)} results to {save}.", err=True)
    if as_json:
        print_json(found)
    elif as_csv:
        print_csv(
            ["job_id", "job_name"],
            (
                ([one.job_id, one.job_name], sorted_counts(one, raw=raw))
                for one in found
            ),
        )
    elif save is None:
        print_results(found, top, raw=raw)


@click.command()
@results_argument
@_raw_option
@top_option
@_partial_option
@output_option
@click.option(
    "--ideal",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help=f"Compare with the probabilities in a JSON file, such as {_EXAMPLE}.",
)
@force_option
def plot(
    jobs: tuple[str, ...],
    raw: bool,
    top: int,
    partial: bool,
    output: Path | None,
    ideal: Path | None,
    force: bool,
) -> None:
    """Plot the results of jobs as histograms, with binomial standard errors.

    JOB is a job's id, its name, how its name starts, or a file of saved results.
    """
    from tkr_runtime.histograms import (
        check_picture,
        check_probabilities,
        draw_histograms,
        read_distribution,
    )

    if output is not None:
        check_picture(output, force=force)
    expected = None if ideal is None else read_distribution(ideal, _EXAMPLE)
    if expected is not None:
        check_probabilities(expected)
    found = _fetch(jobs, partial=partial)
    if len(found) > MOST_PLOTS:
        click.echo(
            f"Plotting the first {MOST_PLOTS} of {len(found)} results; name the jobs "
            "of others.",
            err=True,
        )
    shown = histograms(found[:MOST_PLOTS], top, raw=raw, ideal=expected)
    if output is None:
        print_histograms(shown)
    else:
        draw_histograms(shown, output, requirement=_REQUIREMENT, force=force)
        click.echo(f"Saved the plot to {output}.")


def histograms(
    found: "Sequence[SamplingResult]",
    top: int,
    *,
    raw: bool = False,
    ideal: Mapping[str, float] | None = None,
) -> "list[Histogram]":
    """Return what histograms show of results.

    :param found: The results.
    :param top: How many states to show of each at most.
    :param raw: Whether to leave heralds and post-selection out.
    :param ideal: Probabilities to compare each with.
    :raises InvalidInputError: If a result has no counts.
    """
    from tkr_lightworks_worker.errors import InvalidInputError
    from tkr_runtime.histograms import histogram_of

    shown = []
    for one in found:
        counts = sorted_counts(one, raw=raw)
        if not counts:
            raise InvalidInputError(
                f"There is nothing to plot of {_title(one)}: it has "
                f"{_samples(one, counts)}."
            )
        title = f"{_title(one)}: {_samples(one, counts)}"
        shown.append(histogram_of(title, counts, ideal=ideal, top=top))
    return shown


def print_results(
    found: "Sequence[SamplingResult]", top: int, *, raw: bool = False
) -> None:
    """Print the counts of states as tables.

    :param found: The results.
    :param top: How many states to show of each at most.
    :param raw: Whether to leave heralds and post-selection out.
    """
    for number, one in enumerate(found):
        if number:
            click.echo()
        counts = sorted_counts(one, raw=raw)
        parts = [printable(one.job_name), str(one.job_id), one.state]
        click.echo(f"{'  '.join(filter(None, parts))}, {_samples(one, counts)}")
        if counts:
            print_table(counts_table(counts, top))


def sorted_counts(result: "SamplingResult", *, raw: bool = False) -> dict[str, int]:
    """Return the counts of a result, the most frequent state first.

    :param result: The result.
    :param raw: Whether to leave heralds and post-selection out.
    """
    counts = result.raw_counts if raw else result.counts
    return dict(sorted(counts.items(), key=lambda pair: (-pair[1], pair[0])))


def _title(result: "SamplingResult") -> str:
    return printable(result.job_name) or f"job {result.job_id}"


def _samples(result: "SamplingResult", counts: Mapping[str, int]) -> str:
    selected = sum(counts.values())
    text = f"{result.n_samples} samples"
    if selected != result.n_samples:
        text = f"{selected} selected of {text}"
    return f"{text} (partial)" if result.is_partial else text


def _fetch(jobs: Sequence[str], *, partial: bool) -> "list[SamplingResult]":
    from tkr_lightworks_worker.cli.saved_results import load_results
    from tkr_lightworks_worker.jobs import find_job
    from tkr_lightworks_worker.results import get_results

    found: list[SamplingResult | None] = []
    refs = []
    for job in jobs:
        if job.endswith((".json", ".json.gz")):
            found += load_results(Path(job))
        else:
            found.append(None)
            refs.append(find_job(job))
    fetched = iter(get_results(refs, allow_failed=partial)) if refs else iter(())
    return [next(fetched) if one is None else one for one in found]
