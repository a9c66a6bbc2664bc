"""What a person sees of the results of a job."""

import time
from collections import Counter

import numpy as np
import pytest
from hugr.qsystem.result import QsysResult
from pytket.backends.backendresult import BackendResult
from pytket.circuit import Bit, Circuit
from pytket.utils.outcomearray import OutcomeArray
from quantinuum_schemas.models.backend_config import QuantinuumConfig
from tests.helpers.circuit_results import counted, job_of, result_of, shots_of

from local_nexus import Fault, Progress
from tkr_nexus_worker import jobs, programs
from tkr_nexus_worker.errors import (
    InvalidInputError,
    JobFailedError,
    NexusRefusedError,
    ResultFormatError,
    ResultsNotReadyError,
)
from tkr_nexus_worker.receipts import Receipt
from tkr_nexus_worker.results import get_results_by_id, parse_selection

PROJECT = "tests of job results"
A, B, C = Bit("b", 1), Bit("a", 0), Bit("b", 0)
SHOTS = [[0, 1, 1], [0, 1, 1], [1, 0, 0], [1, 1, 0]]


@pytest.fixture
def two_registers():
    """Four shots of the bits b[1], a[0] and b[0], in this order."""
    return result_of(shots_of([A, B, C], SHOTS))


def test_an_outcome_has_its_registers_by_name_and_their_bits_by_index(two_registers):
    assert two_registers.bits == ["a[0]", "b[0]", "b[1]"]
    assert dict(two_registers) == {"1 10": 2, "0 01": 1, "1 01": 1}
    assert two_registers.shots.tolist() == [[1, 1, 0], [1, 1, 0], [0, 0, 1], [1, 0, 1]]


def test_bits_are_ordered_by_number_and_not_by_their_digits():
    bits = [Bit("c", i) for i in range(12)]
    result = result_of(shots_of(bits, [[0] * 2 + [1] + [0] * 9]))
    assert result.outcomes == ["001000000000"]


def test_the_most_frequent_outcome_comes_first_and_ties_in_order():
    assert counted({"11": 2, "01": 5, "00": 2}).outcomes == ["01", "00", "11"]


def test_probabilities_have_their_binomial_standard_errors():
    result = counted({"0": 75, "1": 25})
    assert result.probabilities == {"0": 0.75, "1": 0.25}
    expected = np.sqrt(0.75 * 0.25 / 100)
    assert result.standard_errors == pytest.approx({"0": expected, "1": expected})


def test_each_register_has_its_counts(two_registers):
    assert two_registers.registers == {
        "a": {"1": 3, "0": 1},
        "b": {"01": 2, "10": 2},
    }


def test_post_selection_counts_some_shots_and_keeps_all(two_registers):
    chosen = two_registers.post_select({"a[0]": 1}).post_select({"b[1]": 1})
    assert dict(chosen) == {"1 01": 1}
    assert chosen.shots.tolist() == [[1, 0, 1]]
    assert (chosen.n_shots, chosen.n_shots_taken) == (1, 4)
    assert chosen.probabilities == {"1 01": 1.0}
    assert chosen.registers == {"a": {"1": 1}, "b": {"01": 1}}
    assert chosen.selection == {"a[0]": 1, "b[1]": 1}
    assert two_registers.n_shots == 4
    assert chosen.backend_result == two_registers.backend_result


def test_a_selection_that_no_shot_meets_leaves_nothing(two_registers):
    nothing = two_registers.post_select({"a[0]": 0, "b[0]": 1})
    assert (dict(nothing), nothing.probabilities) == ({}, {})
    assert nothing.shots.shape == (0, 3)


@pytest.mark.parametrize(
    ("selection", "message"),
    [
        ({"c[7]": 1}, r"no bit 'c\[7\]' in circuit 0 .*; its bits are a\[0\], b\[0\]"),
        ({"a[0]": 2}, r"value of bit 'a\[0\]' .* is 2; give 0 or 1"),
    ],
)
def test_post_selection_refuses_bits_and_values_that_are_not_there(
    two_registers, selection, message
):
    with pytest.raises(InvalidInputError, match=message):
        two_registers.post_select(selection)


def test_post_selection_refuses_both_values_of_a_bit(two_registers):
    with pytest.raises(InvalidInputError, match="0 and 1 at once"):
        two_registers.post_select({"a[0]": 1}).post_select({"a[0]": 0})


def test_a_selection_is_read_as_a_person_writes_it():
    assert parse_selection(["c[0]=1, c[1] = 0", "d[2]=1"]) == {
        "c[0]": 1,
        "c[1]": 0,
        "d[2]": 1,
    }


@pytest.mark.parametrize("text", ["c[0]", "c[0]=2", "=1", "c[0]=1,", "", "c[0]==1"])
def test_a_text_that_selects_nothing_is_refused(text):
    with pytest.raises(InvalidInputError, match=r"give a bit and its value"):
        parse_selection([text])


def test_a_selection_of_both_values_is_refused():
    with pytest.raises(InvalidInputError, match=r"'c\[0\]' is to be 0 and 1"):
        parse_selection(["c[0]=1", "c[0]=0"])


def test_counts_alone_have_no_single_shots():
    outcome = OutcomeArray.from_readouts([[0, 1]])
    result = result_of(BackendResult(counts=Counter({outcome: 3})))
    assert dict(result) == {"01": 3}
    with pytest.raises(ResultFormatError, match="no single shots"):
        _ = result.shots


def test_a_state_has_no_counts_and_says_so():
    result = result_of(BackendResult(state=np.array([1, 0])))
    with pytest.raises(ResultFormatError, match="state or unitary"):
        dict(result)
    assert "state or unitary" in result.to_counts().no_counts


def test_shots_of_a_guppy_program_are_counted_by_their_registers():
    shots = [[("c[0]", 1), ("c[1]", 0), ("flag", 1)]] * 3
    result = result_of(QsysResult(shots))
    assert result.registers == {"c": {"10": 3}, "flag": {"1": 3}}
    assert result.tagged_shots == shots


def test_a_tag_that_is_reported_several_times_keeps_all_its_bits_in_order():
    shots = [[("c", 1), ("c", 0), ("c", 1), ("c", 0)]] * 5
    result = result_of(QsysResult(shots))
    assert dict(result) == {"1010": 5}
    assert result.backend_result.get_shots().tolist() == [[1, 0, 1, 0]] * 5


def test_an_array_of_bits_is_a_register_and_nested_tags_keep_their_names():
    result = result_of(QsysResult([[("a", [True, False]), ("outer:inner", True)]] * 2))
    assert result.registers == {"a": {"10": 2}, "outer:inner": {"1": 2}}


@pytest.mark.parametrize(
    ("shots", "counts"),
    [
        ([[("a", 1)], []], {"(no values)": 1, "a=1": 1}),
        ([[("n", 3), ("x", 0.5)]] * 2, {"n=3 x=0.5": 2}),
        ([[("n", [1, 2]), ("n", 7)]], {"n=[1,2],7": 1}),
        ([[("c[0]", 1), ("c[0]", 0)]], {"c[0]=1,0": 1}),
        ([[("c", [1, 0]), ("c[0]", 0)]], {"c=[1,0] c[0]=0": 1}),
        ([[("flag", True), ("x", -1.5)]], {"flag=1 x=-1.5": 1}),
        ([[("a", 1)], [("a", [1, 1])]], {"a=1": 1, "a=[1,1]": 1}),
        ([[("a", [])], [("a", 0)]], {"a=[]": 1, "a=0": 1}),
        ([[], []], {"(no values)": 2}),
    ],
)
def test_values_that_are_no_registers_are_counted_as_texts(shots, counts):
    result = result_of(QsysResult(shots))
    assert dict(result) == counts
    assert result.bits == []
    assert result.n_shots == result.n_shots_taken == len(shots)
    assert sum(result.probabilities.values()) == pytest.approx(1)
    assert result.to_counts().no_counts == ""
    assert result.tagged_shots == shots
    with pytest.raises(ResultFormatError, match="get_qsys_shots"):
        _ = result.backend_result


def test_shots_that_end_by_exit_or_panic_are_named_and_all_others_counted(caplog):
    good = [("before", 0), ("after", 0)]
    gave_up = [("before", 1), ("exit: give up", 3)]
    result = result_of(
        QsysResult([good, gave_up, good, [("panic: no luck", 1001)], gave_up])
    )
    assert dict(result) == {"0 0": 2}
    assert result.stopped == {
        "before=1 exit: give up (3)": [1, 4],
        "panic: no luck (1001)": [3],
    }
    assert (result.n_shots, result.n_shots_taken) == (2, 5)
    assert result.to_counts().stopped == result.stopped
    assert result.backend_result.get_counts() == {(0, 0): 2}
    assert "leaves out the 2 shots that ended with 'before=1 exit" in caplog.text


def test_a_program_of_which_every_shot_was_stopped_has_no_outcome():
    result = result_of(QsysResult([[("exit: at once", 1)]] * 2))
    assert (dict(result), result.stopped) == ({}, {"exit: at once (1)": [0, 1]})


def test_a_circuit_without_a_result_has_no_outcomes_and_a_reason():
    result = result_of(None, state="ERROR")
    assert (dict(result), result.n_shots, result.probabilities) == ({}, 0, {})
    with pytest.raises(ResultFormatError, match=r"no result of circuit 0 .*\(ERROR"):
        _ = result.backend_result
    job = job_of([counted({"1": 2}), result]).post_select({"c[0]": 1})
    assert [dict(one) for one in job] == [{"1": 2}, {}]
    assert not job.complete


def test_a_circuit_that_is_not_there_is_refused():
    with pytest.raises(InvalidInputError, match=r"no circuit 1 .* circuits are 0 to 0"):
        job_of([counted({"1": 2})]).circuit(1)


def submit(*circuits: Circuit, name: str = "a job"):
    refs = [programs.upload_circuit(circuit, PROJECT) for circuit in circuits]
    config = QuantinuumConfig(device_name="H2-1LE")
    return jobs.start_execute_job(PROJECT, name, refs, [10] * len(refs), config)


def wait(job) -> None:
    while jobs.is_unfinished(job):
        time.sleep(0.02)


ONE = Circuit(2, name="one").X(0).measure_all()
TOO_LARGE = Circuit(60, name="too large").X(0).measure_all()


def test_results_are_fetched_by_id_and_by_receipt(connected, tmp_path):
    job = submit(ONE)
    wait(job)
    receipt = tmp_path / "receipt.json"
    receipt.write_text(Receipt.of(jobs.get_job_details(job)).model_dump_json())
    for named in (str(job.id), job, receipt, str(receipt)):
        found = get_results_by_id(named)
        assert found.complete
        assert [dict(one) for one in found] == [{"10": 10}]
        assert found[0].name == "one"
        assert found.job.job_id == str(job.id)
        assert found.receipt.job_id == job.id


def test_counts_as_a_value_say_what_there_is_to_know(connected):
    job = submit(ONE)
    wait(job)
    counts = get_results_by_id(str(job.id)).post_select({"c[0]": 1}).to_counts()
    assert counts.model_dump() == {
        "job_id": str(job.id),
        "job_ids": [str(job.id)],
        "job_name": "a job",
        "project_name": PROJECT,
        "state": "COMPLETED",
        "cost": counts.cost,
        "complete": True,
        "circuits": [
            {
                "index": 0,
                "name": "one",
                "state": "COMPLETED",
                "reason": "",
                "n_shots_requested": 10,
                "n_shots": 10,
                "n_shots_taken": 10,
                "bits": ["c[0]", "c[1]"],
                "counts": {"10": 10},
                "selection": {"c[0]": 1},
                "stopped": {},
                "no_counts": "",
            }
        ],
    }


def test_failed_circuits_are_refused_or_shown_with_their_reason(connected):
    job = submit(ONE, TOO_LARGE)
    wait(job)
    with pytest.raises(JobFailedError, match="60 qubits"):
        get_results_by_id(str(job.id))
    good, bad = get_results_by_id(str(job.id), allow_failed=True)
    assert (dict(good), dict(bad)) == ({"10": 10}, {})
    assert bad.state == "ERROR"
    assert "60 qubits" in bad.reason


def test_an_unfinished_job_gives_what_it_has_if_that_is_asked_for(connected):
    connected.progress = Progress.seconds(queued=3600)
    job = submit(ONE)
    with pytest.raises(ResultsNotReadyError, match="QUEUED"):
        get_results_by_id(str(job.id))
    [waiting] = get_results_by_id(str(job.id), allow_unfinished=True)
    assert (dict(waiting), waiting.state) == ({}, "QUEUED")


def test_finished_circuits_of_a_running_job_have_results(connected):
    job = submit(ONE, ONE)
    wait(job)
    connected.set_job_status(job.id, "RUNNING", item=1)
    done, _running = get_results_by_id(str(job.id), allow_unfinished=True)
    assert dict(done) == {"10": 10}


def test_a_job_is_asked_for_once_for_its_results(connected):
    job = submit(ONE)
    wait(job)
    for named in (str(job.id), job):
        connected.clear_requests()
        get_results_by_id(named)
        paths = [request.path for request in connected.requests()]
        assert paths.count(f"/api/jobs/v1beta3/{job.id}") == 1


def test_results_that_nexus_no_longer_keeps_are_gone_in_one_sentence(connected):
    job = submit(ONE)
    wait(job)
    connected.add_fault(Fault("answer", path="/api/results/*", status=410, times=1))
    with pytest.raises(NexusRefusedError, match="no longer keeps the data") as caught:
        get_results_by_id(str(job.id))
    assert caught.value.status_code == 410


def test_the_bits_that_a_compiler_needed_are_not_shown():
    circuit = Circuit(1, 1).X(0).Measure(0, 0)
    scratch = Bit("tk_SCRATCH_BIT", 0)
    shots = OutcomeArray.from_readouts([[1, 0], [1, 1]])
    result = BackendResult(shots=shots, c_bits=[*circuit.bits, scratch])
    assert dict(result_of(result)) == {"1": 2}
