"""What can be done inside one transaction: plain rows in, plain rows out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

import sqlalchemy as sa

from local_nexus.store import statements, tables
from local_nexus.store.filters import Filters, Page, order

type Row = dict[str, Any]

# From how many skipped rows on it pays to ask what a reader may see of them.
DEEP = 1000


class Transaction:
    """Reads and writes rows of named tables.

    :param connection: a connection with an open transaction.
    """

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def get(self, table: str, key: str, *, column: str = "id") -> Row | None:
        """Return the row with this id, or None.

        :param table: the table's name.
        :param key: the value looked for.
        :param column: a unique column.
        """
        return next(iter(self.find(table, **{column: key})), None)

    def find(self, table: str, /, *, sort: str = "seq", **equal: object) -> list[Row]:
        """Return all rows in which columns have given values, whole.

        :param sort: the column that orders them.
        :param equal: column to value.
        """
        return self._all(statements.find(table, tuple(equal), sort), equal)

    def insert(self, table: str, rows: Row | Sequence[Row]) -> None:
        """Add one row or several with the same columns."""
        self._connection.execute(statements.insert(table), rows)

    def update(self, table: str, key: str, values: Row) -> None:
        """Change columns of the row with this id."""
        statement = statements.update(table, tuple(values))
        self._connection.execute(statement, values | {statements.ROW: key})

    def delete(self, table: str, filters: Filters) -> None:
        """Remove the rows that meet the conditions and all that refers to them."""
        target = tables.metadata.tables[table]
        self._connection.execute(sa.delete(target).where(*filters.conditions(target)))

    def clear(self) -> None:
        """Remove all rows of all tables."""
        for table in reversed(tables.metadata.sorted_tables):
            self._connection.execute(sa.delete(table))

    def page(self, table: str, filters: Filters, page: Page) -> list[Row]:
        """Return one page of a listing, without the contents of uploads."""
        source = tables.metadata.tables[table]
        if page.number * page.size >= DEEP:
            filters = self._without_needless(filters)
        return self._all(
            statements.select_summary(source)
            .where(*filters.conditions(source))
            .order_by(*order(source, page.sort))
            .limit(page.size)
            .offset(page.number * page.size)
        )

    def count(self, table: str, filters: Filters) -> int:
        """Return how many rows meet the conditions."""
        source = tables.metadata.tables[table]
        filters = self._without_needless(filters)
        query = (
            sa.select(sa.func.count())
            .select_from(source)
            .where(*filters.conditions(source))
        )
        return int(self._connection.execute(query).scalar_one())

    def _without_needless(self, filters: Filters) -> Filters:
        """Return filters without the reader if the reader may see all projects.

        To look for the roles on a row the database has to fetch it. Without that it
        skips rows in the index alone, ten times as fast.
        """
        if filters.reader_id is None:
            return filters
        projects = filters.any_of.get("project_id", ())
        query = statements.hidden_project(within=bool(projects))
        values = {"user": filters.reader_id, "projects": projects}
        hidden = self._connection.execute(query, values).first()
        return filters if hidden else replace(filters, reader_id=None)

    def by_ids(self, table: str, ids: Iterable[str]) -> dict[str, Row]:
        """Return the rows with these ids, without contents, by their id."""
        rows = self._all(statements.by_ids(table), {"ids": list(set(ids))})
        return {row["id"]: row for row in rows}

    def project_for_writing(
        self, project_id: str, user_id: str | None
    ) -> tuple[Row, set[str], int] | None:
        """Return a project, the roles of a user on it, and how many properties it has.

        :returns: None if there is no such project.
        """
        values = {"project": project_id, "user": user_id}
        found = self._all(statements.project_for_writing(), values)
        if not found:
            return None
        role_ids = {row.pop("role_id") for row in found}
        project = found[0]
        return project, role_ids - {None}, project.pop("definitions")

    def role_ids(self, user_id: str, resource_ids: Sequence[str]) -> set[str]:
        """Return the roles that a user has on any of these resources."""
        values = {"user": user_id, "resources": resource_ids}
        return set(self._connection.execute(statements.roles(), values).scalars())

    def assignments_on(self, resource_id: str) -> list[Row]:
        """Return the assignments on a resource, the oldest first."""
        return self.find("assignments", resource_id=resource_id)

    def drop_assignment(
        self, resource_id: str, user_id: str | None, team_id: str | None
    ) -> None:
        """Remove the assignment on a resource to a user or team, if there is one."""
        same = {"resource_id": resource_id, "user_id": user_id, "team_id": team_id}
        self.delete("assignments", Filters(equal=same))

    def teams_of(self, user_id: str) -> list[Row]:
        """Return the teams that a user is a member of."""
        teams, members = tables.teams, tables.team_members
        return self._all(
            sa.select(teams)
            .join(members, members.c.team_id == teams.c.id)
            .where(members.c.user_id == user_id)
            .order_by(teams.c.seq)
        )

    def time_taken(self, user_id: str, job_type: str) -> float:
        """Return the seconds that all jobs of a user and type took."""
        items, jobs = tables.job_items, tables.jobs
        query = (
            sa.select(sa.func.coalesce(sa.func.sum(items.c.duration), 0.0))
            .join(jobs, jobs.c.id == items.c.job_id)
            .where(jobs.c.creator_id == user_id, jobs.c.job_type == job_type)
        )
        return float(self._connection.execute(query).scalar_one())

    def bytes_stored(self, user_id: str) -> int:
        """Return the size of all that a user has uploaded, in bytes."""
        uploads = tables.uploads
        query = sa.select(
            sa.func.coalesce(sa.func.sum(sa.func.length(uploads.c.contents)), 0)
        ).where(uploads.c.creator_id == user_id)
        return int(self._connection.execute(query).scalar_one())

    def item_ids(self, project_id: str) -> list[str]:
        """Return the ids of all job items in a project."""
        items, jobs = tables.job_items, tables.jobs
        query = (
            sa.select(items.c.id)
            .join(jobs, jobs.c.id == items.c.job_id)
            .where(jobs.c.project_id == project_id)
        )
        return list(self._connection.execute(query).scalars())

    def item_states(self, job_id: str) -> list[str]:
        """Return the states of the items of a job, in the order of the items."""
        query = statements.item_states()
        return list(self._connection.execute(query, {"job": job_id}).scalars())

    def item_statuses(self, job_id: str) -> Counter[str]:
        """Return how many items of a job are in which state."""
        found = self._connection.execute(statements.item_statuses(), {"job": job_id})
        return Counter(dict(found.all()))

    def item_cost(self, job_id: str) -> float | None:
        """Return what the items of a job cost together, in HQC, if any is charged."""
        found = self._connection.execute(statements.item_cost(), {"job": job_id})
        cost: float | None = found.scalar_one()
        return cost

    def queued_before(self, job: Row) -> int:
        """Return how many jobs were queued before this one and still are."""
        place = {"created": job["created"], "seq": job["seq"]}
        found = self._connection.execute(statements.queued_before(), place)
        return int(found.scalar_one())

    def first_item(self, job_id: str, status: str) -> Row | None:
        """Return the first item of a job that is in this state."""
        values = {"job": job_id, "status": status}
        return next(iter(self._all(statements.first_item(), values)), None)

    def _all(self, query: sa.Select[Any], values: Row | None = None) -> list[Row]:
        found = self._connection.execute(query, values)
        return [dict(row) for row in found.mappings()]
