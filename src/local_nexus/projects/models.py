"""The bodies of requests about projects and their properties."""

from typing import Literal

from pydantic import BaseModel, StrictBool

from local_cloud.web.models import Name
from local_nexus.api.models import AnnotationChanges


class ProjectChanges(AnnotationChanges):
    """Changes of a project."""

    archived: bool | None = None


class PropertyDefinition(BaseModel):
    """The definition of a property of all that a project contains."""

    name: Name
    description: str | None = None
    property_type: Literal["bool", "int", "float", "string"]
    required: StrictBool = False
    color: str | None = None
