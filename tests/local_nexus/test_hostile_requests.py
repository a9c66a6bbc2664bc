"""Whatever somebody sends to the server, it stays small, quick and closed to others."""

import asyncio
import contextlib
import json
import socket
import ssl
from collections.abc import Iterator
from dataclasses import replace
from http.client import HTTPSConnection
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest
import websockets
from tests.helpers.waiting import wait_until
from tests.local_cloud import toy_cloud
from tests.local_cloud.toy_cloud import TOY

from local_cloud import LocalServer, ServerOptions
from local_nexus import LocalNexus

MIB = 2**20
LOGIN = "/auth/login"
PROJECTS = "/api/projects/v1beta2"


@pytest.fixture(scope="module")
def own_nexus() -> Iterator[LocalNexus]:
    with LocalNexus() as nexus:
        yield nexus


def trust(server: LocalServer) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=server.directory / "ca-bundle.pem")


def connect(server: LocalServer) -> ssl.SSLSocket:
    plain = socket.create_connection(("127.0.0.1", server.port), timeout=60)
    return trust(server).wrap_socket(plain, server_hostname="127.0.0.1")


def begin(server: LocalServer, path: str, size: int, *headers: str) -> ssl.SSLSocket:
    """Send the head of a request whose body has ``size`` bytes."""
    connection = connect(server)
    lines = [
        f"POST {path} HTTP/1.1",
        "Host: 127.0.0.1",
        "Content-Type: application/json",
        f"Content-Length: {size}",
        *headers,
    ]
    connection.sendall(("\r\n".join(lines) + "\r\n\r\n").encode())
    return connection


def status_of(connection: socket.socket) -> int:
    with connection, connection.makefile("rb") as answer:
        return int(answer.readline().split()[1])


def log_in(nexus: LocalNexus, password: str | None = None) -> httpx.Response:
    body = {"email": nexus.email, "password": password or nexus.password}
    with httpx.Client(base_url=nexus.url, verify=trust(nexus), timeout=60) as http:
        return http.post(LOGIN, json=body)


def cookies(nexus: LocalNexus) -> str:
    jar = log_in(nexus).cookies
    return "Cookie: " + "; ".join(f"{name}={value}" for name, value in jar.items())


def test_a_large_login_is_refused_before_its_body_comes(nexus):
    assert status_of(begin(nexus, LOGIN, 60 * MIB)) == 413


def test_a_client_that_sends_all_of_a_large_login_gets_the_refusal(nexus):
    connection = HTTPSConnection("127.0.0.1", nexus.port, context=trust(nexus))
    with contextlib.closing(connection):
        connection.request(
            "POST", LOGIN, b" " * 3 * MIB, {"Content-Type": "application/json"}
        )
        answer = connection.getresponse()
        assert answer.status == 413
        assert json.loads(answer.read())["message"].startswith("The body is larger")


def test_a_login_of_unknown_size_ends_at_the_limit(nexus):
    connection = connect(nexus)
    connection.sendall(
        f"POST {LOGIN} HTTP/1.1\r\nHost: 127.0.0.1\r\n"
        "Transfer-Encoding: chunked\r\n\r\n".encode()
    )
    connection.sendall(b"11000\r\n" + b" " * 0x11000 + b"\r\n")
    assert status_of(connection) == 413


def test_others_are_served_while_large_logins_come(nexus):
    with contextlib.ExitStack() as stack:
        for _ in range(8):
            connection = stack.enter_context(begin(nexus, LOGIN, 60 * MIB))
            connection.sendall(b" " * (MIB // 4))
        assert log_in(nexus).status_code == 200


@pytest.mark.parametrize("path", [PROJECTS, "/_local/users"])
def test_who_is_not_logged_in_is_refused_before_the_body_comes(nexus, path):
    assert status_of(begin(nexus, path, 60 * MIB)) == 401


def test_bodies_that_do_not_come_to_their_end_take_little_memory(own_nexus):
    cookie = cookies(own_nexus)
    server = psutil.Process(own_nexus.pid)
    before = server.memory_info().rss
    with contextlib.ExitStack() as stack:
        for _ in range(100):
            connection = begin(own_nexus, PROJECTS, 8 * MIB, cookie)
            stack.enter_context(connection)
            connection.sendall(b" " * 3 * MIB)
        # Who comes after them is served.
        assert log_in(own_nexus).status_code == 200
        assert server.memory_info().rss - before < 50 * MIB


@pytest.mark.parametrize(
    "head",
    [
        b"GET /?" + b"x" * 80_000 + b" HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n" + b"x-filler: 12345678\r\n" * 6000,
        b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nx-filler: " + b"x" * 300_000,
    ],
    ids=["address", "many", "endless"],
)
def test_headers_that_are_too_long_are_refused(nexus, head):
    connection = connect(nexus)
    connection.sendall(head)
    assert status_of(connection) == 431


@pytest.fixture(scope="module")
def impatient() -> Iterator[LocalServer]:
    """A server that gives a request a quarter of a second."""
    cloud = replace(TOY, module="impatient_cloud")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(Path(toy_cloud.__file__).parent))
        with LocalServer(cloud, ServerOptions()) as server:
            yield server


@pytest.mark.parametrize("part", ["nothing", "head", "body"])
def test_a_request_that_does_not_come_to_its_end_is_ended(impatient, part):
    if part == "body":
        token = json.loads((impatient.directory / "tokens.json").read_text())["token"]
        connection = begin(impatient, "/jobs", 100, f"x-access-token: {token}")
    else:
        connection = connect(impatient)
        connection.sendall(b"" if part == "nothing" else b"POST /jobs HT")
    assert status_of(connection) == 408


def test_who_guesses_passwords_is_slowed_and_the_right_one_still_gets_in():
    with LocalNexus() as nexus:
        body = {"email": nexus.email, "password": "wrong"}

        async def guess() -> set[int]:
            limits = httpx.Limits(max_connections=60)
            async with httpx.AsyncClient(
                base_url=nexus.url, verify=trust(nexus), limits=limits, timeout=60
            ) as http:
                guesses = (http.post(LOGIN, json=body) for _ in range(120))
                return {answer.status_code for answer in await asyncio.gather(*guesses)}

        assert asyncio.run(guess()) == {401, 429}
        assert wait_until(lambda: log_in(nexus).status_code == 200)


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "", "["])
def test_requests_for_another_host_are_refused(nexus, http, host):
    answer = http.get(PROJECTS, headers={"host": host})
    assert answer.status_code == 421
    assert answer.json()["message"].startswith("This server is not ")


def test_a_device_login_names_the_server_and_not_what_the_client_says(nexus, anonymous):
    answer = anonymous.post(
        "/auth/device/device_authorization", headers={"host": "localhost:1"}
    )
    assert answer.json()["verification_uri"] == (
        f"https://localhost:{nexus.port}/auth/device"
    )


@pytest.mark.parametrize("origin", ["https://evil.example", "null"])
def test_pages_of_others_cannot_change_anything(nexus, http, origin):
    answer = http.post(PROJECTS, json={}, headers={"origin": origin})
    assert answer.status_code == 403
    own = http.post(PROJECTS, json={}, headers={"origin": nexus.url})
    assert own.status_code == 422


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded"])
def test_bodies_that_a_form_can_send_are_refused(http, kind):
    headers = {"content-type": kind}
    answer = http.post(PROJECTS, content=b"{}", headers=headers)
    assert answer.status_code == 415


@pytest.mark.parametrize(
    ("origin", "is_let_in"), [("https://evil.example", False), (None, True)]
)
def test_a_websocket_is_open_to_pages_of_the_server_alone(
    nexus, http, submit, origin, is_let_in
):
    job = submit("origin")
    cookie = "; ".join(f"{name}={value}" for name, value in http.cookies.items())

    async def follow() -> dict[str, Any]:
        async with websockets.connect(
            f"wss://127.0.0.1:{nexus.port}/api/jobs/v1beta3/{job}/attributes/status/ws",
            ssl=trust(nexus),
            origin=origin,
            additional_headers={"Cookie": cookie},
        ) as socket:
            return json.loads(await socket.recv())

    if is_let_in:
        assert "status" in asyncio.run(follow())
    else:
        with pytest.raises(websockets.InvalidStatus, match="403"):
            asyncio.run(follow())


def test_many_websockets_look_at_a_job_together(own_nexus, new_client):
    job = new_client(own_nexus.env).run(
        """
        project = qnx.projects.get_or_create(name="many")
        circuit = qnx.circuits.upload(bell(), project=project)
        result = qnx.start_execute_job(
            programs=[circuit], n_shots=[10], project=project, name="many",
            backend_config=qnx.models.QulacsConfig(),
        ).id
        """
    )
    cookie = cookies(own_nexus).removeprefix("Cookie: ")
    address = f"wss://127.0.0.1:{own_nexus.port}/api/jobs/v1beta3/{job}"
    own_nexus.set_job_status(job, "RUNNING")

    async def follow() -> str:
        async with websockets.connect(
            f"{address}/attributes/status/ws",
            ssl=trust(own_nexus),
            additional_headers={"Cookie": cookie},
            open_timeout=60,
        ) as socket:
            messages = [json.loads(message)["status"] async for message in socket]
        return messages[-1]

    async def all_of_them() -> list[str]:
        followers = [asyncio.create_task(follow()) for _ in range(60)]
        await asyncio.sleep(1)
        await asyncio.to_thread(own_nexus.set_job_status, job, "CANCELLED")
        return await asyncio.gather(*followers)

    assert set(asyncio.run(all_of_them())) == {"CANCELLED"}
