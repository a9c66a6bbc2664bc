"""The bodies of requests about quotas and credentials."""

from typing import Literal

from pydantic import BaseModel

from local_cloud.web.models import Amount, Name


class CredentialFilter(BaseModel):
    """Which credentials to show."""

    issuer: str | None = None


class Limit(BaseModel):
    """How much a user may use; null for no limit."""

    limit: Amount | None


class NewCredential(BaseModel):
    """A credential of a provider, without its secret."""

    name: Name
    issuer: Literal["Quantinuum", "Qiskit", "Braket"]
