"""The file of a ledger: an SQLite file with entries and bills, and its transactions.

Amounts are whole millionths of the unit. What may be spent is rounded down, what is
reserved or billed is rounded up, so that no sum is ever too favourable.
"""

import math
import sqlite3
from collections.abc import Generator
from contextlib import closing, contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Literal

from tkr_runtime.errors import BudgetExceededError, CheckpointError

_LOCK_SECONDS = 60.0
_MILLIONTHS = 1_000_000

LARGEST = 1e12
"""The largest limit of a budget: SQLite counts its millionths in 64 bits."""

SCHEMA = """
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
RESERVED = (
    "SELECT coalesce(sum(amount), 0) FROM entries "
    "WHERE state IN ('reserved', 'submitted')"
)
SPENT = "SELECT coalesce(sum(cost), 0) FROM bills"

type State = Literal["reserved", "submitted", "settled", "released"]
"""What became of what a submission has reserved."""


class LedgerFile:
    """The file of a ledger.

    :param path: Its path.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    @contextmanager
    def change(self, *, new: bool = False) -> Generator[sqlite3.Connection]:
        """Hold the write lock; commit at the end, or undo everything at an error.

        :param new: Whether the file may be missing or empty.
        :raises CheckpointError: If the file cannot be used.
        """
        with self._connect(new=new) as db:
            db.execute("BEGIN IMMEDIATE")
            try:
                yield db
            except BaseException:
                db.execute("ROLLBACK")
                raise
            db.execute("COMMIT")

    @contextmanager
    def read(self) -> Generator[sqlite3.Connection]:
        """Show one state of the ledger to all queries of the body.

        :raises CheckpointError: If the file cannot be used.
        """
        with self._connect() as db:
            db.execute("BEGIN")
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
                if not new and not has_tables(db):
                    raise _unusable(self.path, "it is no ledger")
                yield db
        except (sqlite3.Error, OSError) as error:
            raise _unusable(self.path, str(error)) from error


def has_tables(db: sqlite3.Connection) -> bool:
    """Return whether a file is a ledger.

    :param db: A connection within a transaction.
    """
    found = "SELECT 1 FROM sqlite_master WHERE name = 'budget'"
    return db.execute(found).fetchone() is not None


def state_of(db: sqlite3.Connection, key: str) -> State | None:
    """Return the state of the entry of a key; None if there is none.

    :param db: A connection within a transaction.
    :param key: The key of the entry.
    """
    found = db.execute("SELECT state FROM entries WHERE key = ?", (key,)).fetchone()
    return None if found is None else found[0]


def knows_job(db: sqlite3.Connection, job_id: str) -> bool:
    """Return whether a job is in the ledger.

    :param db: A connection within a transaction.
    :param job_id: The id of the job.
    """
    found = db.execute("SELECT 1 FROM entries WHERE job_id = ?", (job_id,))
    return found.fetchone() is not None


def first_key(db: sqlite3.Connection, job_id: str) -> str:
    """Return the key of the first entry of a job.

    :param db: A connection within a transaction.
    :param job_id: The id of the job.
    """
    query = "SELECT key FROM entries WHERE job_id = ? ORDER BY rowid LIMIT 1"
    key: str = db.execute(query, (job_id,)).fetchone()[0]
    return key


def settle(db: sqlite3.Connection, job_id: str) -> int | None:
    """Let a job hold nothing any more; return what it held, None if it held nothing.

    :param db: A connection within a transaction.
    :param job_id: The id of the job.
    """
    held: int | None = db.execute(
        "SELECT sum(amount) FROM entries WHERE job_id = ? AND state = 'submitted'",
        (job_id,),
    ).fetchone()[0]
    db.execute(
        "UPDATE entries SET state = 'settled' WHERE job_id = ? AND state = 'submitted'",
        (job_id,),
    )
    return held


def bind(db: sqlite3.Connection, key: str, job_id: str, amount: int, what: str) -> None:
    """Let a job hold what was reserved for it, or an amount if nothing was.

    :param db: A connection within a transaction.
    :param key: The key of the entry.
    :param job_id: The id of the job.
    :param amount: The amount, in millionths of the unit.
    :param what: What is submitted, for a person.
    """
    if state_of(db, key) != "reserved":
        set_aside(db, key)
        insert(db, key, what, amount, "submitted", job_id)
        return
    db.execute(
        "UPDATE entries SET state = 'submitted', job_id = ? WHERE key = ?",
        (job_id, key),
    )


def set_aside(db: sqlite3.Connection, key: str) -> None:
    """Make room for a new entry of a key; what an earlier one holds stays held.

    :param db: A connection within a transaction.
    :param key: The key of the entry.
    """
    if state_of(db, key) is None:
        return
    number = "SELECT count(*) FROM entries WHERE key LIKE ? || '/%'"
    aside = f"{key}/{db.execute(number, (key,)).fetchone()[0] + 1}"
    db.execute("UPDATE entries SET key = ? WHERE key = ?", (aside, key))
    db.execute("UPDATE bills SET key = ? WHERE key = ?", (aside, key))


def insert(
    db: sqlite3.Connection,
    key: str,
    what: str,
    amount: int,
    state: State,
    job_id: str | None = None,
) -> None:
    """Add an entry.

    :param db: A connection within a transaction.
    :param key: The key of the entry.
    :param what: What is submitted, for a person.
    :param amount: The amount, in millionths of the unit.
    :param state: The state of the entry.
    :param job_id: The id of the job.
    """
    db.execute(
        "INSERT INTO entries (key, what, amount, state, job_id) VALUES (?, ?, ?, ?, ?)",
        (key, what, amount, state, job_id),
    )


def check_left(
    db: sqlite3.Connection, amount: int, what: str, *, is_least: bool = False
) -> None:
    """Refuse an amount that is not left.

    :param db: A connection within a transaction.
    :param amount: The amount, in millionths of the unit.
    :param what: What is submitted, for a person.
    :param is_least: Whether the amount is the least that it costs.
    :raises BudgetExceededError: If it is not left.
    """
    name, unit, limit = db.execute("SELECT name, unit, allowed FROM budget").fetchone()
    reserved, spent = one(db, RESERVED), one(db, SPENT)
    left = limit - reserved - spent
    if amount > left:
        about = "at least" if is_least else "about"
        raise BudgetExceededError(
            f"{what} would cost {about} {text_of(amount)} {unit}, and "
            f"{text_of(max(left, 0))} of the {text_of(limit)} {unit} of the budget "
            f"{name!r} are left ({text_of(spent)} spent, {text_of(reserved)} "
            "reserved); submit less, or raise the budget."
        )


def one(db: sqlite3.Connection, query: str) -> int:
    """Return the one value that a query finds.

    :param db: A connection within a transaction.
    :param query: The query.
    """
    value: int = db.execute(query).fetchone()[0]
    return value


def round_up(amount: float) -> int:
    """Return an amount as millionths of the unit, rounded up.

    :param amount: The amount.
    """
    return math.ceil(Decimal(repr(float(amount))) * _MILLIONTHS)


def round_down(amount: float) -> int:
    """Return an amount as millionths of the unit, rounded down.

    :param amount: The amount.
    """
    return math.floor(Decimal(repr(float(amount))) * _MILLIONTHS)


def amount_of(millionths: int) -> float:
    """Return millionths of the unit as an amount.

    :param millionths: The millionths.
    """
    return millionths / _MILLIONTHS


def text_of(millionths: int) -> str:
    """Return millionths of the unit as text for a person.

    :param millionths: The millionths.
    """
    return f"{amount_of(millionths):.2f}".removesuffix(".00")


def _unusable(path: Path, reason: str) -> CheckpointError:
    return CheckpointError(
        f"The ledger {path} of a budget cannot be used ({reason}), so nothing is "
        "submitted; make it readable and writable, or give another place."
    )
