"""Statements that are built once: building one takes longer than running it."""

from __future__ import annotations

from functools import cache
from typing import Any

import sqlalchemy as sa

from local_nexus.store import tables
from local_nexus.store.filters import assigned_to

# The name of the parameter for the row that an update changes; no column is called so.
ROW = "row_id"


@cache
def insert(table: str) -> sa.Insert:
    """Return the statement that adds rows."""
    return sa.insert(tables.metadata.tables[table])


@cache
def update(table: str, columns: tuple[str, ...]) -> sa.Update:
    """Return the statement that sets columns of the row with the id ``ROW``."""
    target = tables.metadata.tables[table]
    return (
        sa.update(target)
        .where(target.c.id == sa.bindparam(ROW))
        .values({name: sa.bindparam(name) for name in columns})
    )


@cache
def find(table: str, columns: tuple[str, ...], sort: str) -> sa.Select[Any]:
    """Return the statement for the rows in which these columns have given values."""
    source = tables.metadata.tables[table]
    same = [source.c[name] == sa.bindparam(name) for name in columns]
    return sa.select(source).where(*same).order_by(source.c[sort])


@cache
def by_ids(table: str) -> sa.Select[Any]:
    """Return the statement for the rows with these ``ids``, without contents."""
    source = tables.metadata.tables[table]
    return select_summary(source).where(
        source.c.id.in_(sa.bindparam("ids", expanding=True))
    )


def select_summary(source: sa.Table) -> sa.Select[Any]:
    """Return the statement for all columns but the contents, which may be large."""
    return sa.select(*(column for column in source.c if column.name != "contents"))


@cache
def roles() -> sa.Select[Any]:
    """Return the statement for the roles of ``user`` on any of ``resources``."""
    assignments = tables.assignments
    return sa.select(assignments.c.role_id).where(
        assignments.c.resource_id.in_(sa.bindparam("resources", expanding=True)),
        assigned_to(sa.bindparam("user", type_=sa.String)),
    )


@cache
def hidden_project(*, within: bool) -> sa.Select[Any]:
    """Return the statement that finds a project on which ``user`` has no role.

    :param within: whether it looks among ``projects`` only.
    """
    projects = tables.projects.c
    roles = sa.select(tables.assignments.c.resource_id).where(
        assigned_to(sa.bindparam("user", type_=sa.String))
    )
    query = sa.select(projects.seq).where(projects.id.not_in(roles)).limit(1)
    if within:
        ids: sa.BindParameter[str] = sa.bindparam("projects", expanding=True)
        query = query.where(projects.id.in_(ids))
    return query


@cache
def project_for_writing() -> sa.Select[Any]:
    """Return the statement for a ``project`` with all that a write to it depends on.

    Beside the project it gives the roles of ``user``, one in each row, and the number
    of property definitions: one statement costs half as much as three.
    """
    projects, definitions = tables.projects, tables.property_definitions
    assignments = tables.assignments
    granted = sa.and_(
        assignments.c.resource_id == projects.c.id,
        assigned_to(sa.bindparam("user", type_=sa.String)),
    )
    defined = (
        sa.select(sa.func.count())
        .where(definitions.c.project_id == projects.c.id)
        .scalar_subquery()
    )
    return (
        sa.select(projects, assignments.c.role_id, defined.label("definitions"))
        .select_from(projects.outerjoin(assignments, granted))
        .where(projects.c.id == sa.bindparam("project"))
    )


@cache
def item_states() -> sa.Select[Any]:
    """Return the statement for the states of the items of a ``job``, in order."""
    items = tables.job_items
    return (
        sa.select(items.c.status)
        .where(items.c.job_id == sa.bindparam("job"))
        .order_by(items.c.item_id)
    )


@cache
def item_statuses() -> sa.Select[Any]:
    """Return the statement that counts the items of a ``job`` by state."""
    items = tables.job_items
    return (
        sa.select(items.c.status, sa.func.count())
        .where(items.c.job_id == sa.bindparam("job"))
        .group_by(items.c.status)
    )


@cache
def first_item() -> sa.Select[Any]:
    """Return the statement for the first item of a ``job`` that is in a ``status``."""
    items = tables.job_items
    return (
        sa.select(items)
        .where(
            items.c.job_id == sa.bindparam("job"),
            items.c.status == sa.bindparam("status"),
        )
        .order_by(items.c.item_id)
        .limit(1)
    )


@cache
def item_cost() -> sa.Select[Any]:
    """Return the statement that adds up the cost of the items of a ``job``."""
    items = tables.job_items
    return sa.select(sa.func.sum(items.c.cost)).where(
        items.c.job_id == sa.bindparam("job")
    )


@cache
def queued_before() -> sa.Select[Any]:
    """Return the statement that counts the queued jobs before one job."""
    jobs = tables.jobs
    return sa.select(sa.func.count()).where(
        jobs.c.status == "QUEUED",
        sa.tuple_(jobs.c.created, jobs.c.seq)
        < sa.tuple_(sa.bindparam("created"), sa.bindparam("seq")),
    )
