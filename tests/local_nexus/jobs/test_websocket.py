import json
import ssl

import pytest
from tests.helpers.server_log import complaints
from websockets.exceptions import ConnectionClosedError, InvalidStatus
from websockets.sync.client import connect

from local_nexus import LocalNexus, Progress


def follow(nexus: LocalNexus, job: str, token: str):
    context = ssl.create_default_context(cafile=nexus.env["SSL_CERT_FILE"])
    # A connection that two threads use loses its first request now and then, when the
    # tickets of TLS 1.3 are read while it is written.
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    return connect(
        f"wss://127.0.0.1:{nexus.port}/api/jobs/v1beta3/{job}/attributes/status/ws",
        ssl=context,
        additional_headers={"Cookie": f"myqos_id={token}"},
        open_timeout=60,
    )


def statuses(websocket) -> list[str]:
    return [json.loads(message)["status"] for message in websocket]


def test_all_who_follow_a_job_are_told_and_closed_normally(nexus, http, submit):
    nexus.progress = Progress.seconds(queued=1000)
    job = submit("followed")
    sockets = [follow(nexus, job, http.cookies["myqos_id"]) for _ in range(5)]
    sockets.pop().close()
    for websocket in sockets:
        assert json.loads(websocket.recv())["status"] == "QUEUED"
    nexus.set_job_status(job, "RUNNING")
    nexus.set_job_status(job, "CANCELLED")
    for websocket in sockets:
        assert statuses(websocket)[-1] == "CANCELLED"
        assert websocket.protocol.close_code == 1000


def test_an_ended_job_is_told_at_once(nexus, http, submit):
    job = submit("ended before")
    nexus.set_job_status(job, "ERROR")
    assert statuses(follow(nexus, job, http.cookies["myqos_id"])) == ["ERROR"]


def test_a_job_that_is_deleted_is_told_no_more(nexus, http, submit):
    nexus.progress = Progress.seconds(queued=1000)
    job = submit("deleted meanwhile")
    websocket = follow(nexus, job, http.cookies["myqos_id"])
    websocket.recv()
    http.delete(f"/api/jobs/v1beta3/{job}").raise_for_status()
    assert statuses(websocket) == []
    assert websocket.protocol.close_code == 1000
    assert complaints(nexus) == []


def test_a_stranger_is_refused(nexus, submit):
    with pytest.raises(InvalidStatus, match="HTTP 403"):
        follow(nexus, submit("not for all"), "forged")


def test_a_server_that_stops_closes_so_that_the_client_comes_back(new_client):
    with LocalNexus(progress=Progress.seconds(queued=1000)) as nexus:
        job, token = new_client(nexus.env).run(
            """
            project = qnx.projects.create(name="stopping")
            job = qnx.start_execute_job(
                programs=qnx.circuits.upload(bell(), project=project), n_shots=1,
                backend_config=qnx.models.QulacsConfig(), name="j", project=project,
            )
            cookies = qnx.client.get_nexus_client().auth.cookies
            result = [job.id, cookies.get("myqos_id")]
            """
        )
        websocket = follow(nexus, job, token)
        websocket.recv()
    with pytest.raises(ConnectionClosedError):
        websocket.recv()
