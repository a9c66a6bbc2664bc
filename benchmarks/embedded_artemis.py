"""Measure the embedded Artemis: what it adds to its engine, and the engine itself.

A job of 6 photons in 20 modes with 10,000 samples, from its submission to its counts,
against the same engine called directly in a process that is warm, too; then the engine
alone for 3 to 8 photons, with and without noise, each in a process of its own, whose
memory is measured. The two sides of the comparison run in turn; figures are those of
the quickest runs, which other programs on the machine disturb least.

    uv run benchmarks/embedded_artemis.py
"""

import json
import multiprocessing
import resource
import ssl
import sys
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click
import httpx
import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from local_artemis import LocalArtemis, Noise, Progress
from local_artemis.cloud import TOKEN_NAME, settings_folder
from local_artemis.engines import SampleRequest
from local_artemis.engines.dispatch import handle

MODES, PHOTONS, SAMPLES = 20, 6, 10_000
ALLOWED_SECONDS, ALLOWED_PART = 0.05, 0.1
ENGINE_SECONDS, ENGINE_MEGABYTES = 4.0, 300.0
# Photons up to which noise may take no longer.
NOISY_PHOTONS = 4
NOISE = Noise(
    brightness=0.7,
    purity=0.95,
    indistinguishability=0.9,
    efficiency=0.8,
    dark_counts=1e-4,
)
# Bytes that the largest memory of a process is counted in.
_UNIT = 1 if sys.platform == "darwin" else 1024


def unitary() -> NDArray[np.complex128]:
    """Return a random circuit."""
    random = np.random.default_rng(1)
    real, imaginary = random.normal(size=(2, MODES, MODES))
    return np.asarray(np.linalg.qr(real + 1j * imaginary)[0])


def request(n_photons: int, noise: Noise = Noise()) -> SampleRequest:  # noqa: B008
    """Return what the engine is asked for."""
    state = [int(mode < n_photons) for mode in range(MODES)]
    least = min(n_photons, 4)
    return SampleRequest.of(unitary(), state, SAMPLES, least, noise=noise, seed=(1,))


def connect(artemis: LocalArtemis) -> httpx.Client:
    """Return a client that is logged in."""
    files = settings_folder(Path(artemis.env["HOME"]))
    token = json.loads((files / "tokens.json").read_text())[TOKEN_NAME]
    context = ssl.create_default_context(cafile=files / "certificate.pem")
    headers = {"x-access-token": token}
    return httpx.Client(base_url=artemis.url, verify=context, headers=headers)


def run_job(http: httpx.Client, body: dict[str, Any]) -> int:
    """Submit a job, wait for its end, and return the number of its samples."""
    answer = http.post("/jobs", json=body)
    job = answer.raise_for_status().headers["x-job-id"]
    while http.get(f"/jobs/{job}").json()["jobStatus"] != "Completed":
        pass
    return sum(http.get(f"/jobs/{job}/results").json()["results"].values())


def seconds(work: Callable[[], Any]) -> float:
    """Return how long some work takes."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def compare(repetitions: int) -> tuple[float, float]:
    """Return the seconds of a job and of its engine called directly."""
    asked = request(PHOTONS)
    body = {
        "qpu": "Artemis",
        "job_name": "benchmark",
        "lightworks_version": "0",
        "n_modes": MODES,
        "input": [int(mode in asked.photons) for mode in range(MODES)],
        "n_samples": SAMPLES,
        "min_detection": asked.min_detection,
        "direct_implementation": False,
        "unitary": [[str(entry) for entry in row] for row in asked.unitary],
        "circuit_spec": None,
        "job_data": {"random_seed": 1},
    }
    with (
        LocalArtemis(progress=Progress.immediate()) as artemis,
        connect(artemis) as http,
    ):
        run_job(http, body)
        handle(asked)
        served, direct = [], []
        for _ in range(repetitions):
            served.append(seconds(lambda: run_job(http, body)))
            direct.append(seconds(lambda: handle(asked)))
    return min(served), min(direct)


def measure(asked: SampleRequest, found: Any) -> None:
    """Run the engine in a process of its own and send seconds and megabytes."""
    spent = seconds(lambda: handle(asked))
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _UNIT / 2**20
    found.send((spent, memory))


def alone(asked: SampleRequest) -> tuple[float, float]:
    """Return the seconds and megabytes of the engine in a process of its own."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=measure, args=(asked, theirs))
    process.start()
    theirs.close()
    spent, memory = ours.recv()
    process.join()
    return float(spent), float(memory)


@click.command(help=__doc__)
@click.option("--repetitions", default=15, show_default=True)
def main(repetitions: int) -> None:
    """Measure and print tables; exit with 1 if a limit is not kept."""
    console = Console()
    served, direct = compare(repetitions)
    added = served - direct
    allowed = ALLOWED_SECONDS + ALLOWED_PART * direct
    table = Table(
        title=f"{PHOTONS} photons, {MODES} modes, {SAMPLES:,} samples", min_width=60
    )
    for heading in ("job", "engine", "added", "allowed"):
        table.add_column(heading, justify="right")
    table.add_row(*(f"{1000 * it:.0f} ms" for it in (served, direct, added, allowed)))
    console.print(table)
    table = Table("noise", title=f"The engine, {MODES} modes, {SAMPLES:,} samples")
    for heading in ("photons", "time", "memory"):
        table.add_column(heading, justify="right")
    within = added <= allowed
    for noise in (Noise(), NOISE):
        for n_photons in (3, 4, 5, 6, 8):
            spent, memory = alone(request(n_photons, noise))
            is_fast = noise.is_none or n_photons <= NOISY_PHOTONS
            within &= spent <= ENGINE_SECONDS or not is_fast
            within &= memory <= ENGINE_MEGABYTES
            name = "none" if noise.is_none else "all kinds"
            table.add_row(name, str(n_photons), f"{spent:.2f} s", f"{memory:.0f} MB")
    console.print(table)
    given = ", ".join(f"{name} {value}" for name, value in asdict(NOISE).items())
    console.print(f"All kinds of noise: {given}.")
    console.print("All limits are kept." if within else "A limit is not kept.")
    if not within:
        sys.exit(1)


if __name__ == "__main__":
    main()
