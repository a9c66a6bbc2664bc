"""The shapes that the API shares: resources, listings, filters and pages."""

import contextlib
import json
import re
from collections.abc import Iterable
from typing import Any

from local_cloud.clock import from_iso, to_iso
from local_cloud.errors import ApiError
from local_cloud.store import Row
from local_cloud.web.query import Query, last, whole
from local_nexus.api.filters import Filters, Page

type Json = dict[str, Any]

MAX_PAGE_SIZE = 1000
# More than a person filters by, and fewer than a database takes in one statement.
MAX_PROPERTIES = 100
_SORTABLE = {
    "timestamps.created": "created",
    "timestamps.modified": "modified",
    "name": "name",
}
_PROPERTY = re.compile(
    r"\((?P<name>.+?),(?:\"(?P<text>.*)\"|(?P<value>[^\"]+))\)", re.DOTALL
)


# The parameters of every listing.
FILTERS = (
    "scope",
    "filter[name_fuzzy]",
    "filter[name_exact]",
    "filter[creator][email]",
    "filter[project][id]",
    "filter[properties]",
    "filter[timestamps][created][before]",
    "filter[timestamps][created][after]",
    "filter[timestamps][modified][before]",
    "filter[timestamps][modified][after]",
)
PAGING = ("page[number]", "page[size]", "sort")


def resource(kind: str, row: Row, attributes: Json, relationships: Json) -> Json:
    """Return a resource object.

    :param kind: Its type, such as ``circuit``.
    :param row: The row it is stored in.
    :param attributes: The attributes that it has beyond the annotations.
    :param relationships: Its relationships.
    """
    return {
        "type": kind,
        "id": row["id"],
        "attributes": annotation_attributes(row) | attributes,
        "relationships": relationships,
    }


def annotation_attributes(row: Row) -> Json:
    """Return the attributes that every annotated resource has."""
    return {
        "name": row["name"],
        "description": row["description"],
        "properties": row["properties"],
        "timestamps": {
            "created": to_iso(row["created"]),
            "modified": to_iso(row["modified"]),
        },
    }


def link(kind: str, key: str) -> Json:
    """Return a relationship with one resource."""
    return {"data": {"type": kind, "id": key}}


def project_attributes(row: Row) -> Json:
    """Return the attributes that a project has beyond the annotations."""
    return {
        "contents_modified": to_iso(row["contents_modified"]),
        "archived": row["archived"],
    }


def project_resource(row: Row) -> Json:
    """Return a project as it is included with what belongs to it."""
    creator = link("user", row["creator_id"])
    return resource("project", row, project_attributes(row), {"creator": creator})


def document(data: Json | list[Json], included: Iterable[Json] = ()) -> Json:
    """Return the body of an answer."""
    return {"data": data, "included": list(included)}


def page_of(query: Query) -> Page:
    """Read which page is asked for.

    :raises ApiError: 422 if a parameter is wrong.
    """
    sort = [_sort_column(term) for term in query.getlist("sort")]
    return Page(
        number=whole(query, "page[number]", 0, least=0, most=2**31),
        size=whole(query, "page[size]", 50, least=1, most=MAX_PAGE_SIZE),
        sort=sort or ["-created"],
    )


def filters_of(query: Query) -> Filters:
    """Read the filters that every listing has.

    :raises ApiError: 422 if a parameter is wrong.
    """
    projects = query.getlist("filter[project][id]")
    names = query.getlist("filter[name_exact]")
    properties = query.getlist("filter[properties]")
    if len(properties) > MAX_PROPERTIES:
        raise ApiError(
            422,
            f"filter[properties] has {len(properties)} values: give at most "
            f"{MAX_PROPERTIES}.",
            field="filter[properties]",
        )
    return Filters(
        any_of=({"project_id": projects} if projects else {})
        | ({"name": names} if names else {}),
        name_fuzzy=last(query, "filter[name_fuzzy]", str, ""),
        creator_emails=query.getlist("filter[creator][email]"),
        properties=dict(map(_property, properties)),
        before=_times(query, "before"),
        after=_times(query, "after"),
    )


def _times(query: Query, side: str) -> dict[str, int]:
    found = {}
    for column in ("created", "modified"):
        name = f"filter[timestamps][{column}][{side}]"
        moment = last(query, name, from_iso, None)
        if moment is not None:
            found[column] = moment
    return found


def _sort_column(term: str) -> str:
    column = _SORTABLE.get(term.removeprefix("-"))
    if column is None:
        raise ApiError(
            422,
            f"Cannot sort by {term!r}: take one of {', '.join(_SORTABLE)}, with a "
            "leading - for descending order.",
            field="sort",
        )
    return f"-{column}" if term.startswith("-") else column


def _property(text: str) -> tuple[str, bool | float | str]:
    match = _PROPERTY.fullmatch(text)
    if match is not None and match["text"] is not None:
        # The client puts quotes around a text and escapes nothing inside.
        return match["name"], match["text"]
    if match is not None:
        with contextlib.suppress(ValueError):
            value = json.loads(match["value"])
            if isinstance(value, bool | int | float):
                return match["name"], value
    raise ApiError(
        422,
        f"{text!r} is not a filter for a property: write (name,value), text in quotes.",
        field="filter[properties]",
    )
