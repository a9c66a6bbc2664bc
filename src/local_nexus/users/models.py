"""The bodies of requests about users, teams and their roles."""

from typing import Annotated

from pydantic import BaseModel, Field

from local_cloud.web.models import Name


class TeamAttributes(BaseModel):
    """A new team."""

    name: Name
    display_name: str | None = None
    description: str | None = None


class TeamAssignment(BaseModel):
    """A role for a team."""

    resource_id: str
    role_id: str
    team_id: str


class UserAssignment(BaseModel):
    """A role for a user."""

    resource_id: str
    role_id: str
    for_user_id: str


class Admin(BaseModel):
    """Whether a user administers the organisation and the instance."""

    admin: bool


class NewUser(BaseModel):
    """A further user of an instance."""

    email: Annotated[str, Field(pattern=r"^[^@\s]+@[^@\s]+$")]
    password: Name
    display_name: str | None = None
