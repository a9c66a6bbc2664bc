"""Keep limits of cost and budgets when a job is prepared, submitted and billed."""

import logging
from collections.abc import Callable, Sequence
from typing import Any, Literal

from qnexus.models import BackendConfig

from tkr_nexus_worker.costs.estimates import (
    CostEstimate,
    estimate_later,
    is_exact,
    least_cost,
)
from tkr_nexus_worker.costs.formula import LEAST_HQC
from tkr_nexus_worker.devices import DeviceDetails
from tkr_nexus_worker.errors import InvalidInputError
from tkr_nexus_worker.nexus.checks import check_cost, check_each, is_cost
from tkr_nexus_worker.nexus.idempotency import key_of
from tkr_runtime.errors import BudgetExceededError
from tkr_runtime.jobs.budget import (
    Budget,
    Spending,
    known_ledgers,
    ledgers_to_keep,
    preparation,
)
from tkr_runtime.jobs.ledger import Ledger, Preparation

logger = logging.getLogger(__name__)

_ADVICE = "give max_cost, the most that each program may cost"

type Later = Literal["estimated", "exact"]
"""How well a cost will be known that is not known before an upload."""


def check_limits(
    estimate: CostEstimate,
    max_cost: Sequence[float | None] | None,
    max_job_cost: float | None,
    *,
    is_known_later: bool = False,
) -> None:
    """Refuse a job that costs more than its owner allows.

    :param estimate: What the job is estimated to cost.
    :param max_cost: The most that each program may cost, in HQC; None for no limit.
    :param max_job_cost: The most that the job may cost, in HQC; None for no limit.
    :param is_known_later: Whether a cost that is not known yet is checked later.
    :raises BudgetExceededError: If the estimate, or the least that the job costs, is
        above a limit.
    :raises InvalidInputError: If there is a limit for the job and the cost is not
        known.
    """
    if max_cost is not None:
        for program, limit in zip(estimate.programs, max_cost, strict=True):
            if limit is not None and program.cost is not None and program.cost > limit:
                raise BudgetExceededError(
                    f"Program {program.index} costs about {program.cost:.2f} HQC, "
                    f"above its max_cost of {limit:g}: take fewer shots, or raise "
                    "max_cost."
                )
            if limit is not None and estimate.charged and limit < LEAST_HQC:
                raise BudgetExceededError(
                    f"Program {program.index} costs at least {LEAST_HQC:g} HQC, above "
                    f"its max_cost of {limit:g}: raise max_cost."
                )
    if max_job_cost is None:
        return
    amount, about = amount_of(estimate, max_cost), "about"
    if amount is None and (is_known_later or least_cost(estimate) > max_job_cost):
        amount, about = least_cost(estimate), "at least"
    if amount is None:
        raise InvalidInputError(
            f"The job may cost {max_job_cost:g} HQC at most, and {estimate.reason}; "
            f"{_ADVICE}, as well."
        )
    if amount > max_job_cost:
        raise BudgetExceededError(
            f"The job costs {about} {amount:.2f} HQC, above its limit of "
            f"{max_job_cost:g}: take fewer shots or programs, or raise the limit."
        )


def amount_of(
    estimate: CostEstimate, max_cost: Sequence[float | None] | None
) -> float | None:
    """Return what a budget has to reserve for a job.

    An estimate that is exact counts. Otherwise the most that a program may cost
    counts, which Nexus itself keeps, and where that is not given the estimate.

    :param estimate: What the job is estimated to cost.
    :param max_cost: The most that each program may cost, in HQC.
    :returns: The amount in HQC; None if it is not known.
    """
    amounts = [
        program.cost if program.is_exact or limit is None else limit
        for program, limit in zip(
            estimate.programs, max_cost or [None] * len(estimate.programs), strict=True
        )
    ]
    known = [amount for amount in amounts if amount is not None]
    return sum(known) if len(known) == len(amounts) else None


def limits_of(
    max_cost: Sequence[float | None] | None, backend_config: BackendConfig, n: int
) -> Sequence[float | None] | None:
    """Return the limit of each program; the config may have one for all.

    :param max_cost: The limits of the programs, where they were given.
    :param backend_config: Where and how they run.
    :param n: The number of programs.
    """
    in_config = getattr(backend_config, "max_cost", None)
    if max_cost is None:
        return None if in_config is None else [in_config] * n
    return [in_config if one is None else one for one in max_cost]


def check_before_upload(
    estimate: Callable[[], CostEstimate],
    backend_config: BackendConfig,
    n_programs: int,
    *,
    max_cost: Sequence[float | None] | None,
    max_job_cost: float | None,
) -> None:
    """Keep the limits of jobs that are reserved for later, before any upload.

    Without a limit, nothing is estimated.

    :param estimate: Estimates their cost.
    :param backend_config: Where and how they run.
    :param n_programs: The number of their programs.
    :param max_cost: The most that each program may cost, in HQC.
    :param max_job_cost: The most that all may cost together, in HQC.
    :raises BudgetExceededError: If they cost more than is allowed.
    :raises InvalidInputError: If their cost has to be known and is not.
    """
    _check_values(max_cost, max_job_cost, n_programs)
    if max_cost is not None or max_job_cost is not None:
        limits = limits_of(max_cost, backend_config, n_programs)
        check_limits(estimate(), limits, max_job_cost)


def check_and_reserve(
    job: Sequence[Any],
    estimate: Callable[[], CostEstimate],
    backend_config: BackendConfig,
    n_programs: int,
    *,
    max_cost: Sequence[float | None] | None,
    max_job_cost: float | None = None,
    budget: Budget | None,
    later: Later | None = None,
) -> None:
    """Keep the limits and budgets of a job before its programs are uploaded.

    Without a limit and a budget, nothing is estimated. Of a cost that is known later,
    the least that it can be is reserved.

    :param job: The names of the project and the job, and the shots.
    :param estimate: Estimates its cost.
    :param backend_config: Where and how it runs.
    :param n_programs: The number of its programs.
    :param max_cost: The most that each program may cost, in HQC.
    :param max_job_cost: The most that the job may cost, in HQC.
    :param budget: Its own budget.
    :param later: How well the cost will be known later, if it is not known yet;
        :class:`Submission` then reserves it.
    :raises BudgetExceededError: If it costs more than is allowed or left.
    :raises InvalidInputError: If its cost has to be known and is not.
    """
    _check_values(max_cost, max_job_cost, n_programs)
    ledgers = ledgers_to_keep(budget)
    if not ledgers and max_cost is None and max_job_cost is None:
        return
    limits = limits_of(max_cost, backend_config, n_programs)
    found = estimate()
    check_limits(found, limits, max_job_cost, is_known_later=later is not None)
    if not ledgers:
        return
    # A limit may be far more than what will be known to be the cost.
    amount = amount_of(found, None if later == "exact" else limits)
    is_least = amount is None and later is not None and bool(found.charged)
    if is_least:
        amount = least_cost(found)
    if amount is None:
        raise _unknown(found)
    content = _content(job, backend_config)
    key = key_of("preparation", *content)
    spending = Spending(ledgers, key.digest, f"Job {job[1]!r}")
    found_by = preparation(*content)
    if found_by is None:
        spending.check(amount, is_least=is_least)
    else:
        spending.prepare(amount, found_by, is_least=is_least)


def reserve_for_compilation(
    job: Sequence[Any],
    n_programs: int,
    device: DeviceDetails | str,
    backend_config: BackendConfig,
    *,
    max_cost: Sequence[float | None] | None,
    max_job_cost: float | None,
    budget: Budget | None,
) -> None:
    """Keep the limits and budgets of a job before its circuits are compiled.

    :param job: As for :func:`check_and_reserve`.
    :param n_programs: The number of circuits.
    :param device: The device, or why it cannot be found.
    :param backend_config: Where and how they run.
    :param max_cost: As there.
    :param max_job_cost: As there.
    :param budget: As there.
    :raises BudgetExceededError: If it costs more than is allowed or left, whatever the
        compilation makes of the circuits.
    :raises InvalidInputError: If its cost has to be known and will not be.
    """
    known = isinstance(device, DeviceDetails) and is_exact(device, backend_config)
    check_and_reserve(
        job,
        lambda: estimate_later(n_programs, device, "after the compilation"),
        backend_config,
        n_programs,
        max_cost=max_cost,
        max_job_cost=max_job_cost,
        budget=budget,
        later="exact" if known else "estimated",
    )


class Submission:
    """A submission as the budgets see it that apply to it.

    :param key: What identifies it.
    :param job: The names of the project and the job, and the shots.
    :param backend_config: Where and how it runs.
    :param budget: Its own budget.
    """

    def __init__(
        self,
        key: str,
        job: Sequence[Any],
        backend_config: BackendConfig,
        budget: Budget | None,
    ) -> None:
        ledgers = ledgers_to_keep(budget)
        self.is_budgeted = bool(ledgers)
        self._spending = Spending(ledgers, key, f"Job {job[1]!r}")
        self._later: Preparation | None = None
        if ledgers:
            self._later = preparation(*_content(job, backend_config))
        self._amount = 0.0

    def find_amount(
        self,
        estimate: Callable[[], CostEstimate],
        limits: Sequence[float | None] | None,
        n_programs: int,
    ) -> None:
        """Find out what to reserve: what was reserved before, or the estimate.

        Where no more was reserved before than the least that it costs, the estimate
        takes its place.

        :param estimate: Estimates the cost.
        :param limits: The most that each program may cost, in HQC.
        :param n_programs: The number of programs.
        :raises BudgetExceededError: If less is left; nothing is reserved then.
        :raises InvalidInputError: If the cost is not known.
        """
        if not self.is_budgeted:
            return
        claimed = self._spending.claim(self._later)
        if claimed is None or 0 < claimed <= LEAST_HQC * n_programs:
            claimed = self._estimate(estimate, limits)
        self._amount = claimed

    def _estimate(
        self,
        estimate: Callable[[], CostEstimate],
        limits: Sequence[float | None] | None,
    ) -> float:
        found = estimate()
        try:
            check_limits(found, limits, None)
            amount = amount_of(found, limits)
            if amount is None:
                raise _unknown(found)
        except InvalidInputError:
            self.release()
            raise
        self._spending.increase(amount)
        return amount

    def reserve(self) -> None:
        """Reserve the amount, right before the job is sent.

        :raises BudgetExceededError: If less than that is left.
        """
        self._spending.reserve(self._amount)

    def release(self) -> None:
        """Give the amount back, because certainly nothing was sent."""
        self._spending.release()

    def note(self, job_id: str) -> None:
        """Note the job of the submission.

        :param job_id: The id of the job.
        """
        self._spending.submitted(job_id, self._amount)


class Again:
    """A job whose failed programs are about to run again, as its budgets see it.

    :param job_id: The id of the job, which has ended.
    :param lost: What the failed programs have cost so far, in HQC.
    :param name: The name of the job.
    """

    def __init__(self, job_id: str, lost: float, name: str) -> None:
        self._ledgers = [one for one in known_ledgers() if one.knows_job(job_id)]
        self._key = key_of("retry", job_id).digest
        self._job_id = job_id
        self._lost = lost
        self._what = f"The retry of job {name!r}"

    def reserve(self) -> None:
        """Reserve as much as the job has reserved before.

        :raises BudgetExceededError: If less than that is left.
        """
        try:
            for ledger in self._ledgers:
                ledger.reserve_again(self._key, self._job_id, self._lost, self._what)
        except BudgetExceededError:
            self.release()
            raise

    def release(self) -> None:
        """Give it back, because certainly nothing runs again."""
        for ledger in self._ledgers:
            ledger.release(self._key)


def settle(
    key: str | None,
    job_id: str,
    name: str,
    cost: float | None,
    *,
    is_final: bool,
    succeeded: bool,
    has_run: bool,
) -> None:
    """Replace what a job holds of its budgets by what it cost, once it has ended.

    A job that has run and of which Nexus reports no cost keeps what it holds.

    :param key: The key of its submission; None where it has none.
    :param job_id: The id of the job.
    :param name: The name of the job.
    :param cost: What Nexus has billed so far, in HQC.
    :param is_final: Whether the job has ended.
    :param succeeded: Whether it has ended well: one that failed may show the end of its
        first run for a while after a retry.
    :param has_run: Whether it may be billed.
    """
    if key is None:
        return
    for ledger in known_ledgers():
        if not ledger.knows_job(job_id):
            if not has_run or not ledger.knows(key):
                continue
            ledger.also_ran(key, job_id, f"Job {name!r}, submitted once more")
        elif (succeeded or not is_final) and ledger.expects_run(job_id):
            ledger.runs_again(job_id)
        if is_final and (cost is not None or not has_run):
            bill(ledger, job_id, name, cost)


def bill(ledger: Ledger, job_id: str, name: str, cost: float | None) -> None:
    """Settle a job that has ended in a ledger; more than was reserved is a warning.

    :param ledger: The ledger.
    :param job_id: The id of the job.
    :param name: The name of the job.
    :param cost: What Nexus has billed, in HQC; None where it certainly billed nothing.
    """
    reserved = ledger.bill(job_id, cost)
    if reserved is not None and cost is not None and cost > reserved + 1e-6:
        logger.warning(
            "nexus: job %r (%s) cost %.2f HQC, and %.2f were reserved for it in the "
            "budget of %s; the difference is spent, too",
            name,
            job_id,
            cost,
            reserved,
            ledger.path,
        )


def _content(job: Sequence[Any], backend_config: BackendConfig) -> list[Any]:
    return [*job, backend_config.model_dump(mode="json")]


def _check_values(
    max_cost: Sequence[float | None] | None, max_job_cost: float | None, n: int
) -> None:
    check_each("max_cost", max_cost, n, is_cost, "a number of HQC above 0")
    check_cost("max_job_cost", max_job_cost)


def _unknown(estimate: CostEstimate) -> InvalidInputError:
    return InvalidInputError(
        f"The job has to keep a budget, and {estimate.reason}; {_ADVICE}: that is "
        "reserved then."
    )
