"""The whole graph against every fault: the right outcome, exactly one job, no remains.

Each workflow runs under Tierkreis's own executors with real processes for its tasks.
``docs/faults.md`` describes what is shown here.
"""

from collections.abc import Iterator
from uuid import uuid4

import pytest
import qnexus as qnx
from hypothesis import given, seed, settings
from hypothesis import strategies as st
from tests.conftest import WAYS
from tests.faults.conftest import Run
from tests.helpers.repetition import SEED, few_and_all, soak

from local_nexus import Fault, Progress

DEVICES = ("GET", "/api/v5/available_devices")
LOGIN = ("GET", "/auth/tokens")
PROJECTS = ("GET", "/api/projects/*")
UPLOAD = ("POST", "/api/circuits/*")
SUBMIT = ("POST", "/api/jobs/*")
STATUS = ("GET", "/api/jobs/*/attributes/status")
JOB = ("GET", "/api/jobs/*")
RESULT = ("GET", "/api/results/*")
CIRCUIT = ("GET", "/api/circuits/*")
READS = [DEVICES, LOGIN, PROJECTS, STATUS, JOB, RESULT, CIRCUIT]
# Those before, while and after the job runs.
READS_TOGETHER = [(DEVICES, LOGIN, PROJECTS), (STATUS, JOB), (RESULT, CIRCUIT)]
CHANGES = [UPLOAD, SUBMIT]


def assert_done_once(run: Run) -> None:
    run.assert_done_once()
    assert run.fired > 0


def passing_faults(method: str, path: str) -> Iterator[Fault]:
    """Give each fault of a request that passes."""
    where = {"method": method, "path": path}
    once, twice = {**where, "times": 1}, {**where, "times": 2}
    for form in ("seconds", "date"):
        yield Fault("answer", status=429, retry_after=1, retry_after_form=form, **once)
    yield Fault("answer", status=500, when="after", **twice)
    for when in ("before", "after"):
        yield Fault("drop", when=when, **twice)
        yield Fault("hang", seconds=2, when=when, **once)
    yield Fault("delay", seconds=0.2, **twice)
    yield Fault("expire", token="access", **once)
    for shape in ("truncated", "html"):
        yield Fault("malformed", shape=shape, **twice)


def lasting_faults(method: str, path: str) -> Iterator[Fault]:
    """Give those that may leave something on Nexus, and one of each other kind."""
    where = {"method": method, "path": path, "times": 1}
    yield Fault("answer", status=500, when="after", **where)
    for when in ("before", "after"):
        yield Fault("drop", when=when, **where)
    yield Fault("hang", seconds=2, when="after", **where)
    yield Fault("expire", token="access", **where)
    yield Fault("malformed", shape="html", **where)


FAULTS_OF_CHANGES = [fault for place in CHANGES for fault in passing_faults(*place)]
ALL_FAULTS = [fault for place in READS + CHANGES for fault in passing_faults(*place)]


def describe(fault: Fault) -> str:
    parts = [fault.action, fault.when, fault.method, fault.path.split("/")[2]]
    parts += [fault.status, fault.shape, fault.retry_after_form]
    return "-".join(str(part) for part in parts if part is not None)


@pytest.mark.parametrize(
    ("place", "way"),
    [(UPLOAD, "preloaded"), *((SUBMIT, way) for way in WAYS)],
    indirect=["way"],
)
def test_all_faults_of_a_change_after_each_other_leave_one_job_and_its_results(
    faulty_nexus, run_graph, place
):
    for fault in lasting_faults(*place):
        faulty_nexus.add_fault(fault)
    assert_done_once(run_graph())


@pytest.mark.soak
@pytest.mark.parametrize("fault", FAULTS_OF_CHANGES, ids=describe)
def test_a_fault_of_a_change_leaves_one_job_and_its_results(
    faulty_nexus, run_graph, fault
):
    faulty_nexus.add_fault(fault)
    assert_done_once(run_graph())


@pytest.mark.parametrize(
    ("places", "faults"),
    few_and_all(
        [(places, lasting_faults) for places in READS_TOGETHER],
        [((place,), passing_faults) for place in READS],
    ),
)
def test_all_faults_of_readings_after_each_other_leave_one_job_and_its_results(
    faulty_nexus, run_graph, places, faults
):
    for place in places:
        for fault in faults(*place):
            faulty_nexus.add_fault(fault)
    run = run_graph()
    assert_done_once(run)
    assert run.places == set(places)


@pytest.mark.parametrize(
    ("executor", "warm"),
    few_and_all([("uv", "0"), ("uv-registry", "1")], [("shell", "0")]),
)
def test_lost_answers_leave_one_job_under_each_executor_also_where_tasks_start_cold(
    faulty_nexus, run_graph, executor, warm
):
    for method, path in CHANGES:
        faulty_nexus.add_fault(
            Fault("drop", when="after", method=method, path=path, times=1)
        )
    assert_done_once(run_graph(executor, TKR_NEXUS_WARM=warm))


@pytest.mark.parametrize(
    ("method", "path"), few_and_all([STATUS, SUBMIT], [PROJECTS, UPLOAD])
)
def test_each_status_that_may_pass_is_tried_again(
    faulty_nexus, run_graph, method, path
):
    statuses = (408, 425, 429, 500, 502, 503, 504)
    for status in statuses:
        faulty_nexus.add_fault(
            Fault("answer", status=status, method=method, path=path, times=1)
        )
    run = run_graph()
    assert_done_once(run)
    assert run.fired == len(statuses)


def test_an_outage_of_everything_is_waited_for(faulty_nexus, run_graph):
    faulty_nexus.progress = Progress.seconds(queued=2)
    faulty_nexus.add_fault(Fault("answer", status=503, start=0.5, duration=4))
    assert_done_once(run_graph())


@pytest.mark.parametrize("fault", ["drop", "hang"])
def test_a_new_project_is_made_once_whatever_answer_is_lost(
    faulty_nexus, run_graph, fault
):
    project = f"a new project {uuid4()}"
    seconds = {"seconds": 2} if fault == "hang" else {}
    faulty_nexus.add_fault(
        Fault(
            fault,
            when="after",
            method="POST",
            path="/api/projects/*",
            times=1,
            **seconds,
        )
    )
    assert_done_once(run_graph(project=project))
    assert qnx.projects.get_all(name_exact=[project]).count() == 1


def test_two_projects_of_one_name_end_the_workflow_before_anything_is_uploaded(
    faulty_nexus, run_graph
):
    name = f"a project {uuid4()}"
    ids = [str(qnx.projects.create(name=name).id) for _ in range(2)]
    run = run_graph(project=name)
    assert all(project_id in run.error for project_id in ids)
    assert run.jobs == []
    assert set(run.n_circuits.values()) == {0}
    run.assert_nothing_is_left()


@pytest.mark.parametrize(
    ("place", "status"),
    few_and_all(
        [(SUBMIT, 403), (UPLOAD, 403)],
        [(SUBMIT, status) for status in (400, 404, 409, 410, 422)],
    ),
)
def test_a_refusal_ends_the_workflow_with_the_reason_and_no_job(
    faulty_nexus, run_graph, place, status
):
    method, path = place
    body = {"message": "the reason of Nexus"}
    faulty_nexus.add_fault(
        Fault("answer", status=status, method=method, path=path, body=body)
    )
    run = run_graph()
    assert "the reason of Nexus" in run.error
    assert f"status {status}" in run.error
    assert run.jobs == []
    run.assert_nothing_is_left()


@pytest.mark.parametrize("examples", [2, soak(40)])
def test_faults_together_leave_one_job_and_its_results(
    faulty_nexus, run_graph, examples
):
    @seed(SEED)
    @given(
        faults=st.lists(st.sampled_from(ALL_FAULTS), min_size=2, max_size=5),
        executor=st.sampled_from(["uv", "shell"]),
    )
    @settings(max_examples=examples, deadline=None, print_blob=True, database=None)
    def together(faults: list[Fault], executor: str) -> None:
        for fault in faults:
            faulty_nexus.add_fault(fault)
        assert_done_once(run_graph(executor))

    together()
