"""How faults hit a request or a websocket."""

import json
import time
from collections.abc import Callable
from email.utils import formatdate
from functools import partial
from http import HTTPStatus

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from local_cloud.faults.active import ActiveFaults, Armed
from local_cloud.faults.rule import Fault
from local_cloud.web.middleware import DROP, is_outside, method_of

_WITHOUT_BODY = {
    HTTPStatus.NO_CONTENT,
    HTTPStatus.RESET_CONTENT,
    HTTPStatus.NOT_MODIFIED,
}
_PAGE = b"<!DOCTYPE html><html><body><h1>An error occurred.</h1></body></html>"
_DETAIL = b'{"detail":"A fault spoilt this answer."}'


class Faulty:
    """Carries out the faults in force, around each other in their order.

    :param app: What answers.
    :param faults: The faults.
    :param expire: Lets all tokens of a kind expire.
    """

    def __init__(
        self, app: ASGIApp, faults: ActiveFaults, expire: Callable[[str], None]
    ) -> None:
        self._app = app
        self._faults = faults
        self._expire = expire

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request through the faults that are about it."""
        app = self._app
        if not is_outside(scope):
            for armed in reversed(
                self._faults.matching(method_of(scope), scope["path"])
            ):
                app = partial(self._through, armed, app)
        await app(scope, receive, send)

    async def _through(
        self, armed: Armed, app: ASGIApp, scope: Scope, receive: Receive, send: Send
    ) -> None:
        if not self._faults.fires(armed):
            await app(scope, receive, send)
            return
        scope["state"]["faults"].append(armed.key)
        if armed.fault.token is not None:
            self._expire(armed.fault.token)
        hit = self._hit_request if scope["type"] == "http" else self._hit_websocket
        await hit(armed, app, scope, receive, send)

    async def _hit_request(
        self, armed: Armed, app: ASGIApp, scope: Scope, receive: Receive, send: Send
    ) -> None:
        fault = armed.fault
        answer: list[Message] = []
        if fault.when == "after" or fault.action == "malformed":

            async def keep(message: Message) -> None:
                answer.append(message)

            await app(scope, receive, keep)
        match fault.action:
            case "answer":
                answer = _answer(fault, "http.response")
            case "drop":
                answer = [{"type": DROP}]
            case "malformed":
                answer = _malformed(fault, answer)
            case "delay" | "hang":
                await self._faults.hold(armed)
        for message in answer:
            await send(message)
        # Nobody waits any more for work that was held back too long.
        if not answer and not scope["state"]["connection"].is_lost:
            await app(scope, receive, send)

    async def _hit_websocket(
        self, armed: Armed, app: ASGIApp, scope: Scope, receive: Receive, send: Send
    ) -> None:
        match armed.fault.action, armed.fault.when:
            case "answer", _:
                for message in _answer(armed.fault, "websocket.http.response"):
                    await send(message)
                # Uvicorn would take the end of the task for a lost handshake.
                await scope["state"]["connection"].lost.wait()
            case "drop", "before":
                await send({"type": DROP})
            case "delay" | "hang", "before":
                await self._faults.hold(armed)
                await app(scope, receive, send)
            case _:
                await app(scope, receive, self._hit_messages(armed, send))

    def _hit_messages(self, armed: Armed, send: Send) -> Send:
        """Return what lets the messages of a websocket pass until the fault is due."""
        fault = armed.fault
        at_once = fault.action == "close" and fault.when == "before"
        due_after = "websocket.accept" if at_once else "websocket.send"
        due, over = False, False

        async def pass_on(message: Message) -> None:
            nonlocal due, over
            if over:
                return
            if fault.shape is not None and "text" in message:
                spoilt = _spoil(fault.shape, message["text"].encode())
                message = {**message, "text": spoilt.decode(errors="ignore")}
            await send(message)
            if due or message["type"] != due_after:
                return
            due = True
            match fault.action:
                case "delay" | "hang":
                    await self._faults.hold(armed)
                case "drop":
                    over = True
                    await send({"type": DROP})
                case "close":
                    over = True
                    code = fault.code or 1000
                    await send({"type": "websocket.close", "code": code})

        return pass_on


def _answer(fault: Fault, kind: str) -> list[Message]:
    """Return the messages of the answer that a fault gives.

    :param kind: What their types begin with.
    """
    status = fault.status or HTTPStatus.SERVICE_UNAVAILABLE
    body, media_type = _body(fault, status)
    headers = {"content-type": media_type, "content-length": str(len(body))}
    if fault.retry_after is not None:
        headers["retry-after"] = _retry_after(fault.retry_after, fault.retry_after_form)
    headers |= {name.lower(): text for name, text in fault.headers.items()}
    encoded = [(name.encode(), text.encode()) for name, text in headers.items()]
    return [
        {"type": f"{kind}.start", "status": int(status), "headers": encoded},
        {"type": f"{kind}.body", "body": body},
    ]


def _body(fault: Fault, status: int) -> tuple[bytes, str]:
    if status in _WITHOUT_BODY:
        return b"", "text/plain"
    if isinstance(fault.body, str):
        return fault.body.encode(), "text/plain"
    content = fault.body
    if content is None:
        content = {"message": f"A fault answers this request with {status}."}
    return json.dumps(content).encode(), "application/json"


def _retry_after(seconds: int, form: str) -> str:
    """Return the value of the header, as RFC 9110, section 10.2.3, has it."""
    if form == "seconds":
        return str(seconds)
    return formatdate(time.time() + seconds, usegmt=True)


def _malformed(fault: Fault, answer: list[Message]) -> list[Message]:
    """Return an answer with its body spoilt; another fault may have taken it."""
    if not answer or answer[0]["type"] != "http.response.start" or fault.shape is None:
        return answer
    start, *parts = answer
    body = _spoil(fault.shape, b"".join(part.get("body", b"") for part in parts))
    changed = {b"content-length": str(len(body)).encode()}
    if fault.shape == "html":
        changed[b"content-type"] = b"text/html"
    kept = [(name, text) for name, text in start["headers"] if name not in changed]
    status = fault.status or start["status"]
    return [
        {**start, "status": status, "headers": kept + list(changed.items())},
        {"type": "http.response.body", "body": body},
    ]


def _spoil(shape: str, body: bytes) -> bytes:
    return {"truncated": body[: len(body) // 2], "html": _PAGE}.get(shape, _DETAIL)
