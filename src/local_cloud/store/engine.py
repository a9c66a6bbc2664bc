"""Opening the database: SQLite with one writer at a time, or PostgreSQL."""

import logging
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from local_cloud.errors import StorageFullError
from local_cloud.store.checkpoints import Checkpoints
from local_cloud.store.transaction import Transaction

_LOGGER = logging.getLogger(__name__)
_POSTGRES_FULL = "53100"
# As many as the server has threads, so that none waits for a connection.
_CONNECTIONS = 40
# What it takes for a transaction to have one consistent view of the data.
_OPTIONS = {"sqlite": {}, "postgresql": {"isolation_level": "REPEATABLE READ"}}


class DatabaseError(Exception):
    """The database cannot be opened; the message says which and why."""


class Store:
    """A database.

    :param url: An SQLAlchemy URL, such as ``sqlite:////tmp/jobs.db`` or
        ``postgresql+psycopg://user@host/name``.
    :param metadata: Its tables, which are made if they are missing.
    :raises DatabaseError: If it cannot be opened.
    """

    def __init__(self, url: str, metadata: sa.MetaData) -> None:
        self._metadata = metadata
        self._engine = _engine(url)
        # Waiting in line here is fairer and faster than SQLite's busy handler.
        self._writer = threading.RLock()
        is_sqlite = self._engine.dialect.name == "sqlite"
        if is_sqlite:
            sa.event.listen(self._engine, "connect", _prepare_sqlite)
            sa.event.listen(self._engine, "begin", _begin_sqlite)
        try:
            metadata.create_all(self._engine)
        except sa.exc.DBAPIError as error:
            raise _cannot_open(url, error.orig or error) from error
        self._writing = self._engine.connect().execution_options(writes=True)
        self._checkpoints = Checkpoints(self._engine) if is_sqlite else None

    @contextmanager
    def read(self) -> Iterator[Transaction]:
        """Give one consistent view of the data."""
        with _told_when_full(), self._engine.begin() as connection:
            yield Transaction(connection, self._metadata)

    @contextmanager
    def write(self) -> Iterator[Transaction]:
        """Give a transaction that is kept whole or, after an exception, not at all."""
        with _told_when_full(), self._writer, self._writing.begin():
            yield Transaction(self._writing, self._metadata)

    def clear(self) -> None:
        """Remove all rows."""
        with self.write() as tx:
            tx.clear()

    def close(self) -> None:
        """Close all connections; may be called more than once."""
        if self._checkpoints is not None:
            self._checkpoints.close()
        with self._writer:
            self._writing.close()
        self._engine.dispose()


def files_of(url: str) -> list[Path]:
    """Find the files of a database that are on this machine, also those yet to come.

    :param url: An SQLAlchemy URL.
    """
    with suppress(sa.exc.ArgumentError):
        parts = sa.make_url(url)
        if parts.get_backend_name() == "sqlite" and parts.database:
            endings = ("", "-wal", "-shm", "-journal")
            return [Path(f"{parts.database}{ending}") for ending in endings]
    return []


@contextmanager
def _told_when_full() -> Iterator[None]:
    """Raise the error of a full disk for what a database says of one.

    :raises StorageFullError: If the database cannot write.
    """
    try:
        yield
    except sa.exc.DBAPIError as error:
        if _is_full(error.orig):
            _LOGGER.error("The disk of the database is full: %s", error.orig)  # noqa: TRY400
            raise StorageFullError from error
        raise


def _is_full(error: object) -> bool:
    if isinstance(error, sqlite3.Error):
        # An error of input and output is what SQLite makes of a quota.
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        return code in {sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR}
    return getattr(error, "sqlstate", None) == _POSTGRES_FULL


def _engine(url: str) -> sa.Engine:
    try:
        dialect = sa.make_url(url).get_dialect().name
        if dialect not in _OPTIONS:
            raise _cannot_open(url, "take one of SQLite or PostgreSQL")
        return sa.create_engine(
            url,
            pool_size=_CONNECTIONS,
            max_overflow=_CONNECTIONS,
            **_OPTIONS[dialect],
        )
    except (sa.exc.ArgumentError, ImportError) as error:
        raise _cannot_open(url, error) from error


def _cannot_open(url: str, reason: object) -> DatabaseError:
    one_line = " ".join(str(reason).split())
    return DatabaseError(f"Cannot open the database {url}: {one_line}.")


def _prepare_sqlite(connection: Any, _record: object) -> None:
    # The driver would begin transactions late; _begin_sqlite begins them instead.
    connection.isolation_level = None
    for pragma in (
        "journal_mode=WAL",
        "synchronous=NORMAL",
        "wal_autocheckpoint=0",
        "foreign_keys=ON",
        "busy_timeout=60000",
    ):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: sa.Connection) -> None:
    if connection.get_execution_options().get("writes", False):
        # Not through SQLAlchemy, which would take longer than the statement.
        connection.connection.cursor().execute("BEGIN IMMEDIATE")
    else:
        connection.exec_driver_sql("BEGIN")
