"""Results in files: exactly what was downloaded."""

import gzip
import json
import math

import numpy as np
import pytest
from hugr.qsystem.result import QsysResult
from hypothesis import given, settings
from hypothesis import strategies as st
from pytket.backends.backendresult import BackendResult
from pytket.circuit import Bit
from pytket.utils.outcomearray import OutcomeArray
from qnexus.models.references import ExecutionResult, QIRResult
from tests.helpers.circuit_results import counted, job_of, result_of, shots_of

from tkr_nexus_worker.errors import InvalidInputError
from tkr_nexus_worker.results import JobResults, load_results, save_results

bits = st.builds(
    Bit, st.sampled_from(["c", "a", "out_1"]), st.integers(min_value=0, max_value=70)
)


@st.composite
def measured(draw):
    """Shots or counts of any bits in any order."""
    c_bits = draw(st.lists(bits, min_size=1, max_size=9, unique=True))
    width = len(c_bits)
    row = st.lists(st.integers(0, 1), min_size=width, max_size=width)
    readouts = OutcomeArray.from_readouts(draw(st.lists(row, min_size=1, max_size=20)))
    if draw(st.booleans()):
        return BackendResult(shots=readouts, c_bits=c_bits)
    return BackendResult(counts=readouts.counts(), c_bits=c_bits)


numbers = st.floats(allow_nan=False, width=64)
states = st.lists(st.tuples(numbers, numbers), min_size=2, max_size=2).map(
    lambda pairs: BackendResult(state=np.array([complex(*pair) for pair in pairs]))
)
values = st.one_of(
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False),
    st.lists(st.integers()),
    st.lists(st.booleans()),
    st.lists(st.floats(allow_nan=False)),
)
tagged = st.lists(
    st.lists(st.tuples(st.text(min_size=1), values), max_size=4), max_size=5
).map(QsysResult)
results = st.one_of(st.none(), measured(), states, tagged, st.text().map(QIRResult))


def native(circuits: JobResults) -> list:
    """All that is known of each circuit, with the types of all values."""
    return [
        (
            one.index,
            one.name,
            one.state,
            one.reason,
            one.n_shots_requested,
            *contents(one.raw_result),
        )
        for one in circuits
    ]


def contents(result: ExecutionResult | None) -> tuple:
    if result is None:
        return ()
    if isinstance(result, BackendResult):
        return (result.to_dict(),)
    return (repr(result.results),)


@settings(max_examples=15, deadline=None)
@given(found=st.lists(results, max_size=4), zipped=st.booleans(), name=st.text())
def test_what_was_saved_is_loaded_exactly(found, zipped, name, tmp_path_factory):
    saved = job_of([result_of(one, i, name) for i, one in enumerate(found)])
    path = tmp_path_factory.mktemp("saved") / ("r.json.gz" if zipped else "r.json")
    assert save_results(saved, path) == path
    loaded = load_results(path)
    assert native(loaded) == native(saved)
    assert loaded.job.model_dump(exclude={"modified"}) == (
        saved.job.model_dump(exclude={"modified"})
    )
    for one, other in zip(saved, loaded, strict=True):
        assert one.to_counts() == other.to_counts()


def test_shots_keep_their_order_and_selected_results_all_shots(tmp_path):
    shots = [[0, 1], [1, 1], [0, 0], [1, 1]]
    result = job_of([result_of(shots_of([Bit("c", 1), Bit("c", 0)], shots))])
    path = save_results(result.post_select({"c[0]": 1}), tmp_path / "r.json")
    [loaded] = load_results(path)
    assert loaded.shots.tolist() == [[1, 0], [1, 1], [0, 0], [1, 1]]
    assert loaded.selection == {}


def test_numbers_that_json_does_not_know_are_kept(tmp_path):
    odd = QsysResult([[("a", math.inf), ("b", -math.inf), ("c", math.nan)]])
    path = save_results(job_of([result_of(odd)]), tmp_path / "r.json")
    [[(_, a), (_, b), (_, c)]] = load_results(path)[0].tagged_shots
    assert (a, b) == (math.inf, -math.inf)
    assert math.isnan(c)


def test_a_name_that_ends_in_gz_is_compressed_and_others_are_text(tmp_path):
    job = job_of([counted({"01": 3})])
    plain = save_results(job, tmp_path / "r.json")
    zipped = save_results(job, tmp_path / "r.json.gz")
    assert gzip.decompress(zipped.read_bytes()) == plain.read_bytes()
    content = json.loads(plain.read_text())
    assert (content["format"], content["version"]) == ("tkr-nexus-results", 1)


def test_a_file_that_exists_is_overwritten_by_force_only(tmp_path):
    path = tmp_path / "r.json"
    save_results(job_of([counted({"0": 3})]), path)
    before = path.read_bytes()
    other = job_of([counted({"1": 4})])
    with pytest.raises(InvalidInputError, match=r"r\.json exists already"):
        save_results(other, path)
    assert path.read_bytes() == before
    save_results(other, path, force=True)
    assert dict(load_results(path)[0]) == {"1": 4}
    assert list(tmp_path.iterdir()) == [path]


def test_a_place_that_cannot_be_written_is_named(tmp_path):
    job = job_of([counted({"0": 3})])
    with pytest.raises(InvalidInputError, match="cannot be written: No such file"):
        save_results(job, tmp_path / "nowhere" / "r.json")
    with pytest.raises(InvalidInputError, match="is a directory"):
        save_results(job, tmp_path, force=True)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is not a file of results, or is damaged"),
        (b"OPENQASM 2.0;", "is not a file of results, or is damaged"),
        (b"\x1f\x8bnot really", "is not a file of results, or is damaged"),
        (b"[" * 100_000, "is not a file of results, or is damaged"),
        (b"\xff\xfe", "is not a file of results, or is damaged"),
        (b"[]", "is not a file of results; give"),
        (b'{"version": 1}', "is not a file of results; give"),
        (b'{"format": "tkr-nexus-results", "version": 2}', "by a newer tkr-nexus-work"),
        (b'{"format": "tkr-nexus-results", "version": "x"}', "is damaged"),
        (b'{"format": "tkr-nexus-results", "version": 1}', "is damaged"),
    ],
)
def test_a_file_that_holds_no_results_is_named_in_one_sentence(
    content, message, tmp_path
):
    path = tmp_path / "r.json"
    path.write_bytes(content)
    with pytest.raises(InvalidInputError, match=message) as caught:
        load_results(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "result", [{}, [], 3, {"bits": [], "qubits": [], "shots": {"width": 1}}]
)
def test_a_damaged_result_is_named(result, tmp_path):
    path = save_results(job_of([counted({"0": 3})]), tmp_path / "r.json")
    content = json.loads(path.read_text())
    content["circuits"][0]["result"] = result
    path.write_text(json.dumps(content))
    with pytest.raises(InvalidInputError, match="is damaged"):
        load_results(path)


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(InvalidInputError, match=r"none\.json cannot be read: No such"):
        load_results(tmp_path / "none.json")
