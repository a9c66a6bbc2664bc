"""The web page: fixed files, a link that opens a session, and what that may do."""

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from starlette.requests import Request

from local_cloud.web.endpoint import Call, Endpoint, Reply
from local_cloud.web.query import last

# The files that the pages of all clouds share.
_SHARED = Path(__file__).parent / "static"
# What the buttons of a page call; with its session, nothing else may change anything.
_BUTTONS = "/page/"
_MEDIA_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
}
_HEADERS = {
    "content-security-policy": "default-src 'none'; script-src 'self'; "
    "style-src 'self'; connect-src 'self'; img-src data:; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'",
    "cache-control": "no-store",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
}


def endpoints(
    folder: Path, open_session: Callable[[Call[Any]], dict[str, str]]
) -> list[Endpoint[Any]]:
    """Return the routes of the page.

    :param folder: The files of the page, ``index.html`` among them.
    :param open_session: Returns the cookies of a new session, in which a browser may
        read what the page shows.
    """
    # Nothing else is ever read, whatever a request asks for.
    files = {
        f"/{file.name}": file
        for place in (_SHARED, folder)
        for file in sorted(place.iterdir())
        if file.suffix in _MEDIA_TYPES
    }
    index = files.pop("/index.html")

    def show(call: Call[Any]) -> Reply:
        """Show the page; a link that was not used yet opens a session before."""
        token = last(call.query, "token", str, "")
        if not token:
            return _read(index)
        redeemed = call.state.page_links.redeem(token)
        # Without the token in the address, it does not stay in the browser's history.
        return Reply(
            303,
            cookies=open_session(call) if redeemed else {},
            headers=_HEADERS | {"location": "/"},
        )

    return [
        Endpoint("GET", "/", show, access="public", query=("token",)),
        *(_fixed(path, file) for path, file in files.items()),
    ]


def session_of(request: Request, cookie: str) -> str | None:
    """Return the session of the page that may answer a request, if there is one.

    A session reads all that its user may read, and changes what the page has buttons
    for. Browsers send it for this page alone: its cookie is strict about the site, and
    :class:`Guarded` about the origin.

    :param cookie: The name of the cookie.
    """
    may = request.method == "GET" or request.url.path.startswith(_BUTTONS)
    return request.cookies.get(cookie) if may else None


def _fixed(path: str, file: Path) -> Endpoint[Any]:
    return Endpoint("GET", path, lambda _call: _read(file), access="public")


@cache
def _read(file: Path) -> Reply:
    text = file.read_text(encoding="utf-8")
    media_type = _MEDIA_TYPES[file.suffix]
    return Reply(200, text, headers=_HEADERS | {"content-type": media_type})
