"""Login and tokens."""

from local_nexus.bodies import Login
from local_nexus.routes.endpoint import Call, Endpoint, Reply

# The cookies of Nexus: the refresh token and the token that requests carry.
REFRESH_COOKIE = "myqos_oat"
ID_COOKIE = "myqos_id"


def _login(call: Call) -> Reply:
    login = call.parse(Login)
    users = call.services.users
    user_id = users.login(login.email, login.password)["id"]
    cookies = {
        REFRESH_COOKIE: users.issue(user_id, "refresh"),
        ID_COOKIE: users.issue(user_id, "id"),
    }
    return Reply(200, {"message": "Logged in."}, cookies)


def _refresh(call: Call) -> Reply:
    users = call.services.users
    user_id, _ = users.check(call.cookies.get(REFRESH_COOKIE, ""), "refresh")
    return Reply(
        200, {"message": "Refreshed."}, {ID_COOKIE: users.issue(user_id, "id")}
    )


def _status(call: Call) -> Reply:
    _, left = call.services.users.check(call.cookies.get(REFRESH_COOKIE, ""), "refresh")
    return Reply(200, {"token_status": {"ttl": left}})


ENDPOINTS = [
    Endpoint("POST", "/auth/login", _login, access="public", body=Login),
    Endpoint("POST", "/auth/tokens/refresh", _refresh, access="public"),
    Endpoint("GET", "/auth/tokens", _status),
]
