import ssl

import httpx
import hypothesis
import pytest
from hypothesis import strategies as st
from tests.helpers.repetition import soak

from local_cloud.admin import routes as admin
from local_cloud.server.instance import Instance
from local_cloud.web.openapi import document
from local_nexus import NEXUS, LocalNexus
from local_nexus.application import ENDPOINTS, SECURITY

schemathesis = pytest.importorskip("schemathesis")

DOCUMENT = document(NEXUS, [*ENDPOINTS, *admin.ENDPOINTS], SECURITY)

OPERATIONS = {
    operation.ok().label: operation.ok()
    for operation in schemathesis.openapi.from_dict(DOCUMENT).get_all_operations()
}
del OPERATIONS["POST /_local/stop"]  # nothing can be asked after it


@pytest.fixture(scope="module")
def server():
    with LocalNexus() as nexus:
        context = ssl.create_default_context(cafile=nexus.env["SSL_CERT_FILE"])
        with httpx.Client(base_url=nexus.url, verify=context) as http:
            token = Instance.load(NEXUS, nexus.directory).admin_token
            http.headers["authorization"] = f"Bearer {token}"
            yield http, {"email": nexus.email, "password": nexus.password}


@pytest.fixture
def session(server):
    """A client that is logged in, whatever was made up before.

    Tokens end where the clock was moved, and a login may need a second factor. Faults
    must not hit what comes after them.
    """
    http, login = server
    http.put(f"/_local/users/{login['email']}/mfa", json={"code": None})
    http.post("/auth/login", json=login).raise_for_status()
    yield http
    http.delete("/_local/faults")


@pytest.fixture
def known(session):
    """Makes something of each kind and returns the ids."""

    def create(path, attributes, **relationships):
        data = {"attributes": attributes, "relationships": relationships}
        answer = session.post(f"/api/{path}", json={"data": data}).raise_for_status()
        return answer.json()["data"]["id"]

    def make():
        ids = [create("projects/v1beta2", {"name": "known"})]
        place = {"project": {"data": {"id": ids[0], "type": "project"}}}
        circuit = {"name": "known", "qubits": [], "bits": [], "commands": []}
        ids.append(create("circuits/v1beta2", circuit, **place))
        definition = {
            "job_definition_type": "execute_job_definition",
            "backend_config": {"type": "QulacsConfig"},
            "items": [{"program_id": ids[1], "n_shots": 1}],
        }
        job = {"name": "known", "job_type": "execute", "definition": definition}
        ids.append(create("jobs/v1beta3", job, **place))
        return [*ids, session.get("/api/users/v1beta2/me").json()["data"]["id"]]

    return make


def test_the_document_is_served(session):
    assert session.get("/openapi.json").json() == DOCUMENT


@pytest.mark.parametrize("label", OPERATIONS)
@pytest.mark.parametrize("examples", [4, soak(100)])
def test_no_request_makes_the_server_fail(session, known, label, examples):
    cases = OPERATIONS[label].as_strategy()

    @hypothesis.settings(
        max_examples=examples,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(hypothesis.HealthCheck),
    )
    @hypothesis.given(data=st.data())
    def request(data: st.DataObject) -> None:
        case = data.draw(cases)
        if case.path_parameters and data.draw(st.booleans(), "known"):
            ids = st.sampled_from(known())
            case.path_parameters = {it: data.draw(ids) for it in case.path_parameters}
        arguments = case.as_transport_kwargs(base_url=str(session.base_url))
        wanted = ("method", "url", "params", "json", "data")
        answer = session.request(**{name: arguments.get(name) for name in wanted})
        assert answer.status_code < 500, answer.text
        if answer.status_code >= 400:
            assert answer.json()["message"]

    request()
