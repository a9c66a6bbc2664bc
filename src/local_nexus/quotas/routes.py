"""Quotas and credentials."""

from local_cloud.clock import to_iso
from local_cloud.errors import ApiError
from local_cloud.store import Row
from local_cloud.web.endpoint import Endpoint, Reply, admin
from local_cloud.web.models import parse
from local_cloud.web.query import flag, last
from local_nexus.api.jsonapi import Json
from local_nexus.quotas.models import CredentialFilter, Limit, NewCredential
from local_nexus.quotas.service import QUOTAS
from local_nexus.resource import NexusCall

_OF_USER = ("entity_id", "include_usage")


def _quotas(call: NexusCall) -> Reply:
    return Reply(200, [_quota(call, name) for name in QUOTAS])


def _named_quotas(call: NexusCall) -> Reply:
    name = last(call.query, "name", str, None)
    return Reply(200, [_quota(call, it) for it in (QUOTAS if name is None else [name])])


def _guard(call: NexusCall) -> Reply:
    user_id = _entity(call, "user_id")
    call.services.quotas.guard(user_id, last(call.query, "name", str, ""))
    return Reply(200, {"message": "The quota is not used up."})


def _quota(call: NexusCall, name: str) -> Json:
    usage, limit = call.services.quotas.quota(_entity(call, "entity_id"), name)
    kind = QUOTAS[name]
    details: Json = {"description": kind.description}
    if limit is not None:
        details[kind.unit] = limit
    quota: Json = {"name": name, "details": details}
    if flag(call.query, "include_usage"):
        quota["usage"] = {kind.unit: usage}
    return {"quota": quota}


def _entity(call: NexusCall, name: str) -> str:
    """Return whose quotas are asked for.

    :raises ApiError: 403 if they are somebody else's.
    """
    user_id = last(call.query, name, str, call.user_id)
    if user_id != call.user_id:
        raise ApiError(403, "The quotas of another user are not shown.", field=name)
    return user_id


def _credentials(call: NexusCall) -> Reply:
    rows = call.services.quotas.credentials(call.user_id, _issuer(call))
    first_of = {row["issuer"]: row["id"] for row in reversed(rows)}
    return Reply(200, [_credential(row, first_of[row["issuer"]]) for row in rows])


def _issuer(call: NexusCall) -> str | None:
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


def _set_quota(call: NexusCall) -> Reply:
    user = call.services.users.find(call.path["user"])
    limit = call.parse(Limit).limit
    call.services.quotas.set_quota(user["id"], call.path["name"], limit)
    return Reply(204)


def _set_balance(call: NexusCall) -> Reply:
    user = call.services.users.find(call.path["user"])
    call.services.quotas.set_balance(user["id"], call.parse(Limit).limit)
    return Reply(204)


def _add_credential(call: NexusCall) -> Reply:
    user = call.services.users.find(call.path["user"])
    new = call.parse(NewCredential)
    row = call.services.quotas.add_credential(user["id"], new.name, new.issuer)
    return Reply(201, {"id": row["id"]})


ENDPOINTS = [
    Endpoint("GET", "/api/quotas/v1beta", _quotas, query=_OF_USER),
    Endpoint("GET", "/api/quotas/v1beta3", _named_quotas, query=("name", *_OF_USER)),
    Endpoint("GET", "/api/quotas/v1beta3/guard", _guard, query=("name", "user_id")),
    Endpoint("GET", "/api/v5/credentials", _credentials, query=("issuer",)),
    admin("PUT", "users/{user}/quotas/{name}", _set_quota, Limit),
    admin("PUT", "users/{user}/balance", _set_balance, Limit),
    admin("POST", "users/{user}/credentials", _add_credential, NewCredential),
]
