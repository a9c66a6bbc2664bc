import json
import ssl
import time
from contextlib import closing
from http.client import HTTPSConnection

import httpx
import pytest


@pytest.fixture
def circuit(client) -> str:
    """The id of a circuit in the shared project."""
    return client.run(
        """
        project = qnx.projects.get(name="shared")
        result = qnx.circuits.upload(bell("for errors"), project=project).id
        """
    )


def job(project: str, **changes) -> dict:
    definition = {
        "job_definition_type": "execute_job_definition",
        "backend_config": {"type": "QulacsConfig"},
        "items": [],
    }
    attributes = {"name": "wrong", "job_type": "execute", "definition": definition}
    definition |= changes.pop("definition", {})
    return {
        "data": {
            "attributes": attributes | changes,
            "relationships": {"project": {"data": {"id": project}}},
        }
    }


DEFINITION = "data.attributes.definition"


@pytest.mark.parametrize(
    ("item", "field", "status"),
    [
        ({"n_shots": 0}, f"{DEFINITION}.items.0.n_shots", 422),
        ({"n_shots": -1}, f"{DEFINITION}.items.0.n_shots", 422),
        ({"n_shots": 1.5}, f"{DEFINITION}.items.0.n_shots", 422),
        ({"n_shots": "10"}, f"{DEFINITION}.items.0.n_shots", 422),
        ({"n_shots": True}, f"{DEFINITION}.items.0.n_shots", 422),
        ({"n_shots": None}, f"{DEFINITION}.items.0.n_shots", 422),
        ({"max_cost": -1}, f"{DEFINITION}.items.0.max_cost", 422),
        ({"n_qubits": 0}, f"{DEFINITION}.items.0.n_qubits", 422),
        ({"program_id": "nothing"}, f"{DEFINITION}.items.0.program_id", 404),
        ({"program_id": None}, f"{DEFINITION}.items.0.program_id", 422),
    ],
    ids=str,
)
def test_a_wrong_item_is_named(http, nexus, shared, circuit, item, field, status):
    before = len(nexus.jobs())
    items = [{"program_id": circuit, "n_shots": 10} | item]
    body = job(shared, definition={"items": items})
    answer = http.post("/api/jobs/v1beta3", json=body)
    assert answer.status_code == status
    assert answer.json()["errors"][0]["field"] == field
    assert len(nexus.jobs()) == before


@pytest.mark.parametrize(
    ("definition", "field"),
    [
        ({"items": []}, f"{DEFINITION}.items"),
        ({"backend_config": {"type": "MyConfig"}}, f"{DEFINITION}.backend_config.type"),
        ({"backend_config": {}}, f"{DEFINITION}.backend_config.type"),
        ({"language": "BASIC"}, f"{DEFINITION}.language"),
        ({"job_definition_type": "other"}, f"{DEFINITION}.job_definition_type"),
        ({"job_definition_type": "compile_job_definition"}, "data.attributes"),
    ],
    ids=str,
)
def test_a_wrong_definition_is_named(http, shared, circuit, definition, field):
    items = {"items": [{"program_id": circuit, "n_shots": 10}]}
    body = job(shared, definition=items | definition)
    answer = http.post("/api/jobs/v1beta3", json=body)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == field


def test_a_missing_wasm_module_is_named(http, shared, circuit):
    items = [{"program_id": circuit, "n_shots": 10}]
    body = job(shared, definition={"items": items, "wasm_module_id": "nothing"})
    answer = http.post("/api/jobs/v1beta3", json=body)
    assert answer.status_code == 404
    assert answer.json()["message"] == "There is no wasm 'nothing'."


def test_a_program_of_a_wrong_kind_is_named(http, client, shared):
    wasm = client.run(
        """
        from pytket.wasm import WasmModuleHandler
        wasm = WasmModuleHandler(b"wasm", check=False)
        project = qnx.projects.get(name="shared")
        result = qnx.wasm_modules.upload(wasm, name="module", project=project).id
        """
    )
    body = job(shared, definition={"items": [{"program_id": wasm, "n_shots": 1}]})
    answer = http.post("/api/jobs/v1beta3", json=body)
    assert answer.status_code == 422
    assert "'module' is a wasm" in answer.json()["message"]


@pytest.mark.parametrize(
    ("attributes", "field"),
    [
        ({"name": ""}, "data.attributes.name"),
        ({}, "data.attributes.name"),
        ({"name": 3}, "data.attributes.name"),
        ({"name": "x", "properties": {"p": [1]}}, "data.attributes.properties.p"),
        ({"name": "x", "properties": {"p": 2**70}}, "data.attributes.properties.p"),
        ({"name": "nul \0"}, "body"),
    ],
    ids=str,
)
def test_a_wrong_attribute_is_named(http, attributes, field):
    body = {"data": {"attributes": attributes}}
    answer = http.post("/api/projects/v1beta2", json=body)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == field
    assert answer.json()["message"].endswith(".")


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b"\xff", b"[" * 100_000])
def test_a_body_that_is_no_object_is_refused(http, body):
    answer = http.post("/api/projects/v1beta2", content=body)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "body"


def test_numbers_that_json_does_not_have_are_refused(http, shared):
    body = (
        '{"data": {"attributes": {"name": "x", "phase": NaN}, "relationships":'
        ' {"project": {"data": {"id": "' + shared + '"}}}}}'
    )
    answer = http.post("/api/circuits/v1beta2", content=body)
    assert answer.status_code == 422


def test_a_body_that_is_announced_too_large_is_refused_before_it_comes(nexus, http):
    context = ssl.create_default_context(cafile=nexus.env["SSL_CERT_FILE"])
    connection = HTTPSConnection("127.0.0.1", nexus.port, context=context)
    with closing(connection):
        connection.putrequest("POST", "/api/projects/v1beta2")
        cookies = "; ".join(f"{name}={value}" for name, value in http.cookies.items())
        connection.putheader("Cookie", cookies)
        connection.putheader("Content-Length", str(2**30))
        connection.endheaders()
        answer = connection.getresponse()
        assert answer.status == 413
        assert json.loads(answer.read())["message"].startswith("The body is larger")


def test_a_body_that_is_too_large_is_refused(nexus, http):
    def endless():
        while True:
            yield bytes(2**20)

    context = ssl.create_default_context(cafile=nexus.env["SSL_CERT_FILE"])
    with httpx.Client(
        base_url=nexus.url, verify=context, cookies=http.cookies
    ) as sender:
        try:
            answer = sender.post("/api/projects/v1beta2", content=endless())
        except httpx.TransportError:
            # The server may close the connection while the client still sends.
            return
    assert answer.status_code == 413


def test_a_client_that_leaves_while_it_sends_is_no_failure(nexus, http):
    log = nexus.directory / "server.log"
    before = log.read_text()
    context = ssl.create_default_context(cafile=nexus.env["SSL_CERT_FILE"])
    connection = HTTPSConnection("127.0.0.1", nexus.port, context=context)
    with closing(connection):
        connection.putrequest("POST", "/api/projects/v1beta2")
        cookies = "; ".join(f"{name}={value}" for name, value in http.cookies.items())
        connection.putheader("Cookie", cookies)
        connection.putheader("Content-Length", "1000")
        connection.endheaders(b"{")

    def left():
        return any(request.status == 499 for request in nexus.requests())

    deadline = time.monotonic() + 30
    while not left() and time.monotonic() < deadline:
        time.sleep(0.02)
    assert left()
    assert log.read_text() == before


@pytest.mark.parametrize("path", ["/api/magic/v1beta/wand", "/auth/terms_challenge"])
def test_an_unknown_part_of_the_api_names_itself(http, path):
    answer = http.post(path)
    assert answer.status_code == 501
    message = f"The embedded Nexus does not have POST {path}."
    assert answer.json() == {"message": message}


def test_a_wrong_method_is_said_so(http):
    answer = http.put("/api/projects/v1beta2")
    assert answer.status_code == 405
    assert answer.json()["message"] == "Method Not Allowed: PUT /api/projects/v1beta2."


@pytest.mark.parametrize("path", ["/etc/passwd", "/../instance.json", "/%2e%2e/x"])
def test_no_path_reaches_the_file_system(http, path):
    answer = http.get(path)
    assert answer.status_code == 404
    assert answer.json().keys() == {"message"}


@pytest.mark.parametrize(
    ("status", "procedure", "sentence"),
    [
        ("ERROR", "cancel", "is ERROR and cannot be cancelled"),
        ("CANCELLED", "retry", "none is ERROR"),
    ],
)
def test_what_does_not_fit_the_state_of_a_job_is_refused(
    nexus, http, submit, status, procedure, sentence
):
    key = submit("ended")
    nexus.set_job_status(key, status)
    answer = http.post(f"/api/jobs/v1beta3/{key}/rpc/{procedure}", json={})
    assert answer.status_code == 409
    assert sentence in answer.json()["message"]
