"""Login and tokens."""

from html import escape
from urllib.parse import parse_qs, quote

from local_cloud.store import Row
from local_cloud.web.endpoint import Endpoint, Reply, admin
from local_cloud.web.query import last
from local_nexus.login import device_logins, mfa
from local_nexus.login.models import Login, MfaAnswer, MfaCode
from local_nexus.resource import NexusCall

# The cookies of Nexus: the refresh token and the token that requests carry.
REFRESH_COOKIE = "myqos_oat"
ID_COOKIE = "myqos_id"

_CONFIRM = "/auth/device"
_MFA = "/auth/mfa_challenge"
_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Embedded Nexus</title></head>
<body><h1>Log in to the embedded Nexus</h1><p>{text}</p>
<form method="post">
<p><label>Code <input name="user_code" value="{code}" required></label></p>
<p><label>E-mail <input name="email" type="email" required></label></p>
<p><label>Password <input name="password" type="password" required></label></p>
<p><label>Verification code, if you have one <input name="code"></label></p>
<p><button>Allow device</button></p></form></body></html>
"""


def _login(call: NexusCall) -> Reply:
    login = call.parse(Login)
    user = call.services.users.login(login.email, login.password)
    if user["mfa_code"] is not None:
        challenge = call.services.mfa_challenges.start(user)
        message = "Send the verification code."
        return Reply(200, {"message": message, "redirect_uri": f"{_MFA}/{challenge}"})
    return _logged_in(call, user)


def _answer_mfa_challenge(call: NexusCall) -> Reply:
    answer = call.parse(MfaAnswer)
    user = call.services.mfa_challenges.finish(answer.email, answer.code)
    return _logged_in(call, user)


def _logged_in(call: NexusCall, user: Row) -> Reply:
    tokens, user_id = call.services.tokens, user["id"]
    cookies = {
        REFRESH_COOKIE: tokens.issue(user_id, "refresh"),
        ID_COOKIE: tokens.issue(user_id, "id"),
    }
    return Reply(200, {"message": "Logged in."}, cookies)


def _refresh(call: NexusCall) -> Reply:
    tokens = call.services.tokens
    user_id, _ = tokens.check(call.cookies.get(REFRESH_COOKIE, ""), "refresh")
    cookies = {ID_COOKIE: tokens.issue(user_id, "id")}
    return Reply(200, {"message": "Refreshed."}, cookies)


def _status(call: NexusCall) -> Reply:
    cookie = call.cookies.get(REFRESH_COOKIE, "")
    _, left = call.services.tokens.check(cookie, "refresh")
    return Reply(200, {"token_status": {"ttl": left}})


def _start_device(call: NexusCall) -> Reply:
    device_code, user_code = call.services.device_logins.start()
    page = f"https://{call.host}{_CONFIRM}"
    return Reply(
        200,
        {
            "device_code": device_code,
            "user_code": user_code,
            "verification_uri": page,
            "verification_uri_complete": f"{page}?user_code={quote(user_code)}",
            "expires_in": device_logins.LIFE,
            "interval": device_logins.INTERVAL,
        },
    )


def _confirmation_page(call: NexusCall) -> Reply:
    code = last(call.query, "user_code", str, "")
    text = "Check that the program shows the same code, then allow it."
    return Reply(200, _PAGE.format(text=text, code=escape(code)))


def _confirm_device(call: NexusCall) -> Reply:
    form = _form(call)
    user = call.services.users.login(form.get("email", ""), form.get("password", ""))
    if not mfa.matches(user, form.get("code", "")):
        raise mfa.wrong_code()
    call.services.device_logins.confirm(form.get("user_code", ""), user["id"])
    return Reply(200, {"message": "The device is allowed. This page can be closed."})


def _finish_device(call: NexusCall) -> Reply:
    services = call.services
    user_id = services.device_logins.finish(_form(call).get("device_code", ""))
    if user_id is None:
        message = "Nobody has confirmed the code yet."
        return Reply(400, {"error": "AUTHORIZATION_PENDING", "message": message})
    return Reply(
        200,
        {
            "email": services.users.find(user_id)["email"],
            "refresh_token": services.tokens.issue(user_id, "refresh"),
            "access_token": services.tokens.issue(user_id, "id"),
        },
    )


def _form(call: NexusCall) -> dict[str, str]:
    fields = parse_qs(call.body.decode(errors="replace"))
    return {name: values[-1] for name, values in fields.items()}


def _set_mfa_code(call: NexusCall) -> Reply:
    user = call.services.users.find(call.path["user"])
    call.services.users.set_mfa_code(user["id"], call.parse(MfaCode).code)
    return Reply(204)


ENDPOINTS = [
    Endpoint("POST", "/auth/login", _login, access="public", body=Login),
    Endpoint("POST", _MFA, _answer_mfa_challenge, access="public", body=MfaAnswer),
    Endpoint("POST", "/auth/tokens/refresh", _refresh, access="public"),
    Endpoint("GET", "/auth/tokens", _status),
    Endpoint(
        "POST", f"{_CONFIRM}/device_authorization", _start_device, access="public"
    ),
    Endpoint(
        "GET", _CONFIRM, _confirmation_page, access="public", query=("user_code",)
    ),
    Endpoint("POST", _CONFIRM, _confirm_device, access="public"),
    Endpoint("POST", f"{_CONFIRM}/token", _finish_device, access="public"),
    admin("PUT", "users/{user}/mfa", _set_mfa_code, MfaCode),
]
