"""The routes that all resources share: list, count and get."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from local_nexus.errors import not_found
from local_nexus.jsonapi import (
    FILTERS,
    PAGING,
    Json,
    check_choices,
    document,
    filters_of,
    link,
    page_of,
    project_resource,
    resource,
)
from local_nexus.routes.endpoint import Call, Endpoint, Reply
from local_nexus.services import Services
from local_nexus.services.access import permit
from local_nexus.store import Filters, Row, Transaction


def owners(row: Row) -> Json:
    """Return the relationships of what belongs to a project."""
    return {
        "project": link("project", row["project_id"]),
        "creator": link("user", row["creator_id"]),
    }


def _no_attributes(_services: Services, _tx: Transaction, _row: Row) -> Json:
    return {}


def _no_more(_services: Services, _tx: Transaction, _row: Row) -> tuple[Json, Json]:
    return {}, {}


def _as_it_is(_services: Services, _job_id: str | None) -> None:
    pass


@dataclass(frozen=True)
class Resource:
    """How rows of a table are shown.

    :param name: the type in the API.
    :param path: where they are listed, and read below that by their id.
    :param table: the table.
    :param where: what all of them have in common.
    :param summary: makes the attributes shown in lists, beyond the annotations.
    :param whole: makes those shown beside them when one is read, and further
        relationships.
    :param relationships: makes the relationships.
    :param related: makes what is included beside the project.
    :param parameters: query parameter to the column that it restricts.
    :param choices: query parameter to the values that it may have.
    :param flags: further parameters, which ``restrict`` reads.
    :param restrict: narrows the filters further, from the query.
    :param before_reading: called before rows are read, with the id if it is one.
    :param waits: whether reading may wait for a simulator.
    """

    name: str
    path: str
    table: str
    where: Mapping[str, Any] = field(default_factory=dict)
    summary: Callable[[Services, Transaction, Row], Json] = _no_attributes
    whole: Callable[[Services, Transaction, Row], tuple[Json, Json]] = _no_more
    relationships: Callable[[Row], Json] = owners
    related: Callable[[Row], Sequence[Json]] = lambda _row: ()
    parameters: Mapping[str, str] = field(default_factory=dict)
    choices: Mapping[str, Sequence[str]] = field(default_factory=dict)
    flags: tuple[str, ...] = ()
    restrict: Callable[[Call, Filters], Filters] = lambda _call, filters: filters
    before_reading: Callable[[Services, str | None], None] = _as_it_is
    waits: bool = False

    @property
    def one(self) -> str:
        """The path of one of them."""
        return f"{self.path}/{{id}}"

    def reading(self) -> list[Endpoint]:
        """Return the routes that list, count and get."""
        filters = (*FILTERS, *self.parameters, *self.flags)
        count = f"{self.path}/meta/count"
        endpoint = partial(Endpoint, "GET", waits=self.waits)
        return [
            endpoint(self.path, self.list, query=filters + PAGING),
            endpoint(count, self.count, query=filters),
            endpoint(self.one, self.get, query=("scope",)),
        ]

    def list(self, call: Call) -> Reply:
        """Answer with one page."""
        filters, page = self._filters(call), page_of(call.query)
        self.before_reading(call.services, None)
        with call.services.store.read() as tx:
            rows = tx.page(self.table, filters, page)
            data = [self._shown(call.services, tx, row) for row in rows]
            included = self._included(tx, rows)
        return Reply(200, document(data, included))

    def count(self, call: Call) -> Reply:
        """Answer with how many there are."""
        filters = self._filters(call)
        self.before_reading(call.services, None)
        with call.services.store.read() as tx:
            return Reply(200, {"count": tx.count(self.table, filters)})

    def get(self, call: Call) -> Reply:
        """Answer with one of them, whole."""
        key, reader = call.path["id"], call.reader
        self.before_reading(call.services, key)
        with call.services.store.read() as tx:
            return self._whole(call, tx, 200, self.require(tx, reader, key))

    def reply_whole(self, call: Call, status: int, key: str) -> Reply:
        """Answer with one of them, whole, after a change."""
        with call.services.store.read() as tx:
            return self._whole(call, tx, status, self.require(tx, None, key))

    def reply(self, call: Call, status: int, row: Row) -> Reply:
        """Answer with one of them after a change."""
        with call.services.store.read() as tx:
            data = self._shown(call.services, tx, row)
            included = self._included(tx, [row])
        return Reply(status, document(data, included))

    def require(self, tx: Transaction, reader: str | None, key: str) -> Row:
        """Return one of them.

        :raises ApiError: 404 if it is not there for the reader.
        """
        row = tx.get(self.table, key)
        if row is None or any(row[name] != it for name, it in self.where.items()):
            raise not_found(self.name, key)
        permit(tx, reader, row, "READ")
        return row

    def _whole(self, call: Call, tx: Transaction, status: int, row: Row) -> Reply:
        data = self._shown(call.services, tx, row)
        attributes, relationships = self.whole(call.services, tx, row)
        data["attributes"] |= attributes
        data["relationships"] |= relationships
        return Reply(status, document(data, self._included(tx, [row])))

    def _filters(self, call: Call) -> Filters:
        common = filters_of(call.query)
        for name, values in self.choices.items():
            check_choices(call.query, name, values)
        given = {
            column: call.query.getlist(name) for name, column in self.parameters.items()
        }
        any_of = {column: values for column, values in given.items() if values}
        filters = replace(
            common,
            equal=dict(self.where),
            any_of=dict(common.any_of) | any_of,
            reader_id=call.reader,
        )
        return self.restrict(call, filters)

    def _shown(self, services: Services, tx: Transaction, row: Row) -> Json:
        attributes = self.summary(services, tx, row)
        return resource(self.name, row, attributes, self.relationships(row))

    def _included(self, tx: Transaction, rows: Sequence[Row]) -> Sequence[Json]:
        """Return what rows belong to and are related to, each once."""
        ids = {row["project_id"] for row in rows if "project_id" in row}
        found = tx.by_ids("projects", ids) if ids else {}
        related = {it["id"]: it for row in rows for it in self.related(row)}
        return [*map(project_resource, found.values()), *related.values()]
