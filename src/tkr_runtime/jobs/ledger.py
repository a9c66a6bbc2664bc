"""A ledger of money: what a budget allows, what jobs hold of it, and what was billed.

The ledger is one SQLite file. Each change is one transaction that first takes the write
lock, so that many processes may ask at once, and a process that is killed at any moment
leaves either the state before its change or the state after it. SQLite refuses to work
on a file system without locks, which is right for money.

Amounts are whole millionths of the unit. What may be spent is rounded down, what is
reserved or billed is rounded up, so that no sum is ever too favourable.

The life of an entry::

    reserved ──> submitted ──> settled     the bill replaces what was reserved
        └──────> released                  certainly nothing was submitted
"""

import math
import sqlite3
from collections.abc import Generator, Iterable
from contextlib import closing, contextmanager
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Literal

from pydantic import BaseModel

from tkr_runtime.errors import BudgetExceededError, CheckpointError, InvalidInputError

_LOCK_SECONDS = 60.0
_MILLIONTHS = 1_000_000

_SCHEMA = """
CREATE TABLE budget (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    name TEXT NOT NULL, unit TEXT NOT NULL,
    declared INTEGER NOT NULL, allowed INTEGER NOT NULL
);
CREATE TABLE entries (
    key TEXT PRIMARY KEY,
    what TEXT NOT NULL,
    amount INTEGER NOT NULL CHECK (amount >= 0),
    state TEXT NOT NULL,
    job_id TEXT,
    prepared_by TEXT UNIQUE, content TEXT, scope TEXT,
    claimed INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX entries_by_job ON entries (job_id);
CREATE TABLE bills (
    job_id TEXT PRIMARY KEY,
    key TEXT NOT NULL,
    cost INTEGER NOT NULL CHECK (cost >= 0)
);
"""
_RESERVED = (
    "SELECT coalesce(sum(amount), 0) FROM entries "
    "WHERE state IN ('reserved', 'submitted')"
)
_SPENT = "SELECT coalesce(sum(cost), 0) FROM bills"

type State = Literal["reserved", "submitted", "settled", "released"]


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

    @classmethod
    def create(cls, path: Path, name: str, limit: float, unit: str) -> "Ledger":
        """Make the ledger of a budget, or take the one that is there.

        :param path: The file; its folder must exist. Only its owner may read it.
        :param name: The name of the budget, for a person.
        :param limit: What may be spent.
        :param unit: The unit of all amounts.
        :raises InvalidInputError: If there is a budget of another size or unit.
        :raises CheckpointError: If the file cannot be used.
        """
        ledger = cls(path)
        with ledger._change(new=True) as db:
            if not _has_tables(db):
                # SQLite creates it. To open and close it here would free the locks that
                # other threads of this process hold: so it is with locks of POSIX.
                path.chmod(0o600)
                for statement in _SCHEMA.split(";"):
                    db.execute(statement)
                amount = _down(limit)
                db.execute(
                    "INSERT INTO budget VALUES (1, ?, ?, ?, ?)",
                    (name, unit, amount, amount),
                )
            found = db.execute("SELECT declared, unit FROM budget").fetchone()
        if found != (_down(limit), unit):
            raise InvalidInputError(
                f"The budget {name!r} is there already with {_text(found[0])} "
                f"{found[1]}, and {limit:g} {unit} were asked for; give the same "
                "amount everywhere, or another name."
            )
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
        with self._change() as db:
            if _state(db, key) == "reserved":
                return
            _set_aside(db, key)
            _check_left(db, _up(amount), what)
            _insert(db, key, what, _up(amount), "reserved")

    def prepare(
        self, key: str, amount: float, what: str, preparation: Preparation
    ) -> None:
        """Reserve an amount for a submission that a later task will send.

        :param key: What identifies the preparing task; it reserves once.
        :param amount: The most that the submission is expected to cost.
        :param what: What will be submitted, for a person.
        :param preparation: What the submission is found by.
        :raises BudgetExceededError: If less than that is left.
        """
        with self._change() as db:
            find = "SELECT key, state FROM entries WHERE prepared_by = ?"
            found = db.execute(find, (key,)).fetchone()
            if found is not None:
                if found[1] != "released":
                    return
                db.execute("DELETE FROM entries WHERE key = ?", (found[0],))
            _check_left(db, _up(amount), what)
            _insert(db, key, what, _up(amount), "reserved")
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
        with self._change() as db:
            own = db.execute("SELECT amount FROM entries WHERE key = ?", (key,))
            amount = own.fetchone()
            if amount is not None:
                return _amount(amount[0])
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
                    return _amount(found[1])
        return None

    def release(self, key: str) -> bool:
        """Give back what a submission holds, of which certainly nothing was sent.

        :param key: What identifies the submission.
        :returns: Whether anything was given back; a submission that has a job holds
            its amount until the job is billed.
        """
        with self._change() as db:
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
        with self._change() as db:
            if not _knows_job(db, job_id):
                _bind(db, key, job_id, _up(amount), what)

    def also_ran(self, key: str, job_id: str, what: str) -> None:
        """Note a further job of a submission, which may be billed as well.

        The first takes what was reserved. Any other holds as much again, whether or not
        that is left, because it has run already.

        :param key: What identifies the submission.
        :param job_id: The id of the job.
        :param what: What it is, for a person.
        """
        with self._change() as db:
            found = db.execute("SELECT amount FROM entries WHERE key = ?", (key,))
            row = found.fetchone()
            if row is None or _knows_job(db, job_id):
                return
            if _state(db, key) == "reserved":
                _bind(db, key, job_id, row[0], what)
            else:
                _insert(db, f"{key}+{job_id}", what, row[0], "submitted", job_id)

    def bill(self, job_id: str, cost: float | None) -> float | None:
        """Settle a job that has ended with what it cost.

        A later, higher bill replaces a lower one.

        :param job_id: The id of the job.
        :param cost: What was billed; None where the job certainly cost nothing.
        :returns: What was reserved for the job; None if it was settled before or is not
            of this budget.
        """
        amount = 0 if cost is None else _up(cost)
        with self._change() as db:
            if not _knows_job(db, job_id):
                return None
            held = _settle(db, job_id)
            if amount:
                db.execute(
                    "INSERT INTO bills VALUES (?, ?, ?) ON CONFLICT (job_id) "
                    "DO UPDATE SET cost = max(cost, excluded.cost)",
                    (job_id, _first_key(db, job_id), amount),
                )
            return None if held is None else _amount(held)

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
        with self._change() as db:
            if _state(db, key) == "reserved" or not _knows_job(db, job_id):
                return
            first_key = _first_key(db, job_id)
            find_amount = "SELECT amount FROM entries WHERE key = ?"
            [amount] = db.execute(find_amount, (first_key,)).fetchone()
            _check_left(db, amount, what)
            find_bill = "SELECT coalesce(max(cost), 0) FROM bills WHERE job_id = ?"
            [billed] = db.execute(find_bill, (job_id,)).fetchone()
            again = min(_up(lost), billed)
            first_run = again + (_settle(db, job_id) or 0)
            if first_run:
                n_runs = "SELECT count(*) FROM bills WHERE job_id LIKE ? || '#%'"
                number = db.execute(n_runs, (job_id,)).fetchone()[0] + 1
                db.execute(
                    "INSERT INTO bills VALUES (?, ?, ?)",
                    (f"{job_id}#{number}", first_key, first_run),
                )
                db.execute(
                    "UPDATE bills SET cost = cost - ? WHERE job_id = ?", (again, job_id)
                )
            _set_aside(db, key)
            _insert(db, key, what, amount, "reserved", job_id)

    def runs_again(self, key: str) -> None:
        """Note that what :meth:`reserve_again` reserved for was sent.

        :param key: What identifies the request.
        """
        with self._change() as db:
            db.execute(
                "UPDATE entries SET state = 'submitted' "
                "WHERE key = ? AND state = 'reserved'",
                (key,),
            )

    def set_limit(self, limit: float) -> None:
        """Change what may be spent.

        :param limit: The new limit.
        :raises InvalidInputError: If more is spent or reserved already.
        """
        with self._change() as db:
            used = _one(db, _RESERVED) + _one(db, _SPENT)
            if used > _down(limit):
                name, unit = db.execute("SELECT name, unit FROM budget").fetchone()
                raise InvalidInputError(
                    f"The limit {limit:g} {unit} is too small: {_text(used)} {unit} of "
                    f"the budget {name!r} are spent or reserved already; give at least "
                    "that."
                )
            db.execute("UPDATE budget SET allowed = ?", (_down(limit),))

    def holds(self, job_id: str) -> bool:
        """Return whether a job of this budget is not settled yet.

        :param job_id: The id of the job.
        """
        with self._read() as db:
            found = db.execute(
                "SELECT 1 FROM entries WHERE job_id = ? AND state = 'submitted'",
                (job_id,),
            )
            return found.fetchone() is not None

    def knows(self, key: str) -> bool:
        """Return whether anything was reserved for a submission.

        :param key: What identifies the submission.
        """
        with self._read() as db:
            return _state(db, key) is not None

    def knows_job(self, job_id: str) -> bool:
        """Return whether a job was submitted under this budget.

        :param job_id: The id of the job.
        """
        with self._read() as db:
            return _knows_job(db, job_id)

    def balance(self) -> Balance:
        """Return what is reserved, spent and left."""
        with self._read() as db:
            name, unit, limit = db.execute(
                "SELECT name, unit, allowed FROM budget"
            ).fetchone()
            reserved, spent = _one(db, _RESERVED), _one(db, _SPENT)
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
                    reserved=_amount(amount)
                    if state in ("reserved", "submitted")
                    else 0,
                    spent=_amount(cost),
                    job_id=job_id,
                )
                for key, what, state, amount, cost, job_id in rows
            ]
        return Balance(
            name=name,
            unit=unit,
            limit=_amount(limit),
            reserved=_amount(reserved),
            spent=_amount(spent),
            left=_amount(limit - reserved - spent),
            entries=entries,
        )

    @contextmanager
    def _change(self, *, new: bool = False) -> Generator[sqlite3.Connection]:
        """Hold the write lock; commit at the end, or undo everything at an error."""
        with self._connect(new=new) as db:
            db.execute("BEGIN IMMEDIATE")
            try:
                yield db
            except BaseException:
                db.execute("ROLLBACK")
                raise
            db.execute("COMMIT")

    @contextmanager
    def _read(self) -> Generator[sqlite3.Connection]:
        with self._connect() as db:
            db.execute("BEGIN")  # one state for all queries
            yield db

    @contextmanager
    def _connect(self, *, new: bool = False) -> Generator[sqlite3.Connection]:
        """Open the file for one use; no connection lives on in a fork."""
        if not new and not self.path.exists():
            raise _unusable(self.path, "it does not exist")
        try:
            with closing(
                sqlite3.connect(self.path, timeout=_LOCK_SECONDS, isolation_level=None)
            ) as db:
                # A power failure loses no reservation, either.
                db.execute("PRAGMA synchronous = FULL")
                if not new and not _has_tables(db):
                    raise _unusable(self.path, "it is no ledger")
                yield db
        except (sqlite3.Error, OSError) as error:
            raise _unusable(self.path, str(error)) from error


def _has_tables(db: sqlite3.Connection) -> bool:
    found = "SELECT 1 FROM sqlite_master WHERE name = 'budget'"
    return db.execute(found).fetchone() is not None


def _state(db: sqlite3.Connection, key: str) -> State | None:
    found = db.execute("SELECT state FROM entries WHERE key = ?", (key,)).fetchone()
    return None if found is None else found[0]


def _knows_job(db: sqlite3.Connection, job_id: str) -> bool:
    found = db.execute("SELECT 1 FROM entries WHERE job_id = ?", (job_id,))
    return found.fetchone() is not None


def _first_key(db: sqlite3.Connection, job_id: str) -> str:
    query = "SELECT key FROM entries WHERE job_id = ? ORDER BY rowid LIMIT 1"
    key: str = db.execute(query, (job_id,)).fetchone()[0]
    return key


def _settle(db: sqlite3.Connection, job_id: str) -> int | None:
    """Let a job hold nothing any more; return what it held, None if it held nothing."""
    held: int | None = db.execute(
        "SELECT sum(amount) FROM entries WHERE job_id = ? AND state = 'submitted'",
        (job_id,),
    ).fetchone()[0]
    db.execute(
        "UPDATE entries SET state = 'settled' WHERE job_id = ? AND state = 'submitted'",
        (job_id,),
    )
    return held


def _bind(
    db: sqlite3.Connection, key: str, job_id: str, amount: int, what: str
) -> None:
    """Let a job hold what was reserved for it, or an amount if nothing was."""
    if _state(db, key) != "reserved":
        _set_aside(db, key)
        _insert(db, key, what, amount, "submitted", job_id)
        return
    db.execute(
        "UPDATE entries SET state = 'submitted', job_id = ? WHERE key = ?",
        (job_id, key),
    )


def _set_aside(db: sqlite3.Connection, key: str) -> None:
    """Make room for a new entry of a key; what an earlier one holds stays held."""
    if _state(db, key) is None:
        return
    number = "SELECT count(*) FROM entries WHERE key LIKE ? || '/%'"
    aside = f"{key}/{db.execute(number, (key,)).fetchone()[0] + 1}"
    db.execute("UPDATE entries SET key = ? WHERE key = ?", (aside, key))
    db.execute("UPDATE bills SET key = ? WHERE key = ?", (aside, key))


def _insert(
    db: sqlite3.Connection,
    key: str,
    what: str,
    amount: int,
    state: State,
    job_id: str | None = None,
) -> None:
    db.execute(
        "INSERT INTO entries (key, what, amount, state, job_id) VALUES (?, ?, ?, ?, ?)",
        (key, what, amount, state, job_id),
    )


def _check_left(db: sqlite3.Connection, amount: int, what: str) -> None:
    """Refuse an amount that is not left."""
    name, unit, limit = db.execute("SELECT name, unit, allowed FROM budget").fetchone()
    reserved, spent = _one(db, _RESERVED), _one(db, _SPENT)
    left = limit - reserved - spent
    if amount > left:
        raise BudgetExceededError(
            f"{what} would cost about {_text(amount)} {unit}, and "
            f"{_text(max(left, 0))} of the {_text(limit)} {unit} of the budget "
            f"{name!r} are left ({_text(spent)} spent, {_text(reserved)} reserved); "
            "submit less, or raise the budget."
        )


def _one(db: sqlite3.Connection, query: str) -> int:
    value: int = db.execute(query).fetchone()[0]
    return value


def _up(amount: float) -> int:
    return math.ceil(Decimal(repr(float(amount))) * _MILLIONTHS)


def _down(amount: float) -> int:
    return math.floor(Decimal(repr(float(amount))) * _MILLIONTHS)


def _amount(millionths: int) -> float:
    return millionths / _MILLIONTHS


def _text(millionths: int) -> str:
    return f"{_amount(millionths):.2f}".removesuffix(".00")


def _unusable(path: Path, reason: str) -> CheckpointError:
    return CheckpointError(
        f"The ledger {path} of a budget cannot be used ({reason}), so nothing is "
        "submitted; make it readable and writable, or give another place."
    )
