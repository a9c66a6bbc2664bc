"""Histograms of results, and the distributions to compare them with.

Bars are relative frequencies, and error bars one binomial standard error.
"""

import warnings
from collections import Counter
from collections.abc import Mapping, Sequence
from math import fsum
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytket.circuit import Circuit, OpType
from qnexus.models.references import ExecuteJobRef

from tkr_nexus_worker.errors import InvalidInputError
from tkr_nexus_worker.jobs.payload import get_job_payload
from tkr_nexus_worker.program_files.conditions import SCRATCH, decompose_boxes
from tkr_nexus_worker.results.counts import CircuitResult
from tkr_runtime.histograms import (
    DEFAULT_TOP,
    FORMATS,
    MOST_IN_A_PICTURE,
    Distribution,
    Histogram,
    SampledDistribution,
    check_picture,
    check_probabilities,
    check_top,
    draw_histograms,
    histogram_of,
    load_matplotlib,
    read_distribution,
    terminal_histogram,
)

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = [
    "DEFAULT_TOP",
    "FORMATS",
    "MOST_CIRCUITS",
    "Distribution",
    "Histogram",
    "SampledDistribution",
    "check_picture",
    "histogram",
    "ideal_distribution",
    "ideal_of_job",
    "plot_results",
    "read_distribution",
    "sampled_distribution",
    "terminal_histogram",
]

MOST_CIRCUITS = MOST_IN_A_PICTURE
"""How many circuits fit into one picture."""

_REQUIREMENT = "tkr-nexus-worker[plots]"
_MOST_QUBITS = 20
# The state of 26 qubits takes 1 GiB, and some ten seconds.
_MOST_QUBITS_SAMPLED = 26
_SAMPLES = 100_000
_NEGLIGIBLE = 1e-12


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
    counts = dict(result)
    if ideal is not None:
        _check_distribution(ideal, counts, result)
        if ideal and result.selection:
            ideal = _condition(ideal, result)
    return histogram_of(_title(result), counts, ideal=ideal, top=top)


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
    load_matplotlib(_REQUIREMENT)
    circuits = [results] if isinstance(results, CircuitResult) else list(results)
    if not circuits:
        raise InvalidInputError("There are no results to draw; give at least one.")
    if len(circuits) > MOST_CIRCUITS:
        raise InvalidInputError(
            f"{len(circuits)} histograms do not fit into one picture; give at most "
            f"{MOST_CIRCUITS}."
        )
    shown = [
        histogram(one, ideal=expected, top=top)
        for one, expected in zip(circuits, _ideals(ideal, len(circuits)), strict=True)
    ]
    return draw_histograms(shown, target, requirement=_REQUIREMENT, force=force)


def ideal_distribution(circuit: Circuit) -> dict[str, float]:
    """Calculate the exact distribution of the outcomes of a circuit without errors.

    :param circuit: A circuit of at most 20 qubits that measures at its end only.
    :returns: The probability of each outcome that is possible.
    :raises InvalidInputError: If it has more qubits, or operations that are not gates
        before its measurements.
    """
    name = _name_of(circuit)
    if circuit.n_qubits > _MOST_QUBITS:
        raise InvalidInputError(
            f"The exact distribution of {name} is out of reach: it has "
            f"{circuit.n_qubits} qubits, and at most {_MOST_QUBITS} can be calculated. "
            "Sample it by sampled_distribution."
        )
    unitary, measured, bits = _split(circuit, name)
    state = abs(unitary.get_statevector()) ** 2
    position = {qubit: i for i, qubit in enumerate(sorted(unitary.qubits))}
    n_qubits = unitary.n_qubits
    distribution: dict[str, float] = {}
    for number in (state > _NEGLIGIBLE).nonzero()[0]:
        digits = f"{number:0{n_qubits}b}"
        values = {bit: digits[position[qubit]] for bit, qubit in measured.items()}
        outcome = _outcome(bits, values)
        distribution[outcome] = distribution.get(outcome, 0.0) + float(state[number])
    return distribution


def sampled_distribution(
    circuit: Circuit, n_samples: int = _SAMPLES, *, seed: int | None = None
) -> SampledDistribution:
    """Estimate the distribution of the outcomes of a circuit without errors.

    A simulation of its state is sampled, or above 26 qubits the stabilizers of its
    state. The former needs pytket-qulacs, which the extra ``local`` installs.

    :param circuit: A circuit that measures at its end only; of at most 26 qubits, or of
        Clifford gates.
    :param n_samples: The number of samples.
    :param seed: Repeats the samples; None for others each time.
    :returns: The relative frequency of each outcome that was sampled.
    :raises InvalidInputError: If it has more qubits and other gates, or operations that
        are not gates before its measurements, or pytket-qulacs is missing.
    """
    name = _name_of(circuit)
    if n_samples < 1:
        raise InvalidInputError(
            f"The number of samples is {n_samples}; give a whole number of at least 1."
        )
    unitary, measured, bits = _split(circuit, name)
    if not measured:
        return SampledDistribution({_outcome(bits, {}): 1.0}, n_samples)
    if circuit.n_qubits > _MOST_QUBITS_SAMPLED:
        return _sampled_by_stabilizers(unitary, measured, bits, n_samples, seed, name)
    # The simulator renames bits of other registers.
    qubits = list(dict.fromkeys(measured.values()))
    columns = unitary.add_c_register("c", len(qubits)).to_list()
    for column, qubit in zip(columns, qubits, strict=True):
        unitary.Measure(qubit, column)
    place = {bit: qubits.index(qubit) for bit, qubit in measured.items()}
    backend = _load_qulacs()()
    compiled = backend.get_compiled_circuit(unitary, optimisation_level=0)
    result = backend.run_circuit(compiled, n_shots=n_samples, seed=seed)
    return SampledDistribution(
        {
            _outcome(bits, {bit: str(values[at]) for bit, at in place.items()}): (
                count / n_samples
            )
            for values, count in result.get_counts(columns).items()
        },
        n_samples,
    )


def _sampled_by_stabilizers(
    unitary: Circuit,
    measured: dict[Any, Any],
    bits: Sequence[Any],
    n_samples: int,
    seed: int | None,
    name: str,
) -> SampledDistribution:
    from tkr_nexus_worker.results.stabilizers import clifford_gates, sample_clifford

    gates = clifford_gates(unitary)
    if gates is None:
        raise InvalidInputError(
            f"The ideal distribution of {name} is out of reach: it has "
            f"{unitary.n_qubits} qubits, and at most {_MOST_QUBITS_SAMPLED} can be "
            "simulated, or any number with Clifford gates alone. Give the "
            "probabilities that you expect."
        )
    column = {qubit: index for index, qubit in enumerate(gates.qubits)}
    chosen = [column[qubit] for qubit in measured.values()]
    samples = sample_clifford(gates, n_samples, seed)[:, chosen]
    counts = Counter(map(bytes, samples.astype("uint8")))
    return SampledDistribution(
        {
            _outcome(bits, dict(zip(measured, map(str, values), strict=True))): (
                count / n_samples
            )
            for values, count in counts.items()
        },
        n_samples,
    )


def ideal_of_job(job: ExecuteJobRef | str) -> dict[int, dict[str, float]]:
    """Download the circuits of a job and calculate their ideal distributions.

    Those of circuits with more than 20 qubits are sampled.

    :param job: The job, or its id, the start of its id, or its name.
    :returns: The distribution of each circuit, by its place in the job.
    :raises InvalidInputError: If a program is not a circuit that measures only at its
        end, has more than 26 qubits and other than Clifford gates, or pytket-qulacs,
        which those of 21 to 26 need, is missing.
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
        is_small = circuit.n_qubits <= _MOST_QUBITS
        calculate = ideal_distribution if is_small else sampled_distribution
        distributions[program.index] = calculate(circuit)
    return distributions


def _name_of(circuit: Circuit) -> str:
    return f"circuit {circuit.name!r}" if circuit.name else "the circuit"


def _outcome(bits: Sequence[Any], values: Mapping[Any, str]) -> str:
    """Write the values of bits, 0 for those that are not measured."""
    words: dict[str, str] = {}
    for bit in bits:
        register = words.setdefault(bit.reg_name, "")
        words[bit.reg_name] = register + values.get(bit, "0")
    return " ".join(words.values())


def _load_qulacs() -> Any:
    try:
        with warnings.catch_warnings():
            # It warns where there is no GPU.
            warnings.simplefilter("ignore", ImportWarning)
            from pytket.extensions.qulacs.backends.qulacs_backend import QulacsBackend
    except ImportError as error:
        raise InvalidInputError(
            "pytket-qulacs, which samples circuits of more than "
            f"{_MOST_QUBITS} qubits, is not installed: pip install 'PATH[local]', "
            "where PATH is the checkout or wheel of tkr-nexus-worker, or give the "
            "probabilities that you expect."
        ) from error
    return QulacsBackend


def _split(
    circuit: Circuit, name: str
) -> tuple[Circuit, dict[Any, Any], Sequence[Any]]:
    """Separate the measurements at the end of a circuit from its gates.

    :returns: The gates, the qubit that each measured bit shows, and all bits.
    """
    from pytket.passes import RemoveBarriers

    gates = decompose_boxes(circuit)
    RemoveBarriers().apply(gates)
    unitary = Circuit()
    for qubit in gates.qubits:
        unitary.add_qubit(qubit)
    measured: dict[Any, Any] = {}
    ended: set[Any] = set()
    for command in gates:
        op = command.op
        if op.type == OpType.Measure:
            measured[command.bits[0]] = command.qubits[0]
            ended.add(command.qubits[0])
        elif op.type == OpType.Phase:
            continue
        elif ended & set(command.qubits) or not op.is_gate() or op.type == OpType.Reset:
            raise InvalidInputError(
                f"The ideal distribution of {name} cannot be calculated: it does more "
                f"than gates and measurements at its end ({command})."
            )
        else:
            unitary.add_gate(op, command.args)
    # Results leave out the bits that compilers and OpenQASM need for themselves.
    bits = sorted(bit for bit in gates.bits if bit.reg_name != SCRATCH)
    return unitary, {bit: measured[bit] for bit in bits if bit in measured}, bits


def _check_shown(result: CircuitResult, top: int) -> None:
    """Raise an error if there is nothing to show."""
    check_top(top)
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
    for outcome in ideal:
        is_outcome = set(outcome) <= set("01 ") and shape == [
            len(word) for word in outcome.split(" ")
        ]
        if not is_outcome:
            raise InvalidInputError(
                f"The ideal distribution has the outcome {outcome!r}, which {result} "
                f"cannot have; its outcomes look like {example!r}."
            )
    check_probabilities(ideal)


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
    left = {outcome: p / total for outcome, p in chosen.items()}
    if isinstance(ideal, SampledDistribution):
        return SampledDistribution(left, round(total * ideal.n_samples))
    return left


def _selection(result: CircuitResult) -> str:
    return ", ".join(f"{bit}={value}" for bit, value in result.selection.items())


def _ideals(
    ideal: Distribution | Sequence[Distribution | None] | None, n_circuits: int
) -> list[Distribution | None]:
    if ideal is None or isinstance(ideal, Mapping):
        return [ideal] * n_circuits
    if len(ideal) != n_circuits:
        raise InvalidInputError(
            f"There are {n_circuits} results but {len(ideal)} ideal distributions; "
            "give one for each, or one for all."
        )
    return list(ideal)


def _title(result: CircuitResult) -> str:
    shots = f"{result.n_shots} shots"
    if result.selection:
        shots += f" of {result.n_shots_taken} with {_selection(result)}"
    return f"{result}: {shots}"
