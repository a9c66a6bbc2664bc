import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

import httpx
import pytest
from tests.helpers.waiting import wait_until
from tests.local_nexus.conftest import Client, ClientError

from local_nexus import Fault, LocalNexus

ME = "/api/users/v1beta2/me"
PROJECTS = "/api/projects/v1beta2"
JOBS = "/api/jobs/v1beta3"
# A client that does not wait for answers, however long it takes to connect.
IMPATIENT = httpx.Timeout(60.0, read=0.3)


@pytest.fixture(scope="module")
def own() -> Iterator[LocalNexus]:
    """A server whose clock and tokens other modules do not depend on."""
    with LocalNexus() as nexus:
        yield nexus


@pytest.fixture(scope="module")
def client_of_own(own, make_client) -> Iterator[Client]:
    with make_client(own.env) as client:
        yield client


@pytest.fixture
def own_client(own, client_of_own) -> Iterator[Client]:
    """A client of that server, logged in afresh."""
    own.log_in()
    client_of_own.run("qnx.client.get_nexus_client(reload=True)")
    own.clear_requests()
    yield client_of_own
    own.clear_faults()


def error_of(client, code: str, **values) -> str:
    """The name of what the client raises."""
    code = f"""
        try:
            {code}
        except Exception as error:
            result = type(error).__name__
    """
    return client.run(code, **values)


def job_names(nexus) -> list[str]:
    return [job["name"] for job in nexus.jobs()]


class in_background:  # noqa: N801 - reads like a function
    """Runs a function in a thread for the length of a block."""

    def __init__(self, function) -> None:
        self.result = None
        self._thread = threading.Thread(target=self._run, args=(function,))

    def _run(self, function) -> None:
        self.result = function()

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._thread.join()


def await_hit(nexus: LocalNexus) -> None:
    """Wait until the only fault has hit a request."""
    while not nexus.faults()[0].fired:
        time.sleep(0.01)


@pytest.mark.parametrize(
    ("status", "raised"),
    [
        (404, "ZeroMatches"),
        (410, "DataGone"),
        (500, "ResourceFetchFailed"),
        (503, "ResourceFetchFailed"),
    ],
)
def test_a_status_code_becomes_the_clients_own_error(
    nexus, client, shared, status, raised
):
    with nexus.fault(Fault("answer", status=status, path=f"{PROJECTS}/*")):
        assert error_of(client, "qnx.projects.get(id=key)", key=shared) == raised
    assert client.run("result = qnx.projects.get(id=key).id", key=shared) == shared


def test_the_body_says_that_a_fault_answered(nexus, http):
    with nexus.fault(Fault("answer", status=502)):
        answer = http.get(ME)
    assert answer.status_code == 502
    assert answer.json() == {"message": "A fault answers this request with 502."}


@pytest.mark.parametrize(
    ("body", "content", "media_type"),
    [
        ({"message": "mine"}, b'{"message": "mine"}', "application/json"),
        ([1], b"[1]", "application/json"),
        ("plain", b"plain", "text/plain"),
        ("", b"", "text/plain"),
    ],
    ids=repr,
)
def test_a_body_is_sent_as_given(nexus, http, body, content, media_type):
    with nexus.fault(Fault("answer", status=500, body=body)):
        answer = http.get(ME)
    assert (answer.content, answer.headers["content-type"]) == (content, media_type)


def test_headers_are_added_or_replaced(nexus, http):
    headers = {"Content-Type": "text/csv", "X-Request-ID": "7"}
    fault = Fault("answer", status=200, body="a,b", headers=headers)
    with nexus.fault(fault):
        answer = http.get(ME)
    assert answer.headers["content-type"] == "text/csv"
    assert answer.headers["x-request-id"] == "7"


def test_a_status_without_a_body_has_none(nexus, http):
    with nexus.fault(Fault("answer", status=204, body="ignored")):
        assert http.get(ME).content == b""
    assert http.get(ME).status_code == 200


def test_retry_after_in_seconds(nexus, http):
    with nexus.fault(Fault("answer", status=429, retry_after=7)):
        answer = http.get(ME)
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "7")


def test_retry_after_as_a_date(nexus, http):
    before = datetime.now(UTC).replace(microsecond=0)
    fault = Fault("answer", status=429, retry_after=3600, retry_after_form="date")
    with nexus.fault(fault):
        answer = http.get(ME)
    date = parsedate_to_datetime(answer.headers["retry-after"])
    assert date >= before + timedelta(hours=1)


def test_an_answer_before_the_work_prevents_it(nexus, client):
    with nexus.fault(Fault("answer", status=504, method="POST", path=PROJECTS)):
        assert error_of(client, "qnx.projects.create(name='never-made')")
    assert (
        client.run("result = qnx.projects.get_all(name_like='never-made').count()") == 0
    )


def test_an_answer_after_the_work_hides_it(nexus, client):
    fault = Fault("answer", status=504, method="POST", path=PROJECTS, when="after")
    with nexus.fault(fault):
        assert error_of(client, "qnx.projects.create(name='made-unseen')")
    found = client.run("result = qnx.projects.get(name='made-unseen').annotations.name")
    assert found == "made-unseen"


@pytest.mark.parametrize(("when", "submitted"), [("before", False), ("after", True)])
def test_a_dropped_submission_may_or_may_not_have_been_carried_out(
    nexus, submit, when, submitted
):
    name = f"dropped-{when}"
    fault = Fault("drop", method="POST", path=JOBS, when=when)
    with nexus.fault(fault), pytest.raises(ClientError) as caught:
        submit(name)
    assert caught.value.kind in ("RemoteProtocolError", "ReadError")
    assert (name in job_names(nexus)) is submitted
    assert nexus.requests(method="post", path=JOBS)[-1].status == "dropped"


def test_a_dropped_connection_is_no_failure_of_the_server(nexus, http):
    log = nexus.directory / "server.log"
    with nexus.fault(Fault("drop")), pytest.raises(httpx.TransportError):
        http.get(ME)
    assert http.get(ME).status_code == 200
    assert log.read_text() == ""


@pytest.mark.parametrize(("when", "created"), [("before", 0), ("after", 1)])
def test_a_client_with_a_time_limit_gives_up_on_a_hang(nexus, http, when, created):
    name = f"hang-{when}"
    body = {"data": {"attributes": {"name": name}}}
    query = {"filter[name_exact]": name}
    fault = Fault("hang", method="POST", path=PROJECTS, when=when)
    with nexus.fault(fault), pytest.raises(httpx.ReadTimeout):
        http.post(PROJECTS, json=body, timeout=IMPATIENT)

    def count() -> int:
        return http.get(f"{PROJECTS}/meta/count", params=query).json()["count"]

    assert wait_until(lambda: count() == created)


def test_a_hang_ends_when_it_is_removed(nexus, http):
    fault_id = nexus.add_fault(Fault("hang"))
    with in_background(lambda: http.get(ME).status_code) as asking:
        await_hit(nexus)
        assert asking.result is None
        nexus.remove_fault(fault_id)
    assert asking.result == 200


@pytest.mark.parametrize("action", ["hang", "delay"])
def test_an_answer_held_back_comes_when_its_time_has_come(own, own_client, action):
    own.add_fault(Fault(action, seconds=60, path=ME, times=1))
    code = "result = qnx.users.get_self().display_name"
    with in_background(lambda: own_client.run(code)) as asking:
        await_hit(own)
        own.advance(59)
        assert asking.result is None
        own.advance(1)
    assert asking.result == "Local User"


def test_a_server_with_hanging_requests_stops_in_peace():
    with LocalNexus() as nexus:
        nexus.add_fault(Fault("hang"))
        with pytest.raises(httpx.ReadTimeout):
            httpx.get(f"{nexus.url}{ME}", verify=False, timeout=IMPATIENT)  # noqa: S501
        log = (nexus.directory / "server.log").open()
    with log:
        assert log.read() == ""


@pytest.mark.parametrize(
    ("shape", "raised"),
    [
        ("truncated", "JSONDecodeError"),
        ("html", "JSONDecodeError"),
        ("detail", "KeyError"),
    ],
)
def test_the_client_stumbles_over_a_spoilt_body(nexus, client, shared, shape, raised):
    with nexus.fault(Fault("malformed", shape=shape, path=f"{PROJECTS}/*")):
        assert error_of(client, "qnx.projects.get(id=key)", key=shared) == raised


def test_the_work_behind_a_spoilt_answer_is_done(nexus, http):
    fault = Fault("malformed", shape="html", status=502)
    body = {"data": {"attributes": {"name": "spoilt"}}}
    with nexus.fault(fault):
        answer = http.post(PROJECTS, json=body)
    assert answer.status_code == 502
    assert answer.headers["content-type"] == "text/html"
    query = {"filter[name_exact]": "spoilt"}
    count = http.get(f"{PROJECTS}/meta/count", params=query).json()
    assert count == {"count": 1}


def test_an_expired_access_token_is_refreshed_by_the_client(own, own_client):
    own.add_fault(Fault("expire", token="access", times=1))
    assert own_client.run("result = qnx.users.get_self().display_name")
    seen = [(entry.path, entry.status) for entry in own.requests()]
    assert seen == [(ME, 401), ("/auth/tokens/refresh", 200), (ME, 200)]


def test_an_expired_refresh_token_takes_a_new_login(own, own_client):
    own.add_fault(Fault("expire", token="refresh", times=1))
    own.add_fault(Fault("expire", token="access", times=1))
    assert error_of(own_client, "qnx.users.get_self()") == "AuthenticationError"
    own_client.run(
        "qnx.auth.login_no_interaction(user=user, pwd=pwd, force=True)",
        user=own.email,
        pwd=own.password,
    )
    assert own_client.run("result = qnx.users.get_self().display_name")


def test_the_server_can_log_the_environment_in_again(own, own_client):
    logged_in = """
        qnx.client.get_nexus_client(reload=True)
        result = qnx.auth.is_logged_in()
    """
    own.advance(40 * 86_400)
    assert own_client.run(logged_in) is False
    own.log_in()
    assert own_client.run(logged_in) is True


def statuses(http, times: int, path: str = ME) -> list[int]:
    return [http.get(path).status_code for _ in range(times)]


def test_the_third_and_fourth_request(nexus, http):
    nexus.add_fault(Fault("answer", status=500, skip=2, times=2))
    assert statuses(http, 6) == [200, 200, 500, 500, 200, 200]
    (active,) = nexus.faults()
    assert (active.seen, active.fired) == (6, 2)


def test_a_method_and_a_path(nexus, http):
    nexus.add_fault(Fault("answer", status=500, method="get", path="/api/users/*"))
    assert statuses(http, 1) == [500]
    assert statuses(http, 1, PROJECTS) == [200]
    assert http.post("/api/users/v1beta2/me").status_code == 405


def test_a_probability_with_the_same_seed_hits_the_same_requests(nexus, http):
    runs = []
    for seed in (1, 1, 2):
        fault = Fault("answer", status=500, probability=0.5, seed=seed)
        with nexus.fault(fault):
            runs.append(statuses(http, 20))
    assert runs[0] == runs[1]
    assert runs[0] != runs[2]
    assert set(runs[0]) == {200, 500}


def test_an_outage_for_a_stretch_of_time(own, own_client):
    own.add_fault(Fault("drop", start=60, duration=600))
    outcome = "result = qnx.users.get_self().display_name"
    assert own_client.run(outcome) == "Local User"
    own.advance(60)
    assert error_of(own_client, outcome) in ("RemoteProtocolError", "ReadError")
    own.advance(600)
    assert own_client.run(outcome) == "Local User"


def test_faults_lie_around_each_other_in_their_order(nexus, http):
    first = nexus.add_fault(Fault("delay", seconds=0))
    second = nexus.add_fault(Fault("answer", status=500))
    nexus.add_fault(Fault("answer", status=501))
    assert statuses(http, 1) == [500]
    assert nexus.requests()[-1].faults == (first, second)
    assert [active.fired for active in nexus.faults()] == [1, 1, 0]


def test_the_administrators_routes_are_never_hit(nexus, http):
    nexus.add_fault(Fault("drop"))
    nexus.clear_faults()
    assert nexus.faults() == []
    assert statuses(http, 1) == [200]


def test_the_end_of_the_block_removes_the_fault_also_after_an_error(nexus):
    with pytest.raises(ZeroDivisionError), nexus.fault(Fault("drop")):
        _ = 1 / 0
    assert nexus.faults() == []
