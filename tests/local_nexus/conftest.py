"""Servers and clients for the tests of the embedded Nexus.

The client runs in a process of its own: qnexus blocks, patches asyncio when imported
and reads its configuration once.
"""

import json
import os
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

    def __init__(self, environment: dict[str, str], home: Path) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-W", "error::DeprecationWarning:qnexus", str(DRIVER)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ | environment | {"HOME": str(home)},
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self._process.stdin.close()
        self._process.stdout.close()
        self._process.wait()

    def run(self, code: str, **values: Any) -> Any:
        """Run code and return what it leaves in ``result``, as JSON values."""
        request = {"code": textwrap.dedent(code), "values": values}
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        answer = json.loads(self._process.stdout.readline())
        if "error" in answer:
            raise ClientError(answer["error"], answer["message"], answer["trace"])
        return answer["result"]


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="session")
def client(shared_nexus: LocalNexus, home: Path) -> Iterator[Client]:
    with Client(shared_nexus.env, home) as client:
        client.run("qnx.projects.get_or_create('shared')")
        yield client


@pytest.fixture
def new_client(home: Path) -> Iterator[Callable[[dict[str, str]], Client]]:
    with ExitStack() as stack:
        yield lambda environment: stack.enter_context(Client(environment, home))


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
