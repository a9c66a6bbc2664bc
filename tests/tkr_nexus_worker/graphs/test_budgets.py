"""Branches of a workflow keep one budget, also after kills and when it is resumed."""

import signal
import subprocess
import sys
from uuid import uuid4

import pytest
from pytket.backends.backendresult import BackendResult
from pytket.circuit import Circuit, Qubit
from pytket.pauli import Pauli, QubitPauliString
from pytket.utils.operators import QubitPauliOperator
from quantinuum_schemas.models.backend_config import HeliosConfig
from tests.helpers.waiting import wait_until
from tests.local_nexus import guppy_coin
from tests.local_nexus.simulators.test_hybrid import bell_qir
from tests.tkr_nexus_worker.graphs import branches
from tests.tkr_nexus_worker.graphs.branches import COST, storage_of
from tierkreis.builder import Graph
from tierkreis.controller.executor.in_memory_executor import InMemoryExecutor
from tierkreis.models import TKR
from tierkreis.storage import InMemoryStorage

from local_nexus import Progress
from tkr_nexus_worker import (
    REGISTRY_PATH,
    InProcessExecutor,
    InvalidInputError,
    WorkflowFailedError,
    budget,
    resume,
    run,
)
from tkr_nexus_worker.graphs import (
    LimitedExpectationInputs,
    LimitedHugrJobInputs,
    LimitedJobInputs,
    LimitedProgramsInputs,
    LimitedQirJobInputs,
    nexus_compile_submit_and_poll,
    nexus_expectation_values,
    nexus_stream_results,
    nexus_submit_and_poll,
    nexus_submit_and_poll_batched,
    nexus_submit_and_poll_retrying,
    nexus_submit_hugr,
    nexus_submit_in_parts,
    nexus_submit_programs,
    nexus_submit_qir,
)
from tkr_nexus_worker.graphs.submit_poll import BackendResult as BackendResultType
from tkr_nexus_worker.jobs import get_job_payload
from tkr_runtime.jobs.budget import ledgers_of_workflow


@pytest.fixture
def workflow(connected, tmp_path, monkeypatch):
    monkeypatch.setenv("TKR_NEXUS_SETTLE_TIME", "0.1")
    monkeypatch.setenv("TKR_DIR", str(tmp_path))
    return storage_of(str(tmp_path), str(uuid4()))


def balance(workflow) -> tuple[float, float, int]:
    [ledger] = ledgers_of_workflow(workflow.workflow_dir)
    found = ledger.balance()
    open_ones = [one for one in found.entries if one.state != "released"]
    return round(found.reserved, 6), round(found.spent, 6), len(open_ones)


def jobs_of(connected, workflow) -> list[dict]:
    name = str(workflow.workflow_id)
    return [job for job in connected.jobs() if job["name"] == name]


def test_branches_that_do_not_fit_are_refused_before_upload_and_run_after_a_raise(
    connected, workflow
):
    inputs = branches.inputs(str(workflow.workflow_id))
    connected.progress = Progress.seconds(queued=1e6)
    executor = InProcessExecutor(workflow)
    with (
        budget(hqc=2 * COST + 1),
        pytest.raises(WorkflowFailedError, match=r"are left .* raise the budget"),
    ):
        run(branches.branches(), inputs, workflow, executor)
    reserved, spent, entries = balance(workflow)
    assert (reserved, spent) == (round(2 * COST, 6), 0)
    assert entries == 2
    assert len(connected.requests(method="POST", path="/api/circuits/v1beta2")) <= 2
    connected.clear_progress()
    with budget(hqc=100):
        resume(workflow, executor)
    assert balance(workflow) == (0, round(3 * COST, 6), 3)
    costs = [job["cost"] for job in jobs_of(connected, workflow)]
    assert sum(costs) == pytest.approx(3 * COST)


def test_a_killed_workflow_keeps_its_budget_when_somebody_resumes_it(
    connected, workflow, tmp_path
):
    connected.progress = Progress.seconds(queued=1e6)
    arguments = [str(tmp_path), str(workflow.workflow_id), "100"]
    with subprocess.Popen(
        [sys.executable, branches.__file__, *arguments]
    ) as controller:
        assert wait_until(lambda: jobs_of(connected, workflow))
        controller.send_signal(signal.SIGKILL)
    connected.clear_progress()
    resume(workflow, InProcessExecutor(workflow))
    assert balance(workflow) == (0, round(3 * COST, 6), 3)
    assert len(jobs_of(connected, workflow)) == 3


@pytest.mark.parametrize(
    "make",
    [
        lambda **options: nexus_submit_and_poll(0.2, **options),
        lambda **options: nexus_submit_and_poll_retrying(2, 0.2, **options),
        lambda **options: nexus_compile_submit_and_poll(1, 0.2, **options),
        lambda **options: nexus_submit_and_poll_batched(
            polling_interval=0.2, **options
        ),
        lambda **options: nexus_stream_results(
            unchanged(), polling_interval=0.2, **options
        ),
    ],
    ids=["plain", "retrying", "compiling", "batched", "streaming"],
)
def test_limits_are_inputs_of_graphs(connected, workflow, make):
    limited = {
        **branches.inputs(f"job {uuid4()}"),
        "max_cost": [6.0],
        "max_job_cost": 7.0,
        "budget": budget(hqc=6, name="own"),
    }
    graph = make(inputs=LimitedJobInputs)
    [result] = run(graph, limited, workflow, InProcessExecutor(workflow))
    assert BackendResult.from_dict(result).get_counts().total() == 100
    [job] = [it for it in connected.jobs() if is_run(it, limited["job_name"])]
    assert 5 < job["cost"] <= COST
    assert balance(workflow) == (0, round(job["cost"], 6), 1)
    [program] = get_job_payload(job["id"]).programs
    assert program.options == {"max_cost": 6}


def is_run(job: dict, name: str) -> bool:
    return job["name"] == name and job["cost"] is not None


def unchanged():
    g = Graph(TKR[BackendResultType], TKR[BackendResultType])
    return g.finish_with_outputs(g.inputs)


def test_parts_reserve_one_by_one_and_the_one_that_does_not_fit_is_not_uploaded(
    connected, workflow
):
    name = str(workflow.workflow_id)
    inputs = branches.inputs(name)
    inputs |= {"circuits": inputs["circuits"] * 3, "n_shots": [100] * 3}
    graph = nexus_submit_and_poll_batched(1, max_jobs=3, polling_interval=0.2)
    connected.progress = Progress.seconds(queued=1e6)
    executor = InProcessExecutor(workflow)
    refusal = rf"Job '{name} \(part 3 of 3\)' would cost about 5\.62 HQC, and 1 of the "
    with budget(hqc=2 * COST + 1), pytest.raises(WorkflowFailedError, match=refusal):
        run(graph, inputs, workflow, executor)
    assert balance(workflow) == (round(2 * COST, 6), 0, 2)
    assert len(connected.requests(method="POST", path="/api/circuits/v1beta2")) == 2
    connected.clear_progress()
    with budget(hqc=3 * COST):
        resume(workflow, executor)
    assert balance(workflow) == (0, round(3 * COST, 6), 3)
    submitted = [it for it in connected.jobs() if it["name"].startswith(name)]
    assert len(submitted) == 3


def test_jobs_of_several_kinds_charge_one_budget(connected, workflow):
    name = f"kinds {uuid4()}"
    [circuit] = branches.inputs(name)["circuits"]
    inputs = branches.inputs(name)
    del inputs["circuits"]
    inputs |= {
        "programs": [bell_qir(), circuit],
        "n_shots": [10, 100],
        "n_qubits": [2, 2],
        "max_cost": [8.0, None],
        "max_job_cost": 14.0,
        "budget": budget(hqc=14, name="own"),
    }
    graph = nexus_submit_programs(0.2, inputs=LimitedProgramsInputs)
    executor = InProcessExecutor(workflow)
    with pytest.raises(WorkflowFailedError, match=r"13\.62 HQC, above its limit of 13"):
        run(graph, {**inputs, "max_job_cost": 13.0}, workflow, executor)
    assert not [it for it in connected.requests(method="POST") if "qir" in it.path]
    storage = storage_of(str(workflow.tkr_dir), str(uuid4()))
    run(graph, inputs, storage, InProcessExecutor(storage))
    costs = [job["cost"] for job in connected.jobs() if job["name"].startswith(name)]
    assert len(costs) == 2
    assert balance(storage) == (0, round(sum(costs), 6), 2)


MACHINE = branches.inputs("")["backend_config"]
HELIOS = {"n_qubits": None, "backend_config": HeliosConfig(system_name="Helios-1E")}
REFUSED = {
    "batched": (
        nexus_submit_and_poll_batched(1, inputs=LimitedJobInputs),
        {"circuits": [branches.NATIVE] * 2, "n_shots": [100] * 2, "max_job_cost": 11.0},
        r"costs about 11\.24 HQC, above its limit of 11",
    ),
    "in parts": (
        nexus_submit_in_parts(1, inputs=LimitedJobInputs),
        {"circuits": [branches.NATIVE], "n_shots": [100], "max_cost": [5.5]},
        r"Program 0 costs about 5\.62 HQC, above its max_cost of 5\.5",
    ),
    "compiling": (
        nexus_compile_submit_and_poll(inputs=LimitedJobInputs),
        {"circuits": [branches.NATIVE] * 2, "n_shots": [100] * 2, "max_job_cost": 9.0},
        r"costs at least 10\.00 HQC, above its limit of 9",
    ),
    "compiled here": (
        nexus_compile_submit_and_poll(compile="local", inputs=LimitedJobInputs),
        {"circuits": [branches.NATIVE] * 2, "n_shots": [100] * 2},
        r"would cost about 11\.24 HQC, and 10 of the 10 HQC",
    ),
    "HUGR": (
        nexus_submit_hugr(inputs=LimitedHugrJobInputs),
        {"hugr_packages": [guppy_coin.package()] * 3, "n_shots": [9] * 3} | HELIOS,
        r"would cost at least 15 HQC, and 10 of the 10 HQC",
    ),
    "QIR": (
        nexus_submit_qir(inputs=LimitedQirJobInputs),
        {"qir_programs": [bell_qir()], "n_shots": [9], "max_job_cost": 9.0} | HELIOS,
        "may cost 9 HQC at most, and the cost of program 0 cannot be estimated before",
    ),
    "expectation values": (
        nexus_expectation_values(inputs=LimitedExpectationInputs),
        {
            "circuit": Circuit(2).PhasedX(0.5, 0.5, 0),
            "parameters": [{}],
            "operator": QubitPauliOperator(
                {QubitPauliString({Qubit(0): one}): 1.0 for one in (Pauli.X, Pauli.Z)}
            ),
            "n_shots": 100,
        },
        r"Job 'refused' would cost about 10\.\d\d HQC, and 10 of the 10 HQC",
    ),
}


@pytest.mark.parametrize(("graph", "inputs", "words"), REFUSED.values(), ids=REFUSED)
def test_what_is_too_much_for_a_graph_is_refused_before_its_upload(
    connected, workflow, graph, inputs, words
):
    given = {
        "project_name": "tests of branches",
        "job_name": "refused",
        "backend_config": MACHINE,
        "max_cost": None,
        "max_job_cost": None,
        "budget": budget(hqc=10),
        **inputs,
    }
    if "operator" in inputs:
        del given["max_cost"]
    with pytest.raises(WorkflowFailedError, match=words):
        run(graph, given, workflow, InProcessExecutor(workflow))
    posted = {request.path for request in connected.requests(method="POST")}
    assert posted <= {"/api/projects/v1beta2"}


def test_a_workflow_in_memory_needs_a_place_for_its_budget():
    storage = InMemoryStorage(uuid4())
    inputs = branches.inputs("in memory")
    with budget(hqc=10), pytest.raises(InvalidInputError, match="give a path"):
        run(
            nexus_submit_and_poll(0.2),
            inputs,
            storage,
            InMemoryExecutor(REGISTRY_PATH, storage),
        )
