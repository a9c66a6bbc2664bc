"""Limits and budgets of jobs: what is refused, reserved, given back and billed."""

from uuid import uuid4

import pytest
import qnexus as qnx
from pytket.circuit import Circuit
from quantinuum_schemas.models.backend_config import HeliosConfig, QuantinuumConfig
from tests.local_nexus.simulators.test_hybrid import bell_qir

from local_nexus import Fault, Progress
from tkr_nexus_worker import (
    BudgetExceededError,
    InvalidInputError,
    NexusRefusedError,
    NexusUnavailableError,
    budget,
    jobs,
    programs,
    results,
    tasks,
)
from tkr_nexus_worker.jobs.parts import split_programs, submit_part
from tkr_nexus_worker.nexus.idempotency import Doubt, digest_in
from tkr_runtime.jobs.budget import Budget, attach, ledgers_of_workflow
from tkr_runtime.jobs.ledger import Ledger

PROJECT = "tests of budgets"
# Without noise it is simulated fast.
MACHINE = QuantinuumConfig(device_name="H2-1", noisy_simulation=False)
NATIVE = Circuit(2, name="native").PhasedX(0.5, 0.5, 0).ZZPhase(0.5, 0, 1).measure_all()
COST = 5 + 100 * (1 + 10 + 5 * 4) / 5000  # 100 shots
POST = {"method": "POST", "path": "/api/jobs/v1beta3"}


@pytest.fixture(scope="module")
def uploaded(shared_nexus):
    return []


@pytest.fixture
def circuit(connected, uploaded):
    """The circuit on Nexus, uploaded once for all tests."""
    if not uploaded:
        uploaded.append(programs.upload_circuit(NATIVE, PROJECT))
    connected.clear_requests()
    return uploaded[0]


@pytest.fixture
def submit(connected, circuit):
    """Submit a job of 5.62 HQC."""

    def submit(name: str | None = None, **options):
        name = name or f"job {uuid4()}"
        return jobs.start_execute_job(
            PROJECT, name, [circuit], [100], MACHINE, **options
        )

    return submit


@pytest.fixture
def shared(tmp_path):
    """A budget for two such jobs and not for three."""
    return budget(hqc=12, path=str(tmp_path / "ledger"))


def balance(shared) -> tuple[float, float]:
    found = Ledger(shared.file(None)).balance()
    return found.reserved, found.spent


def posted(connected) -> int:
    return len(connected.requests(**POST))


def test_jobs_reserve_before_they_are_sent_and_settle_when_they_end(
    connected, submit, shared
):
    connected.progress = Progress.seconds(queued=1e6)
    with shared:
        first, second = submit(), submit()
        assert balance(shared) == (pytest.approx(2 * COST), 0)
        with pytest.raises(
            BudgetExceededError, match=r"would cost about 5\.62 HQC, an"
        ):
            submit()
        assert posted(connected) == 2
        connected.clear_progress()
        for job in (first, second):
            jobs.wait_until_complete(job, poll_interval=0.1)
    assert balance(shared) == (0, pytest.approx(2 * COST))


def test_a_free_job_reserves_nothing(connected, circuit, shared):
    config = QuantinuumConfig(device_name="H2-1LE")
    with shared:
        job = jobs.start_execute_job(PROJECT, "free", [circuit], [1000], config)
        jobs.wait_until_complete(job, poll_interval=0.1)
    assert balance(shared) == (0, 0)


@pytest.mark.parametrize(
    ("limits", "words"),
    [
        ({"max_job_cost": 5.6}, r"costs about 5\.62 HQC, above its limit of 5\.6"),
        ({"max_cost": [5.6]}, r"Program 0 costs about 5\.62 HQC, above its max_cost"),
        ({"max_job_cost": 4}, r"costs about 5\.62 HQC, above its limit of 4"),
        ({"max_job_cost": -1}, "max_job_cost is -1; give a number"),
    ],
)
def test_a_job_above_a_limit_is_refused_before_it_is_sent(
    connected, submit, shared, limits, words
):
    with shared, pytest.raises(InvalidInputError, match=words):
        submit(**limits)
    assert posted(connected) == 0


def test_a_cost_that_is_not_known_needs_a_limit_which_is_reserved(
    connected, circuit, shared
):
    unknown = QuantinuumConfig(device_name="H9-1")
    job = (PROJECT, "unknown", [circuit], [100], unknown)
    with shared:
        with pytest.raises(
            InvalidInputError, match="give max_cost, the most that each"
        ):
            jobs.start_execute_job(*job)
        assert posted(connected) == 0
        jobs.start_execute_job(*job, max_cost=[7])
    assert balance(shared) == (7, 0)


def test_a_budget_without_a_place_is_refused(connected, submit):
    with budget(hqc=10), pytest.raises(InvalidInputError, match="give a path"):
        submit()
    for wrong in (0, -1, float("nan"), float("inf"), 1e14):
        with pytest.raises(InvalidInputError, match="give an amount above 0"):
            budget(hqc=wrong)
    with pytest.raises(InvalidInputError, match="cannot name a budget"):
        budget(hqc=1, name="../elsewhere")


def test_a_relative_path_means_the_same_ledger_in_each_working_directory(
    tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    given = budget(hqc=10, path="ledger")
    monkeypatch.chdir("/")
    sent_to_a_task = Budget.model_validate_json(given.model_dump_json())
    assert sent_to_a_task.file(None) == given.file(None) == tmp_path / "ledger"


def test_a_submission_that_nexus_refuses_gives_its_reservation_back(
    connected, submit, shared
):
    refusal = Fault("answer", status=403, body={"message": "no"}, times=1, **POST)
    with shared, connected.fault(refusal), pytest.raises(NexusRefusedError):
        submit()
    assert balance(shared) == (0, 0)


def test_a_submission_without_an_answer_keeps_its_reservation(
    connected, submit, shared, node, monkeypatch
):
    monkeypatch.setenv("TKR_NEXUS_SETTLE_TIME", "0.05")
    monkeypatch.setenv("TKR_NEXUS_RETRY_TIME", "0.2")
    lost = Fault("drop", when="before", **POST)
    with connected.fault(lost), pytest.raises(NexusUnavailableError):
        submit("a job", budget=shared)
    assert balance(shared) == (pytest.approx(COST), 0)
    job = submit("a job", budget=shared)
    assert balance(shared) == (pytest.approx(COST), 0)
    jobs.wait_until_complete(job, poll_interval=0.1)
    assert balance(shared) == (0, pytest.approx(COST))
    assert balance(shared)[1] == pytest.approx(jobs.get_job_status(job).cost)


def test_a_task_that_runs_again_reserves_once_and_anew_after_a_failed_job(
    connected, submit, shared, node, monkeypatch
):
    monkeypatch.setenv("TKR_NEXUS_SETTLE_TIME", "0.05")
    connected.progress = Progress.seconds(queued=1e6)
    first = submit("a job", budget=shared)
    assert submit("a job", budget=shared).id == first.id
    assert balance(shared) == (pytest.approx(COST), 0)
    connected.set_job_status(first.id, "ERROR")  # it never ran
    second = submit("a job", budget=shared)
    assert second.id != first.id
    assert balance(shared) == (pytest.approx(COST), 0)


def test_a_late_double_that_ran_is_billed_to_the_budget(
    connected, submit, circuit, shared, node, monkeypatch
):
    monkeypatch.setenv("TKR_NEXUS_SETTLE_TIME", "0.1")
    job = submit("a job", budget=shared)
    Doubt(digest_in(job.annotations.description)).record()
    late = qnx.start_execute_job(
        [circuit],
        n_shots=[100],
        backend_config=MACHINE,
        name="a job",
        description=job.annotations.description,
        project=job.project,
    )
    jobs.wait_until_complete(late, poll_interval=0.1)
    jobs.wait_until_complete(job, poll_interval=0.1)
    assert balance(shared) == (0, pytest.approx(2 * COST))


def test_a_bill_above_the_reservation_is_a_warning_and_stops_the_next_job(
    connected, submit, shared, caplog
):
    with shared:
        job = submit()
        ledger = Ledger(shared.file(None))
        [entry] = ledger.balance().entries
        ledger.bill(str(job.id), 0)
        other = submit()
        with pytest.MonkeyPatch.context() as patch:
            status = jobs.wait_until_complete(other, poll_interval=0.1)
            patch.setattr(Ledger, "bill", lambda *_: 5)
            jobs.duplicates.settle_budgets(other.annotations.description, status)
    assert entry.what.startswith("Job 'job")
    assert f"({other.id}) cost 5.62 HQC, and 5.00 were reserved" in caplog.text


def test_a_job_that_never_ran_gives_its_reservation_back_and_one_that_ran_does_not(
    connected, submit, shared
):
    connected.progress = Progress.seconds(queued=1e6)
    with shared:
        never, ran = submit(), submit()
        jobs.cancel_job(never)
        jobs.wait_until_complete(never, poll_interval=0.1, allow_failed=True)
        assert balance(shared) == (pytest.approx(COST), 0)
        connected.set_job_status(ran.id, "RUNNING")
        connected.set_job_status(ran.id, "ERROR")
        jobs.wait_until_complete(ran, poll_interval=0.1, allow_failed=True)
    assert balance(shared) == (pytest.approx(COST), 0)


def test_programs_that_run_again_reserve_again(connected, submit, shared):
    connected.progress = Progress.seconds(queued=1e6)
    with shared:
        job = submit()
        connected.set_job_status(job.id, "ERROR")
        jobs.retry_job(job)
        assert balance(shared) == (pytest.approx(COST), 0)
        submit()
        connected.set_job_status(job.id, "RUNNING")
        connected.set_job_status(job.id, "ERROR")
        with pytest.raises(BudgetExceededError, match="The retry of job"):
            jobs.retry_job(job)
    assert len(connected.requests(method="POST", path="*/rpc/retry")) == 1


def test_a_workflow_keeps_its_own_budget_and_shares_another(
    connected, submit, shared, node, monkeypatch
):
    monkeypatch.setenv("TKR_NEXUS_SETTLE_TIME", "0.05")
    own = budget(hqc=6, name="own")
    submit("first", budget=own)
    with pytest.raises(BudgetExceededError, match="of the budget 'own' are left"):
        submit("second", budget=own)
    submit("second", budget=shared)
    submit("second", budget=shared)
    found = [one.balance() for one in ledgers_of_workflow(node.parent)]
    assert [(one.name, len(one.entries)) for one in found] == [
        ("budget", 1),
        ("own", 1),
    ]
    with pytest.raises(InvalidInputError, match="there already with 6 HQC, and 7"):
        submit("third", budget=budget(hqc=7, name="own"))


def test_results_settle_what_no_wait_has_seen(connected, submit, shared):
    with shared:
        job = submit()
        while jobs.get_job_status(job).phase == "waiting":
            pass
        assert balance(shared) == (pytest.approx(COST), 0)
        results.get_results(job)
    assert balance(shared) == (0, pytest.approx(COST))


def test_a_job_is_refused_and_reserved_before_its_upload(connected, node, shared):
    job = (PROJECT, "a job", [NATIVE, NATIVE], [100, 100], MACHINE)
    with pytest.raises(BudgetExceededError, match=r"11\.24 HQC, above its limit of 11"):
        tasks.prepare_job(*job, max_job_cost=11)
    small = budget(hqc=11, name="small")
    with pytest.raises(BudgetExceededError, match=r"and 11 of the 11 HQC"):
        tasks.prepare_job(*job, budget=small)
    assert connected.requests(method="POST") == []
    tasks.prepare_job(*job, budget=shared)
    tasks.prepare_job(*job, budget=shared)
    assert balance(shared) == (pytest.approx(2 * COST), 0)


def test_the_submission_takes_what_its_preparation_reserved(connected, node, shared):
    job = (PROJECT, f"job {uuid4()}")
    tasks.prepare_job(*job, [NATIVE], [100], MACHINE, budget=shared)
    circuit = programs.upload_circuit(NATIVE, PROJECT)
    connected.clear_requests()
    jobs.start_execute_job(*job, [circuit], [100], MACHINE, budget=shared)
    assert balance(shared) == (pytest.approx(COST), 0)
    downloads = connected.requests(path=f"/api/circuits/v1beta2/{circuit.id}")
    assert downloads == []


UPLOADS_OF_QIR = {"method": "POST", "path": "/api/qir/v1beta*"}
HELIOS = HeliosConfig(system_name="Helios-1E")


@pytest.fixture
def submit_qir(connected, node, monkeypatch):
    """Upload and submit a QIR program as the graphs do."""
    monkeypatch.setenv("TKR_NEXUS_SETTLE_TIME", "0.05")

    def submit_qir(name: str, **options):
        max_cost = options.pop("max_cost", None)
        [part] = split_programs(
            PROJECT, name, [bell_qir()], [10], HELIOS, n_qubits=[2], max_cost=max_cost
        )
        return submit_part(PROJECT, part, HELIOS, **options)

    return submit_qir


@pytest.mark.parametrize(
    ("limit", "max_cost", "words"),
    [
        (12, [13.0], r"Job 'qir' would cost about 13 HQC, and 12 of the 12 HQC"),
        (4, None, r"Job 'qir' would cost at least 5 HQC, and 4 of the 4 HQC"),
        (12, [3.0], r"Program 0 costs at least 5 HQC, above its max_cost of 3:"),
    ],
)
def test_programs_that_nexus_estimates_are_refused_before_upload_where_that_is_known(
    connected, submit_qir, tmp_path, limit, max_cost, words
):
    too_small = budget(hqc=limit, path=str(tmp_path / "ledger"))
    with pytest.raises(BudgetExceededError, match=words):
        submit_qir("qir", max_cost=max_cost, budget=too_small)
    assert connected.requests(**UPLOADS_OF_QIR) == []
    assert balance(too_small) == (0, 0)


def test_a_largest_cost_is_reserved_before_the_upload_and_nothing_is_estimated(
    connected, submit_qir, shared
):
    connected.progress = Progress.seconds(queued=1e6)
    refusal = Fault("answer", status=403, body={"message": "no"}, **UPLOADS_OF_QIR)
    with connected.fault(refusal), pytest.raises(NexusRefusedError):
        submit_qir("qir", max_cost=[7.0], budget=shared)
    assert balance(shared) == (7, 0)
    submit_qir("qir", max_cost=[7.0], budget=shared)
    assert balance(shared) == (7, 0)
    assert posted(connected) == 1  # no costing job


def test_what_is_known_after_the_upload_takes_the_place_of_the_least(
    connected, submit_qir, tmp_path
):
    fits = budget(hqc=5.1, path=str(tmp_path / "ledger"))
    job, _ = submit_qir("qir", budget=fits)
    [entry] = Ledger(fits.file(None)).balance().entries
    assert 5 < entry.reserved < 5.1
    again, _ = submit_qir("qir", budget=fits)
    assert again.id == job.id
    assert balance(fits) == (entry.reserved, 0)
    full = budget(hqc=entry.reserved + 5.01, path=fits.path)
    Ledger(fits.file(None)).set_limit(full.limit)
    with pytest.raises(BudgetExceededError, match=r"'second' would cost about 5\.\d\d"):
        submit_qir("second", budget=fits)
    assert balance(fits) == (entry.reserved, 0)


def test_what_a_compilation_makes_reserves_the_least_first_and_then_its_cost(
    connected, circuit, node, tmp_path
):
    job = (PROJECT, f"job {uuid4()}")
    first = budget(hqc=4.9, path=str(tmp_path / "first"))
    with pytest.raises(BudgetExceededError, match=r"at least 5 HQC, and 4\.90 of"):
        tasks.prepare_compilation(*job, [NATIVE], MACHINE, n_shots=[100], budget=first)
    assert connected.requests(method="POST") == []
    second = budget(hqc=5.5, path=str(tmp_path / "second"))
    tasks.prepare_compilation(*job, [NATIVE], MACHINE, n_shots=[100], budget=second)
    assert balance(second) == (5, 0)
    compiled = (*job, [circuit], [100], MACHINE)
    with pytest.raises(BudgetExceededError, match=r"about 5\.62 HQC, and 5\.50 of"):
        jobs.start_execute_job(*compiled, budget=second)
    assert balance(second) == (0, 0)
    assert posted(connected) == 0
    Ledger(second.file(None)).set_limit(6)
    jobs.start_execute_job(*compiled, budget=second)
    assert balance(second) == (pytest.approx(COST), 0)


def test_a_compilation_for_a_device_without_exact_costs_reserves_the_limit(
    connected, node, shared
):
    for number, config in enumerate((HELIOS, QuantinuumConfig(device_name="H9-1"))):
        job = (PROJECT, f"job {number}", [NATIVE], config)
        limits = {"max_cost": [6.0], "budget": shared}
        tasks.prepare_compilation(*job, n_shots=[100], **limits)
    assert balance(shared) == (12, 0)
    with pytest.raises(InvalidInputError, match="give max_cost, the most that each"):
        tasks.prepare_compilation(*job, n_shots=[99], budget=shared)


def test_a_part_of_a_run_is_refused_before_its_upload(connected, node):
    with budget(hqc=6):
        attach(node.parent)

    def submit(name: str):
        [part] = split_programs(PROJECT, name, [NATIVE], [100], MACHINE)
        return submit_part(PROJECT, part, MACHINE)

    submit("first")
    uploads = {"method": "POST", "path": "/api/circuits/v1beta2"}
    assert len(connected.requests(**uploads)) == 1
    with pytest.raises(BudgetExceededError, match="Job 'second' would cost about"):
        submit("second")
    assert len(connected.requests(**uploads)) == 1
    [ledger] = ledgers_of_workflow(node.parent)
    assert [entry.state for entry in ledger.balance().entries] == ["submitted"]


def test_without_limits_and_budgets_nothing_is_estimated(connected, submit, node):
    connected.clear_requests()
    submit()
    assert connected.requests(path="*available_devices*") == []
    assert not (node.parent / "_budgets").exists()
