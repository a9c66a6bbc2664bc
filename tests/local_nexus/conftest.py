"""Servers and clients for the tests of the embedded Nexus.

The client runs in a process of its own: qnexus blocks, patches asyncio when imported
and reads its configuration once.
"""

import json
import os
import socket
import ssl
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Self

import httpx
import pytest

from local_cloud.server.instance import Instance
from local_nexus import NEXUS, LocalNexus

DRIVER = Path(__file__).with_name("driver.py")


class ClientError(Exception):
    """What qnexus raised; ``kind`` is the name of its class."""

    def __init__(self, kind: str, message: str, trace: str) -> None:
        super().__init__(trace)
        self.kind = kind
        self.message = message


class Client:
    """The real qnexus client in a process with the environment of a server."""

    def __init__(self, connection: socket.socket, environment: dict[str, str]) -> None:
        self._connection = connection
        self._stream = connection.makefile("rw")
        self._send(environment)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self._connection.shutdown(socket.SHUT_WR)
        self._stream.read()  # until the process has ended
        self._stream.close()
        self._connection.close()

    def _send(self, content: dict[str, Any]) -> None:
        self._stream.write(json.dumps(content) + "\n")
        self._stream.flush()

    def run(self, code: str, **values: Any) -> Any:
        """Run code and return what it leaves in ``result``, as JSON values."""
        self._send({"code": textwrap.dedent(code), "values": values})
        answer = json.loads(self._stream.readline())
        if "error" in answer:
            raise ClientError(answer["error"], answer["message"], answer["trace"])
        return answer["result"]


type MakeClient = Callable[[dict[str, str]], Client]


@pytest.fixture(scope="session")
def make_client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MakeClient]:
    """Make clients for an environment; they share the import of qnexus."""
    home = str(tmp_path_factory.mktemp("home"))
    control, theirs = socket.socketpair()
    number = theirs.fileno()
    process = subprocess.Popen(
        [
            sys.executable,
            "-Werror::DeprecationWarning:qnexus",
            "-Wignore:This process:DeprecationWarning",  # the thread of an allocator
            DRIVER,
            str(number),
        ],
        stdin=subprocess.DEVNULL,
        pass_fds=[number],
    )
    theirs.close()

    def make(environment: dict[str, str]) -> Client:
        ours, theirs = socket.socketpair()
        with theirs:
            socket.send_fds(control, [b"\0"], [theirs.fileno()])
        return Client(ours, os.environ | environment | {"HOME": home})

    yield make
    control.close()
    process.wait()


@pytest.fixture(scope="session")
def client(shared_nexus: LocalNexus, make_client: MakeClient) -> Iterator[Client]:
    with make_client(shared_nexus.env) as client:
        client.run("qnx.projects.get_or_create('shared')")
        yield client


@pytest.fixture
def new_client(make_client: MakeClient) -> Iterator[MakeClient]:
    with ExitStack() as stack:
        yield lambda environment: stack.enter_context(make_client(environment))


@pytest.fixture
def anonymous(nexus: LocalNexus) -> Iterator[httpx.Client]:
    """A plain HTTP client that has not logged in."""
    context = ssl.create_default_context(cafile=nexus.env["SSL_CERT_FILE"])
    with httpx.Client(base_url=nexus.url, verify=context) as http:
        yield http


@pytest.fixture
def http(anonymous: httpx.Client, nexus: LocalNexus) -> httpx.Client:
    """A plain HTTP client that has logged in."""
    login = {"email": nexus.email, "password": nexus.password}
    anonymous.post("/auth/login", json=login).raise_for_status()
    return anonymous


@pytest.fixture
def administrator(anonymous: httpx.Client, nexus: LocalNexus) -> httpx.Client:
    """A plain HTTP client for the routes below ``/_local/``."""
    token = Instance.load(NEXUS, nexus.directory).admin_token
    anonymous.headers["authorization"] = f"Bearer {token}"
    return anonymous


@pytest.fixture
def submit(client: Client) -> Callable[..., str]:
    """Submits a job of Bell circuits and returns its id."""

    def submit(
        name: str, *, n_shots: list[int] | None = None, project: str = "shared"
    ) -> str:
        return client.run(
            """
            project = qnx.projects.get(name=project)
            circuit = qnx.circuits.upload(bell(name), project=project)
            job = qnx.start_execute_job(
                programs=[circuit] * len(n_shots),
                n_shots=n_shots,
                backend_config=qnx.models.QulacsConfig(),
                name=name,
                project=project,
            )
            result = job.id
            """,
            name=name,
            n_shots=n_shots or [10],
            project=project,
        )

    return submit


@pytest.fixture
def shared(client: Client) -> str:
    """The id of a project that tests share."""
    return client.run("result = qnx.projects.get(name='shared').id")
