"""Checkpoints of SQLite, which bring what was written from its log into its file."""

import contextlib
import sqlite3
import threading

import sqlalchemy as sa

# Seconds between two checkpoints.
_INTERVAL = 0.5
# Pages of 4 KiB that the log may have before writers wait for it to begin anew.
_MOST_PAGES = 50_000


class Checkpoints:
    """Makes checkpoints in a thread, until it is closed.

    By itself SQLite makes them inside a commit now and then, and every request would
    wait for the disk.

    :param engine: Of the database.
    """

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """End the thread."""
        self._closed.set()
        self._thread.join()

    def _run(self) -> None:
        connection = self._engine.raw_connection()
        cursor = connection.cursor()
        pages = 0
        while not self._closed.wait(_INTERVAL):
            # Nobody waits for a passive one; it leaves for later what is in use.
            mode = "PASSIVE" if pages < _MOST_PAGES else "RESTART"
            # A disk that is full now may have room at the next try.
            with contextlib.suppress(sqlite3.OperationalError):
                cursor.execute(f"PRAGMA wal_checkpoint({mode})")
                ((_busy, pages, _moved),) = cursor.fetchall()
        connection.close()
