"""What can be done inside one transaction: plain rows in, plain rows out."""

from collections.abc import Sequence
from functools import cache
from typing import Any

import sqlalchemy as sa

type Row = dict[str, Any]

# The name of the parameter for the row that an update changes; no column is called so.
_ROW = "row_id"


class Transaction:
    """Reads and writes rows of named tables.

    :param connection: A connection with an open transaction.
    :param metadata: The tables.
    """

    def __init__(self, connection: sa.Connection, metadata: sa.MetaData) -> None:
        self._connection = connection
        self._metadata = metadata

    def table(self, name: str) -> sa.Table:
        """Return the table of this name."""
        return self._metadata.tables[name]

    def get(self, table: str, key: str | int, *, column: str = "id") -> Row | None:
        """Return the row with this id, or None.

        :param table: The table's name.
        :param key: The value looked for.
        :param column: A unique column.
        """
        equal: Row = {column: key}
        return next(iter(self.find(table, **equal)), None)

    def find(self, table: str, /, *, sort: str = "seq", **equal: object) -> list[Row]:
        """Return all rows in which columns have given values, whole.

        :param sort: The column that orders them.
        :param equal: Column to value.
        """
        return self.rows(_find(self.table(table), tuple(equal), sort), equal)

    def insert(self, table: str, rows: Row | Sequence[Row]) -> None:
        """Add one row or several with the same columns."""
        self._connection.execute(_insert(self.table(table)), rows)

    def update(self, table: str, key: str | int, values: Row) -> None:
        """Change columns of the row with this id."""
        statement = _update(self.table(table), tuple(values))
        self._connection.execute(statement, values | {_ROW: key})

    def delete(self, table: str, /, **equal: object) -> None:
        """Remove rows by the values of columns, and all that refers to them.

        :param equal: Column to value; None for one that has none.
        """
        target = self.table(table)
        same = [target.c[name] == value for name, value in equal.items()]
        self._connection.execute(sa.delete(target).where(*same))

    def clear(self) -> None:
        """Remove all rows of all tables."""
        for table in reversed(self._metadata.sorted_tables):
            self._connection.execute(sa.delete(table))

    def rows(self, query: sa.Select[Any], values: Row | None = None) -> list[Row]:
        """Return the rows that a query gives.

        :param values: Of its parameters.
        """
        found = self._connection.execute(query, values)
        return [dict(row) for row in found.mappings()]

    def values(self, query: sa.Select[Any], values: Row | None = None) -> list[Any]:
        """Return the values that a query of one column gives."""
        return list(self._connection.execute(query, values).scalars())

    def value(self, query: sa.Select[Any], values: Row | None = None) -> Any:
        """Return the one value that a query gives."""
        return self._connection.execute(query, values).scalar_one()


# Statements are built once: building one takes longer than running it.


@cache
def _insert(table: sa.Table) -> sa.Insert:
    return sa.insert(table)


@cache
def _update(table: sa.Table, columns: tuple[str, ...]) -> sa.Update:
    return (
        sa.update(table)
        .where(table.c.id == sa.bindparam(_ROW))
        .values({name: sa.bindparam(name) for name in columns})
    )


@cache
def _find(table: sa.Table, columns: tuple[str, ...], sort: str) -> sa.Select[Any]:
    same = [table.c[name] == sa.bindparam(name) for name in columns]
    return sa.select(table).where(*same).order_by(table.c[sort])
