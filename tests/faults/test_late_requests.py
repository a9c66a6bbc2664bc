"""Submissions that something on the way holds until they arrive a second time."""

import json
import ssl
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from uuid import uuid4

import httpx
import pytest
from pytket.circuit import Circuit
from quantinuum_schemas.models.backend_config import QuantinuumConfig
from tests.faults.executables import LIMIT, Executables
from tests.helpers.waiting import wait_until
from tierkreis.controller.data.location import Loc
from tierkreis.controller.data.types import bytes_from_ptype
from tierkreis.storage import FileStorage

from local_nexus import Progress
from tkr_nexus_worker import programs

PROJECT = "tests of late requests"
BELL = Circuit(2, name="bell").H(0).CX(0, 1).measure_all()
JOBS = "/api/jobs/v1beta3"


class Gateway(ThreadingHTTPServer):
    """Passes requests on, and holds the first submissions of jobs.

    A request that it holds arrives also if whoever sent it has given up.
    """

    daemon_threads = False

    def __init__(self, url: str, ca_file: str, n_held: int = 1) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        trust = ssl.create_default_context(cafile=ca_file)
        self.upstream = httpx.Client(base_url=url, verify=trust, timeout=LIMIT)
        self.places = threading.Semaphore(n_held)
        self.held = threading.Semaphore(0)
        self.released = threading.Event()
        self.arrived = threading.Semaphore(0)

    def server_close(self) -> None:
        """Wait for all requests, and close the connections."""
        super().server_close()
        self.upstream.close()

    def handle_error(self, request: object, client_address: object) -> None:
        """Leave out those who have given up."""


class _Handler(BaseHTTPRequestHandler):
    server: Gateway
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        gateway = self.server
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        submits = self.command == "POST" and self.path == JOBS
        held = submits and gateway.places.acquire(blocking=False)
        if held:
            gateway.held.release()
            gateway.released.wait(LIMIT)
        # The login stays as it came: no cookie of the client between is added.
        gateway.upstream.cookies.clear()
        headers = {
            name: text
            for name, text in self.headers.items()
            if name.lower() not in {"host", "connection", "accept-encoding"}
        }
        answer = gateway.upstream.request(
            self.command, self.path, content=body, headers=headers
        )
        if held:
            gateway.arrived.release()
        self.send_response(answer.status_code)
        for name in ("content-type", "set-cookie"):
            for text in answer.headers.get_list(name):
                self.send_header(name, text)
        self.send_header("content-length", str(len(answer.content)))
        self.end_headers()
        self.wfile.write(answer.content)

    do_POST = do_GET  # noqa: N815 (the name is given by http.server)

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def gateway(connected) -> Iterator[Gateway]:
    connected.set_progress(Progress(queued=3600))
    with Gateway(connected.url, connected.env["SSL_CERT_FILE"]) as gateway:
        thread = threading.Thread(target=gateway.serve_forever)
        thread.start()
        yield gateway
        gateway.released.set()
        gateway.shutdown()
        thread.join()


@pytest.fixture
def executables(worker_environment, gateway, tmp_path) -> Executables:
    environment = {
        **worker_environment,
        "NEXUS_PROTOCOL": "http",
        "NEXUS_PORT": str(gateway.server_port),
        "TKR_NEXUS_SETTLE_TIME": "0.2",
        "TKR_NEXUS_WARM": "0",
        "TKR_DIR": str(tmp_path),
    }
    return Executables(environment, tmp_path / "errors")


@pytest.fixture
def inputs(connected) -> dict:
    return {
        "project_name": PROJECT,
        "job_name": f"job {uuid4()}",
        "circuits": [programs.upload_circuit(BELL, PROJECT)],
        "n_shots": [1],
        "backend_config": QuantinuumConfig(device_name="H2-1LE"),
    }


@pytest.fixture
def storage(tmp_path) -> FileStorage:
    storage = FileStorage(uuid4(), tierkreis_directory=tmp_path)
    storage.write_metadata(Loc(""))
    return storage


@pytest.fixture
def submission(storage, inputs):
    """The definition of a task that submits a job."""
    for name, value in inputs.items():
        storage.write_output(Loc().N(-1), name, bytes_from_ptype(value))
    ports = {name: (Loc().N(-1), name) for name in inputs}
    return storage.write_worker_call_args(
        Loc().N(0), "start_execute_job", ports, ["value"]
    )


@pytest.fixture
def wait(storage):
    """The definition of a task that waits for news of that job."""
    storage.write_output(Loc().N(-1), "polling_interval", bytes_from_ptype(0.1))
    ports = {
        "execute_ref": (Loc().N(0), "value"),
        "polling_interval": (Loc().N(-1), "polling_interval"),
    }
    return storage.write_worker_call_args(
        Loc().N(1), "await_news", ports, ["status", "is_unfinished"]
    )


def made_id(storage: FileStorage) -> str:
    return json.loads(storage.read_output(Loc().N(0), "value"))["id"]


def states(connected, inputs) -> dict[str, str]:
    jobs = [job for job in connected.jobs() if job["name"] == inputs["job_name"]]
    return {job["id"]: job["status"] for job in jobs}


def test_a_submission_held_while_its_task_was_killed_is_cancelled_when_it_arrives(
    connected, gateway, executables, inputs, storage, submission, wait
):
    killed = executables.start(submission)
    assert gateway.held.acquire(timeout=LIMIT)
    killed.kill()
    killed.wait(LIMIT)
    executables.run(submission)
    gateway.released.set()
    assert gateway.arrived.acquire(timeout=LIMIT)
    assert wait_until(lambda: len(states(connected, inputs)) == 2)
    executables.run(wait)
    found = states(connected, inputs)
    assert found.pop(made_id(storage)) == "QUEUED"
    assert list(found.values()) == ["CANCELLED"]


def test_a_submission_that_a_slow_gateway_carries_out_twice_is_cancelled_once(
    connected, gateway, executables, inputs, storage, submission, wait
):
    executables.environment["TKR_NEXUS_READ_TIMEOUT"] = "2"
    executables.run(submission)
    gateway.released.set()
    assert gateway.arrived.acquire(timeout=LIMIT)
    assert wait_until(lambda: len(states(connected, inputs)) == 2)
    executables.run(wait)
    found = states(connected, inputs)
    assert found.pop(made_id(storage)) == "QUEUED"
    assert list(found.values()) == ["CANCELLED"]


def test_a_late_submission_that_has_run_is_named(
    connected, gateway, executables, inputs, storage, submission, wait
):
    executables.environment["TKR_NEXUS_READ_TIMEOUT"] = "2"
    executables.run(submission)
    gateway.released.set()
    assert wait_until(lambda: len(states(connected, inputs)) == 2)
    [late] = states(connected, inputs).keys() - {made_id(storage)}
    connected.set_job_status(late, "COMPLETED")
    executables.run(wait)
    assert f"({late}) has run as a duplicate" in executables.errors.read_text()
    assert states(connected, inputs)[made_id(storage)] == "QUEUED"


def test_a_task_resumed_in_another_time_zone_finds_its_job(
    connected, gateway, executables, inputs, storage, submission
):
    gateway.released.set()
    for zone in ("America/Los_Angeles", "Asia/Tokyo", "UTC"):
        executables.environment["TZ"] = zone
        executables.run(submission)
        storage.delete(storage._done_path(Loc().N(0)))
    assert list(states(connected, inputs)) == [made_id(storage)]
