import ssl

import httpx
import hypothesis
import pytest
from hypothesis import strategies as st

from local_nexus import LocalNexus
from local_nexus.openapi import document
from local_nexus.settings import Settings

schemathesis = pytest.importorskip("schemathesis")

OPERATIONS = {
    operation.ok().label: operation.ok()
    for operation in schemathesis.openapi.from_dict(document()).get_all_operations()
}


@pytest.fixture(scope="module")
def session():
    with LocalNexus() as nexus:
        context = ssl.create_default_context(cafile=nexus.env["SSL_CERT_FILE"])
        with httpx.Client(base_url=nexus.url, verify=context) as http:
            login = {"email": nexus.email, "password": nexus.password}
            http.post("/auth/login", json=login).raise_for_status()
            token = Settings.load(nexus.directory).admin_token
            http.headers["authorization"] = f"Bearer {token}"
            yield http


@pytest.fixture(autouse=True)
def _no_faults(session):
    """Faults that were made up must not hit what comes after them."""
    yield
    session.delete("/_local/faults")


def test_the_document_is_served(session):
    assert session.get("/openapi.json").json() == document()


@pytest.mark.parametrize("label", OPERATIONS)
@hypothesis.settings(
    max_examples=10,
    deadline=None,
    derandomize=True,
    suppress_health_check=list(hypothesis.HealthCheck),
)
@hypothesis.given(data=st.data())
def test_no_request_makes_the_server_fail(session, label, data):
    case = data.draw(OPERATIONS[label].as_strategy())
    arguments = case.as_transport_kwargs(base_url=str(session.base_url))
    wanted = ("method", "url", "params", "json", "data")
    answer = session.request(**{name: arguments.get(name) for name in wanted})
    assert answer.status_code < 500, answer.text
    if answer.status_code >= 400:
        assert answer.json()["message"]
