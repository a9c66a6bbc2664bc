"""Time-outs, retries and errors, against a server that answers as it is told."""

import json
import os
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from uuid import uuid4

import httpx
import pytest
import qnexus as qnx
from qnexus.models.annotations import Annotations
from qnexus.models.job_status import JobStatusEnum
from qnexus.models.references import ExecuteJobRef, ProjectRef
from tests.helpers.waiting import wait_until

from tkr_nexus_worker import jobs
from tkr_nexus_worker.errors import (
    InvalidInputError,
    NexusRefusedError,
    NexusUnavailableError,
)
from tkr_nexus_worker.jobs import status
from tkr_nexus_worker.nexus import client
from tkr_nexus_worker.nexus.client import TransientResponseError, call, get_json

OK = (200, {}, '{"answer": 42}')
DROP = None


class Script(ThreadingHTTPServer):
    """Gives the answers of a list, one for each request; the last one for ever."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.answers: list[tuple[int, dict[str, str], str | bytes] | None] = [OK]
        self.n_requests = 0


class Handler(BaseHTTPRequestHandler):
    server: Script
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        script = self.server
        answer = script.answers[min(script.n_requests, len(script.answers) - 1)]
        script.n_requests += 1
        self.rfile.read(int(self.headers.get("content-length", 0)))
        if answer is DROP:
            self.close_connection = True
            return
        status, headers, text = answer
        body = text.encode() if isinstance(text, str) else text
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_GET  # noqa: N815 (the name is given by http.server)

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def login(tmp_path) -> Path:
    """A folder with a login: without one, nothing is sent."""
    for file, field in (("token.json", "refresh_token"), ("id.json", "access_token")):
        content = {"data": {field: "a-token", "delete_version_after": None}}
        (tmp_path / file).write_text(json.dumps(content))
    return tmp_path


@pytest.fixture
def script(connect_qnexus, quick_retries, login) -> Iterator[Script]:
    with Script() as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        connect_qnexus(
            {
                "NEXUS_PROTOCOL": "http",
                "NEXUS_HOST": "127.0.0.1",
                "NEXUS_PORT": str(server.server_port),
                "NEXUS_TOKEN_PATH": str(login),
            }
        )
        yield server
        server.shutdown()
        thread.join()


def post() -> str:
    return call(
        "create project 'p'", lambda: str(qnx.projects.create("p").id), changes=True
    )


@pytest.mark.parametrize("code", [408, 425, 429, 500, 502, 503, 504])
def test_a_read_is_tried_again_after_a_status_that_may_pass(script, code):
    script.answers = [(code, {}, "{}"), OK]
    assert get_json("read", "/thing") == {"answer": 42}
    assert script.n_requests == 2


NO_GZIP = (200, {"Content-Encoding": "gzip"}, "no gzip")
NO_UTF8 = (200, {}, b'{"answer": "\xff"}')


@pytest.mark.parametrize("answer", [DROP, (200, {}, "<html>"), NO_GZIP, NO_UTF8])
def test_a_read_is_tried_again_after_a_lost_or_malformed_answer(script, answer):
    script.answers = [answer, OK]
    assert get_json("read", "/thing") == {"answer": 42}


@pytest.mark.parametrize("status", [400, 403, 404, 409, 410, 422])
def test_a_refusal_is_told_at_once_in_one_sentence(script, status):
    script.answers = [(status, {}, json.dumps({"message": "the reason"}))]
    with pytest.raises(NexusRefusedError) as caught:
        get_json("read the thing", "/thing")
    assert script.n_requests == 1
    assert caught.value.status_code == status
    assert "Could not read the thing" in str(caught.value)
    assert "the reason" in str(caught.value)
    assert caught.value.__cause__ is not None


@pytest.mark.parametrize("content", [None, "no certificates"])
def test_certificates_that_cannot_be_read_are_named(
    script, monkeypatch, tmp_path, content
):
    file = tmp_path / "authority.pem"
    if content is not None:
        file.write_text(content)
    monkeypatch.setenv("SSL_CERT_FILE", str(file))
    monkeypatch.setattr("qnexus.client._nexus_client", None)
    monkeypatch.setattr(client.CONFIG, "httpx_verify", True)
    with pytest.raises(NexusUnavailableError, match=r"authority\.pem.*SSL_CERT_FILE"):
        get_json("read", "/api/answer")


def test_retries_end(script):
    script.answers = [(503, {}, '{"message": "overloaded"}')]
    with pytest.raises(NexusUnavailableError, match="overloaded"):
        get_json("read", "/thing")
    assert script.n_requests == 3


@pytest.mark.parametrize("answer", [DROP, (500, {}, "{}"), (504, {}, "{}"), NO_GZIP])
def test_what_may_have_been_carried_out_is_not_sent_again(script, answer):
    script.answers = [answer, OK]
    with pytest.raises(NexusUnavailableError, match="may have been carried out"):
        post()
    assert script.n_requests == 1


def test_what_was_turned_away_is_sent_again(script):
    script.answers = [(429, {}, "{}"), (403, {}, '{"message": "no"}')]
    with pytest.raises(NexusRefusedError):
        post()
    assert script.n_requests == 2


def test_a_retry_after_in_seconds_is_read(script):
    script.answers = [(429, {"Retry-After": "7"}, "{}")]
    with pytest.raises(TransientResponseError) as caught:
        client.client().get("/thing")
    assert caught.value.retry_after == 7


@pytest.mark.parametrize(("hours", "low", "high"), [(1, 3000, 3600), (-1, 0, 0)])
def test_a_retry_after_as_a_date_is_read(script, hours, low, high):
    date = format_datetime(datetime.now(UTC) + timedelta(hours=hours))
    script.answers = [(429, {"Retry-After": date}, "{}")]
    with pytest.raises(TransientResponseError) as caught:
        client.client().get("/thing")
    assert low <= caught.value.retry_after <= high


@pytest.mark.parametrize("header", ["soon", "\xb2"])
def test_a_retry_after_that_says_nothing_is_ignored(script, header):
    script.answers = [(429, {"Retry-After": header}, "{}"), OK]
    assert get_json("read", "/thing") == {"answer": 42}


def test_an_answer_that_drips_is_limited(script, monkeypatch):
    monkeypatch.setenv("TKR_NEXUS_TOTAL_TIMEOUT", "0.05")

    def drip(handler: Handler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", "1000")
        handler.end_headers()
        for _ in range(20):
            handler.wfile.write(b" ")
            handler.wfile.flush()
            time.sleep(0.02)

    monkeypatch.setattr(Handler, "do_GET", drip)
    with pytest.raises(NexusUnavailableError, match="took more than"):
        get_json("read", "/thing")


def job_ref() -> ExecuteJobRef:
    annotations = Annotations(name="a job")
    project = ProjectRef(
        id=uuid4(),
        annotations=annotations,
        contents_modified=datetime.now(UTC),
        archived=False,
    )
    return ExecuteJobRef(
        id=uuid4(),
        annotations=annotations,
        last_status=JobStatusEnum.QUEUED,
        last_message="",
        project=project,
    )


def test_an_outage_while_a_job_is_polled_is_waited_for(script, caplog):
    script.answers = [(503, {}, "{}"), DROP, (200, {}, '{"status": "RUNNING"}')]
    assert jobs.is_running(job_ref()) is True
    assert "trying again" in caplog.text


def test_an_outage_that_lasts_too_long_ends_with_the_job_named(script):
    script.answers = [(503, {}, "{}")]
    job = job_ref()
    with pytest.raises(NexusUnavailableError) as caught:
        jobs.is_running(job)
    assert str(job.id) in str(caught.value)
    assert "nothing is lost" in str(caught.value)


def test_silence_is_limited(script, monkeypatch):
    monkeypatch.setenv("TKR_NEXUS_READ_TIMEOUT", "0.05")
    wait = threading.Event()
    monkeypatch.setattr(Handler, "do_GET", lambda _: wait.wait(5))
    with pytest.raises(NexusUnavailableError, match="ReadTimeout"):
        get_json("read", "/thing")
    wait.set()


def test_a_status_that_does_not_come_is_asked_for_again_before_other_answers(
    script, monkeypatch
):
    monkeypatch.setattr(status, "_READ_TIMEOUT", 0.05)
    script.answers = [(200, {}, '{"status": "RUNNING"}')]
    answer, arrived, asked_again = Handler.do_GET, threading.Event(), threading.Event()
    in_time = []

    def hang_once(handler: Handler) -> None:
        if arrived.is_set():
            asked_again.set()
        else:
            arrived.set()
            in_time.append(asked_again.wait(10))
        answer(handler)

    monkeypatch.setattr(Handler, "do_GET", hang_once)
    assert status.get_status(job_ref()).state.name == "RUNNING"
    assert wait_until(lambda: in_time)
    assert in_time == [True]


def test_a_server_that_is_not_there_is_named(connect_qnexus, quick_retries, login):
    address = {"NEXUS_HOST": "127.0.0.1", "NEXUS_PORT": "1"}
    connect_qnexus(address | {"NEXUS_TOKEN_PATH": str(login)})
    with pytest.raises(NexusUnavailableError, match=r"https://127\.0\.0\.1:1 "):
        get_json("read", "/thing")


@pytest.mark.parametrize("value", ["fast", "0", "-3", "nan", "inf"])
def test_a_limit_that_is_no_time_is_refused(script, monkeypatch, value):
    monkeypatch.setenv("TKR_NEXUS_CONNECT_TIMEOUT", value)
    with pytest.raises(InvalidInputError, match="TKR_NEXUS_CONNECT_TIMEOUT"):
        get_json("read", "/thing")


def test_an_error_of_the_program_itself_is_not_hidden(script):
    with pytest.raises(ZeroDivisionError):
        call("divide", lambda: 1 / 0)


def test_a_retry_after_beyond_the_limit_is_told_at_once(script, monkeypatch):
    monkeypatch.setenv("TKR_NEXUS_RETRY_TIME", "60")
    script.answers = [(503, {"Retry-After": "3600"}, '{"message": "maintenance"}')]
    with pytest.raises(NexusUnavailableError, match="maintenance; wait 3600 s"):
        get_json("read", "/thing")
    assert script.n_requests == 1


@pytest.fixture
def configuration(monkeypatch):
    """The configuration of qnexus, which is restored."""
    for name in type(client.CONFIG).model_fields:
        monkeypatch.setattr(client.CONFIG, name, getattr(client.CONFIG, name))
    return client.CONFIG


def test_forks_share_the_certificates_that_their_environment_trusts(
    configuration, nexus, monkeypatch
):
    for name, value in nexus.env.items():
        monkeypatch.setenv(name, value)
    client.load_certificates(os.environ)
    trusted = []
    for _ in range(2):
        client.read_config_again()
        trusted.append(configuration.httpx_verify)
    assert trusted[0] is trusted[1]
    with httpx.Client(verify=trusted[0]) as plain:
        plain.get(f"{configuration.url}/api/v5/available_devices")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SSL_CERT_FILE", "/no/such/file"),
        ("SSL_CERT_FILE", os.devnull),
        ("SSL_CERT_FILE", __file__),
        ("SSLKEYLOGFILE", "keys"),
    ],
)
def test_other_certificates_are_left_to_the_client(
    name, value, configuration, monkeypatch
):
    monkeypatch.setenv(name, value)
    client.load_certificates(os.environ)
    client.read_config_again()
    assert configuration.httpx_verify is True


def test_a_folder_of_certificates_is_left_to_the_client(configuration, monkeypatch):
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    monkeypatch.setenv("SSL_CERT_DIR", "/etc/ssl/certs")
    client.read_config_again()
    assert configuration.httpx_verify is True
