"""Budgets: which of them a submission has to keep, and where their ledgers are.

A budget with a path has its ledger there, and several workflows may share it. Without a
path the ledger is in the folder of the workflow and is deleted with it. The workflow
remembers its budgets in its folder ``_budgets``, so that one which is resumed keeps
them, whoever resumes it.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar, Token
from pathlib import Path
from typing import Any, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    PrivateAttr,
    ValidationError,
    field_validator,
)

from tkr_runtime.errors import BudgetExceededError, InvalidInputError
from tkr_runtime.files import replace_file
from tkr_runtime.jobs.idempotency import digest_of
from tkr_runtime.jobs.ledger import Ledger, Preparation
from tkr_runtime.jobs.ledger_file import LARGEST
from tkr_runtime.tasks import context

FOLDER = "_budgets"
"""The folder in that of a workflow in which its budgets are."""

_NAME = re.compile(r"[\w][\w .-]{0,63}")
_current: ContextVar[tuple["Budget", ...]] = ContextVar("budgets", default=())


class Budget(BaseModel):
    """An amount that submissions may cost together.

    As a context manager it holds for all workflows that ``run`` and ``resume`` of this
    package start in its body, and for functions that are called there. As the input
    ``budget`` of a task or graph it holds for the submissions of that alone. Where
    several budgets apply, each is kept.

    :param limit: The amount.
    :param unit: The unit of the amount.
    :param name: A name, one for each budget of a workflow.
    :param path: The file of the ledger, which several workflows may share; by default
        the workflow has one of its own. It becomes an absolute path.
    """

    model_config = ConfigDict(frozen=True)

    limit: float
    unit: str
    name: str = "budget"
    path: str | None = None

    _tokens: list[Token[tuple["Budget", ...]]] = PrivateAttr(default_factory=list)

    @field_validator("limit")
    @classmethod
    def _check_limit(cls, limit: float) -> float:
        if not 0 < limit <= LARGEST:
            raise InvalidInputError(
                f"The budget is {limit:g}; give an amount above 0 and of at most "
                f"{LARGEST:g}."
            )
        return limit

    @field_validator("path")
    @classmethod
    def _make_absolute(cls, path: str | None) -> str | None:
        # The working directory of a task is not that of who gives the path.
        return None if path is None else str(Path(path).expanduser().absolute())

    @field_validator("name")
    @classmethod
    def _check_name(cls, name: str) -> str:
        if not _NAME.fullmatch(name):
            raise InvalidInputError(
                f"{name!r} cannot name a budget; give up to 64 letters, digits, "
                "spaces, dots and hyphens, the first of them a letter or digit."
            )
        return name

    def __enter__(self) -> Self:
        """Keep this budget from now on."""
        self._tokens.append(_current.set((*_current.get(), self)))
        return self

    def __exit__(self, *_error: object) -> None:
        """Keep it no longer."""
        _current.reset(self._tokens.pop())

    def ledger(self, workflow: Path | None, *, may_change: bool = False) -> Ledger:
        """Return the ledger of this budget, which is made if it does not exist.

        :param workflow: The folder of the workflow; None outside of one.
        :param may_change: Whether one with another limit gets this limit.
        :raises InvalidInputError: If there is no place for it, or a budget of this name
            has another limit, or more than this limit is spent or reserved.
        :raises CheckpointError: If the ledger cannot be used.
        """
        file = self.file(workflow)
        if workflow is not None:
            (workflow / FOLDER).mkdir(mode=0o700, exist_ok=True)
        return Ledger.create(
            file, self.name, self.limit, self.unit, may_change=may_change
        )

    def file(self, workflow: Path | None) -> Path:
        """Return the file of the ledger.

        :param workflow: The folder of the workflow; None outside of one.
        :raises InvalidInputError: If there is no place for it.
        """
        if self.path is not None:
            return Path(self.path).resolve()
        if workflow is None:
            raise InvalidInputError(
                f"The budget {self.name!r} has no place for its ledger outside of the "
                "files of a workflow; give a path."
            )
        return workflow / FOLDER / f"{self.name}.ledger"


class _Noted(BaseModel):
    """A budget as its workflow remembers it.

    :param budget: The budget.
    :param holds_for_all: Whether it holds for every submission of the workflow.
    """

    budget: Budget
    holds_for_all: bool


def attach(workflow: Path | None) -> None:
    """Let a workflow that starts or is resumed keep the budgets of the ``with`` body.

    A limit that has changed since the workflow was started is changed in the ledger.

    :param workflow: The folder of the workflow; None for one in memory.
    :raises InvalidInputError: If a limit is below what is spent or reserved.
    """
    for budget in _current.get():
        budget.ledger(workflow, may_change=True)
        if workflow is not None:
            _note(workflow, budget, holds_for_all=True)


def ledgers_of_workflow(workflow: Path) -> list[Ledger]:
    """Return the ledgers of the budgets of a workflow, as far as they were made.

    :param workflow: The folder of the workflow.
    """
    files = [noted.budget.file(workflow) for noted in _noted(workflow)]
    return [Ledger(file) for file in dict.fromkeys(files) if file.exists()]


def ledgers_to_keep(own: Budget | None) -> list[Ledger]:
    """Return the ledgers in which a submission of the current task has to reserve.

    :param own: The budget of the submission alone, if it has one.
    :raises InvalidInputError: If a budget has no place for its ledger.
    :raises CheckpointError: If a ledger cannot be used.
    """
    workflow = _workflow()
    budgets = [] if own is None else [own]
    found: dict[Path, Ledger] = {}
    if workflow is None:
        budgets += _current.get()
    else:
        # A limit may have been changed since: the ledger knows it.
        noted = [one.budget for one in _noted(workflow) if one.holds_for_all]
        files = [budget.file(workflow) for budget in noted]
        found = {file: Ledger(file) for file in files}
    for budget in budgets:
        file = budget.file(workflow)
        if file not in found:
            found[file] = budget.ledger(workflow)
            if workflow is not None:
                _note(workflow, budget, holds_for_all=False)
    return list(found.values())


def known_ledgers() -> list[Ledger]:
    """Return all ledgers in which a job of the current task may be."""
    workflow = _workflow()
    if workflow is not None:
        return ledgers_of_workflow(workflow)
    placed = [one for one in _current.get() if one.path is not None]
    files = [one.file(None) for one in placed]
    return [Ledger(file) for file in files if file.exists()]


class Spending:
    """What one submission reserves, in each budget that applies to it.

    :param ledgers: The ledgers of the budgets.
    :param key: What identifies the submission.
    :param what: What is submitted, for a person.
    """

    def __init__(self, ledgers: list[Ledger], key: str, what: str) -> None:
        self._ledgers = ledgers
        self._key = key
        self._what = what

    def prepare(
        self, amount: float, preparation: Preparation, *, is_least: bool = False
    ) -> None:
        """Reserve an amount for a submission that a later task will send.

        :param amount: The most that it is expected to cost.
        :param preparation: What the submission is found by.
        :param is_least: Whether the amount is the least that it costs, because the most
            is not known yet: :meth:`increase` then reserves that.
        :raises BudgetExceededError: If less than that is left; nothing is reserved.
        """
        with self._all_or_nothing():
            for ledger in self._ledgers:
                ledger.prepare(
                    self._key, amount, self._what, preparation, is_least=is_least
                )

    def check(self, amount: float, *, is_least: bool = False) -> None:
        """Refuse a submission for which too little is left; reserve nothing.

        :param amount: The most that it is expected to cost.
        :param is_least: As for :meth:`prepare`.
        :raises BudgetExceededError: If less than that is left.
        """
        for ledger in self._ledgers:
            ledger.check(amount, self._what, is_least=is_least)

    def increase(self, amount: float) -> None:
        """Reserve more for a submission of which certainly nothing was sent yet.

        :param amount: The most that it is expected to cost.
        :raises BudgetExceededError: If less than that is left; nothing is reserved.
        """
        with self._all_or_nothing():
            for ledger in self._ledgers:
                ledger.increase(self._key, amount, self._what)

    def claim(self, preparation: Preparation | None) -> float | None:
        """Take over what an earlier task reserved for this submission.

        :param preparation: What the reservation is found by.
        :returns: The amount; None if nothing was reserved in any of the budgets.
        """
        found = [ledger.claim(self._key, preparation) for ledger in self._ledgers]
        return next((amount for amount in found if amount is not None), None)

    def reserve(self, amount: float) -> None:
        """Reserve an amount before the submission is sent.

        :param amount: The most that it is expected to cost.
        :raises BudgetExceededError: If less than that is left.
        """
        for ledger in self._ledgers:
            ledger.reserve(self._key, amount, self._what)

    def release(self) -> None:
        """Give back what is reserved, because certainly nothing was sent."""
        for ledger in self._ledgers:
            ledger.release(self._key)

    @contextmanager
    def _all_or_nothing(self) -> Iterator[None]:
        try:
            yield
        except BudgetExceededError:
            self.release()
            raise

    def submitted(self, job_id: str, amount: float) -> None:
        """Note the job of the submission.

        :param job_id: The id of the job.
        :param amount: What it holds if it was there before the budget.
        """
        for ledger in self._ledgers:
            ledger.submitted(self._key, job_id, amount, self._what)


def preparation(*job: Any) -> Preparation | None:
    """Return what connects a reservation of this task with a submission of another.

    :param job: JSON values that both tasks know of the job.
    :returns: None outside of a workflow.
    """
    task = context.current()
    if task is None:
        return None
    content = digest_of([task.workflow_id, task.start_text], job)
    return Preparation(content, task.location)


def _workflow() -> Path | None:
    task = context.current()
    return None if task is None or task.folder is None else task.folder.parent


def _note(workflow: Path, budget: Budget, *, holds_for_all: bool) -> None:
    folder = workflow / FOLDER
    folder.mkdir(mode=0o700, exist_ok=True)
    # Two ledgers of one name are in different places.
    place = "" if budget.path is None else f"-{digest_of([], budget.path)[:8]}"
    file = folder / f"{budget.name}{place}.json"
    if file.exists() and not holds_for_all:
        return
    noted = _Noted(budget=budget, holds_for_all=holds_for_all)
    replace_file(file, noted.model_dump_json().encode(), private=True)


def _noted(workflow: Path) -> Iterator[_Noted]:
    folder = workflow / FOLDER
    with suppress(FileNotFoundError):
        for file in sorted(folder.glob("*.json")):
            try:
                yield _Noted.model_validate_json(file.read_bytes())
            except (OSError, ValidationError) as error:
                raise InvalidInputError(
                    f"The budget in {file} cannot be read, so nothing is submitted; "
                    "restore the file."
                ) from error
