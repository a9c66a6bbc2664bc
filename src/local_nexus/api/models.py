"""The bodies of requests that several resources share."""

import math
from typing import Annotated

from pydantic import AfterValidator, BaseModel, Field, PlainValidator

from local_cloud.web.models import Name

_INT_LIMIT = 2**63


def _property_value(value: object) -> object:
    """Check a value by hand: a union would blame each of its types in turn."""
    finite = not isinstance(value, float) or math.isfinite(value)
    if isinstance(value, bool | str | float) and finite:
        return value
    if isinstance(value, int) and abs(value) < _INT_LIMIT:
        return value
    raise ValueError("a property is a bool, an int of 64 bits, a finite float or text")


PropertyValue = Annotated[
    bool | int | float | str,
    PlainValidator(
        _property_value,
        json_schema_input_type=bool | int | float | str,
    ),
]


class Annotations(BaseModel):
    """What a user writes about a new resource."""

    name: Name
    description: str | None = None
    properties: dict[str, PropertyValue] = Field(default_factory=dict)


ANNOTATIONS = set(Annotations.model_fields)


class AnnotationChanges(BaseModel):
    """What a user changes; what is not given or null stays as it is.

    So do properties where none are given: the client then sends an empty object.
    """

    name: Name | None = None
    description: str | None = None
    properties: Annotated[
        dict[str, PropertyValue] | None, AfterValidator(lambda given: given or None)
    ] = None


class Identifier(BaseModel):
    """A reference to a resource."""

    id: str
    type: str = ""


class Relationship(BaseModel):
    """A relationship with one resource."""

    data: Identifier


class InProject(BaseModel):
    """The relationships of what belongs to a project."""

    project: Relationship


class ResourceData[A](BaseModel):
    """A new resource in a project."""

    attributes: A
    relationships: InProject


class NewInProject[A](BaseModel):
    """The body that adds a resource to a project."""

    data: ResourceData[A]


class ChangeData[A](BaseModel):
    """A resource without relationships."""

    attributes: A


class Change[A](BaseModel):
    """The body that changes a resource, or adds one outside of projects."""

    data: ChangeData[A]


AnnotationsChange = Change[AnnotationChanges]
