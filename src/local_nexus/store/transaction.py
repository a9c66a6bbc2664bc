"""What can be done inside one transaction: plain rows in, plain rows out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

import sqlalchemy as sa

from local_nexus.store import tables
from local_nexus.store.filters import Filters, Page, assigned_to, order

type Row = dict[str, Any]


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
        source = tables.metadata.tables[table]
        return self._first(sa.select(source).where(source.c[column] == key))

    def insert(self, table: str, rows: Row | Sequence[Row]) -> None:
        """Add one row or several with the same columns."""
        self._connection.execute(sa.insert(tables.metadata.tables[table]), rows)

    def update(self, table: str, key: str, values: Row) -> None:
        """Change columns of the row with this id."""
        target = tables.metadata.tables[table]
        self._connection.execute(
            sa.update(target).where(target.c.id == key).values(values)
        )

    def delete(self, table: str, filters: Filters) -> None:
        """Remove the rows that meet the conditions and all that refers to them."""
        target = tables.metadata.tables[table]
        self._connection.execute(sa.delete(target).where(*filters.conditions(target)))

    def page(self, table: str, filters: Filters, page: Page) -> list[Row]:
        """Return one page of a listing, without the contents of uploads."""
        source = tables.metadata.tables[table]
        columns = [column for column in source.c if column.name != "contents"]
        return self._all(
            sa.select(*columns)
            .where(*filters.conditions(source))
            .order_by(*order(source, page.sort))
            .limit(page.size)
            .offset(page.number * page.size)
        )

    def find(self, table: str, filters: Filters, *, sort: str = "seq") -> list[Row]:
        """Return all rows that meet the conditions, whole."""
        source = tables.metadata.tables[table]
        return self._all(
            sa.select(source)
            .where(*filters.conditions(source))
            .order_by(*order(source, [sort]))
        )

    def count(self, table: str, filters: Filters) -> int:
        """Return how many rows meet the conditions."""
        source = tables.metadata.tables[table]
        query = (
            sa.select(sa.func.count())
            .select_from(source)
            .where(*filters.conditions(source))
        )
        return int(self._connection.execute(query).scalar_one())

    def by_ids(self, table: str, ids: Iterable[str]) -> dict[str, Row]:
        """Return the rows with these ids, without contents, by their id."""
        source = tables.metadata.tables[table]
        columns = [column for column in source.c if column.name != "contents"]
        rows = self._all(sa.select(*columns).where(source.c.id.in_(set(ids))))
        return {row["id"]: row for row in rows}

    def role_ids(self, user_id: str, resource_ids: Sequence[str]) -> set[str]:
        """Return the roles that a user has on any of these resources."""
        assignments = tables.assignments
        query = sa.select(assignments.c.role_id).where(
            assignments.c.resource_id.in_(resource_ids), assigned_to(user_id)
        )
        return set(self._connection.execute(query).scalars())

    def assignments_on(self, resource_id: str) -> list[Row]:
        """Return the assignments on a resource, the oldest first."""
        return self.find("assignments", Filters(equal={"resource_id": resource_id}))

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

    def item_statuses(self, job_id: str) -> Counter[str]:
        """Return how many items of a job are in which state."""
        items = tables.job_items
        query = (
            sa.select(items.c.status, sa.func.count())
            .where(items.c.job_id == job_id)
            .group_by(items.c.status)
        )
        found = self._connection.execute(query)
        return Counter(dict(found.tuples().all()))

    def item_cost(self, job_id: str) -> float | None:
        """Return what the items of a job cost together, in HQC, if any is charged."""
        items = tables.job_items
        query = sa.select(sa.func.sum(items.c.cost)).where(items.c.job_id == job_id)
        cost: float | None = self._connection.execute(query).scalar_one()
        return cost

    def first_item(self, job_id: str, status: str) -> Row | None:
        """Return the first item of a job that is in this state."""
        items = tables.job_items
        return self._first(
            sa.select(items)
            .where(items.c.job_id == job_id, items.c.status == status)
            .order_by(items.c.item_id)
            .limit(1)
        )

    def _first(self, query: sa.Select[Any]) -> Row | None:
        row = self._connection.execute(query).mappings().first()
        return None if row is None else dict(row)

    def _all(self, query: sa.Select[Any]) -> list[Row]:
        return [dict(row) for row in self._connection.execute(query).mappings()]
