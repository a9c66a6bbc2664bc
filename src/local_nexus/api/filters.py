"""Which rows a listing shows, in which order, and which page of them."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from local_nexus.users.tables import assignments, team_members, users


@dataclass(frozen=True)
class Page:
    """One page of a listing.

    :param number: Counted from 0.
    :param size: Rows per page.
    :param sort: Column names, a leading ``-`` for descending order.
    """

    number: int = 0
    size: int = 50
    sort: Sequence[str] = ("-created",)


@dataclass(frozen=True)
class Filters:
    """Conditions that a listed row meets; an empty one does not restrict.

    :param equal: Column to the value that it has.
    :param any_of: Column to the values of which it has one.
    :param name_fuzzy: A part of the name, in any case of letters.
    :param creator_emails: E-mail addresses, of which the creator has one.
    :param properties: Property name to value.
    :param before: Column to the time that it lies before.
    :param after: Column to the time that it lies after.
    :param reader_id: A user to whom a role on the row or on its project is assigned.
    """

    equal: dict[str, Any] = field(default_factory=dict)
    any_of: dict[str, Sequence[str]] = field(default_factory=dict)
    name_fuzzy: str = ""
    creator_emails: Sequence[str] = ()
    properties: dict[str, bool | float | str] = field(default_factory=dict)
    before: dict[str, int] = field(default_factory=dict)
    after: dict[str, int] = field(default_factory=dict)
    reader_id: str | None = None

    def conditions(self, table: sa.Table) -> list[sa.ColumnElement[bool]]:
        """Return the conditions in SQL, for a table with these columns."""
        columns = table.c
        found = [columns[name] == value for name, value in self.equal.items()]
        found += [_any_of(columns[n], values) for n, values in self.any_of.items()]
        found += [columns[name] < value for name, value in self.before.items()]
        found += [columns[name] > value for name, value in self.after.items()]
        if self.name_fuzzy:
            found.append(columns.name.icontains(self.name_fuzzy, autoescape=True))
        if self.creator_emails:
            creators = sa.select(users.c.id).where(
                users.c.email.in_(self.creator_emails)
            )
            found.append(columns.creator_id.in_(creators))
        found += [
            _has_property(columns.properties, name, value)
            for name, value in self.properties.items()
        ]
        if self.reader_id is not None:
            found.append(_readable(table, self.reader_id))
        return found


def _any_of(column: sa.Column[Any], values: Sequence[str]) -> sa.ColumnElement[bool]:
    if len(values) == 1:
        return column == values[0]
    return _unindexed(column).in_(values)


def _unindexed(column: sa.Column[Any]) -> sa.ColumnElement[Any]:
    """Return a column so that no index on it is used.

    With one the database would collect all rows that match and sort them, instead of
    walking in the order asked for until a page is full.
    """
    return sa.func.coalesce(column, "")


def assigned_to(
    user_id: str | sa.BindParameter[str],
) -> sa.ColumnElement[bool]:
    """Return the condition that an assignment is for a user, directly or not."""
    given, members = assignments.c, team_members.c
    teams = sa.select(members.team_id).where(members.user_id == user_id)
    public = given.user_id.is_(None) & given.team_id.is_(None)
    return (given.user_id == user_id) | given.team_id.in_(teams) | public


def _readable(table: sa.Table, user_id: str) -> sa.ColumnElement[bool]:
    allowed = sa.select(assignments.c.resource_id).where(assigned_to(user_id))
    readable: sa.ColumnElement[bool] = _unindexed(table.c.id).in_(allowed)
    if "project_id" in table.c:
        readable |= _unindexed(table.c.project_id).in_(allowed)
    return readable


def _has_property(
    properties: sa.Column[Any], name: str, value: bool | float | str
) -> sa.ColumnElement[bool]:
    entry: Any = properties[name]
    typed: sa.ColumnElement[Any]
    if isinstance(value, bool):
        typed = entry.as_boolean()
    elif isinstance(value, int | float):
        typed = entry.as_float()
    else:
        typed = entry.as_string()
    return typed == value


def order(table: sa.Table, sort: Sequence[str]) -> list[sa.ColumnElement[Any]]:
    """Return the order in SQL; rows that tie keep the order of their creation."""
    terms: list[sa.ColumnElement[Any]] = []
    for name in sort:
        column = table.c[name.removeprefix("-")]
        terms.append(column.desc() if name.startswith("-") else column.asc())
    newest_first = bool(sort) and sort[-1].startswith("-")
    terms.append(table.c.seq.desc() if newest_first else table.c.seq.asc())
    return terms
