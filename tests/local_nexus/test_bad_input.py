"""Wrong requests to every route that takes a body or lists: a reason, and no change."""

import json
import re
import sqlite3
import ssl
from collections.abc import Iterator
from contextlib import closing
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from local_cloud.errors import ApiError
from local_cloud.web.endpoint import Endpoint
from local_cloud.web.models import parse
from local_nexus import LocalNexus
from local_nexus.application import ENDPOINTS

BODIES = [it for it in ENDPOINTS if it.body is not None and it.access != "admin"]
LISTINGS = [it for it in ENDPOINTS if "filter[name_exact]" in it.query]
PAGED = [it for it in LISTINGS if "page[number]" in it.query]

NAMED = {"name": "right", "description": "in full", "properties": {"size": 1}}
PROJECT = {"project": {"data": {"id": "{project}", "type": "project"}}}
CIRCUIT = {"qubits": [], "bits": [], "commands": [], "phase": "0.0"}
CONTENTS = {"contents": "AAAA"}
JOB = {
    "job_type": "execute",
    "definition": {
        "job_definition_type": "execute_job_definition",
        "backend_config": {"type": "QulacsConfig"},
        "valid_check": True,
        "language": "AUTO",
        "credential_name": "mine",
        "user_group": "a team",
        "target_region": "us",
        "wasm_module_id": "{wasm}",
        "gpu_decoder_config_id": "{gpu_decoder_config}",
        "items": [
            {"program_id": "{circuit}", "n_shots": 1, "max_cost": 1.5, "n_qubits": 2}
        ],
    },
}
COMPILE = {
    "job_type": "compile",
    "definition": {
        "job_definition_type": "compile_job_definition",
        "backend_config": {"type": "QulacsConfig"},
        "optimisation_level": 2,
        "hypertket_config": {},
        "skip_store_intermediate_passes": True,
        "credential_name": "mine",
        "user_group": "a team",
        "items": [{"program_id": "{circuit}"}],
    },
}
DEFINITION = {
    "name": "colour",
    "description": "of it",
    "property_type": "string",
    "required": False,
    "color": "#ff0000",
}


def change(attributes: dict[str, Any]) -> dict[str, Any]:
    return {"data": {"attributes": attributes}}


def in_project(attributes: dict[str, Any]) -> dict[str, Any]:
    return {"data": {"attributes": attributes, "relationships": PROJECT}}


# A right body for every route that takes one; names in braces stand for ids.
RIGHT: dict[str, list[dict[str, Any]]] = {
    "POST /auth/login": [{"email": "a@example.com", "password": "secret"}],
    "POST /auth/mfa_challenge": [{"email": "a@example.com", "code": "123456"}],
    "POST /api/teams/v1beta2": [change({"name": "a team", "description": "of us"})],
    "POST /api/assignments/v1beta2/team": [
        {"resource_id": "{project}", "role_id": "{role}", "team_id": "{team}"}
    ],
    "POST /api/assignments/v1beta2/user": [
        {"resource_id": "{project}", "role_id": "{role}", "for_user_id": "{user}"}
    ],
    "POST /api/v5/backend_info/backend_property": [
        {"backend_config": {"type": "QulacsConfig"}, "property": "supports_shots"}
    ],
    "POST /api/projects/v1beta2": [change(NAMED)],
    "PATCH /api/projects/v1beta2/{id}": [change(NAMED | {"archived": False})],
    "POST /api/property_definitions/v1beta2": [in_project(DEFINITION)],
    "POST /api/circuits/v1beta2": [in_project(NAMED | CIRCUIT)],
    "PATCH /api/circuits/v1beta2/{id}": [change(NAMED)],
    "POST /api/jobs/v1beta3": [in_project(NAMED | JOB), in_project(NAMED | COMPILE)],
    "POST /api/jobs/v1beta3/{id}/rpc/retry": [
        {
            "remote_retry_strategy": "FULL_RESTART",
            "retry_status": ["COMPLETED"],
            "user_group": "a team",
        }
    ],
}
for kind, upload_version in [("hugr", 2), ("qir", 1), ("wasm", 1), ("gpu", 1)]:
    path = "gpu_decoder_configs" if kind == "gpu" else kind
    version = "v1beta2" if upload_version == 2 else "v1beta"
    RIGHT[f"POST /api/{path}/{version}"] = [in_project(NAMED | CONTENTS)]
    RIGHT[f"PATCH /api/{path}/v1beta/{{id}}"] = [change(NAMED)]


@dataclass
class Server:
    """A server of these tests alone, with one thing of every kind."""

    nexus: LocalNexus
    http: httpx.Client
    ids: dict[str, str]

    def filled_in(self, value: Any) -> Any:
        """Put ids in place of their names."""
        match value:
            case dict():
                return {name: self.filled_in(it) for name, it in value.items()}
            case list():
                return [self.filled_in(it) for it in value]
            case str():
                return self.ids.get(value.strip("{}"), value)
        return value

    def url(self, endpoint: Endpoint[Any]) -> str:
        kind = endpoint.path.split("/")[2].removesuffix("s")
        return endpoint.path.replace("{id}", self.ids.get(kind, ""))

    def send(self, endpoint: Endpoint[Any], body: Any) -> httpx.Response:
        return self.http.request(endpoint.method, self.url(endpoint), json=body)

    def stored(self) -> list[str]:
        """Return all that the database holds."""
        path = self.nexus.directory / "nexus.db"
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as database:
            return list(database.iterdump())


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with LocalNexus() as nexus:
        context = ssl.create_default_context(cafile=nexus.env["SSL_CERT_FILE"])
        with httpx.Client(base_url=nexus.url, verify=context) as http:
            login = {"email": nexus.email, "password": nexus.password}
            http.post("/auth/login", json=login).raise_for_status()
            server = Server(nexus, http, {})
            _fill(server)
            yield server


def _fill(server: Server) -> None:
    """Make one thing of every kind, and note the ids."""
    roles = server.http.get("/api/roles/v1beta").json()["data"]
    server.ids["role"] = roles[0]["id"]
    me = server.http.get("/api/users/v1beta2/me").json()["data"]
    server.ids["user"] = me["id"]
    for kind in (
        "projects",
        "teams",
        "property_definitions",
        "circuits",
        "hugr",
        "qir",
        "wasm",
        "gpu_decoder_configs",
        "jobs",
    ):
        (request,) = (
            it
            for it in RIGHT
            if it.startswith(f"POST /api/{kind}/v") and "{id}" not in it
        )
        body = deepcopy(RIGHT[request][0])
        attributes = body["data"]["attributes"]
        if kind != "projects":
            attributes.pop("properties", None)
        if kind == "property_definitions":
            attributes |= {"name": "size", "property_type": "int"}
        if kind == "jobs":
            # No simulator may still write while the tests compare.
            server.nexus.progress = server.nexus.progress.seconds(queued=1e9)
            attributes["definition"]["backend_config"] = {"type": "AerConfig"}
        url = request.removeprefix("POST ")
        answer = server.http.post(url, json=server.filled_in(body))
        answer.raise_for_status()
        server.ids[kind.removesuffix("s")] = answer.json()["data"]["id"]
    server.nexus.set_job_status(server.ids["job"], "COMPLETED")


def label(endpoint: Endpoint[Any]) -> str:
    return f"{endpoint.method} {endpoint.path}"


def check_error(status: int, body: dict[str, Any], expected: int, field: str) -> None:
    """Check that a refusal names the field and says why in one sentence."""
    assert status == expected, body
    message = body["message"]
    assert re.fullmatch(r"[^\n]+[^.\n]\.", message), message
    if field:
        assert body["errors"] == [{"field": field, "reason": message}]


def check_refusal(answer: httpx.Response, expected: int, field: str) -> None:
    check_error(answer.status_code, answer.json(), expected, field)


@pytest.fixture
def unchanged(server: Server) -> Iterator[None]:
    """Check that the database holds the same after the test."""
    before = server.stored()
    yield
    assert server.stored() == before


def test_every_route_with_a_body_has_a_right_one_here():
    assert set(RIGHT) == {label(it) for it in BODIES}


def leaves(
    value: Any, path: tuple[Any, ...] = ()
) -> Iterator[tuple[tuple[Any, ...], Any]]:
    """Return the path and the value of everything in a body."""
    if path:
        yield path, value
    if isinstance(value, dict):
        parts: Any = value.items()
    else:
        parts = enumerate(value) if isinstance(value, list) else ()
    for name, part in parts:
        yield from leaves(part, (*path, name))


# What may be anything, in a circuit, and the names of types beside ids.
OPEN = {"phase", "type"}
WRONG_TYPE: dict[type, Any] = {
    str: [1],
    int: [1],
    float: "much",
    bool: "perhaps",
    dict: "text",
    list: "text",
}


type Path = tuple[Any, ...]


def places(endpoint: Endpoint[Any]) -> Iterator[tuple[Any, Path, Any]]:
    """Return the right bodies of a route with all places in them, and what is there."""
    for body in RIGHT[label(endpoint)]:
        for path, value in leaves(body):
            yield body, path, value


def has_type(path: Path) -> bool:
    return path[-1] not in OPEN or "backend_config" in path


def replaced(body: Any, path: tuple[Any, ...], value: Any) -> Any:
    body = deepcopy(body)
    place = body
    for name in path[:-1]:
        place = place[name]
    place[path[-1]] = value
    return body


def without(body: Any, path: Path) -> Any:
    body = deepcopy(body)
    place = body
    for name in path[:-1]:
        place = place[name]
    del place[path[-1]]
    return body


NEEDED = {
    "email",
    "password",
    "code",
    "attributes",
    "relationships",
    "project",
    "id",
    "property_type",
    "contents",
    "qubits",
    "bits",
    "commands",
    "job_type",
    "backend_config",
    "items",
    "program_id",
    "n_shots",
    "resource_id",
    "role_id",
    "team_id",
    "for_user_id",
    "property",
}


def is_needed(endpoint: Endpoint[Any], path: Path) -> bool:
    named = path[-1] == "name" and endpoint.method == "POST"
    return path[-1] in NEEDED or named or path[-2:] == ("backend_config", "type")


def check_model(endpoint: Endpoint[Any], wrong: Any, path: Path) -> None:
    assert endpoint.body is not None
    with pytest.raises(ApiError) as caught:
        parse(endpoint.body, json.dumps(wrong).encode())
    error = caught.value
    check_error(error.status, error.to_dict(), 422, ".".join(map(str, path)))


@pytest.mark.parametrize("endpoint", BODIES, ids=label)
def test_a_model_names_every_value_of_a_wrong_type(endpoint):
    for body, path, value in places(endpoint):
        if has_type(path):
            wrong = replaced(body, path, WRONG_TYPE[type(value)])
            check_model(endpoint, wrong, path)


@pytest.mark.parametrize("endpoint", BODIES, ids=label)
def test_a_model_names_every_field_that_is_missing(endpoint):
    for body, path, _value in places(endpoint):
        if is_needed(endpoint, path):
            check_model(endpoint, without(body, path), path)


@pytest.mark.parametrize("endpoint", BODIES, ids=label)
def test_a_model_takes_every_right_body(endpoint):
    for body in RIGHT[label(endpoint)]:
        parse(endpoint.body, json.dumps(body).encode())


@pytest.mark.parametrize("endpoint", BODIES, ids=label)
@pytest.mark.usefixtures("unchanged")
def test_a_wrong_body_is_refused_and_changes_nothing(server, endpoint):
    for content in NO_OBJECTS:
        url = server.url(endpoint)
        answer = server.http.request(endpoint.method, url, content=content)
        check_refusal(answer, 422, "body")
    for body, path, value in places(endpoint):
        if has_type(path):
            wrong = replaced(server.filled_in(body), path, WRONG_TYPE[type(value)])
            check_refusal(server.send(endpoint, wrong), 422, ".".join(map(str, path)))
            break


NO_OBJECTS = [b"", b"{", b"[]", b"null", b"3", b"\xff", b'{"a": "\\u0000"}']
IDS = {
    "id",
    "program_id",
    "wasm_module_id",
    "gpu_decoder_config_id",
    "resource_id",
    "role_id",
    "team_id",
    "for_user_id",
}


WITH_IDS = [
    it for it in BODIES if any(path[-1] in IDS for _body, path, _value in places(it))
]


@pytest.mark.parametrize("endpoint", WITH_IDS, ids=label)
@pytest.mark.usefixtures("unchanged")
def test_every_id_of_nothing_is_named(server, endpoint):
    for key in ("nothing", "00000000-0000-0000-0000-000000000000"):
        for body, path, _value in places(endpoint):
            if path[-1] in IDS:
                wrong = replaced(server.filled_in(body), path, key)
                answer = server.send(endpoint, wrong)
                check_refusal(answer, 404, ".".join(map(str, path)))
                assert repr(key) in answer.json()["message"]


@pytest.mark.parametrize(
    "endpoint", [it for it in BODIES if "{id}" in it.path], ids=label
)
@pytest.mark.usefixtures("unchanged")
def test_a_change_of_nothing_is_refused(server, endpoint):
    body = server.filled_in(RIGHT[label(endpoint)][0])
    url = endpoint.path.replace("{id}", "nothing")
    answer = server.http.request(endpoint.method, url, json=body)
    check_refusal(answer, 404, "")
    assert "'nothing'" in answer.json()["message"]


FILTERS = [
    ("scope", "everything"),
    ("filter[properties]", "(size"),
    ("filter[properties]", "(size,[1])"),
    ("filter[properties]", "(size,1"),
    *(
        (f"filter[timestamps][{stamp}][{side}]", moment)
        for stamp in ("created", "modified")
        for side in ("before", "after")
        for moment in ("soon", "2024-13-01", "99999-01-01")
    ),
]
PAGES = [
    ("page[number]", "-1"),
    ("page[number]", "first"),
    ("page[number]", "1e3"),
    ("page[number]", str(2**70)),
    ("page[size]", "0"),
    ("page[size]", "-5"),
    ("page[size]", "100000"),
    ("page[size]", ""),
    ("sort", "colour"),
    ("sort", "--name"),
    ("sort", ""),
]
OF_ONE_LISTING = [
    ("filter[archived]", "perhaps"),
    ("filter[status][status]", "DREAMING"),
    ("filter[job_type]", "dance"),
]


@pytest.mark.parametrize("endpoint", LISTINGS, ids=label)
@pytest.mark.usefixtures("unchanged")
def test_every_wrong_parameter_of_a_listing_is_named(server, endpoint):
    for name, value in [*FILTERS, *PAGES, *OF_ONE_LISTING]:
        if name in endpoint.query:
            answer = server.http.get(endpoint.path, params={name: value})
            check_refusal(answer, 422, name)


def test_every_listing_is_tried():
    paths = {it.path for it in LISTINGS}
    counted = {it.path for it in ENDPOINTS if it.path.endswith("/meta/count")}
    assert counted == paths - {it.path for it in PAGED}
    assert len(PAGED) == len(counted) > 8
