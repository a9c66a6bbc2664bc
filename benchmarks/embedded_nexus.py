"""Measure the server of the embedded Nexus, without any simulation.

Uploads by eight threads against a bare Starlette route that parses the same body; a
page of 50 jobs out of 1,000 and out of 100,000; the start against the import of the
web and database libraries; and the memory of an idle server.

    uv run benchmarks/embedded_nexus.py
"""

import json
import ssl
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click
import httpx
import psutil
import trustme
from pytket.circuit import Circuit
from rich.console import Console
from rich.table import Table

from local_nexus import LocalNexus
from local_nexus.services.projects import new_row
from local_nexus.store import Store

CIRCUITS = "/api/circuits/v1beta2"
THREADS = 8
JOBS = (1_000, 100_000)
LISTINGS = {
    "the newest": {},
    "in a project": {"filter[project][id]": "project"},
    "by state": {"filter[status][status]": "COMPLETED"},
    "by name": {"sort": "name"},
    "of one name": {"filter[name_exact]": "job 500"},
}
BARE = """
import json, sys
import uvicorn
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route
from local_nexus.serving import bind

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
LIBRARIES = "import sqlalchemy, starlette.applications, uvicorn, websockets"


@click.command(help=__doc__)
@click.option("--uploads", default=1000, show_default=True)
@click.option("--repeat", default=5, show_default=True, help="Runs of each measure.")
def main(uploads: int, repeat: int) -> None:
    """Run the benchmark."""
    table = Table("measure", "figure", "compared with", "ratio")
    for row in (
        *measure_uploads(uploads, repeat),
        *measure_pages(repeat),
        *measure_start(repeat),
    ):
        table.add_row(*row)
    Console().print(table)


def measure_uploads(uploads: int, repeat: int) -> Iterator[tuple[str, ...]]:
    """Upload circuits to the embedded Nexus and to the bare route in turn."""
    with LocalNexus() as nexus, client(nexus) as http:
        body = upload_body(new_project(http))
        with bare_route() as bare_url:
            rates = [
                (
                    upload_rate(http, nexus.url, body, uploads),
                    upload_rate(http, bare_url, body, uploads),
                )
                for _ in range(repeat)
            ]
    ours, bare = (max(column) for column in zip(*rates, strict=True))
    ratio = f"{ours / bare:.2f}"
    yield "uploads", f"{ours:.0f} /s", f"bare route {bare:.0f} /s", ratio


def measure_pages(repeat: int) -> Iterator[tuple[str, ...]]:
    """Time pages of 50 jobs out of few and out of many."""
    times = [page_times(number, repeat) for number in JOBS]
    for listing in LISTINGS:
        few, many = (column[listing] * 1e3 for column in times)
        compared = f"{few:.1f} ms of {JOBS[0]:,}"
        figure = f"{many:.1f} ms of {JOBS[1]:,}"
        yield f"50 jobs, {listing}", figure, compared, f"{many / few:.2f}"


def measure_start(repeat: int) -> Iterator[tuple[str, ...]]:
    """Time the start to the first answer, and weigh the idle server."""
    libraries = fastest(repeat, lambda: run_python(LIBRARIES))
    starts = []
    for _ in range(repeat):
        nexus = LocalNexus()
        starts.append(fastest(1, nexus.start))
        memory = psutil.Process(nexus.pid).memory_info().rss / 2**20
        nexus.stop()
    yield "start", f"{min(starts):.2f} s", f"libraries {libraries:.2f} s", ""
    yield "idle memory", f"{memory:.0f} MiB", "", ""


def page_times(jobs: int, repeat: int) -> dict[str, float]:
    """Return the seconds of every listing out of so many jobs."""
    with tempfile.TemporaryDirectory() as folder:
        with LocalNexus(directory=Path(folder)) as nexus, client(nexus) as http:
            project = new_project(http)
        add_jobs(Path(folder), project, jobs)
        with LocalNexus(directory=Path(folder)) as nexus, client(nexus) as http:
            return {
                name: fastest(repeat * 5, page_of(http, project, listing))
                for name, listing in LISTINGS.items()
            }


def page_of(
    http: httpx.Client, project: str, listing: dict[str, str]
) -> Callable[[], httpx.Response]:
    """Return a function that fetches one page."""
    replaced = {
        name: value.replace("project", project) for name, value in listing.items()
    }
    url = f"/api/jobs/v1beta3?{httpx.QueryParams(replaced)}"
    return lambda: http.get(url).raise_for_status()


def add_jobs(folder: Path, project: str, number: int) -> None:
    """Write finished jobs into the database of a server that does not run."""
    store = Store(f"sqlite:///{folder / 'nexus.db'}")
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
    """Return the body that uploads a GHZ circuit of 23 qubits."""
    circuit = Circuit(23, name="ghz").H(0)
    for qubit in range(22):
        circuit.CX(qubit, qubit + 1)
    attributes: dict[str, Any] = circuit.measure_all().to_dict()
    relationships = {"project": {"data": {"id": project, "type": "project"}}}
    data = {"attributes": attributes, "relationships": relationships}
    return json.dumps({"data": data}).encode()


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


def fastest(repeat: int, action: Callable[[], object]) -> float:
    """Return the seconds of the fastest run, which other processes disturbed least."""
    times = []
    for _ in range(repeat):
        started = time.perf_counter()
        action()
        times.append(time.perf_counter() - started)
    return min(times)


def run_python(code: str) -> None:
    """Run code in a new interpreter."""
    subprocess.run([sys.executable, "-c", code], check=True)


if __name__ == "__main__":
    main()
