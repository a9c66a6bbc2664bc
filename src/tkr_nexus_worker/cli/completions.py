"""What a shell completes: the jobs, devices and projects of Nexus.

A person waits for it, and importing qnexus takes seconds: this module reads the login
that qnexus has stored, and asks Nexus once. It renews no login, and raises whatever
goes wrong.
"""

import json
import os
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

_TIMEOUT_SECONDS = 2.0
_NEWEST = 100
_OFF = ("0", "f", "false", "n", "no", "off")


def jobs() -> Iterator[tuple[str, str]]:
    """Return the names and ids of the newest jobs, with what they are."""
    query = {"filter[job_type]": "execute", "sort": "-timestamps.created"}
    listed = _get("/api/jobs/v1beta3", {**query, **_page()})["data"]
    for job in listed:
        attributes = job["attributes"]
        state = attributes["status"]["status"]
        yield attributes["name"] or "", state
        yield job["id"], f"{attributes['name']}, {state}"


def devices() -> Iterator[tuple[str, str]]:
    """Return the names of devices, with their backends."""
    for group in _get("/api/v5/available_devices", {}):
        for device in group["backend_info_list"]:
            backend = device["name"].removesuffix("Backend")
            yield device["device_name"] or backend, backend


def projects() -> Iterator[tuple[str, str]]:
    """Return the names of projects."""
    query = {"filter[archived]": "false", "scope": "user"}
    for project in _get("/api/projects/v1beta2", {**query, **_page()})["data"]:
        yield project["attributes"]["name"], ""


def _page() -> dict[str, str]:
    return {"page[number]": "0", "page[size]": str(_NEWEST)}


def _get(path: str, query: dict[str, str]) -> Any:
    import httpx

    address = (
        f"{_setting('PROTOCOL', 'https')}://"
        f"{_setting('DOMAIN', '') or _setting('HOST', 'nexus.quantinuum.com')}:"
        f"{_setting('PORT', '443')}"
    )
    token_file = Path.home() / _setting("TOKEN_PATH", ".qnx/auth") / "id.json"
    token = json.loads(token_file.read_text())["data"]["access_token"]
    response = httpx.get(
        f"{address}{path}",
        params=query,
        cookies={"myqos_id": token},
        verify=_setting("HTTPX_VERIFY", "true").lower() not in _OFF,
        timeout=_TIMEOUT_SECONDS,
    )
    return response.raise_for_status().json()


def _setting(name: str, default: str) -> str:
    """Return a setting of qnexus, from where qnexus takes it."""
    variable = f"NEXUS_{name}"
    return os.environ.get(variable) or _settings_file().get(variable) or default


@cache
def _settings_file() -> dict[str, str | None]:
    path = Path(os.environ.get("NEXUS_CONFIG_FILE", "~/.qnexus/config")).expanduser()
    if not path.exists():
        return {}
    # It comes with pydantic-settings, by which qnexus reads the file.
    from dotenv import dotenv_values

    return dict(dotenv_values(path))
