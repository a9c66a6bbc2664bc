"""The web page: fixed files, and a session that may read but change nothing."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from local_nexus.jsonapi import last
from local_nexus.routes.endpoint import Call, Endpoint, Reply
from local_nexus.services import Services

_FOLDER = Path(__file__).parent.parent / "page"
# Nothing else is ever read, whatever a request asks for.
_FILES = {
    "/": ("index.html", "text/html; charset=utf-8"),
    "/page.css": ("page.css", "text/css; charset=utf-8"),
    "/page.js": ("page.js", "text/javascript; charset=utf-8"),
    "/results.js": ("results.js", "text/javascript; charset=utf-8"),
    "/histogram.js": ("histogram.js", "text/javascript; charset=utf-8"),
}
_HEADERS = {
    "content-security-policy": "default-src 'none'; script-src 'self'; "
    "style-src 'self'; connect-src 'self'; img-src data:; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'",
    "cache-control": "no-store",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
}
# The use of the tokens in the page's cookie, see ``Users.issue``.
SESSION = "page"


def session_cookie(services: Services) -> str:
    """Return the name of the cookie.

    Browsers send a cookie to every port of a machine: each instance has its own name.
    """
    return f"local_nexus_{services.user['id']}"


@cache
def _file(path: str) -> Reply:
    name, media_type = _FILES[path]
    text = (_FOLDER / name).read_text(encoding="utf-8")
    return Reply(200, text, headers=_HEADERS | {"content-type": media_type})


def _open(call: Call) -> Reply:
    """Show the page; a link that was not used yet opens a session before."""
    token = last(call.query, "token", str, "")
    if not token:
        return _file("/")
    cookies = {}
    if call.services.page_links.redeem(token):
        session = call.services.users.issue(call.services.user["id"], SESSION)
        cookies = {session_cookie(call.services): session}
    # Without the token in the address, it does not stay in the browser's history.
    return Reply(303, cookies=cookies, headers=_HEADERS | {"location": "/"})


def _fixed(path: str) -> Endpoint:
    return Endpoint("GET", path, lambda _call: _file(path), access="public")


ENDPOINTS = [
    Endpoint("GET", "/", _open, access="public", query=("token",)),
    *(_fixed(path) for path in _FILES if path != "/"),
]
