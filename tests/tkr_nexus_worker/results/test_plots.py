"""Histograms, as pictures and in a terminal."""

import json
import sys

import pytest
from pytket.circuit import Bit, Circuit, OpType, Qubit
from rich.console import Console
from tests.helpers.circuit_results import counted, job_of, result_of, shots_of

from tkr_nexus_worker.errors import InvalidInputError
from tkr_nexus_worker.program_files.conditions import SCRATCH
from tkr_nexus_worker.results.plots import (
    histogram,
    ideal_distribution,
    plot_results,
    read_distribution,
    sampled_distribution,
    terminal_histogram,
)

BELL = counted({"00": 48, "11": 50, "01": 2})


def test_a_histogram_has_binomial_standard_errors_and_the_ideal():
    shown = histogram(BELL, ideal={"00": 0.5, "11": 0.5})
    assert shown.labels == ["00", "01", "11"]
    assert shown.probabilities == [0.48, 0.02, 0.5]
    expected = [(p * (1 - p) / 100) ** 0.5 for p in shown.probabilities]
    assert shown.errors == pytest.approx(expected)
    assert shown.ideal == [0.5, 0.0, 0.5]
    assert shown.title == "circuit 0 ('a circuit'): 100 shots"


def test_outcomes_that_are_left_out_are_added_up():
    shown = histogram(BELL, ideal={"00": 0.5, "10": 0.5}, top=2)
    assert shown.labels == ["00", "10", "2 others"]
    assert shown.probabilities == pytest.approx([0.48, 0.0, 0.52])
    assert shown.ideal == pytest.approx([0.5, 0.5, 0.0])


def test_a_post_selected_histogram_says_so():
    shown = histogram(BELL.post_select({"c[0]": 1}))
    assert shown.labels == ["11"]
    assert shown.title.endswith("50 shots of 100 with c[0]=1")


def test_the_ideal_of_a_post_selected_result_is_selected_as_well():
    ideal = {"00": 0.5, "10": 0.125, "11": 0.375}
    shown = histogram(BELL.post_select({"c[0]": 1}), ideal=ideal)
    assert shown.labels == ["10", "11"]
    assert shown.ideal == pytest.approx([0.25, 0.75])
    with pytest.raises(InvalidInputError, match=r"no outcome .* selected by c\[1\]=1"):
        histogram(BELL.post_select({"c[1]": 1}), ideal={"00": 1.0})


@pytest.mark.parametrize(
    ("result", "options", "message"),
    [
        (BELL, {"top": 0}, "outcomes to show is 0"),
        (result_of(None, state="ERROR"), {}, r"no result \(ERROR\)"),
        (BELL.post_select({"c[0]": 1, "c[1]": 0}), {}, "none of its 100 shots"),
        (BELL, {"ideal": {"0": 1.0}}, "outcome '0', which .* look like '11'"),
        (BELL, {"ideal": {"00": 0.7}}, "add up to 0.7"),
        (BELL, {"ideal": {"00": 2.0, "11": -1.0}}, "'11' is -1.0"),
        (BELL, {"ideal": {"00": float("nan")}}, "'00' is nan"),
    ],
)
def test_what_cannot_be_shown_is_refused(result, options, message):
    with pytest.raises(InvalidInputError, match=message):
        histogram(result, **options)


@pytest.mark.parametrize("suffix", ["png", "svg", "SVG"])
def test_pictures_are_written_side_by_side(suffix, tmp_path):
    path = tmp_path / f"bell.{suffix}"
    figure = plot_results(
        job_of([BELL, BELL, BELL, BELL]), path, ideal={"00": 0.5, "11": 0.5}
    )
    if suffix == "png":
        assert path.read_bytes().startswith(b"\x89PNG\r\n")
    else:
        assert "<svg" in path.read_text()
    titles = [axes.get_title() for axes in figure.axes]
    assert titles[:4] == ["circuit 0 ('a circuit'): 100 shots"] * 4
    legend = [text.get_text() for text in figure.axes[0].get_legend().get_texts()]
    assert any("binomial standard error" in text for text in legend)
    assert "ideal" in legend


def test_each_circuit_may_have_an_ideal_of_its_own():
    figure = plot_results([BELL, counted({"0": 9})], ideal=[None, {"0": 1.0}])
    assert len(figure.axes) == 2
    with pytest.raises(InvalidInputError, match="2 results but 1 ideal"):
        plot_results([BELL, BELL], ideal=[None])


def test_a_picture_is_not_written_over_another_or_as_another_type(tmp_path):
    path = tmp_path / "bell.png"
    path.write_text("mine")
    with pytest.raises(InvalidInputError, match="exists already"):
        plot_results(BELL, path)
    assert path.read_text() == "mine"
    plot_results(BELL, path, force=True)
    with pytest.raises(InvalidInputError, match=r"ends in \.png or \.svg"):
        plot_results(BELL, tmp_path / "bell.doc")
    with pytest.raises(InvalidInputError, match="no results to draw"):
        plot_results([])
    with pytest.raises(InvalidInputError, match="31 histograms do not fit"):
        plot_results([BELL] * 31)


def test_without_matplotlib_a_sentence_says_how_to_get_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(InvalidInputError, match=r"PATH\[plots\]"):
        plot_results(BELL)
    assert terminal_histogram(histogram(BELL)).row_count == 3


@pytest.mark.parametrize("ideal", [None, {"00": 0.5, "11": 0.5}])
def test_a_histogram_fits_a_terminal_and_tells_all_figures(ideal):
    console = Console(width=80, color_system=None)
    with console.capture() as capture:
        console.print(terminal_histogram(histogram(BELL, ideal=ideal), width=80))
    text = capture.get()
    assert "binomial standard error" in text
    assert "0.4800 ± 0.0500" in text
    assert max(map(len, text.splitlines())) <= 80
    assert ("ideal" in text) == (ideal is not None)
    bars = [line.count("█") for line in text.splitlines() if "±" in line]
    assert bars[2] > bars[1]


def test_long_outcomes_are_told_in_full_in_a_terminal():
    long = counted({"0" * 98: 3, "0" * 97 + "1": 2})
    console = Console(width=80, color_system=None)
    with console.capture() as capture:
        console.print(terminal_histogram(histogram(long), width=80))
    lines = capture.get().splitlines()
    assert max(map(len, lines)) <= 80
    digits = "".join(line[:50] for line in lines if set(line.strip()[:1]) <= {"0", "1"})
    assert digits.count("1") == 1


def test_more_qubits_are_compared_with_a_sampled_ideal(tmp_path):
    circuit = Circuit(22).X(21).H(0)
    for qubit in range(20):
        circuit.CX(qubit, qubit + 1)
    circuit.measure_all()
    low, high = "0" * 21 + "1", "1" * 22
    ideal = sampled_distribution(circuit, 4000, seed=1)
    assert set(ideal) == {low, high}
    assert ideal[low] == pytest.approx(0.5, abs=0.05)
    result = counted({low: 40, high: 50, "0" * 22: 10})
    shown = histogram(result, ideal=ideal)
    assert shown.labels == ["0" * 22, low, high]
    assert shown.ideal == [0.0, ideal[low], ideal[high]]
    errors = [(p * (1 - p) / 4000) ** 0.5 for p in shown.ideal]
    assert shown.ideal_errors == pytest.approx(errors)

    axes = plot_results(result, tmp_path / "wide.png", ideal=ideal).axes[0]
    assert [label.get_text() for label in axes.get_xticklabels()] == shown.labels
    legend = [text.get_text() for text in axes.get_legend().get_texts()]
    assert "ideal, from 4,000 samples" in legend
    console = Console(width=80, color_system=None)
    with console.capture() as capture:
        console.print(terminal_histogram(shown, width=80))
    assert f"{ideal[low]:.4f} ± {errors[1]:.4f}" in capture.get()

    selected = histogram(result.post_select({"c[0]": 1}), ideal=ideal)
    assert selected.ideal == [1.0]
    assert selected.n_ideal_samples == round(ideal[high] * 4000)


def test_the_ideal_distribution_is_exact():
    circuit = Circuit(2).Ry(2 / 3, 0).CX(0, 1).measure_all()
    assert ideal_distribution(circuit) == pytest.approx({"00": 0.25, "11": 0.75})


def test_the_ideal_distribution_follows_bits_and_registers():
    circuit = Circuit(3).X(1)
    circuit.add_c_register("b", 2)
    circuit.add_c_register("a", 1)
    circuit.Measure(circuit.qubits[1], Bit("b", 0))
    circuit.Measure(circuit.qubits[2], Bit("a", 0))
    assert ideal_distribution(circuit) == pytest.approx({"0 10": 1.0})
    assert sampled_distribution(circuit, 10) == {"0 10": 1.0}
    shots = shots_of([Bit("a", 0), Bit("b", 0), Bit("b", 1)], [[0, 1, 0]])
    shown = histogram(result_of(shots), ideal=ideal_distribution(circuit))
    assert shown.ideal == pytest.approx(shown.probabilities)


@pytest.mark.parametrize("calculate", [ideal_distribution, sampled_distribution])
def test_the_ideal_shows_each_bit_of_the_result_and_no_other(calculate):
    twice = Circuit(1, 2).X(0).add_gate(OpType.Phase, [0.3], [])
    assert calculate(twice.Measure(0, 0).Measure(0, 1)) == pytest.approx({"11": 1})
    with_scratch = Circuit(2, 1).X(0).H(1).Measure(0, 0)
    with_scratch.add_bit(Bit(SCRATCH, 0))
    with_scratch.Measure(Qubit(1), Bit(SCRATCH, 0))
    assert calculate(with_scratch) == pytest.approx({"1": 1})


@pytest.mark.parametrize("calculate", [ideal_distribution, sampled_distribution])
@pytest.mark.parametrize(
    "circuit",
    [
        Circuit(1, 1).X(0).Reset(0).Measure(0, 0),
        # The bit forgets the first measurement; the qubit does not.
        Circuit(2, 2).H(0).Measure(0, 0).Measure(1, 0).H(0).Measure(0, 1),
    ],
)
def test_more_than_gates_and_final_measurements_has_no_ideal(calculate, circuit):
    with pytest.raises(InvalidInputError, match="more than gates and measurements"):
        calculate(circuit)


def test_what_has_no_simple_ideal_is_refused():
    with pytest.raises(InvalidInputError, match="21 qubits, and at most 20"):
        ideal_distribution(Circuit(21))
    with pytest.raises(InvalidInputError, match=r"27 qubits, and at most 26.*Clifford"):
        sampled_distribution(Circuit(27, 1).T(0).Measure(0, 0))
    with pytest.raises(InvalidInputError, match="number of samples is 0"):
        sampled_distribution(Circuit(1), 0)
    reset = Circuit(1, 1, name="again").H(0).Measure(0, 0).X(0)
    for calculate in (ideal_distribution, sampled_distribution):
        with pytest.raises(InvalidInputError, match="'again' cannot be calculated"):
            calculate(reset)


def test_without_a_simulator_a_sentence_says_how_to_get_it(monkeypatch):
    module = "pytket.extensions.qulacs.backends.qulacs_backend"
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(InvalidInputError, match=r"PATH\[local\]"):
        sampled_distribution(Circuit(1, 1).H(0).Measure(0, 0))


def test_a_distribution_is_read_from_a_file(tmp_path):
    path = tmp_path / "ideal.json"
    path.write_text(json.dumps({"00": 1}))
    assert read_distribution(path) == {"00": 1.0}


@pytest.mark.parametrize("content", ["", "[1]", '{"00": "x"}', '{"00": true}'])
def test_a_file_without_a_distribution_is_refused(content, tmp_path):
    path = tmp_path / "ideal.json"
    path.write_text(content)
    with pytest.raises(InvalidInputError, match=r"ideal\.json .* outcomes and prob"):
        read_distribution(path)
