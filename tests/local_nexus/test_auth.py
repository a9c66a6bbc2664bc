import pytest

from local_nexus import LocalNexus

ME = "/api/users/v1beta2/me"


def test_the_environment_is_logged_in(client):
    assert client.run("result = qnx.auth.is_logged_in()") is True


def test_login_by_password(nexus, client):
    client.run(
        "qnx.auth.login_no_interaction(user=user, pwd=pwd, force=True)",
        user=nexus.email,
        pwd=nexus.password,
    )
    assert client.run("result = qnx.users.get_self().display_name") == "Local User"


def test_a_wrong_password_is_refused(nexus, anonymous):
    body = {"email": nexus.email, "password": "wrong"}
    answer = anonymous.post("/auth/login", json=body)
    assert answer.status_code == 401
    assert answer.json() == {"message": "The e-mail address or the password is wrong."}
    assert not answer.cookies


def test_requests_without_a_token_are_refused(anonymous):
    assert anonymous.get(ME).status_code == 401


@pytest.mark.parametrize(
    "token", ["", "x", "é.ü", "eyJhIjoxfQ==.0123", "." * 1000], ids=repr
)
def test_a_forged_token_is_refused(anonymous, token):
    answer = anonymous.get(ME, headers={"cookie": f"myqos_id={token}".encode()})
    assert answer.status_code == 401


def test_a_refresh_token_does_not_open_the_api(http):
    refresh = http.cookies["myqos_oat"]
    http.cookies.clear()
    answer = http.get(ME, headers={"cookie": f"myqos_id={refresh}"})
    assert answer.status_code == 401


def test_an_expired_token_is_refreshed_by_the_client(new_client):
    with LocalNexus() as nexus:
        client = new_client(nexus.env)
        assert client.run("result = qnx.users.get_self().display_name")
        nexus.advance(3600)
        nexus.clear_requests()
        assert client.run("result = qnx.users.get_self().display_name")
        seen = [(entry.path, entry.status) for entry in nexus.requests()]
        assert seen == [(ME, 401), ("/auth/tokens/refresh", 200), (ME, 200)]
        nexus.advance(40 * 24 * 3600)
        assert client.run("result = qnx.auth.is_logged_in()") is False


def test_the_administrators_routes_take_their_token(http):
    assert http.get("/_local/requests").status_code == 401
