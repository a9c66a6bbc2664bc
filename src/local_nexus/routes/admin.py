"""What tests of other programs do with a server, below ``/_local/``."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict

from pydantic import BaseModel

from local_nexus import bodies
from local_nexus.clock import to_iso
from local_nexus.jsonapi import last, whole
from local_nexus.routes.endpoint import Call, Endpoint, Reply
from local_nexus.store import Filters, Page

# More jobs than any store holds.
_ALL = 2**31


def _requests(call: Call) -> Reply:
    method, path = (last(call.query, name, str, "*") for name in ("method", "path"))
    entries = call.services.request_log.entries(method, path)
    return Reply(200, [asdict(entry) for entry in entries])


def _clear_requests(call: Call) -> Reply:
    call.services.request_log.clear()
    return Reply(204)


def _jobs(call: Call) -> Reply:
    services = call.services
    latest = whole(call.query, "latest", _ALL, least=1, most=_ALL)
    services.execution.settle()
    with services.store.read() as tx:
        rows = tx.page("jobs", Filters(), Page(size=latest))
        projects = tx.by_ids("projects", {row["project_id"] for row in rows})
        jobs = [
            {
                "id": row["id"],
                "name": row["name"],
                "project_id": row["project_id"],
                "project": projects[row["project_id"]]["name"],
                "job_type": row["job_type"],
                "status": row["status"],
                "queue_position": services.jobs.queue_position(tx, row),
                "cost": row["cost"],
                "created": to_iso(row["created"]),
                "items": tx.item_states(row["id"]),
            }
            for row in reversed(rows)
        ]
    return Reply(200, jobs)


def _open_page(call: Call) -> Reply:
    token = call.services.page_links.issue()
    return Reply(201, {"url": f"https://{call.host}/?token={token}"})


def _set_status(call: Call) -> Reply:
    forced = call.parse(bodies.ForcedStatus)
    call.services.jobs.set_status(
        call.path["id"],
        forced.status,
        forced.message,
        forced.error_detail,
        forced.item,
    )
    return Reply(204)


def _set_runtime_traces(call: Call) -> Reply:
    body = call.parse(bodies.RuntimeTraces)
    traces = json.dumps(body.shots)
    call.services.jobs.set_runtime_traces(call.path["id"], body.item, traces)
    return Reply(204)


def _expire_results(call: Call) -> Reply:
    call.services.jobs.expire_results(call.path["id"])
    return Reply(204)


def _add_user(call: Call) -> Reply:
    new = call.parse(bodies.NewUser)
    user = call.services.users.ensure(new.email, new.password, new.display_name)
    return Reply(201, {"id": user["id"]})


def _set_mfa_code(call: Call) -> Reply:
    user = call.services.users.find(call.path["user"])
    call.services.users.set_mfa_code(user["id"], call.parse(bodies.MfaCode).code)
    return Reply(204)


def _join_team(call: Call) -> Reply:
    team = call.services.teams.get(call.path["team"])
    user = call.services.users.find(call.path["user"])
    call.services.teams.add_member(team["id"], user["id"])
    return Reply(204)


def _set_quota(call: Call) -> Reply:
    user = call.services.users.find(call.path["user"])
    limit = call.parse(bodies.Limit).limit
    call.services.accounts.set_quota(user["id"], call.path["name"], limit)
    return Reply(204)


def _set_balance(call: Call) -> Reply:
    user = call.services.users.find(call.path["user"])
    call.services.accounts.set_balance(user["id"], call.parse(bodies.Limit).limit)
    return Reply(204)


def _add_credential(call: Call) -> Reply:
    user = call.services.users.find(call.path["user"])
    new = call.parse(bodies.NewCredential)
    row = call.services.accounts.add_credential(user["id"], new.name, new.issuer)
    return Reply(201, {"id": row["id"]})


def _set_progress(call: Call) -> Reply:
    call.services.execution.set_progress(call.parse(bodies.NewProgress).rule())
    return Reply(204)


def _progress(call: Call) -> Reply:
    rules = call.services.execution.progress_rules()
    return Reply(200, [rule.to_dict() for rule in rules])


def _clear_progress(call: Call) -> Reply:
    call.services.execution.clear_progress()
    return Reply(204)


def _advance_clock(call: Call) -> Reply:
    call.services.clock.advance(call.parse(bodies.ClockAdvance).seconds)
    call.services.faults.clock_moved()
    call.services.execution.settle()
    return Reply(204)


def _add_fault(call: Call) -> Reply:
    fault = call.parse(bodies.NewFault).root
    return Reply(201, {"id": call.services.faults.add(fault)})


def _faults(call: Call) -> Reply:
    active = call.services.faults.active()
    return Reply(200, [asdict(it) | {"fault": it.fault.to_dict()} for it in active])


def _remove_fault(call: Call) -> Reply:
    call.services.faults.remove(call.path["id"])
    return Reply(204)


def _clear_faults(call: Call) -> Reply:
    call.services.faults.clear()
    return Reply(204)


def _reset(call: Call) -> Reply:
    call.services.reset()
    return Reply(204)


def _issue_tokens(call: Call) -> Reply:
    user_id, issue = call.services.user["id"], call.services.users.issue
    return Reply(201, {use: issue(user_id, use) for use in ("id", "refresh")})


def _admin(
    method: str,
    path: str,
    handle: Callable[[Call], Reply],
    body: type[BaseModel] | None = None,
    query: tuple[str, ...] = (),
) -> Endpoint:
    return Endpoint(
        method,
        f"/_local/{path}",
        handle,
        access="admin",
        body=body,
        query=query,
        waits=True,
    )


ENDPOINTS = [
    _admin("GET", "requests", _requests, query=("method", "path")),
    _admin("DELETE", "requests", _clear_requests),
    _admin("GET", "jobs", _jobs, query=("latest",)),
    _admin("POST", "page-links", _open_page),
    _admin("PUT", "jobs/{id}/status", _set_status, bodies.ForcedStatus),
    _admin("DELETE", "jobs/{id}/results", _expire_results),
    _admin("PUT", "jobs/{id}/traces", _set_runtime_traces, bodies.RuntimeTraces),
    _admin("POST", "users", _add_user, bodies.NewUser),
    _admin("PUT", "users/{user}/mfa", _set_mfa_code, bodies.MfaCode),
    _admin("PUT", "users/{user}/quotas/{name}", _set_quota, bodies.Limit),
    _admin("PUT", "users/{user}/balance", _set_balance, bodies.Limit),
    _admin("POST", "users/{user}/credentials", _add_credential, bodies.NewCredential),
    _admin("PUT", "teams/{team}/members/{user}", _join_team),
    _admin("PUT", "progress", _set_progress, bodies.NewProgress),
    _admin("GET", "progress", _progress),
    _admin("DELETE", "progress", _clear_progress),
    _admin("POST", "clock", _advance_clock, bodies.ClockAdvance),
    _admin("POST", "faults", _add_fault, bodies.NewFault),
    _admin("GET", "faults", _faults),
    _admin("DELETE", "faults", _clear_faults),
    _admin("DELETE", "faults/{id}", _remove_fault),
    _admin("POST", "tokens", _issue_tokens),
    _admin("POST", "reset", _reset),
]
