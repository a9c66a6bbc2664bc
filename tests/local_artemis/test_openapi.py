"""No request makes the server fail, whatever it is: made from its own description."""

import hypothesis
import pytest
from hypothesis import strategies as st
from tests.helpers.photonics import connect
from tests.helpers.repetition import soak

from local_artemis import ARTEMIS, LocalArtemis
from local_artemis.application import ENDPOINTS, SECURITY
from local_cloud.server.instance import Instance
from local_cloud.web.openapi import document

schemathesis = pytest.importorskip("schemathesis")

# The routes of the administrator that all clouds have are tested with the other one.
DOCUMENT = document(ARTEMIS, ENDPOINTS, SECURITY)
OPERATIONS = {
    operation.ok().label: operation.ok()
    for operation in schemathesis.openapi.from_dict(DOCUMENT).get_all_operations()
}


@pytest.fixture(scope="module")
def server():
    with LocalArtemis() as artemis, connect(artemis) as http:
        token = Instance.load(ARTEMIS, artemis.directory).admin_token
        http.headers["authorization"] = f"Bearer {token}"
        yield http


@pytest.mark.parametrize("label", OPERATIONS)
@pytest.mark.parametrize("examples", [6, soak(100)])
def test_no_request_makes_the_server_fail(server, label, examples):
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
            known = st.sampled_from(["1", "Artemis", str(2**64)])
            case.path_parameters = {it: data.draw(known) for it in case.path_parameters}
        arguments = case.as_transport_kwargs(base_url=str(server.base_url))
        wanted = ("method", "url", "params", "json", "data")
        answer = server.request(**{name: arguments.get(name) for name in wanted})
        assert answer.status_code < 500, answer.text
        if answer.status_code >= 400:
            assert answer.json()["message"]

    request()
