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


@pytest.fixture
def careful(nexus):
    """The login of a user who needs the code 2468 beside the password."""
    nexus.add_user("two@example.com", "password")
    nexus.set_mfa_code("two@example.com", "2468")
    return {"email": "two@example.com", "password": "password"}


def challenge(anonymous, code):
    answer = anonymous.post(
        "/auth/mfa_challenge", json={"email": "two@example.com", "code": code}
    )
    return answer.status_code, answer.json()["message"]


def test_the_password_alone_gives_no_tokens_where_a_code_is_needed(careful, anonymous):
    answer = anonymous.post("/auth/login", json=careful)
    assert answer.json()["redirect_uri"].startswith("/auth/mfa_challenge/")
    assert not anonymous.cookies
    assert challenge(anonymous, "2468") == (200, "Logged in.")
    assert anonymous.get(ME).status_code == 200


def test_a_challenge_is_good_for_one_login(careful, anonymous):
    anonymous.post("/auth/login", json=careful)
    challenge(anonymous, "2468")
    status, message = challenge(anonymous, "2468")
    assert status == 401
    assert "log in with the password first" in message


def test_a_challenge_takes_five_wrong_codes(careful, anonymous):
    anonymous.post("/auth/login", json=careful)
    wrong = (401, "The verification code is wrong.")
    assert [challenge(anonymous, "é") for _ in range(5)] == [wrong] * 5
    assert challenge(anonymous, "2468")[0] == 401


def test_a_browser_login_needs_the_code_too(careful, anonymous):
    form = {**careful, "user_code": "none"}
    for code, status in (("", 401), ("1", 401), ("2468", 404)):
        answer = anonymous.post("/auth/device", data=form | {"code": code})
        assert answer.status_code == status
