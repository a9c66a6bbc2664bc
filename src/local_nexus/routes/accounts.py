"""Quotas and credentials."""

from __future__ import annotations

from local_nexus.bodies import CredentialFilter, parse
from local_nexus.clock import to_iso
from local_nexus.errors import ApiError
from local_nexus.jsonapi import Json, flag, last
from local_nexus.routes.endpoint import Call, Endpoint, Reply
from local_nexus.services.accounts import QUOTAS
from local_nexus.store import Row

_OF_USER = ("entity_id", "include_usage")


def _quotas(call: Call) -> Reply:
    return Reply(200, [_quota(call, name) for name in QUOTAS])


def _named_quotas(call: Call) -> Reply:
    name = last(call.query, "name", str, None)
    return Reply(200, [_quota(call, it) for it in (QUOTAS if name is None else [name])])


def _guard(call: Call) -> Reply:
    user_id = _entity(call, "user_id")
    call.services.accounts.guard(user_id, last(call.query, "name", str, ""))
    return Reply(200, {"message": "The quota is not used up."})


def _quota(call: Call, name: str) -> Json:
    usage, limit = call.services.accounts.quota(_entity(call, "entity_id"), name)
    kind = QUOTAS[name]
    details: Json = {"description": kind.description}
    if limit is not None:
        details[kind.unit] = limit
    quota: Json = {"name": name, "details": details}
    if flag(call.query, "include_usage"):
        quota["usage"] = {kind.unit: usage}
    return {"quota": quota}


def _entity(call: Call, name: str) -> str:
    """Return whose quotas are asked for.

    :raises ApiError: 403 if they are somebody else's.
    """
    user_id = last(call.query, name, str, call.user_id)
    if user_id != call.user_id:
        raise ApiError(403, "The quotas of another user are not shown.", field=name)
    return user_id


def _credentials(call: Call) -> Reply:
    rows = call.services.accounts.credentials(call.user_id, _issuer(call))
    first_of = {row["issuer"]: row["id"] for row in reversed(rows)}
    return Reply(200, [_credential(row, first_of[row["issuer"]]) for row in rows])


def _issuer(call: Call) -> str | None:
    """Return the issuer asked for: a parameter or, as qnexus sends it, a JSON text."""
    sent_as_json = next((name for name in call.query if name.startswith("{")), None)
    if sent_as_json is None:
        return last(call.query, "issuer", str, None)
    return parse(CredentialFilter, sent_as_json.encode()).issuer


def _credential(row: Row, default: str) -> Json:
    return {
        "id": row["id"],
        "name": row["name"],
        "backend_issuer": row["issuer"],
        "is_default_for_issuer": row["id"] == default,
        "submitted_time": to_iso(row["created"]),
    }


ENDPOINTS = [
    Endpoint("GET", "/api/quotas/v1beta", _quotas, query=_OF_USER),
    Endpoint("GET", "/api/quotas/v1beta3", _named_quotas, query=("name", *_OF_USER)),
    Endpoint("GET", "/api/quotas/v1beta3/guard", _guard, query=("name", "user_id")),
    Endpoint("GET", "/api/v5/credentials", _credentials, query=("issuer",)),
]
