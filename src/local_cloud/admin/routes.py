"""The routes below ``/_local/`` that every cloud has."""

import signal
from dataclasses import asdict
from typing import Any

from local_cloud.admin.models import ClockAdvance, NewFault, NewProgress
from local_cloud.web.endpoint import Call, Endpoint, Reply, admin
from local_cloud.web.query import check_choices, last

type _Call = Call[Any]


def _requests(call: _Call) -> Reply:
    method, path = (last(call.query, name, str, "*") for name in ("method", "path"))
    entries = call.state.request_log.entries(method, path)
    return Reply(200, [asdict(entry) for entry in entries])


def _clear_requests(call: _Call) -> Reply:
    call.state.request_log.clear()
    return Reply(204)


def _open_page(call: _Call) -> Reply:
    token = call.state.page_links.issue()
    return Reply(201, {"url": f"https://{call.host}/?token={token}"})


def _set_progress(call: _Call) -> Reply:
    call.state.progress.set(call.parse(NewProgress).rule())
    call.hooks.move_jobs()
    return Reply(204)


def _progress(call: _Call) -> Reply:
    return Reply(200, [rule.to_dict() for rule in call.state.progress.rules()])


def _clear_progress(call: _Call) -> Reply:
    call.state.progress.clear()
    call.hooks.move_jobs()
    return Reply(204)


def _advance_clock(call: _Call) -> Reply:
    call.state.clock.advance(call.parse(ClockAdvance).seconds)
    call.state.faults.clock_moved()
    call.hooks.move_jobs()
    return Reply(204)


def _add_fault(call: _Call) -> Reply:
    fault = call.parse(NewFault).root
    return Reply(201, {"id": call.state.faults.add(fault)})


def _faults(call: _Call) -> Reply:
    active = call.state.faults.active()
    return Reply(200, [asdict(it) | {"fault": it.fault.to_dict()} for it in active])


def _remove_fault(call: _Call) -> Reply:
    call.state.faults.remove(call.path["id"])
    return Reply(204)


def _clear_faults(call: _Call) -> Reply:
    call.state.faults.clear()
    return Reply(204)


def _reset(call: _Call) -> Reply:
    # What a fault holds back must not go on after the data are gone.
    call.state.faults.clear()
    call.hooks.reset()
    call.state.reset()
    return Reply(204)


def _stop(_call: _Call) -> Reply:
    signal.raise_signal(signal.SIGTERM)
    return Reply(202)


def _issue_tokens(call: _Call) -> Reply:
    return Reply(201, call.hooks.issue_tokens())


def _expire_tokens(call: _Call) -> Reply:
    check_choices(call.query, "kind", ("access", "refresh"))
    call.hooks.expire_tokens(last(call.query, "kind", str, "access"))
    return Reply(204)


ENDPOINTS: list[Endpoint[Any]] = [
    admin("GET", "requests", _requests, query=("method", "path")),
    admin("DELETE", "requests", _clear_requests),
    admin("POST", "page-links", _open_page),
    admin("PUT", "progress", _set_progress, NewProgress),
    admin("GET", "progress", _progress),
    admin("DELETE", "progress", _clear_progress),
    admin("POST", "clock", _advance_clock, ClockAdvance),
    admin("POST", "faults", _add_fault, NewFault),
    admin("GET", "faults", _faults),
    admin("DELETE", "faults", _clear_faults),
    admin("DELETE", "faults/{id}", _remove_fault),
    admin("POST", "tokens", _issue_tokens),
    admin("DELETE", "tokens", _expire_tokens, query=("kind",)),
    admin("POST", "reset", _reset),
    admin("POST", "stop", _stop),
]
