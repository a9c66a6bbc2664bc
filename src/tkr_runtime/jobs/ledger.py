"""A ledger of money: what a budget allows, what jobs hold of it, and what was billed.

Each change is one transaction that first takes the write lock of the file, so that many
processes may ask at once, and a process that is killed at any moment leaves either the
state before its change or the state after it. SQLite refuses to work on a file system
without locks, which is right for money.

The life of an entry::

    reserved ──> submitted ──> settled     the bill replaces what was reserved
        └──────> released                  certainly nothing was submitted
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel

from tkr_runtime.errors import InvalidInputError
from tkr_runtime.jobs.ledger_file import (
    LARGEST,
    RESERVED,
    SCHEMA,
    SPENT,
    LedgerFile,
    State,
    amount_of,
    bind,
    check_left,
    first_key,
    has_tables,
    insert,
    knows_job,
    one,
    round_down,
    round_up,
    set_aside,
    settle,
    state_of,
    text_of,
)


class Entry(BaseModel):
    """What one submission holds of a budget, or has cost.

    :param key: What identifies the submission.
    :param what: What is submitted, for a person.
    :param state: ``reserved``, ``submitted``, ``settled`` or ``released``.
    :param reserved: What it holds, in the unit of the budget.
    :param spent: What was billed for it, in the unit of the budget.
    :param job_id: The id of its job, once there is one.
    """

    key: str
    what: str
    state: State
    reserved: float
    spent: float
    job_id: str | None


class Balance(BaseModel):
    """What is left of a budget.

    :param name: The name of the budget.
    :param unit: The unit of all amounts.
    :param limit: What may be spent.
    :param reserved: What submissions hold that are not billed yet.
    :param spent: What was billed.
    :param left: What a new submission may reserve; below 0 where more was billed than
        reserved.
    :param entries: All submissions, in the order of their reservation.
    """

    name: str
    unit: str
    limit: float
    reserved: float
    spent: float
    left: float
    entries: list[Entry]


@dataclass(frozen=True)
class Preparation:
    """Connects a reservation made before an upload with the submission after it.

    :param content: A digest of what both know of the job.
    :param location: Where the task is in the graph of its workflow.
    """

    content: str
    location: str

    @property
    def scope(self) -> str:
        """The location of the graph that contains the task."""
        return self.location.rpartition(".")[0]

    @property
    def scopes(self) -> list[str]:
        """The locations of all graphs that contain the task, the innermost first."""
        parts = self.location.split(".")
        return [".".join(parts[:n]) for n in range(len(parts) - 1, 0, -1)]


class Ledger:
    """The ledger of one budget.

    :param path: Its file, which :meth:`create` makes.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file = LedgerFile(path)

    @classmethod
    def create(
        cls,
        path: Path,
        name: str,
        limit: float,
        unit: str,
        *,
        may_change: bool = False,
    ) -> "Ledger":
        """Make the ledger of a budget, or take the one that is there.

        :param path: The file; its folder must exist. Only its owner may read it.
        :param name: The name of the budget, for a person.
        :param limit: What may be spent.
        :param unit: The unit of all amounts.
        :param may_change: Whether a budget of another size gets the new limit.
        :raises InvalidInputError: If there is a budget of another size or unit, or the
            new limit is below what is spent or reserved.
        :raises CheckpointError: If the file cannot be used.
        """
        ledger = cls(path)
        with ledger._file.change(new=True) as db:
            if not has_tables(db):
                # SQLite creates it. To open and close it here would free the locks that
                # other threads of this process hold: so it is with locks of POSIX.
                path.chmod(0o600)
                for statement in SCHEMA.split(";"):
                    db.execute(statement)
                amount = round_down(limit)
                db.execute(
                    "INSERT INTO budget VALUES (1, ?, ?, ?, ?)",
                    (name, unit, amount, amount),
                )
            find = "SELECT declared, unit FROM budget"
            declared, its_unit = db.execute(find).fetchone()
        is_same = declared == round_down(limit) or may_change
        if not is_same or its_unit != unit:
            raise InvalidInputError(
                f"The budget {name!r} is there already with {text_of(declared)} "
                f"{its_unit}, and {limit:g} {unit} were asked for; give the same "
                "amount everywhere, or another name."
            )
        if may_change:
            ledger.set_limit(limit)
        return ledger

    def reserve(self, key: str, amount: float, what: str) -> None:
        """Reserve an amount for a submission that is about to be sent.

        It may be called again for the same key: what is reserved and not yet submitted
        stays as it is. After a job was submitted, it reserves for one more job.

        :param key: What identifies the submission.
        :param amount: The most that it is expected to cost.
        :param what: What is submitted, for a person.
        :raises BudgetExceededError: If less than that is left.
        """
        with self._file.change() as db:
            if state_of(db, key) == "reserved":
                return
            set_aside(db, key)
            check_left(db, round_up(amount), what)
            insert(db, key, what, round_up(amount), "reserved")

    def check(self, amount: float, what: str, *, is_least: bool = False) -> None:
        """Refuse an amount that is not left; nothing is reserved.

        :param amount: The amount.
        :param what: What will be submitted, for a person.
        :param is_least: As for :meth:`prepare`.
        :raises BudgetExceededError: If less than that is left.
        """
        with self._file.read() as db:
            check_left(db, round_up(amount), what, is_least=is_least)

    def increase(self, key: str, amount: float, what: str) -> None:
        """Let a submission that is not sent yet hold an amount, if it holds less.

        :param key: What identifies the submission.
        :param amount: The most that it is expected to cost.
        :param what: What is submitted, for a person.
        :raises BudgetExceededError: If less than that is left; it then holds what it
            held before.
        """
        with self._file.change() as db:
            find = "SELECT amount FROM entries WHERE key = ? AND state = 'reserved'"
            found = db.execute(find, (key,)).fetchone()
            if found is None or found[0] >= round_up(amount):
                return
            update = "UPDATE entries SET amount = ? WHERE key = ?"
            # What it holds already is left for it.
            db.execute(update, (0, key))
            check_left(db, round_up(amount), what)
            db.execute(update, (round_up(amount), key))

    def prepare(
        self,
        key: str,
        amount: float,
        what: str,
        preparation: Preparation,
        *,
        is_least: bool = False,
    ) -> None:
        """Reserve an amount for a submission that a later task will send.

        :param key: What identifies the preparing task; it reserves once.
        :param amount: The most that the submission is expected to cost.
        :param what: What will be submitted, for a person.
        :param preparation: What the submission is found by.
        :param is_least: Whether the amount is the least that it costs, because the most
            is not known yet.
        :raises BudgetExceededError: If less than that is left.
        """
        with self._file.change() as db:
            find = "SELECT key, state FROM entries WHERE prepared_by = ?"
            found = db.execute(find, (key,)).fetchone()
            if found is not None:
                if found[1] != "released":
                    return
                db.execute("DELETE FROM entries WHERE key = ?", (found[0],))
            check_left(db, round_up(amount), what, is_least=is_least)
            insert(db, key, what, round_up(amount), "reserved")
            db.execute(
                "UPDATE entries SET prepared_by = ?, content = ?, scope = ? "
                "WHERE key = ?",
                (key, preparation.content, preparation.scope, key),
            )

    def claim(self, key: str, preparation: Preparation | None) -> float | None:
        """Take over the reservation that an earlier task made for a submission.

        Of several, that of the innermost graph is taken, and of those the largest.

        :param key: What identifies the submission.
        :param preparation: What the reservation is found by.
        :returns: The amount that the submission holds or last held; None if nothing was
            ever reserved for it.
        """
        with self._file.change() as db:
            own = db.execute("SELECT amount FROM entries WHERE key = ?", (key,))
            amount = own.fetchone()
            if amount is not None:
                return amount_of(amount[0])
            for scope in [] if preparation is None else preparation.scopes:
                found = db.execute(
                    "SELECT key, amount FROM entries WHERE content = ? AND scope = ? "
                    "AND claimed = 0 AND state = 'reserved' "
                    "ORDER BY amount DESC, key LIMIT 1",
                    (preparation and preparation.content, scope),
                ).fetchone()
                if found is not None:
                    db.execute(
                        "UPDATE entries SET key = ?, claimed = 1 WHERE key = ?",
                        (key, found[0]),
                    )
                    return amount_of(found[1])
        return None

    def release(self, key: str) -> bool:
        """Give back what a submission holds, of which certainly nothing was sent.

        :param key: What identifies the submission.
        :returns: Whether anything was given back; a submission that has a job holds
            its amount until the job is billed.
        """
        with self._file.change() as db:
            changed = db.execute(
                "UPDATE entries SET state = 'released' "
                "WHERE key = ? AND state = 'reserved'",
                (key,),
            )
            return changed.rowcount > 0

    def submitted(self, key: str, job_id: str, amount: float, what: str) -> None:
        """Note the job of a submission.

        :param key: What identifies the submission.
        :param job_id: The id of the job.
        :param amount: What the job holds if nothing was reserved for it, because it was
            submitted before there was a budget.
        :param what: What was submitted, for a person.
        """
        with self._file.change() as db:
            if not knows_job(db, job_id):
                bind(db, key, job_id, round_up(amount), what)

    def also_ran(self, key: str, job_id: str, what: str) -> None:
        """Note a further job of a submission, which may be billed as well.

        The first takes what was reserved. Any other holds as much again, whether or not
        that is left, because it has run already.

        :param key: What identifies the submission.
        :param job_id: The id of the job.
        :param what: What it is, for a person.
        """
        with self._file.change() as db:
            found = db.execute("SELECT amount FROM entries WHERE key = ?", (key,))
            row = found.fetchone()
            if row is None or knows_job(db, job_id):
                return
            if state_of(db, key) == "reserved":
                bind(db, key, job_id, row[0], what)
            else:
                insert(db, f"{key}+{job_id}", what, row[0], "submitted", job_id)

    def bill(self, job_id: str, cost: float | None) -> float | None:
        """Settle a job that has ended with what it cost.

        A later, higher bill replaces a lower one.

        :param job_id: The id of the job.
        :param cost: What was billed; None where the job certainly cost nothing.
        :returns: What was reserved for the job; None if it was settled before or is not
            of this budget.
        """
        amount = 0 if cost is None else round_up(cost)
        with self._file.change() as db:
            if not knows_job(db, job_id):
                return None
            held = settle(db, job_id)
            if amount:
                db.execute(
                    "INSERT INTO bills VALUES (?, ?, ?) ON CONFLICT (job_id) "
                    "DO UPDATE SET cost = max(cost, excluded.cost)",
                    (job_id, first_key(db, job_id), amount),
                )
            return None if held is None else amount_of(held)

    def reserve_again(self, key: str, job_id: str, lost: float, what: str) -> None:
        """Reserve for programs of a job that run again in the same job.

        They reserve as much as the job has reserved at first. What their first run cost
        stays spent, although the job may later be billed as if there had been one run.
        An amount that the first run still holds counts as spent, because nobody will
        know what it cost.

        :param key: What identifies the request; it reserves once.
        :param job_id: The id of the job, which has ended.
        :param lost: What the programs that run again have cost so far.
        :param what: What runs again, for a person.
        :raises BudgetExceededError: If less than that is left.
        """
        with self._file.change() as db:
            if state_of(db, key) == "reserved" or not knows_job(db, job_id):
                return
            its_key = first_key(db, job_id)
            find_amount = "SELECT amount FROM entries WHERE key = ?"
            [amount] = db.execute(find_amount, (its_key,)).fetchone()
            check_left(db, amount, what)
            find_bill = "SELECT coalesce(max(cost), 0) FROM bills WHERE job_id = ?"
            [billed] = db.execute(find_bill, (job_id,)).fetchone()
            again = min(round_up(lost), billed)
            first_run = again + (settle(db, job_id) or 0)
            if first_run:
                n_runs = "SELECT count(*) FROM bills WHERE job_id LIKE ? || '#%'"
                number = db.execute(n_runs, (job_id,)).fetchone()[0] + 1
                db.execute(
                    "INSERT INTO bills VALUES (?, ?, ?)",
                    (f"{job_id}#{number}", its_key, first_run),
                )
                db.execute(
                    "UPDATE bills SET cost = cost - ? WHERE job_id = ?", (again, job_id)
                )
            set_aside(db, key)
            insert(db, key, what, amount, "reserved", job_id)

    def runs_again(self, job_id: str) -> None:
        """Note that what :meth:`reserve_again` reserved for runs, or has run.

        Until then the end of the job is that of its first run.

        :param job_id: The id of the job.
        """
        with self._file.change() as db:
            db.execute(
                "UPDATE entries SET state = 'submitted' "
                "WHERE job_id = ? AND state = 'reserved'",
                (job_id,),
            )

    def set_limit(self, limit: float) -> None:
        """Change what may be spent.

        :param limit: The new limit.
        :raises InvalidInputError: If more is spent or reserved already, or the limit is
            too large to be counted.
        """
        if limit > LARGEST:
            raise InvalidInputError(
                f"The limit {limit:g} is too large; give at most {LARGEST:g}."
            )
        with self._file.change() as db:
            used = one(db, RESERVED) + one(db, SPENT)
            if used > round_down(limit):
                name, unit = db.execute("SELECT name, unit FROM budget").fetchone()
                raise InvalidInputError(
                    f"The limit {limit:g} {unit} is too small: {text_of(used)} {unit} "
                    f"of the budget {name!r} are spent or reserved already; give at "
                    "least that."
                )
            db.execute("UPDATE budget SET allowed = ?", (round_down(limit),))

    def expects_run(self, job_id: str) -> bool:
        """Return whether :meth:`reserve_again` reserved for a run that nobody has seen.

        :param job_id: The id of the job.
        """
        with self._file.read() as db:
            found = db.execute(
                "SELECT 1 FROM entries WHERE job_id = ? AND state = 'reserved'",
                (job_id,),
            )
            return found.fetchone() is not None

    def knows(self, key: str) -> bool:
        """Return whether anything was reserved for a submission.

        :param key: What identifies the submission.
        """
        with self._file.read() as db:
            return state_of(db, key) is not None

    def knows_job(self, job_id: str) -> bool:
        """Return whether a job was submitted under this budget.

        :param job_id: The id of the job.
        """
        with self._file.read() as db:
            return knows_job(db, job_id)

    def balance(self) -> Balance:
        """Return what is reserved, spent and left."""
        with self._file.read() as db:
            name, unit, limit = db.execute(
                "SELECT name, unit, allowed FROM budget"
            ).fetchone()
            reserved, spent = one(db, RESERVED), one(db, SPENT)
            rows: Iterable[tuple[str, str, State, int, int, str | None]] = db.execute(
                "SELECT key, what, state, amount, (SELECT coalesce(sum(cost), 0) "
                "FROM bills WHERE bills.key = entries.key), job_id "
                "FROM entries ORDER BY rowid"
            )
            entries = [
                Entry(
                    key=key,
                    what=what,
                    state=state,
                    reserved=amount_of(amount)
                    if state in ("reserved", "submitted")
                    else 0,
                    spent=amount_of(cost),
                    job_id=job_id,
                )
                for key, what, state, amount, cost, job_id in rows
            ]
        return Balance(
            name=name,
            unit=unit,
            limit=amount_of(limit),
            reserved=amount_of(reserved),
            spent=amount_of(spent),
            left=amount_of(limit - reserved - spent),
            entries=entries,
        )
