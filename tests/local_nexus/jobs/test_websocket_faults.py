import pytest
from tests.helpers.server_log import complaints
from tests.local_nexus.conftest import ClientError

from local_nexus import Fault, Progress

STATUS_SOCKET = "/api/jobs/*/attributes/status/ws"


def wait(client, job: str, strategy: str = "") -> str:
    return client.run(
        f"""
        from qnexus.client import jobs
        jobs.WS_SERVER_RETRY_TIMEOUT = 0
        job = qnx.jobs.get(id=job)
        strategy = jobs.{strategy or "WebsocketStrategy()"}
        status = qnx.jobs.wait_for(job, timeout=120, strategy=strategy)
        result = status.status.name
        """,
        job=job,
    )


@pytest.fixture
def job(nexus, submit) -> str:
    """A job that is not done when it is first looked at."""
    nexus.progress = Progress.after_reads(3)
    return submit("followed")


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_normal_close_leaves_the_client_with_an_unfinished_state(
    nexus, client, submit, when
):
    nexus.progress = Progress.seconds(queued=1000)
    job = submit("closed")
    with nexus.fault(Fault("close", when=when)):
        assert wait(client, job) == "QUEUED"


@pytest.mark.parametrize(
    "fault",
    [
        Fault("close", code=1011, when="after", times=1),
        Fault("close", code=1011, times=1),
        Fault("drop", path=STATUS_SOCKET, when="after", times=1),
        Fault("drop", path=STATUS_SOCKET, times=1),
        Fault("answer", status=401, path=STATUS_SOCKET, times=1),
        Fault("answer", status=503, path=STATUS_SOCKET, times=1),
        Fault("expire", token="access", path=STATUS_SOCKET, times=1),
    ],
    ids=lambda fault: f"{fault.action}-{fault.when}-{fault.status or fault.code}",
)
def test_the_client_connects_again(nexus, client, job, fault):
    with nexus.fault(fault):
        assert wait(client, job) == "COMPLETED"
        (active,) = nexus.faults()
    assert active.fired == 1
    assert len(nexus.requests(method="WEBSOCKET")) == 2
    assert complaints(nexus) == []


@pytest.mark.parametrize("when", ["before", "after"])
def test_the_client_goes_over_to_polling_when_the_websocket_hangs(
    nexus, client, job, when
):
    strategy = "HybridStrategy(websocket_timeout=0.5, initial_interval=0.01)"
    with nexus.fault(Fault("hang", method="WEBSOCKET", when=when)):
        assert wait(client, job, strategy) == "COMPLETED"


def test_a_malformed_message_is_an_error_of_the_client(nexus, client, job):
    fault = Fault("malformed", shape="truncated", method="WEBSOCKET")
    with nexus.fault(fault), pytest.raises(ClientError) as caught:
        wait(client, job)
    assert caught.value.kind == "JSONDecodeError"


def test_a_refusal_is_in_the_log_with_its_status(nexus, client, job):
    fault = Fault("answer", status=418, method="WEBSOCKET")
    with nexus.fault(fault), pytest.raises(ClientError) as caught:
        wait(client, job)
    assert caught.value.kind == "InvalidStatus"
    assert [it.status for it in nexus.requests(method="WEBSOCKET")] == [418]
