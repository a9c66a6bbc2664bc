"""How circuits are divided into jobs, and how one task waits for several of them."""

import json

import pytest
from pytket.backends.backendresult import BackendResult
from pytket.circuit import Circuit
from quantinuum_schemas.models.backend_config import QuantinuumConfig

from local_nexus import Progress
from tkr_nexus_worker import tasks
from tkr_nexus_worker.errors import InvalidInputError
from tkr_nexus_worker.jobs.runs import (
    PartJob,
    PartLimits,
    new_items,
    split,
    wait_for_results,
)
from tkr_runtime.tasks import kept_files


@pytest.mark.parametrize(
    ("limits", "parts"),
    [
        (PartLimits(10, 1000), [range(5)]),
        (PartLimits(2, 1000), [range(2), range(2, 4), range(4, 5)]),
        (PartLimits(10, 30), [range(2), range(2, 3), range(3, 5)]),
        (PartLimits(10, 1000, 6.0), [range(3), range(3, 5)]),
        (PartLimits(2, 30, 4.0), [range(2), range(2, 3), range(3, 4), range(4, 5)]),
        # A circuit that is larger than a part may be cannot be divided.
        (PartLimits(10, 5), [range(n, n + 1) for n in range(5)]),
    ],
)
def test_a_part_has_no_more_circuits_bytes_and_cost_than_it_may(limits, parts):
    sizes, costs = [10, 10, 20, 15, 10], [2.0, 2.0, 2.0, 3.0, 3.0]
    assert split(sizes, costs, limits) == parts


def test_a_circuit_that_alone_costs_too_much_is_refused_by_name():
    with pytest.raises(InvalidInputError, match=r"circuits\[1\] costs about 7\.00 HQC"):
        split([1, 1], [6.0, 7.0], PartLimits(10, 100, 6.5))


@pytest.mark.parametrize(
    ("options", "most"),
    [
        ({}, 9.0),
        ({"attempt_batching": True, "max_batch_cost": 7.0}, 7.0),
        ({"attempt_batching": True, "max_batch_cost": 20.0}, 9.0),
        ({"max_batch_cost": 7.0}, 9.0),
    ],
)
@pytest.mark.filterwarnings("ignore:Batching is not supported")
def test_a_batch_of_the_device_costs_no_more_than_its_config_allows(options, most):
    config = QuantinuumConfig(device_name="H2-1", **options)
    assert PartLimits(10, 100, 9.0).within_batch(config).max_cost == most


@pytest.mark.parametrize("limits", [(0, 1), (1, 0), (1, 1, 0.0), (1, 1, float("nan"))])
def test_a_limit_that_allows_nothing_is_refused(limits):
    with pytest.raises(InvalidInputError, match="give"):
        PartLimits(*limits)


def prepare(**options):
    circuits = [Circuit(1, name="x").X(0).measure_all() for _ in range(3)]
    arguments = {"max_programs": 2, "max_bytes": 10_000} | options
    config = QuantinuumConfig(device_name="H2-1LE")
    return tasks.prepare_parts("parts", "run", circuits, [1, 2, 3], config, **arguments)


def test_the_cost_of_a_part_is_that_of_the_formula(node):
    # 5 HQC for each circuit, and 0.002 for each shot of a gate, 2 preparations or so.
    assert prepare(max_cost=10.5).n_parts == 2
    assert prepare(max_cost=5.5).n_parts == 3
    with pytest.raises(InvalidInputError, match="raise max_cost"):
        prepare(max_cost=5.0)


def test_a_submission_that_is_started_again_uploads_and_submits_nothing_again(
    node, connected, monkeypatch
):
    monkeypatch.setenv("TKR_NEXUS_SETTLE_TIME", "0.01")
    plan = prepare()
    config = QuantinuumConfig(device_name="H2-1LE")
    arguments = ("parts", "started again", config, plan, [], 1)
    [first] = tasks.submit_part(*arguments)
    assert (first.part, first.first, first.n_programs) == (1, 2, 1)
    connected.set_job_status(first.id, "ERROR", "Broken.")
    connected.clear_requests()
    assert [job.id for job in tasks.submit_part(*arguments)] == [first.id]
    assert not [
        request
        for request in connected.requests()
        if request.method == "POST" and "/api/" in request.path
    ]


def test_failed_circuits_of_a_part_have_empty_results_where_they_may(node, connected):
    plan = prepare()
    config = QuantinuumConfig(device_name="H2-1LE")
    [job] = tasks.submit_part("parts", "allowed", config, plan, [], 0)
    wait_for_results([job], 0.1, at_once=False)
    connected.set_job_status(job.id, "ERROR", "Broken.", item=1)
    found = tasks.collect_part(
        "allowed", plan, [job], [], 0, "", 1, 0.1, allow_failed=True
    )
    assert (found.part_jobs, found.failed_jobs, found.next_part) == ([], [], 1)
    assert found.may_submit
    first, second = tasks.join_parts(found.outcomes)
    assert BackendResult.from_dict(json.loads(first)).get_counts() == {(1,): 1}
    assert BackendResult.from_dict(json.loads(second)) == BackendResult()
    [outcome] = tasks.list_parts(found.outcomes)
    assert [(it.index, it.state) for it in outcome.failed] == [(1, "ERROR")]
    assert kept_files.resolve(outcome.results).exists()


def test_a_job_is_looked_into_only_once_it_has_left_the_queue(connected, submit):
    connected.progress = Progress.after_reads(3)
    job = submit(circuits=2)
    part = PartJob(**dict(job), part=0, first=0, n_programs=2)
    connected.clear_requests()
    news = wait_for_results([part], 0.01, at_once=False)
    assert len(new_items(part, news.details[0])) == 2
    path = f"/api/jobs/v1beta3/{job.id}"
    reads = [r.path for r in connected.requests() if r.path.startswith(path)]
    assert reads.index(path) > 6
    assert new_items(part.model_copy(update={"seen": [0, 1]}), news.details[0]) == []
