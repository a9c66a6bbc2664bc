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


def test_login_in_a_browser(nexus, new_client):
    client = new_client(nexus.env | {"NEXUS_STORE_TOKENS": "false"})
    pages = client.run(
        """
        import ssl, httpx, webbrowser
        pages = []
        def open_browser(url, new):
            code = url.rpartition("=")[2]
            pages.append(code in httpx.get(url).text)
            form = {"email": user, "password": pwd, "user_code": code}
            pages.append(httpx.post(url, data=form).status_code)
        webbrowser.open = open_browser
        qnx.login(force=True)
        result = pages
        """,
        user=nexus.email,
        pwd=nexus.password,
    )
    assert pages == [True, 200]


def test_a_login_in_a_browser_waits_for_the_person(anonymous):
    started = anonymous.post("/auth/device/device_authorization").json()
    code = {"device_code": started["device_code"]}
    answer = anonymous.post("/auth/device/token", data=code)
    assert answer.status_code == 400
    assert answer.json()["error"] == "AUTHORIZATION_PENDING"
    form = {"user_code": started["user_code"], "email": "a@b", "password": "guess"}
    assert anonymous.post("/auth/device", data=form).status_code == 401
    code = {"device_code": "guessed"}
    assert anonymous.post("/auth/device/token", data=code).status_code == 401


def test_the_code_in_the_page_is_escaped(anonymous):
    page = anonymous.get("/auth/device", params={"user_code": '"><script>'})
    assert "<script>" not in page.text
