"""Histograms of counts: as pictures by matplotlib, and in a terminal without it.

Bars are relative frequencies. Error bars are one binomial standard error,
sqrt(p (1 - p) / n) with n shots: an outcome that every shot gave has none, and those of
few shots are too small.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from math import fsum, isclose, isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.bar import Bar
from rich.table import Table
from rich.text import Text

from tkr_runtime.errors import InvalidInputError
from tkr_runtime.files import check_writable, read_file, write_file

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

type Distribution = Mapping[str, float]
"""Probabilities by outcome; an outcome that is missing has the probability 0."""


class SampledDistribution(dict[str, float]):
    """Probabilities by outcome, estimated from samples of a simulation.

    :param probabilities: The relative frequency of each outcome.
    :param n_samples: How many samples there were.
    """

    def __init__(self, probabilities: Distribution, n_samples: int) -> None:
        super().__init__(probabilities)
        self.n_samples = n_samples


FORMATS = (".png", ".svg")
DEFAULT_TOP = 20
"""How many outcomes a histogram shows if nothing else is asked for."""

MOST_IN_A_PICTURE = 30
"""How many histograms fit into one picture."""

_OTHERS = "others"
# So many digits fit below one histogram.
_DIGITS_ABREAST = 40
_LEAST_BAR = 10
# The height of a character of a label, in inches, and how many need no more room.
_CHARACTER = 0.07
_SHORT = 10


@dataclass(frozen=True)
class Histogram:
    """What a histogram shows of one result.

    :param title: Names the result and its number of shots.
    :param labels: The outcomes; where some are left out, the last stands for them.
    :param probabilities: The relative frequency of each.
    :param errors: The binomial standard error of each.
    :param ideal: The probability of each without any error, where it is known.
    :param ideal_errors: The binomial standard error of each, where the ideal is
        sampled.
    :param n_ideal_samples: How many samples the ideal has; None if it is exact.
    """

    title: str
    labels: list[str]
    probabilities: list[float]
    errors: list[float]
    ideal: list[float] | None = None
    ideal_errors: list[float] | None = None
    n_ideal_samples: int | None = None

    @property
    def ideal_name(self) -> str:
        """What the ideal is, for a legend."""
        if self.n_ideal_samples is None:
            return "ideal"
        return f"ideal, from {self.n_ideal_samples:,} samples"


def standard_error(p: float, n: int) -> float:
    """Return the binomial standard error of a relative frequency.

    :param p: The relative frequency.
    :param n: The number of shots.
    """
    return float((p * (1 - p) / n) ** 0.5)


def check_top(top: int) -> None:
    """Check how many outcomes to show.

    :param top: The number.
    :raises InvalidInputError: If it is below 1.
    """
    if top < 1:
        raise InvalidInputError(
            f"The number of outcomes to show is {top}; give a whole number of at "
            "least 1."
        )


def check_probabilities(ideal: Distribution) -> None:
    """Check the values of a distribution.

    :param ideal: The distribution; an empty one is none.
    :raises InvalidInputError: If one is not a probability, or they do not add up to 1.
    """
    for outcome, p in ideal.items():
        if not isfinite(p) or p < 0:
            raise InvalidInputError(
                f"The ideal probability of {outcome!r} is {p!r}; give a number from 0 "
                "to 1."
            )
    total = fsum(ideal.values())
    if ideal and not isclose(total, 1, abs_tol=1e-6):
        raise InvalidInputError(
            f"The ideal probabilities add up to {total:g}; they have to add up to 1."
        )


def histogram_of(
    title: str,
    counts: Mapping[str, int],
    *,
    ideal: Distribution | None = None,
    top: int = DEFAULT_TOP,
) -> Histogram:
    """Return what a histogram shows of counts.

    :param title: Names the result and its number of shots.
    :param counts: How often each outcome was seen; at least one was.
    :param ideal: Probabilities to compare with.
    :param top: How many outcomes to show, the most probable first; the others are added
        up.
    :returns: The outcomes in their order, with all figures.
    """
    n = sum(counts.values())
    expected = dict(ideal) if ideal is not None else {}
    ranks = {
        one: max(counts.get(one, 0) / n, expected.get(one, 0.0))
        for one in {*counts, *expected}
    }
    chosen = sorted(sorted(ranks, key=lambda one: (-ranks[one], one))[:top])
    seen: list[int] = [counts.get(one, 0) for one in chosen]
    labels = list(chosen)
    left_out = len(ranks) - len(chosen)
    if left_out:
        labels.append(f"{left_out} {_OTHERS}")
        seen.append(n - sum(seen))
    p = [k / n for k in seen]
    n_samples = ideal.n_samples if isinstance(ideal, SampledDistribution) else None
    wanted = [expected.get(one, 0.0) for one in chosen]
    if left_out:
        wanted.append(max(0.0, fsum(expected.values()) - fsum(wanted)))
    return Histogram(
        title=title,
        labels=labels,
        probabilities=p,
        errors=[standard_error(x, n) for x in p],
        ideal=wanted if ideal is not None else None,
        ideal_errors=(
            [standard_error(min(x, 1.0), n_samples) for x in wanted]
            if n_samples
            else None
        ),
        n_ideal_samples=n_samples,
    )


def draw_histograms(
    shown: Sequence[Histogram],
    path: Path | None = None,
    *,
    requirement: str,
    force: bool = False,
) -> "Figure":
    """Draw histograms beside each other; it needs matplotlib.

    :param shown: What to show, at least one.
    :param path: A file for the picture, PNG or SVG by its name; none by default.
    :param requirement: The distribution, with the extra that installs matplotlib, as
        pip takes it.
    :param force: Whether to overwrite a file that exists.
    :returns: The figure.
    :raises InvalidInputError: If matplotlib is missing, or the file has another type,
        exists, or cannot be written.
    """
    if path is not None:
        check_picture(path, force=force)
    figure_type = load_matplotlib(requirement)
    n_columns = min(len(shown), 3)
    n_rows = -(-len(shown) // n_columns)
    # Labels that stand upright take room from the bars.
    longest = max(len(label) for one in shown for label in one.labels)
    height = 3.6 + _CHARACTER * max(0, longest - _SHORT)
    figure: Figure = figure_type(
        figsize=(5.0 * n_columns, height * n_rows), layout="constrained"
    )
    grid = figure.subplots(n_rows, n_columns, squeeze=False)
    for axes, one in zip(grid.flat, shown, strict=False):
        _draw(axes, one)
    for axes in grid.flat[len(shown) :]:
        axes.set_axis_off()
    if path is not None:
        picture = BytesIO()
        figure.savefig(picture, format=path.suffix[1:].lower())
        write_file(path, picture.getvalue(), force=force)
    return figure


def check_picture(path: Path, *, force: bool = False) -> None:
    """Raise an error if a picture cannot be written to a file, before any work.

    :param path: The file.
    :param force: Whether it may be overwritten.
    :raises InvalidInputError: If it is neither PNG nor SVG by its name, exists, or
        cannot be written.
    """
    if path.suffix.lower() not in FORMATS:
        raise InvalidInputError(
            f"{path} has no type that can be drawn; give a name that ends in "
            f"{' or '.join(FORMATS)}."
        )
    check_writable(path, force=force)


def terminal_histogram(shown: Histogram, *, width: int = 80) -> Table:
    """Return a histogram for a terminal; it needs no matplotlib.

    :param shown: What to show.
    :param width: How many columns there are.
    :returns: A table of rich with an outcome, a bar, and p ± one binomial standard
        error in each row; with the ideal probability where it is known.
    """
    table = Table(
        title=Text(shown.title),
        title_justify="left",
        caption=_caption(shown),
        caption_justify="left",
        box=None,
        pad_edge=False,
    )
    # In full, over several lines: wide outcomes may differ in any digit.
    table.add_column("outcome", overflow="fold")
    table.add_column("", no_wrap=True)
    table.add_column("p", justify="right", no_wrap=True)
    if shown.ideal is not None:
        table.add_column("ideal", justify="right", no_wrap=True)
    fixed = 20
    if shown.ideal is not None:
        fixed += 9 if shown.ideal_errors is None else 18
    longest = max(map(len, ["outcome", *shown.labels]))
    longest = min(longest, width - fixed - _LEAST_BAR)
    bar_width = max(_LEAST_BAR, width - fixed - longest)
    largest = max([*shown.probabilities, *(shown.ideal or [])])
    for index, label in enumerate(shown.labels):
        p, error = shown.probabilities[index], shown.errors[index]
        cells: list[Any] = [
            Text(label),
            Bar(largest, 0, p, width=bar_width, color="cyan"),
            f"{p:.4f} ± {error:.4f}",
        ]
        if shown.ideal is not None:
            error_of_ideal = (
                f" ± {shown.ideal_errors[index]:.4f}" if shown.ideal_errors else ""
            )
            cells.append(f"{shown.ideal[index]:.4f}{error_of_ideal}")
        table.add_row(*cells)
    table.columns[0].max_width = longest
    return table


def _caption(shown: Histogram) -> str:
    errors = "± one binomial standard error"
    return errors if shown.ideal_errors is None else f"{errors}; {shown.ideal_name}"


def read_distribution(
    path: Path, example: str = '{"00": 0.5, "11": 0.5}'
) -> dict[str, float]:
    """Read probabilities by outcome from a file.

    :param path: A JSON object such as ``{"00": 0.5, "11": 0.5}``.
    :param example: One with outcomes of the cloud, for messages.
    :returns: The probabilities.
    :raises InvalidInputError: If the file cannot be read or holds something else.
    """
    try:
        content = json.loads(read_file(path))
    except ValueError as error:
        raise InvalidInputError(
            f"{path} is not JSON ({error}); give an object of outcomes and "
            f"probabilities, such as {example}."
        ) from error
    if not isinstance(content, dict) or not all(
        isinstance(p, int | float) and not isinstance(p, bool) for p in content.values()
    ):
        raise InvalidInputError(
            f"{path} does not contain a distribution; give a JSON object of outcomes "
            f"and probabilities, such as {example}."
        )
    return {outcome: float(p) for outcome, p in content.items()}


def load_matplotlib(requirement: str) -> Any:
    """Return matplotlib's type of figures.

    :param requirement: What to install for it, as pip takes it.
    :raises InvalidInputError: If it is not installed.
    """
    try:
        # Without pyplot: no windows and no state that is shared.
        from matplotlib.figure import Figure
    except ImportError as error:
        distribution, _, extra = requirement.rstrip("]").partition("[")
        raise InvalidInputError(
            f"matplotlib is not installed: `uv sync --inexact --extra {extra}` in the "
            f"checkout of {distribution}, or elsewhere pip install 'PATH[{extra}]', "
            "where PATH is the checkout or wheel; or plot in the terminal."
        ) from error
    return Figure


def _draw(axes: "Axes", shown: Histogram) -> None:
    places = range(len(shown.labels))
    axes.bar(
        places,
        shown.probabilities,
        yerr=shown.errors,
        capsize=3,
        color=[
            "#b0b7c3" if label.endswith(_OTHERS) else "#3b7dd8"
            for label in shown.labels
        ],
        label="measured ± 1 binomial standard error",
    )
    if shown.ideal is not None:
        axes.scatter(
            places,
            shown.ideal,
            marker="_",
            s=180,
            color="#d1495b",
            label=shown.ideal_name,
            zorder=3,
        )
    if shown.ideal is not None and shown.ideal_errors is not None:
        axes.errorbar(
            places, shown.ideal, yerr=shown.ideal_errors, fmt="none", ecolor="#d1495b"
        )
    long = max(map(len, shown.labels)) * len(shown.labels) > _DIGITS_ABREAST
    axes.set_xticks(
        list(places),
        labels=shown.labels,
        rotation=90 if long else 0,
        fontsize=8,
        family="monospace",
    )
    # The legend stands above the highest bar.
    highest = max(p + e for p, e in zip(shown.probabilities, shown.errors, strict=True))
    axes.set_ylim(0, 1.3 * max([highest, *(shown.ideal or [])]))
    axes.set_ylabel("probability")
    axes.set_title(shown.title, fontsize=9)
    axes.legend(fontsize=7, loc="upper right")
