"""Columns that tables of every cloud have. Times are microseconds since 1970."""

import sqlalchemy as sa

BIG = sa.BigInteger()
# SQLite numbers rows by itself only in a column declared INTEGER.
_SEQUENCE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def seq() -> sa.Column[int]:
    """Return the primary key, which grows with every row."""
    return sa.Column("seq", _SEQUENCE, primary_key=True, autoincrement=True)


def uuid() -> sa.Column[str]:
    """Return the id, a UUID in text form."""
    return sa.Column("id", sa.String(36), nullable=False, unique=True)


def text(name: str, *, nullable: bool = True) -> sa.Column[str]:
    """Return a column for text."""
    return sa.Column(name, sa.Text, nullable=nullable)


def reference(column: str) -> sa.Column[str]:
    """Return a column that refers to the id of a row that must exist.

    :param column: Such as ``jobs.id``; the new column is then called ``job_id``.
    """
    name = column.partition(".")[0].removesuffix("s") + "_id"
    return sa.Column(
        name,
        sa.String(36),
        sa.ForeignKey(column, ondelete="CASCADE"),
        nullable=False,
    )
