"""Measure the embedded Nexus, and compare it with what it is meant to reach.

Uploads of circuits by eight threads, against a bare Starlette route that parses the
same body; a page of 50 jobs out of 100,000, against one out of 1,000; a page of 1,000
jobs that wait in a queue of 10,000, against one in a queue of 1,000; what the server
does while 200 websockets follow a job that waits; a GHZ circuit from
its upload to its downloaded result, against the simulator called directly; the start,
against the import of the web and database libraries; and the memory of an idle server.
The two sides of a comparison run in turn; figures are medians.

    uv run benchmarks/embedded_nexus.py
"""

import asyncio
import contextlib
import itertools
import json
import os
import ssl
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import httpx
import psutil
import trustme
import websockets
from pytket.circuit import Circuit
from rich.console import Console
from rich.table import Table

from local_cloud.store import Store
from local_nexus import LocalNexus, Progress
from local_nexus.projects.service import new_row
from local_nexus.tables import metadata

CIRCUITS = "/api/circuits/v1beta2"
JOBS_PATH = "/api/jobs/v1beta3"
WEBSOCKETS = 200
THREADS = 8
N_QUBITS = 20
N_SHOTS = 1000
JOBS = (1_000, 100_000)
QUEUES = (1_000, 10_000)
PAGE_SIZE = 50
LISTINGS = {
    "the newest": {},
    "in a project": {"filter[project][id]": "project"},
    "by state": {"filter[status][status]": "COMPLETED"},
    "by name": {"sort": "name"},
    "of one name": {"filter[name_exact]": "job 500"},
    "the oldest": {"page[number]": "last"},
}
BARE = """
import json, sys
import uvicorn
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route
from local_cloud.server.process import bind

async def upload(request):
    body = json.loads(await request.body())
    return JSONResponse({"name": body["data"]["attributes"]["name"]}, 201)

app = Starlette(routes=[Route(sys.argv[2], upload, methods=["POST"])])
listener = bind("127.0.0.1", None)
print(listener.getsockname()[1], flush=True)
config = uvicorn.Config(
    app, ssl_keyfile=sys.argv[1], ssl_certfile=sys.argv[1],
    log_config=None, access_log=False,
)
uvicorn.Server(config).run(sockets=[listener])
"""
# Columns that the table takes without breaking lines.
WIDTH = 110
LIBRARIES = "import sqlalchemy, starlette.applications, uvicorn, websockets"


@dataclass(frozen=True)
class Figure:
    """One line of the table.

    :param measure: what was measured.
    :param value: the median, with its unit.
    :param compared: the median of the other side.
    :param outcome: how the two compare.
    :param reach: what the outcome is meant to be.
    :param is_reached: whether it is.
    """

    measure: str
    value: str
    compared: str
    outcome: str
    reach: str
    is_reached: bool


@click.group(invoke_without_command=True, help=__doc__)
@click.option("--uploads", default=1000, show_default=True, help="Circuits per run.")
@click.option("--repeat", default=7, show_default=True, help="Runs of each side.")
@click.pass_context
def main(context: click.Context, uploads: int, repeat: int) -> None:
    """Run the benchmark."""
    if context.invoked_subcommand is not None:
        return
    table = Table("measure", "median", "compared with", "outcome", "reach", "")
    measured = (
        measure_uploads(uploads, repeat),
        measure_pages(repeat),
        measure_queue(repeat),
        measure_websockets(),
        measure_ghz(repeat),
        measure_start(repeat),
    )
    for figure in itertools.chain.from_iterable(measured):
        table.add_row(
            figure.measure,
            figure.value,
            figure.compared,
            figure.outcome,
            figure.reach,
            "yes" if figure.is_reached else "NO",
        )
    Console(width=max(Console().width, WIDTH)).print(table)


def measure_uploads(uploads: int, repeat: int) -> Iterator[Figure]:
    """Upload circuits to the embedded Nexus and to the bare route in turn."""
    with LocalNexus() as nexus, client(nexus) as http, bare_route() as bare_url:
        body = upload_body(new_project(http))
        ours, bare = paired(
            repeat,
            lambda: upload_rate(http, nexus.url, body, uploads),
            lambda: upload_rate(http, bare_url, body, uploads),
        )
    ratio = median_of(zip(ours, bare, strict=True), lambda our, other: our / other)
    yield Figure(
        f"{uploads:,} uploads, {THREADS} threads",
        f"{statistics.median(ours):.0f} /s",
        f"bare route {statistics.median(bare):.0f} /s",
        f"{ratio:.2f} x",
        ">= 0.5 x",
        ratio >= 0.5,
    )


def measure_pages(repeat: int) -> Iterator[Figure]:
    """Time pages of 50 jobs out of few and out of many, in turn."""
    few, many = JOBS
    with filled_server(few) as (some, here), filled_server(many) as (all_, there):
        for listing, parameters in LISTINGS.items():
            of_few, of_many = paired(
                repeat * 5,
                seconds_of(page_of(some, here, parameters)),
                seconds_of(page_of(all_, there, parameters)),
            )
            pairs = zip(of_many, of_few, strict=True)
            ratio = median_of(pairs, lambda of_all, of_some: of_all / of_some)
            yield Figure(
                f"50 jobs of {many:,}, {listing}",
                milliseconds(of_many),
                f"of {few:,} {milliseconds(of_few)}",
                f"{ratio:.2f} x",
                "<= 2 x",
                ratio <= 2,
            )


def measure_queue(repeat: int) -> Iterator[Figure]:
    """Fetch a page of waiting jobs from a long queue and from a short one in turn."""
    few, many = QUEUES
    listing = {"page[size]": str(few)}
    with waiting_jobs(few) as short, waiting_jobs(many) as long:
        pages = [page_of(http, {}, listing) for http in (short, long)]
        for page in pages:
            assert len(page().json()["data"]) == few
        of_few, of_many = paired(repeat, *map(seconds_of, pages))
    ratio = median_of(zip(of_few, of_many, strict=True), lambda one, it: it / one)
    yield Figure(
        f"page of {few:,} jobs in a queue of {many:,}",
        milliseconds(of_many),
        f"of {few:,}: {milliseconds(of_few)}",
        f"{ratio:.2f} x",
        "< 2 x",
        ratio < 2,
    )


def measure_websockets() -> Iterator[Figure]:
    """Weigh what the server does while many websockets follow a job that waits."""
    with LocalNexus() as nexus, client(nexus) as http:
        project = new_project(http)
        body = upload_body(project)
        circuit = http.post(CIRCUITS, content=body).json()["data"]["id"]
        job = http.post(JOBS_PATH, content=job_body(project, circuit)).json()
        job_id = job["data"]["id"]
        nexus.set_job_status(job_id, "QUEUED")
        cookie = "; ".join(f"{name}={value}" for name, value in http.cookies.items())
        cores = asyncio.run(cores_while_followed(nexus, job_id, cookie))
    yield Figure(
        f"{WEBSOCKETS} websockets on a waiting job",
        f"{cores:.3f} cores",
        "",
        "",
        "< 0.1 cores",
        cores < 0.1,
    )


async def cores_while_followed(nexus: LocalNexus, job: str, cookie: str) -> float:
    """Return the cores that the server takes while websockets follow a job."""
    address = nexus.url.replace("https", "wss")
    trust = ssl.create_default_context(cafile=nexus.env["SSL_CERT_FILE"])
    async with contextlib.AsyncExitStack() as stack:
        for _ in range(WEBSOCKETS):
            following = websockets.connect(
                f"{address}{JOBS_PATH}/{job}/attributes/status/ws",
                ssl=trust,
                additional_headers={"Cookie": cookie},
                open_timeout=60,
            )
            websocket = await stack.enter_async_context(following)
            await websocket.recv()
        server = psutil.Process(nexus.pid)
        before, began = server.cpu_times(), time.monotonic()
        await asyncio.sleep(20)
        used, seconds = server.cpu_times(), time.monotonic() - began
    return (used.user + used.system - before.user - before.system) / seconds


def measure_ghz(repeat: int) -> Iterator[Figure]:
    """Run a circuit through the real client and by the simulator alone, in turn."""
    with LocalNexus() as nexus:
        ended = subprocess.run(
            [sys.executable, __file__, "ghz", str(repeat)],
            # Threads of the simulator that wait for each other would make the direct
            # call slow on a machine that does something else, too.
            env=os.environ | nexus.env | {"OMP_NUM_THREADS": "1"},
            check=True,
            stdout=subprocess.PIPE,
        )
    whole, direct = json.loads(ended.stdout.splitlines()[-1])
    # What is left for the path after its share of the simulation, in seconds.
    excess = median_of(
        zip(whole, direct, strict=True), lambda all_, it: all_ - 1.1 * it
    )
    yield Figure(
        f"GHZ-{N_QUBITS}, {N_SHOTS:,} shots",
        milliseconds(whole),
        f"simulator {milliseconds(direct)}",
        f"1.1 x {excess * 1e3:+.0f} ms",
        "<= 1.1 x + 50 ms",
        excess <= 0.05,
    )


def measure_start(repeat: int) -> Iterator[Figure]:
    """Time the start to the first answer, and weigh the idle server."""
    memory = []

    def start() -> float:
        nexus = LocalNexus()
        seconds = seconds_of(nexus.start)()
        memory.append(resident(nexus.pid))
        nexus.stop()
        return seconds

    starts, imports = paired(repeat, start, seconds_of(import_libraries))
    excess = median_of(zip(starts, imports, strict=True), lambda all_, it: all_ - it)
    yield Figure(
        "start to first answer",
        milliseconds(starts),
        f"import of libraries {milliseconds(imports)}",
        f"{excess * 1e3:+.0f} ms",
        "<= +500 ms",
        excess <= 0.5,
    )
    megabytes = statistics.median(memory) / 1e6
    yield Figure(
        "idle memory",
        f"{megabytes:.0f} MB",
        "",
        "",
        "< 150 MB",
        megabytes < 150,
    )


@main.command(hidden=True)
@click.argument("repeat", type=int)
def ghz(repeat: int) -> None:
    """Print the seconds of both ways to run a circuit, as JSON."""
    import qnexus as qnx
    from pytket.backends.backendresult import BackendResult
    from pytket.extensions.qulacs.backends.qulacs_backend import QulacsBackend
    from qnexus.models.references import ExecutionResultRef

    circuit = ghz_circuit(N_QUBITS)
    project = qnx.projects.create(name="benchmark")
    backend = QulacsBackend()

    def whole() -> None:
        job = qnx.start_execute_job(
            programs=qnx.circuits.upload(circuit, project=project),
            n_shots=N_SHOTS,
            backend_config=qnx.models.QulacsConfig(),
            name="ghz",
            project=project,
        )
        qnx.jobs.wait_for(job)
        (ref,) = qnx.jobs.results(job)
        assert isinstance(ref, ExecutionResultRef)
        check_counts(ref.download_result())

    def direct() -> None:
        check_counts(backend.run_circuit(circuit, n_shots=N_SHOTS))

    def check_counts(result: object) -> None:
        assert isinstance(result, BackendResult)
        assert sum(result.get_counts().values()) == N_SHOTS

    whole()  # starts the process of the simulator
    direct()
    times = paired(repeat * 3, seconds_of(whole), seconds_of(direct))
    click.echo(json.dumps(times))


def paired(
    repeat: int, one: Callable[[], float], other: Callable[[], float]
) -> tuple[list[float], list[float]]:
    """Return the values of two measurements, taken in turn."""
    pairs = [(one(), other()) for _ in range(repeat)]
    ones, others = zip(*pairs, strict=True)
    return list(ones), list(others)


def seconds_of(action: Callable[[], object]) -> Callable[[], float]:
    """Return a function that runs an action and returns the seconds it took."""

    def measured() -> float:
        started = time.perf_counter()
        action()
        return time.perf_counter() - started

    return measured


def median_of(
    pairs: Iterable[tuple[float, float]], compare: Callable[[float, float], float]
) -> float:
    """Return the median over pairs of how their two sides compare."""
    return statistics.median(compare(one, other) for one, other in pairs)


def milliseconds(seconds: Iterable[float]) -> str:
    """Return the median as text, in milliseconds."""
    return f"{statistics.median(seconds) * 1e3:.1f} ms"


def resident(pid: int) -> int:
    """Return the bytes that a process and its descendants have in memory."""
    process = psutil.Process(pid)
    family = [process, *process.children(recursive=True)]
    return sum(int(member.memory_info().rss) for member in family)


def import_libraries() -> None:
    """Import the web and database libraries in a new interpreter."""
    subprocess.run([sys.executable, "-c", LIBRARIES], check=True)


@contextmanager
def filled_nexus(jobs: int) -> Iterator[tuple[LocalNexus, str]]:
    """Give a server with so many jobs, and the id of their project."""
    with tempfile.TemporaryDirectory() as folder:
        directory = Path(folder)
        with LocalNexus(directory=directory) as nexus, client(nexus) as http:
            project = new_project(http)
        add_jobs(directory, project, jobs)
        with LocalNexus(directory=directory) as nexus:
            yield nexus, project


@contextmanager
def filled_server(jobs: int) -> Iterator[tuple[httpx.Client, dict[str, str]]]:
    """Give a client of a server with so many jobs, and what stands for what there."""
    with filled_nexus(jobs) as (nexus, project), client(nexus) as http:
        yield http, {"project": project, "last": str(jobs // PAGE_SIZE - 1)}


@contextmanager
def waiting_jobs(number: int) -> Iterator[httpx.Client]:
    """Give a client of a server on which so many jobs wait in the queue."""
    held = Progress.seconds(queued=1e6)
    with LocalNexus(progress=held) as nexus, client(nexus) as http:
        project = new_project(http)
        body = upload_body(project)
        circuit = http.post(CIRCUITS, content=body).json()["data"]["id"]
        cookies = dict(http.cookies)

        def submit(jobs: int) -> None:
            with httpx.Client(base_url=nexus.url, verify=False, cookies=cookies) as own:  # noqa: S501
                for _ in range(jobs):
                    body = job_body(project, circuit)
                    own.post(JOBS_PATH, content=body).raise_for_status()

        with ThreadPoolExecutor(THREADS) as threads:
            list(threads.map(submit, [number // THREADS] * THREADS))
        yield http


def job_body(project: str, circuit: str) -> bytes:
    """Return the body that submits a job of one circuit."""
    definition = {
        "job_definition_type": "execute_job_definition",
        "backend_config": {"type": "QulacsConfig"},
        "items": [{"program_id": circuit, "n_shots": 1}],
    }
    attributes = {"name": "waits", "job_type": "execute", "definition": definition}
    relationships = {"project": {"data": {"id": project, "type": "project"}}}
    data = {"attributes": attributes, "relationships": relationships}
    return json.dumps({"data": data}).encode()


def page_of(
    http: httpx.Client, words: dict[str, str], listing: dict[str, str]
) -> Callable[[], httpx.Response]:
    """Return a function that fetches one page.

    :param words: what words of the listing mean on this server.
    """
    replaced = {name: words.get(value, value) for name, value in listing.items()}
    url = f"/api/jobs/v1beta3?{httpx.QueryParams(replaced)}"
    return lambda: http.get(url).raise_for_status()


def add_jobs(folder: Path, project: str, number: int) -> None:
    """Write finished jobs into the database of a server that does not run."""
    store = Store(f"sqlite:///{folder / 'nexus.db'}", metadata)
    with store.write() as tx:
        owner = tx.find("users")[0]["id"]
        rows = [
            {
                **new_row(owner, {"name": f"job {i}", "description": None}, i),
                "project_id": project,
                "job_type": "execute",
                "definition": {"backend_config": {"type": "QulacsConfig"}},
                "status": "COMPLETED",
                "message": "",
                "times": {},
            }
            for i in range(number)
        ]
        tx.insert("jobs", rows)
    store.close()


def upload_rate(http: httpx.Client, url: str, body: bytes, uploads: int) -> float:
    """Return how many circuits per second eight threads upload."""
    cookies = dict(http.cookies)

    def upload() -> None:
        with httpx.Client(base_url=url, verify=False, cookies=cookies) as own:  # noqa: S501
            for _ in range(uploads // THREADS):
                own.post(CIRCUITS, content=body).raise_for_status()

    started = time.perf_counter()
    with ThreadPoolExecutor(THREADS) as threads:
        for done in [threads.submit(upload) for _ in range(THREADS)]:
            done.result()
    return uploads / (time.perf_counter() - started)


def upload_body(project: str) -> bytes:
    """Return the body that uploads a GHZ circuit."""
    attributes: dict[str, Any] = ghz_circuit(N_QUBITS).to_dict()
    relationships = {"project": {"data": {"id": project, "type": "project"}}}
    data = {"attributes": attributes, "relationships": relationships}
    return json.dumps({"data": data}).encode()


def ghz_circuit(n_qubits: int) -> Circuit:
    """Build a circuit that measures a GHZ state."""
    circuit = Circuit(n_qubits, name="ghz").H(0)
    for qubit in range(n_qubits - 1):
        circuit.CX(qubit, qubit + 1)
    return circuit.measure_all()


def new_project(http: httpx.Client) -> str:
    """Add a project and return its id."""
    body = {"data": {"attributes": {"name": "benchmark"}}}
    made = http.post("/api/projects/v1beta2", json=body).raise_for_status().json()
    return str(made["data"]["id"])


@contextmanager
def client(nexus: LocalNexus) -> Iterator[httpx.Client]:
    """Give an HTTP client that is logged in."""
    context = ssl.create_default_context(cafile=nexus.env["SSL_CERT_FILE"])
    with httpx.Client(base_url=nexus.url, verify=context) as http:
        login = {"email": nexus.email, "password": nexus.password}
        http.post("/auth/login", json=login).raise_for_status()
        yield http


@contextmanager
def bare_route() -> Iterator[str]:
    """Serve the bare route, over TLS too, and give its URL."""
    certificate = trustme.CA().issue_cert("127.0.0.1")
    with certificate.private_key_and_cert_chain_pem.tempfile() as path:
        command = [sys.executable, "-c", BARE, path, CIRCUITS]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            yield f"https://127.0.0.1:{int(process.stdout.readline())}"
            process.terminate()


if __name__ == "__main__":
    main()
