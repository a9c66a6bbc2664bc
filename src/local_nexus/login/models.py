"""The bodies of requests that log in."""

from pydantic import BaseModel

from local_cloud.web.models import Name


class Login(BaseModel):
    """The login by password."""

    email: str
    password: str


class MfaAnswer(BaseModel):
    """The second step of a login by password."""

    email: str
    code: str


class MfaCode(BaseModel):
    """The code that a user's logins need; null for none."""

    code: Name | None
