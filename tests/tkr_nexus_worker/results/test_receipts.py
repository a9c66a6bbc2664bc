"""Receipts of tasks; each test is the task of a workflow, with a folder of its own."""

from uuid import uuid4

import pytest
from pytket.circuit import Circuit
from quantinuum_schemas.models.backend_config import QuantinuumConfig

from tkr_nexus_worker import tasks
from tkr_nexus_worker.errors import InvalidInputError, JobFailedError, NexusRefusedError
from tkr_nexus_worker.results.receipts import (
    RECEIPT_FILE,
    find_receipts,
    read_receipt,
    results_from_receipt,
)

CONFIG = QuantinuumConfig(device_name="H2-1LE")
PROJECT = "tests of receipts"


def one(qubit: int) -> Circuit:
    return Circuit(2, name=f"one-{qubit}").X(qubit).measure_all()


def submit():
    programs = [tasks.upload_circuit(PROJECT, one(qubit)) for qubit in (0, 1)]
    job = tasks.start_execute_job(PROJECT, "a job", programs, [3, 4], CONFIG)
    return job, programs


def wait(job) -> None:
    while tasks.is_unfinished(job):
        pass


def test_a_submission_leaves_a_receipt(connected, node):
    job, programs = submit()
    receipt = read_receipt(node / RECEIPT_FILE)
    assert receipt.job_id == job.id
    assert (receipt.job_name, receipt.project_name) == ("a job", PROJECT)
    assert receipt.project_id == job.project.id
    assert receipt.backend_config["device_name"] == "H2-1LE"
    assert receipt.nexus_url == connected.url
    assert receipt.versions.keys() >= {"tkr-nexus-worker", "qnexus", "tierkreis"}
    assert "queued" in receipt.times
    for item, program, name, n_shots in zip(
        receipt.items, programs, ["one-0", "one-1"], [3, 4], strict=True
    ):
        assert item.program_id == str(program.id)
        assert (item.program_name, item.program_type) == (name, "circuit")
        assert item.n_shots == n_shots


def test_results_leave_a_receipt_with_times_costs_and_result_ids(node):
    job, programs = submit()
    wait(job)
    tasks.get_results(job)
    receipt = read_receipt(node / RECEIPT_FILE)
    assert (receipt.job_id, receipt.state) == (job.id, "COMPLETED")
    assert {"queued", "running", "completed"} <= receipt.times.keys()
    assert receipt.backend_config["device_name"] == "H2-1LE"
    assert [item.program_id for item in receipt.items] == [str(p.id) for p in programs]
    assert [item.program_name for item in receipt.items] == ["one-0", "one-1"]
    assert len({item.result_id for item in receipt.items} - {None}) == 2
    assert all("completed" in item.times for item in receipt.items)


def test_the_cost_is_on_the_receipt_where_nexus_tells_it(connected, node):
    program = tasks.upload_circuit(PROJECT, one(0))
    charged = QuantinuumConfig(device_name="H2-1E")
    job = tasks.start_single_job(PROJECT, "charged", program, 10, charged)
    wait(job)
    tasks.get_results(job)
    [item] = read_receipt(node / RECEIPT_FILE).items
    [cost] = [j["cost"] for j in connected.jobs() if j["id"] == str(job.id)]
    assert item.cost == cost
    assert cost > 0


def test_failed_items_are_on_the_receipt(connected, node):
    job, _ = submit()
    wait(job)
    connected.set_job_status(job.id, "ERROR", "no luck", item=1)
    tasks.get_item_results(job)
    receipt = read_receipt(node / RECEIPT_FILE)
    assert [item.state for item in receipt.items] == ["COMPLETED", "ERROR"]


@pytest.mark.parametrize("after", ["submission", "results"])
def test_results_are_fetched_again_with_nothing_but_the_receipt(after, node, tmp_path):
    job, _ = submit()
    wait(job)
    if after == "results":
        tasks.get_results(job)
    receipt = (node / RECEIPT_FILE).rename(tmp_path / "kept.json")
    counts = [result.get_counts() for result in results_from_receipt(receipt)]
    assert counts == [{(1, 0): 3}, {(0, 1): 4}]


def test_a_receipt_gives_the_good_results_of_a_job_that_failed(connected, node):
    job, _ = submit()
    wait(job)
    connected.set_job_status(job.id, "ERROR", "no luck", item=1)
    with pytest.raises(JobFailedError, match=r"circuit 1: .*no luck"):
        results_from_receipt(node / RECEIPT_FILE)
    good, bad = results_from_receipt(node / RECEIPT_FILE, allow_failed=True)
    assert good.get_counts() == {(1, 0): 3}
    assert bad.to_dict() == {"qubits": [], "bits": []}


def test_a_receipt_of_another_nexus_says_so(node, tmp_path):
    submit()
    receipt = read_receipt(node / RECEIPT_FILE)
    elsewhere = {"job_id": uuid4(), "nexus_url": "https://nexus.example"}
    path = tmp_path / "elsewhere.json"
    path.write_text(receipt.model_copy(update=elsewhere).model_dump_json())
    with pytest.raises(NexusRefusedError) as caught:
        results_from_receipt(path)
    assert "https://nexus.example" in str(caught.value)
    assert f"connected to {receipt.nexus_url}" in str(caught.value)


def test_a_receipt_that_cannot_be_written_is_reported_and_the_job_is_kept(node, caplog):
    (node / RECEIPT_FILE).mkdir()
    job, _ = submit()
    assert f"the receipt of job 'a job' ({job.id})" in caplog.text
    assert [path.name for path in node.iterdir() if "receipt" in path.name] == [
        RECEIPT_FILE
    ]


def test_outside_a_workflow_there_is_no_receipt(connected, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    submit()
    assert list(tmp_path.rglob("*receipt*")) == []


def test_the_receipts_of_a_workflow_are_found(node_storage, node):
    assert find_receipts(node_storage) == []
    submit()
    assert find_receipts(node_storage) == [node / RECEIPT_FILE]


@pytest.mark.parametrize("content", [None, "", "{}", "[1]", '{"format": 2}'])
def test_a_file_that_is_no_receipt_is_refused_by_name(content, tmp_path):
    path = tmp_path / "wrong.json"
    if content is not None:
        path.write_text(content)
    with pytest.raises(InvalidInputError, match=r"wrong\.json"):
        read_receipt(path)
