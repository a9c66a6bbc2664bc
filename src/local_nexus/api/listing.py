"""Pages of long listings, and how many rows there are."""

from collections.abc import Iterable
from dataclasses import replace
from functools import cache
from typing import Any

import sqlalchemy as sa

from local_cloud.store import Row, Transaction
from local_nexus.api.filters import Filters, Page, assigned_to, order
from local_nexus.projects.tables import projects
from local_nexus.users.tables import assignments

# From how many skipped rows on it pays to ask what a reader may see of them.
DEEP = 1000


def page(tx: Transaction, table: str, filters: Filters, wanted: Page) -> list[Row]:
    """Return one page of a listing, without the contents of uploads."""
    source = tx.table(table)
    if wanted.number * wanted.size >= DEEP:
        filters = _without_needless(tx, filters)
    return tx.rows(
        _summary(source)
        .where(*filters.conditions(source))
        .order_by(*order(source, wanted.sort))
        .limit(wanted.size)
        .offset(wanted.number * wanted.size)
    )


def count(tx: Transaction, table: str, filters: Filters) -> int:
    """Return how many rows meet the conditions."""
    source = tx.table(table)
    filters = _without_needless(tx, filters)
    query = (
        sa.select(sa.func.count())
        .select_from(source)
        .where(*filters.conditions(source))
    )
    return int(tx.value(query))


def by_ids(tx: Transaction, table: str, ids: Iterable[str]) -> dict[str, Row]:
    """Return the rows with these ids, without contents, by their id."""
    rows = tx.rows(_by_ids(tx.table(table)), {"ids": list(set(ids))})
    return {row["id"]: row for row in rows}


def _without_needless(tx: Transaction, filters: Filters) -> Filters:
    """Return filters without the reader if the reader may see all projects.

    To look for the roles on a row the database has to fetch it. Without that it skips
    rows in the index alone, ten times as fast.
    """
    if filters.reader_id is None:
        return filters
    within = filters.any_of.get("project_id", ())
    values = {"user": filters.reader_id, "projects": within}
    hidden = tx.values(_hidden_project(within=bool(within)), values)
    return filters if hidden else replace(filters, reader_id=None)


@cache
def _by_ids(source: sa.Table) -> sa.Select[Any]:
    return _summary(source).where(source.c.id.in_(sa.bindparam("ids", expanding=True)))


def _summary(source: sa.Table) -> sa.Select[Any]:
    """Return the statement for all columns but the contents, which may be large."""
    return sa.select(*(column for column in source.c if column.name != "contents"))


@cache
def _hidden_project(*, within: bool) -> sa.Select[Any]:
    """Return the statement that finds a project on which ``user`` has no role.

    :param within: Whether it looks among ``projects`` only.
    """
    roles = sa.select(assignments.c.resource_id).where(
        assigned_to(sa.bindparam("user", type_=sa.String))
    )
    query = sa.select(projects.c.seq).where(projects.c.id.not_in(roles)).limit(1)
    if within:
        ids: sa.BindParameter[str] = sa.bindparam("projects", expanding=True)
        query = query.where(projects.c.id.in_(ids))
    return query
