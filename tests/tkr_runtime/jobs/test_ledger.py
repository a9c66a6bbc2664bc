"""What is reserved and spent never exceeds a budget, whoever asks and is killed."""

import json
import sqlite3
import stat
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    invariant,
    rule,
    run_state_machine_as_test,
)
from tests.helpers.repetition import SEED, soak

from tkr_runtime.errors import (
    BudgetExceededError,
    CheckpointError,
    InvalidInputError,
)
from tkr_runtime.jobs.ledger import Ledger, Preparation

SPENDER = Path(__file__).with_name("spender.py")


@pytest.fixture
def ledger(tmp_path) -> Ledger:
    return Ledger.create(tmp_path / "ledger", "tests", 10, "HQC")


def balance(ledger: Ledger) -> tuple[float, float, float]:
    found = ledger.balance()
    return found.reserved, found.spent, found.left


AMOUNTS = st.integers(1, 60).map(lambda tenths: tenths / 10)


class Spending(RuleBasedStateMachine):
    """Ten tasks that reserve, submit, fail, end and run again in any order."""

    keys = Bundle("keys")
    limit = 10.0

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        path = Path(self.folder.name, "ledger")
        self.ledger = Ledger.create(path, "tests", self.limit, "HQC")
        self.held: dict[str, float] = {}  # by the key of what nobody has billed
        self.amounts: dict[str, float] = {}
        self.job_of: dict[str, str] = {}  # the job of a key, once there is one
        self.billed: dict[str, float] = {}
        self.jobs = 0

    def teardown(self) -> None:
        self.folder.cleanup()

    def used(self) -> float:
        return round(sum(self.held.values()) + sum(self.billed.values()), 6)

    @rule(target=keys, number=st.integers(0, 9), amount=AMOUNTS)
    def reserve(self, number: int, amount: float) -> str:
        key = f"key-{number}"
        fits = round(self.used() + amount, 6) <= self.limit
        if key in self.held and key not in self.job_of:
            self.ledger.reserve(key, amount, "a job")  # it holds its amount already
            return key
        if not fits:
            with pytest.raises(BudgetExceededError):
                self.ledger.reserve(key, amount, "a job")
            return key
        self.ledger.reserve(key, amount, "a job")
        if key in self.job_of:  # an earlier job holds on
            job = self.job_of.pop(key)
            if key in self.held:
                self.held[job] = self.held.pop(key)
        self.held[key] = self.amounts[key] = amount
        return key

    @rule(key=keys, amount=AMOUNTS)
    def increase(self, key: str, amount: float) -> None:
        is_open = key in self.held and key not in self.job_of
        more = round(amount - self.held.get(key, 0.0), 6)
        if is_open and round(self.used() + more, 6) > self.limit:
            with pytest.raises(BudgetExceededError):
                self.ledger.increase(key, amount, "a job")
            return
        self.ledger.increase(key, amount, "a job")
        if is_open and more > 0:
            self.held[key] = self.amounts[key] = amount

    @rule(key=keys)
    def release(self, key: str) -> None:
        released = self.ledger.release(key)
        assert released == (key in self.held and key not in self.job_of)
        if released:
            del self.held[key]

    @rule(key=keys)
    def submit(self, key: str) -> None:
        if key not in self.held or key in self.job_of:
            return
        self.jobs += 1
        self.job_of[key] = f"job-{self.jobs}"
        self.ledger.submitted(key, self.job_of[key], 99, "a job")

    @rule(key=keys, share=st.sampled_from([None, 0.5, 1.0]))
    def end(self, key: str, share: float | None) -> None:
        job = self.job_of.get(key)
        if job is None or key not in self.held:
            return
        cost = None if share is None else round(self.amounts[key] * share, 6)
        assert self.ledger.bill(job, cost) == self.held.pop(key)
        self.billed[job] = cost or 0.0

    @rule(limit=st.integers(5, 20))
    def raise_or_lower_the_limit(self, limit: int) -> None:
        with suppress(InvalidInputError):
            self.ledger.set_limit(limit)
            self.limit = limit

    @invariant()
    def no_more_than_the_budget_is_used(self) -> None:
        found = self.ledger.balance()
        assert found.reserved + found.spent <= found.limit == self.limit
        assert found.reserved == pytest.approx(sum(self.held.values()))
        assert found.spent == pytest.approx(sum(self.billed.values()))
        assert found.reserved == pytest.approx(sum(e.reserved for e in found.entries))
        assert found.spent == pytest.approx(sum(e.spent for e in found.entries))


@pytest.mark.parametrize("examples", [8, soak(500)])
def test_no_order_of_steps_uses_more_than_the_budget(examples):
    run_state_machine_as_test(
        Spending,
        settings=settings(
            max_examples=examples,
            stateful_step_count=20,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


@pytest.mark.parametrize("repetition", [0, *map(soak, range(1, 20))])
def test_branches_that_are_killed_at_every_step_use_no_more_than_the_budget(
    tmp_path, repetition
):
    cloud = tmp_path / "cloud"
    cloud.mkdir()
    # Ten branches of 3 HQC each that cost 2: seven fit whoever comes first, at most.
    ledger = Ledger.create(tmp_path / "ledger", "tests", 16, "HQC")
    ran = subprocess.run(
        [sys.executable, SPENDER, ledger.path, cloud, f"{SEED} {repetition}"],
        capture_output=True,
        text=True,
        timeout=200,
    )
    assert ran.returncode == 0, ran.stderr
    found = json.loads(ran.stdout)
    assert found["most"] <= 16
    assert found["kills"] >= 30
    assert found["jobs"] + found["refused"] == 10
    assert 5 <= found["jobs"] <= 7
    assert balance(ledger) == (0, 2 * found["jobs"], 16 - 2 * found["jobs"])


def test_of_ten_that_ask_at_once_those_that_fit_get_their_amount(ledger):
    def ask(number: int) -> bool:
        with suppress(BudgetExceededError):
            Ledger(ledger.path).reserve(f"key-{number}", 3, "a job")
            return True
        return False

    with ThreadPoolExecutor(10) as pool:
        assert sum(pool.map(ask, range(10))) == 3
    assert balance(ledger) == (9, 0, 1)


def test_a_refusal_says_what_it_costs_and_what_is_left(ledger):
    ledger.reserve("a", 7.5, "Job 'first'")
    with pytest.raises(BudgetExceededError) as caught:
        ledger.reserve("b", 4, "Job 'second'")
    assert str(caught.value) == (
        "Job 'second' would cost about 4 HQC, and 2.50 of the 10 HQC of the budget "
        "'tests' are left (0 spent, 7.50 reserved); submit less, or raise the budget."
    )


def test_a_reservation_grows_to_what_is_left_and_its_own_and_never_shrinks(ledger):
    ledger.prepare("a", 5, "Job 'first'", Preparation("job", "-.M1.N0"), is_least=True)
    ledger.increase("a", 9, "Job 'first'")
    ledger.increase("a", 6, "Job 'first'")
    assert balance(ledger) == (9, 0, 1)
    with pytest.raises(BudgetExceededError, match="about 11 HQC, and 10 of the 10 HQC"):
        ledger.increase("a", 11, "Job 'first'")
    assert balance(ledger) == (9, 0, 1)
    with pytest.raises(BudgetExceededError, match="'second' would cost at least 2 HQC"):
        ledger.check(2, "Job 'second'", is_least=True)
    ledger.submitted("a", "job", 9, "Job 'first'")
    ledger.increase("a", 10, "Job 'first'")
    assert balance(ledger) == (9, 0, 1)


def test_a_tenth_thirty_times_is_three(ledger):
    ledger.set_limit(3)
    for number in range(30):
        ledger.reserve(str(number), 0.1, "a job")
    assert balance(ledger) == (3, 0, 0)


def test_a_bill_above_the_reservation_is_spent_and_stops_further_submissions(ledger):
    ledger.reserve("a", 4, "a job")
    ledger.submitted("a", "job", 4, "a job")
    assert ledger.bill("job", 12) == 4
    assert balance(ledger) == (0, 12, -2)
    with pytest.raises(BudgetExceededError, match="0 of the 10 HQC"):
        ledger.reserve("b", 0.1, "a job")


def test_a_bill_that_is_seen_twice_counts_once_and_a_higher_one_replaces_it(ledger):
    ledger.reserve("a", 4, "a job")
    ledger.submitted("a", "job", 4, "a job")
    assert [ledger.bill("job", cost) for cost in (2, 2, 3, 1)] == [4, None, None, None]
    assert balance(ledger) == (0, 3, 7)


def test_a_job_that_is_made_anew_reserves_anew_and_the_first_stays_billed(ledger):
    ledger.reserve("a", 4, "a job")
    ledger.submitted("a", "first", 4, "a job")
    ledger.bill("first", 3)
    ledger.reserve("a", 4, "a job")
    ledger.submitted("a", "second", 4, "a job")
    assert balance(ledger) == (4, 3, 3)
    ledger.bill("second", 4)
    with pytest.raises(BudgetExceededError):
        ledger.reserve("a", 4, "a job")
    assert [one.job_id for one in ledger.balance().entries] == ["first", "second"]


def test_a_late_double_holds_as_much_as_its_job_and_is_billed(ledger):
    ledger.reserve("a", 4, "a job")
    ledger.submitted("a", "job", 4, "a job")
    ledger.also_ran("a", "double", "a double")
    ledger.also_ran("a", "double", "a double")
    assert balance(ledger) == (8, 0, 2)
    ledger.bill("double", 3)
    ledger.bill("job", 4)
    assert balance(ledger) == (0, 7, 3)


def test_a_job_of_a_killed_task_that_has_failed_takes_the_reservation(ledger):
    ledger.reserve("a", 6, "a job")
    ledger.also_ran("a", "failed", "a job")
    ledger.bill("failed", 5)
    with pytest.raises(BudgetExceededError):
        ledger.reserve("a", 6, "a job")
    assert balance(ledger) == (0, 5, 5)


def test_a_job_that_was_there_before_the_budget_counts(ledger):
    ledger.submitted("a", "job", 12, "a job")
    assert balance(ledger) == (12, 0, -2)


def test_a_reservation_is_found_in_the_graph_around_a_submission(ledger):
    for branch in range(2):
        found = Preparation("job", f"-.M{branch}.N0")
        ledger.prepare(f"prepare-{branch}", 1 + branch, "a job", found)
        ledger.prepare(f"prepare-{branch}", 1 + branch, "a job", found)
    assert ledger.claim("x", Preparation("another", "-.M1.N3")) is None
    assert ledger.claim("x", Preparation("job", "-.N3")) is None
    assert ledger.claim("x", Preparation("job", "-.M1.N4.L0.N2")) == 2
    assert ledger.claim("x", Preparation("job", "-.M1.N4.L0.N2")) == 2
    assert ledger.claim("y", Preparation("job", "-.M1.N4.L0.N2")) is None
    assert balance(ledger) == (3, 0, 7)
    ledger.prepare("prepare-1", 2, "a job", Preparation("job", "-.M1.N0"))
    assert balance(ledger) == (3, 0, 7)


def test_programs_that_run_again_reserve_again_and_their_first_run_stays_spent(ledger):
    ledger.reserve("a", 4, "a job")
    ledger.submitted("a", "job", 4, "a job")
    ledger.bill("job", 4)
    for _ in range(2):  # the task may be killed before it sends the request
        ledger.reserve_again("again", "job", 1.5, "a retry")
    assert balance(ledger) == (4, 4, 2)
    ledger.bill("job", 4)  # the end of the first run is seen again
    assert balance(ledger) == (4, 5.5, 0.5)
    assert ledger.expects_run("job")
    ledger.runs_again("job")
    assert not ledger.expects_run("job")
    ledger.bill("job", 4.5)
    assert balance(ledger) == (0, 6, 4)


def test_a_first_run_that_nobody_has_billed_counts_as_spent(ledger):
    ledger.reserve("a", 4, "a job")
    ledger.submitted("a", "job", 4, "a job")
    ledger.reserve_again("again", "job", 0, "a retry")
    assert balance(ledger) == (4, 4, 2)
    ledger.runs_again("job")
    with pytest.raises(BudgetExceededError):
        ledger.reserve_again("once more", "job", 0, "a retry")
    assert balance(ledger) == (4, 4, 2)


def test_a_limit_below_what_is_used_is_refused(ledger):
    ledger.reserve("a", 4, "a job")
    with pytest.raises(InvalidInputError, match="3 HQC is too small: 4 HQC"):
        ledger.set_limit(3)
    ledger.set_limit(4)
    assert balance(ledger) == (4, 0, 0)


def test_one_ledger_has_one_limit(ledger):
    assert balance(Ledger.create(ledger.path, "tests", 10, "HQC")) == (0, 0, 10)
    with pytest.raises(InvalidInputError, match="there already with 10 HQC, and 11"):
        Ledger.create(ledger.path, "tests", 11, "HQC")


def test_a_ledger_that_cannot_be_used_is_refused_in_a_sentence(ledger, tmp_path):
    ledger.path.write_bytes(b"not a ledger at all" * 100)
    for broken in (ledger, Ledger(tmp_path / "missing"), Ledger(tmp_path)):
        with pytest.raises(CheckpointError, match=r"cannot be used .*nothing is sub"):
            broken.reserve("a", 1, "a job")
    with pytest.raises(CheckpointError, match="cannot be used"):
        Ledger.create(tmp_path / "no folder" / "ledger", "tests", 10, "HQC")


def test_only_its_owner_may_read_a_ledger(ledger):
    assert stat.S_IMODE(ledger.path.stat().st_mode) == 0o600


def test_a_ledger_that_is_locked_for_too_long_is_refused(ledger, monkeypatch):
    monkeypatch.setattr("tkr_runtime.jobs.ledger_file._LOCK_SECONDS", 0.05)
    other = sqlite3.connect(ledger.path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(CheckpointError, match="locked"):
        ledger.reserve("a", 1, "a job")
    other.close()


@pytest.mark.parametrize("limit", [1e14, float("inf")])
def test_a_limit_that_cannot_be_counted_is_refused(ledger, limit):
    with pytest.raises(InvalidInputError, match="too large; give at most 1e\\+12"):
        ledger.set_limit(limit)
    ledger.set_limit(1e12)
    assert balance(ledger) == (0, 0, 1e12)
