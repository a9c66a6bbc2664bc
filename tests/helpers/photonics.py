"""Photonic jobs as the client of Artemis sends them, without the client."""

import json
import ssl
from pathlib import Path
from typing import Any

import httpx
import numpy as np

from local_artemis import LocalArtemis
from local_artemis.cloud import TOKEN_NAME, settings_folder


def random_unitary(n_modes: int, seed: int = 1) -> np.ndarray:
    """Return a matrix that is uniform over all unitary ones."""
    random = np.random.default_rng(seed)
    real, imaginary = random.normal(size=(2, n_modes, n_modes))
    matrix, upper = np.linalg.qr(real + 1j * imaginary)
    phases = np.diagonal(upper) / np.abs(np.diagonal(upper))
    return matrix * phases


def payload(
    n_photons: int = 2, n_modes: int = 4, *, circuit: Any = None, **others: Any
) -> dict[str, Any]:
    """Return what the client submits; the photons go into the first modes.

    :param circuit: The matrix, a random one by default.
    :param others: What differs from what is usual.
    """
    matrix = random_unitary(n_modes) if circuit is None else np.asarray(circuit)
    n_modes = len(matrix)
    return {
        "qpu": "Artemis",
        "job_name": "Job",
        "lightworks_version": "2.3.5",
        "n_modes": n_modes,
        "input": [int(mode < n_photons) for mode in range(n_modes)],
        "n_samples": 100,
        "min_detection": 1,
        "direct_implementation": False,
        "unitary": [[str(complex(entry)) for entry in row] for row in matrix],
        "circuit_spec": None,
        "job_data": None,
        **others,
    }


def files_of(artemis: LocalArtemis) -> Path:
    """Return the folder in which the client finds its settings."""
    return settings_folder(Path(artemis.env["HOME"]))


def connect(artemis: LocalArtemis, token: str | None = None) -> httpx.Client:
    """Return a client with the certificate and the token that the real one finds."""
    files = files_of(artemis)
    saved = json.loads((files / "tokens.json").read_text())[TOKEN_NAME]
    return httpx.Client(
        base_url=artemis.url,
        verify=ssl.create_default_context(cafile=files / "certificate.pem"),
        headers={"x-access-token": token or saved},
    )


class Api:
    """The requests of the client, one method each.

    :param http: From :func:`connect`.
    """

    def __init__(self, http: httpx.Client) -> None:
        self.http = http

    def submit(self, **others: Any) -> int:
        answer = self.http.post("/jobs", json=payload(**others))
        assert answer.status_code == 202, answer.text
        return int(answer.headers["X-Job-Id"])

    def refused(self, **others: Any) -> dict[str, str]:
        """Submit what is refused, and return the reasons by the fields."""
        answer = self.http.post("/jobs", json=payload(**others))
        assert answer.status_code == 400, answer.text
        return {it["name"]: it["reason"] for it in answer.json()["errors"]}

    def details(self, job: int) -> dict[str, Any]:
        return self.http.get(f"/jobs/{job}").raise_for_status().json()

    def status(self, job: int) -> str:
        return self.details(job)["jobStatus"]

    def results(self, job: int) -> dict[str, Any]:
        return self.http.get(f"/jobs/{job}/results").raise_for_status().json()

    def listed(self, *statuses: str) -> list[dict[str, Any]]:
        query = {"pageSize": 2**31 - 1, "statuses": list(statuses)}
        return self.http.get("/jobs", params=query).raise_for_status().json()["items"]
