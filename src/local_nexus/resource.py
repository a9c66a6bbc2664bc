"""The routes that all resources share: list, count and get one."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from local_cloud.errors import not_found
from local_cloud.store import Row, Transaction
from local_cloud.web.endpoint import Call, Endpoint, Reply
from local_cloud.web.query import check_choices, last
from local_nexus.api.filters import Filters
from local_nexus.api.jsonapi import (
    FILTERS,
    PAGING,
    Json,
    document,
    filters_of,
    link,
    page_of,
    project_resource,
    resource,
)
from local_nexus.api.listing import by_ids, count, page
from local_nexus.services import Services
from local_nexus.users.roles import permit

type NexusCall = Call[Services]
type NexusEndpoint = Endpoint[Services]


def reader_of(call: NexusCall) -> str | None:
    """Return whose eyes a request looks with; None for those that see all.

    :raises ApiError: 422 if there is no such scope.
    """
    scope = last(call.query, "scope", str, "user")
    return call.services.roles.reader(call.user_id, scope)


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


def _unprepared(_services: Services, _tx: Transaction, _rows: Sequence[Row]) -> None:
    pass


def _as_it_is(_services: Services, _job_id: str | None) -> None:
    pass


@dataclass(frozen=True)
class Resource:
    """How rows of a table are shown.

    :param name: The type in the API.
    :param path: Where they are listed, and read below that by their id.
    :param table: The table.
    :param where: What all of them have in common.
    :param prepare: Adds to the rows of a page what is asked for all at once.
    :param summary: Makes the attributes shown in lists, beyond the annotations.
    :param whole: Makes those shown beside them when one is read, and further
        relationships.
    :param relationships: Makes the relationships.
    :param related: Makes what is included beside the project.
    :param parameters: Query parameter to the column that it restricts.
    :param choices: Query parameter to the values that it may have.
    :param flags: Further parameters, which ``restrict`` reads.
    :param restrict: Narrows the filters further, from the query.
    :param before_reading: Called before rows are read, with the id if it is one.
    :param waits: Whether reading may wait for a simulator.
    """

    name: str
    path: str
    table: str
    where: Mapping[str, Any] = field(default_factory=dict)
    prepare: Callable[[Services, Transaction, Sequence[Row]], None] = _unprepared
    summary: Callable[[Services, Transaction, Row], Json] = _no_attributes
    whole: Callable[[Services, Transaction, Row], tuple[Json, Json]] = _no_more
    relationships: Callable[[Row], Json] = owners
    related: Callable[[Row], Sequence[Json]] = lambda _row: ()
    parameters: Mapping[str, str] = field(default_factory=dict)
    choices: Mapping[str, Sequence[str]] = field(default_factory=dict)
    flags: tuple[str, ...] = ()
    restrict: Callable[[NexusCall, Filters], Filters] = lambda _call, filters: filters
    before_reading: Callable[[Services, str | None], None] = _as_it_is
    waits: bool = False

    @property
    def one(self) -> str:
        """The path of one of them."""
        return f"{self.path}/{{id}}"

    def reading(self) -> "list[NexusEndpoint]":
        """Return the routes that list, count and get."""
        filters = (*FILTERS, *self.parameters, *self.flags)
        count = f"{self.path}/meta/count"
        endpoint = partial(Endpoint, "GET", waits=self.waits)
        return [
            endpoint(self.path, self.list, query=filters + PAGING),
            endpoint(count, self.count, query=filters),
            endpoint(self.one, self.get, query=("scope",)),
        ]

    def list(self, call: NexusCall) -> Reply:
        """Answer with one page."""
        filters, wanted = self._filters(call), page_of(call.query)
        self.before_reading(call.services, None)
        with call.services.store.read() as tx:
            rows = page(tx, self.table, filters, wanted)
            self.prepare(call.services, tx, rows)
            data = [self._shown(call.services, tx, row) for row in rows]
            included = self._included(tx, rows)
        return Reply(200, document(data, included))

    def count(self, call: NexusCall) -> Reply:
        """Answer with how many there are."""
        filters = self._filters(call)
        self.before_reading(call.services, None)
        with call.services.store.read() as tx:
            return Reply(200, {"count": count(tx, self.table, filters)})

    def get(self, call: NexusCall) -> Reply:
        """Answer with one of them, whole."""
        key, reader = call.path["id"], reader_of(call)
        self.before_reading(call.services, key)
        with call.services.store.read() as tx:
            return self._whole(call, tx, 200, self.require(tx, reader, key))

    def reply_whole(self, call: NexusCall, status: int, key: str) -> Reply:
        """Answer with one of them, whole, after a change."""
        with call.services.store.read() as tx:
            return self._whole(call, tx, status, self.require(tx, None, key))

    def reply(self, call: NexusCall, status: int, row: Row) -> Reply:
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

    def _whole(self, call: NexusCall, tx: Transaction, status: int, row: Row) -> Reply:
        data = self._shown(call.services, tx, row)
        attributes, relationships = self.whole(call.services, tx, row)
        data["attributes"] |= attributes
        data["relationships"] |= relationships
        return Reply(status, document(data, self._included(tx, [row])))

    def _filters(self, call: NexusCall) -> Filters:
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
            reader_id=reader_of(call),
        )
        return self.restrict(call, filters)

    def _shown(self, services: Services, tx: Transaction, row: Row) -> Json:
        attributes = self.summary(services, tx, row)
        return resource(self.name, row, attributes, self.relationships(row))

    def _included(self, tx: Transaction, rows: Sequence[Row]) -> Sequence[Json]:
        """Return what rows belong to and are related to, each once."""
        ids = {row["project_id"] for row in rows if "project_id" in row}
        found = by_ids(tx, "projects", ids) if ids else {}
        related = {it["id"]: it for row in rows for it in self.related(row)}
        return [*map(project_resource, found.values()), *related.values()]
