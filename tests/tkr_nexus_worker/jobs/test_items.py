import pytest
from pytket.backends.backendresult import BackendResult
from pytket.circuit import Bit
from pytket.utils.outcomearray import OutcomeArray
from tierkreis.controller.data.types import bytes_from_ptype, ptype_from_bytes

from tkr_nexus_worker.jobs.items import ItemResult, describe_failures
from tkr_nexus_worker.jobs.models import JobItem

MEASURED = BackendResult(
    c_bits=[Bit(0)], shots=OutcomeArray.from_readouts([[0], [1], [1]])
)


def failed(index: int, reason: str = "", state: str = "ERROR") -> ItemResult:
    return ItemResult(index=index, state=state, reason=reason)


def test_items_keep_their_values_through_a_workflow():
    items = [
        ItemResult(index=0, state="COMPLETED", result=MEASURED.to_dict(), job_id="j"),
        ItemResult(index=1, state="ERROR", reason="Try again.", retryable=True),
    ]
    written = bytes_from_ptype(items, list[ItemResult])
    assert ptype_from_bytes(written, list[ItemResult]) == items


@pytest.mark.parametrize("result", [None, MEASURED.to_dict()])
def test_a_failed_item_has_a_result_that_stays_empty_through_a_workflow(result):
    item = ItemResult(index=0, state="TERMINATED", result=result)
    written = bytes_from_ptype(item.backend_result, BackendResult)
    assert ptype_from_bytes(written, BackendResult) == BackendResult()
    assert ptype_from_bytes(written) == {"qubits": [], "bits": []}


def test_a_completed_item_has_its_result():
    item = ItemResult(index=0, state="COMPLETED", result=MEASURED.to_dict())
    assert item.backend_result == MEASURED
    assert item.backend_result != BackendResult()


def test_items_that_failed_alike_are_named_together():
    items = [
        failed(0, "a"),
        failed(1, "a"),
        failed(2, "a"),
        failed(4, "a"),
        failed(5, "b"),
        failed(6, state="CANCELLED"),
        failed(7, state="COMPLETED"),
    ]
    assert describe_failures(items) == (
        "circuits 0-2, 4: it ended with an error (ERROR): a; "
        "circuit 5: it ended with an error (ERROR): b; "
        "circuit 6: it was cancelled (CANCELLED); "
        "circuit 7: it has completed, without a result"
    )


def of_job(index: int, name: str | None, kind: str = "hugr") -> JobItem:
    return JobItem(
        index=index,
        program_id=str(index),
        program_name=name,
        program_type=kind,
        state="ERROR",
    )


@pytest.mark.parametrize(
    ("items", "expected"),
    [
        ([of_job(0, "coin")], "program 0 ('coin')"),
        ([of_job(0, None, "qir")], "program 0"),
        ([of_job(1, "bell", "circuit")], "circuit 1 ('bell')"),
        ([of_job(0, "a"), of_job(2, "b")], "program 0 ('a'), program 2 ('b')"),
        ([of_job(0, "a"), of_job(1, None)], "programs 0-1"),
        ([of_job(0, None, "circuit"), of_job(1, None)], "programs 0-1"),
        ([of_job(index, "many") for index in range(4)], "programs 0-3"),
    ],
)
def test_programs_that_failed_are_called_by_their_kind_and_name(items, expected):
    assert describe_failures(items).partition(": ")[0] == expected
