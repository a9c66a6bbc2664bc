"""Histograms of results: as pictures by matplotlib, and in a terminal without it.

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

from pytket.circuit import Circuit, OpType
from qnexus.models.references import ExecuteJobRef
from rich.bar import Bar
from rich.table import Table
from rich.text import Text

from tkr_nexus_worker.errors import InvalidInputError
from tkr_nexus_worker.jobs.payload import get_job_payload
from tkr_nexus_worker.results.counts import CircuitResult
from tkr_runtime.files import check_absent, read_file, write_file

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

type Distribution = Mapping[str, float]
"""Probabilities by outcome; an outcome that is missing has the probability 0."""

FORMATS = (".png", ".svg")
DEFAULT_TOP = 20
"""How many outcomes a histogram shows if nothing else is asked for."""

MOST_CIRCUITS = 30
"""How many circuits fit into one picture."""

_OTHERS = "others"
_MOST_QUBITS = 20
_NEGLIGIBLE = 1e-12
# So many digits fit below one histogram.
_DIGITS_ABREAST = 40
_LEAST_BAR = 10


@dataclass(frozen=True)
class Histogram:
    """What a histogram shows of one circuit.

    :param title: Names the circuit and its shots.
    :param labels: The outcomes; where some are left out, the last stands for them.
    :param probabilities: The relative frequency of each.
    :param errors: The binomial standard error of each.
    :param ideal: The probability of each without any error, where it is known.
    """

    title: str
    labels: list[str]
    probabilities: list[float]
    errors: list[float]
    ideal: list[float] | None = None


def histogram(
    result: CircuitResult, *, ideal: Distribution | None = None, top: int = DEFAULT_TOP
) -> Histogram:
    """Return what a histogram shows of a result.

    :param result: The result of a circuit, post-selected or not.
    :param ideal: Probabilities to compare it with; of a post-selected result, those
        before the selection or after it.
    :param top: How many outcomes to show, the most probable first; the others are added
        up.
    :returns: The outcomes in their order, with all figures.
    :raises InvalidInputError: If nothing can be shown: no shots, outcomes of another
        form, or a number of outcomes below 1.
    :raises ResultFormatError: If the result has no counts.
    """
    _check_shown(result, top)
    n, counts = result.n_shots, dict(result)
    expected = dict(ideal) if ideal is not None else {}
    _check_distribution(expected, counts, result)
    if expected and result.selection:
        expected = _condition(expected, result)
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
    wanted = [expected.get(one, 0.0) for one in chosen]
    if left_out:
        wanted.append(max(0.0, fsum(expected.values()) - fsum(wanted)))
    return Histogram(
        title=_title(result),
        labels=labels,
        probabilities=p,
        errors=[(x * (1 - x) / n) ** 0.5 for x in p],
        ideal=wanted if ideal is not None else None,
    )


def plot_results(
    results: CircuitResult | Sequence[CircuitResult],
    path: Path | str | None = None,
    *,
    ideal: Distribution | Sequence[Distribution | None] | None = None,
    top: int = DEFAULT_TOP,
    force: bool = False,
) -> "Figure":
    """Draw histograms, of several circuits beside each other.

    Error bars are one binomial standard error. It needs matplotlib, which the extra
    ``plots`` installs.

    :param results: The result of a circuit, or several: those of a job, or a part.
    :param path: A file for the picture, PNG or SVG by its name; none by default.
    :param ideal: Probabilities to compare with: of all circuits, or one for each.
    :param top: How many outcomes to show of each circuit; the others are added up.
    :param force: Whether to overwrite a file that exists.
    :returns: The figure, for further work on it.
    :raises InvalidInputError: If matplotlib is missing, there is nothing to draw, the
        file has another type, exists, or cannot be written.
    :raises ResultFormatError: If a result has no counts.
    """
    target = None if path is None else Path(path)
    if target is not None:
        check_picture(target, force=force)
    figure_type = _load_matplotlib()
    circuits = [results] if isinstance(results, CircuitResult) else list(results)
    if not circuits:
        raise InvalidInputError("There are no circuits to draw; give at least one.")
    if len(circuits) > MOST_CIRCUITS:
        raise InvalidInputError(
            f"{len(circuits)} circuits do not fit into one picture; give at most "
            f"{MOST_CIRCUITS}."
        )
    shown = [
        histogram(one, ideal=expected, top=top)
        for one, expected in zip(circuits, _ideals(ideal, len(circuits)), strict=True)
    ]
    n_columns = min(len(shown), 3)
    n_rows = -(-len(shown) // n_columns)
    figure: Figure = figure_type(
        figsize=(5.0 * n_columns, 3.6 * n_rows), layout="constrained"
    )
    grid = figure.subplots(n_rows, n_columns, squeeze=False)
    for axes, one in zip(grid.flat, shown, strict=False):
        _draw(axes, one)
    for axes in grid.flat[len(shown) :]:
        axes.set_axis_off()
    if target is not None:
        picture = BytesIO()
        figure.savefig(picture, format=target.suffix[1:].lower())
        write_file(target, picture.getvalue(), force=force)
    return figure


def check_picture(path: Path, *, force: bool = False) -> None:
    """Raise an error if a picture cannot be written to a file, before any work.

    :param path: The file.
    :param force: Whether it may be overwritten.
    :raises InvalidInputError: If it is neither PNG nor SVG by its name, or exists.
    """
    if path.suffix.lower() not in FORMATS:
        raise InvalidInputError(
            f"{path} has no type that can be drawn; give a name that ends in "
            f"{' or '.join(FORMATS)}."
        )
    check_absent(path, force=force)


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
        caption="± one binomial standard error",
        caption_justify="left",
        box=None,
        pad_edge=False,
    )
    table.add_column("outcome", no_wrap=True, overflow="ellipsis")
    table.add_column("", no_wrap=True)
    table.add_column("p", justify="right", no_wrap=True)
    if shown.ideal is not None:
        table.add_column("ideal", justify="right", no_wrap=True)
    fixed = 29 if shown.ideal is not None else 20
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
            cells.append(f"{shown.ideal[index]:.4f}")
        table.add_row(*cells)
    table.columns[0].max_width = longest
    return table


def ideal_distribution(circuit: Circuit) -> dict[str, float]:
    """Calculate the exact distribution of the outcomes of a circuit without errors.

    :param circuit: A circuit of at most 20 qubits that measures at its end only.
    :returns: The probability of each outcome that is possible.
    :raises InvalidInputError: If it has more qubits, or operations that are not gates
        before its measurements.
    """
    from pytket.passes import DecomposeBoxes, RemoveBarriers

    name = f"circuit {circuit.name!r}" if circuit.name else "the circuit"
    if circuit.n_qubits > _MOST_QUBITS:
        raise InvalidInputError(
            f"The ideal distribution of {name} is out of reach: it has "
            f"{circuit.n_qubits} qubits, and at most {_MOST_QUBITS} can be calculated."
        )
    gates = circuit.copy()
    DecomposeBoxes().apply(gates)
    RemoveBarriers().apply(gates)
    unitary, measured = _split(gates, name)
    state = abs(unitary.get_statevector()) ** 2
    position = {qubit: i for i, qubit in enumerate(sorted(unitary.qubits))}
    bits = sorted(gates.bits)
    n_qubits = unitary.n_qubits
    distribution: dict[str, float] = {}
    for number in (state > _NEGLIGIBLE).nonzero()[0]:
        digits = f"{number:0{n_qubits}b}"
        values = {bit: digits[position[qubit]] for bit, qubit in measured.items()}
        words: dict[str, str] = {}
        for bit in bits:
            register = words.setdefault(bit.reg_name, "")
            words[bit.reg_name] = register + values.get(bit, "0")
        outcome = " ".join(words.values())
        distribution[outcome] = distribution.get(outcome, 0.0) + float(state[number])
    return distribution


def ideal_of_job(job: ExecuteJobRef | str) -> dict[int, dict[str, float]]:
    """Download the circuits of a job and calculate their ideal distributions.

    :param job: The job, or its id, the start of its id, or its name.
    :returns: The distribution of each circuit, by its place in the job.
    :raises InvalidInputError: If a program is not a circuit of at most 20 qubits that
        measures only at its end.
    :raises NexusWorkerError: If Nexus does not have the job or its circuits any more.
    """
    distributions = {}
    for program in get_job_payload(job).programs:
        if program.circuit is None:
            raise InvalidInputError(
                f"The ideal distribution of program {program.index} cannot be "
                f"calculated: it is {program.program_type.upper()}, not a circuit."
            )
        circuit = Circuit.from_dict(program.circuit)
        circuit.name = program.name
        distributions[program.index] = ideal_distribution(circuit)
    return distributions


def read_distribution(path: Path) -> dict[str, float]:
    """Read probabilities by outcome from a file.

    :param path: A JSON object such as ``{"00": 0.5, "11": 0.5}``.
    :returns: The probabilities.
    :raises InvalidInputError: If the file cannot be read or holds something else.
    """
    try:
        content = json.loads(read_file(path))
    except ValueError as error:
        raise InvalidInputError(
            f"{path} is not JSON ({error}); give an object of outcomes and "
            'probabilities, such as {"00": 0.5, "11": 0.5}.'
        ) from error
    if not isinstance(content, dict) or not all(
        isinstance(p, int | float) and not isinstance(p, bool) for p in content.values()
    ):
        raise InvalidInputError(
            f"{path} does not contain a distribution; give a JSON object of outcomes "
            'and probabilities, such as {"00": 0.5, "11": 0.5}.'
        )
    return {outcome: float(p) for outcome, p in content.items()}


def _split(circuit: Circuit, name: str) -> tuple[Circuit, dict[Any, Any]]:
    """Separate the measurements at the end of a circuit from its gates."""
    unitary = Circuit()
    for qubit in circuit.qubits:
        unitary.add_qubit(qubit)
    measured: dict[Any, Any] = {}
    for command in circuit:
        if command.op.type == OpType.Measure:
            measured[command.bits[0]] = command.qubits[0]
        elif set(command.qubits) & set(measured.values()) or not command.op.is_gate():
            raise InvalidInputError(
                f"The ideal distribution of {name} cannot be calculated: it does more "
                f"than gates and measurements at its end ({command})."
            )
        else:
            unitary.add_gate(command.op, command.args)
    unitary.add_phase(circuit.phase)
    return unitary, measured


def _check_shown(result: CircuitResult, top: int) -> None:
    """Raise an error if there is nothing to show."""
    if top < 1:
        raise InvalidInputError(
            f"The number of outcomes to show is {top}; give a whole number of at "
            "least 1."
        )
    if not result.n_shots:
        reason = (
            f"none of its {result.n_shots_taken} shots is selected"
            if result.n_shots_taken
            else f"it has no result ({result.state})"
        )
        raise InvalidInputError(f"There is nothing to show of {result}: {reason}.")


def _check_distribution(
    ideal: Distribution, counts: Mapping[str, int], result: CircuitResult
) -> None:
    """Raise an error for what is not a distribution of the outcomes of a circuit."""
    example = next(iter(counts))
    shape = [len(word) for word in example.split(" ")]
    for outcome, p in ideal.items():
        is_outcome = set(outcome) <= set("01 ") and shape == [
            len(word) for word in outcome.split(" ")
        ]
        if not is_outcome:
            raise InvalidInputError(
                f"The ideal distribution has the outcome {outcome!r}, which {result} "
                f"cannot have; its outcomes look like {example!r}."
            )
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


def _condition(ideal: Distribution, result: CircuitResult) -> dict[str, float]:
    """Return a distribution post-selected as the result is."""
    columns = {result.bits.index(bit): str(v) for bit, v in result.selection.items()}
    chosen = {}
    for outcome, p in ideal.items():
        digits = outcome.replace(" ", "")
        if all(digits[column] == value for column, value in columns.items()):
            chosen[outcome] = p
    total = fsum(chosen.values())
    if not total:
        raise InvalidInputError(
            f"The ideal distribution of {result} has no outcome that is selected by "
            f"{_selection(result)}; select by other values, or compare with none."
        )
    return {outcome: p / total for outcome, p in chosen.items()}


def _selection(result: CircuitResult) -> str:
    return ", ".join(f"{bit}={value}" for bit, value in result.selection.items())


def _ideals(
    ideal: Distribution | Sequence[Distribution | None] | None, n_circuits: int
) -> list[Distribution | None]:
    if ideal is None or isinstance(ideal, Mapping):
        return [ideal] * n_circuits
    if len(ideal) != n_circuits:
        raise InvalidInputError(
            f"There are {n_circuits} circuits but {len(ideal)} ideal distributions; "
            "give one for each, or one for all."
        )
    return list(ideal)


def _title(result: CircuitResult) -> str:
    shots = f"{result.n_shots} shots"
    if result.selection:
        shots += f" of {result.n_shots_taken} with {_selection(result)}"
    return f"{result}: {shots}"


def _load_matplotlib() -> Any:
    try:
        # Without pyplot: no windows and no state that is shared.
        from matplotlib.figure import Figure
    except ImportError as error:
        raise InvalidInputError(
            'matplotlib is not installed; install it with the extra "plots" '
            '(pip install "tkr-nexus-worker[plots]"), or plot in the terminal.'
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
            places, shown.ideal, marker="_", s=180, color="#d1495b", label="ideal"
        )
    long = max(map(len, shown.labels)) * len(shown.labels) > _DIGITS_ABREAST
    axes.set_xticks(
        list(places), labels=shown.labels, rotation=90 if long else 0, fontsize=8
    )
    # The legend stands above the highest bar.
    highest = max(p + e for p, e in zip(shown.probabilities, shown.errors, strict=True))
    axes.set_ylim(0, 1.3 * max([highest, *(shown.ideal or [])]))
    axes.set_ylabel("probability")
    axes.set_title(shown.title, fontsize=9)
    axes.legend(fontsize=7, loc="upper right")
