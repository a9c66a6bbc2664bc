"""Circuits with gates that a device does not have are refused, as by Nexus."""

import subprocess

import pytest
from tests.conftest import EXECUTABLES
from tests.local_nexus.conftest import ClientError

from local_cloud import RunningServer
from local_nexus import NEXUS, LocalNexus

H2 = ("QuantinuumConfig", {"device_name": "H2-1LE"})
RUN = """
project = qnx.projects.get_or_create("gates")
circuit = qnx.circuits.upload(bell(), project=project)
config = getattr(qnx.models, kind)(**options)
if compiles:
    (circuit,) = qnx.compile(circuit, config, "compiled", project=project)
job = qnx.start_execute_job(circuit, 10, config, "runs", project=project)
result = qnx.jobs.wait_for(job, timeout=250).status.value
"""
STATUS = """
job = qnx.jobs.get_all(page_size=1).list()[0]
(item,) = qnx.jobs.results(job, allow_incomplete=True)
status = item.last_status_detail
result = [qnx.jobs.status(job).status, status.status, status.error_detail]
"""


def run(client, config, *, compiles: bool = False) -> str:
    kind, options = config
    return client.run(RUN, kind=kind, options=options, compiles=compiles)


@pytest.fixture(scope="module")
def strict(make_client):
    with LocalNexus() as nexus, make_client(nexus.env) as client:
        yield client


@pytest.mark.parametrize(
    "config",
    [
        H2,
        ("QuantinuumConfig", {"device_name": "H1-1"}),
        ("QuantinuumConfig", {"device_name": "H2-1E"}),
        ("QuantinuumConfig", {"device_name": "H2-1SC"}),
        ("HeliosConfig", {"system_name": "Helios-1E"}),
    ],
    ids=str,
)
def test_a_circuit_of_other_gates_ends_its_job_in_error(strict, config):
    with pytest.raises(ClientError, match="does not run CX, H: its gates") as caught:
        run(strict, config)
    assert caught.value.kind == "JobError"
    job, item, reason = strict.run(STATUS)
    assert (job, item) == ("ERROR", "ERROR")
    assert "Compile the circuit" in reason


@pytest.mark.parametrize("kind", ["QulacsConfig", "AerConfig", "SeleneConfig"])
def test_simulators_that_take_all_gates_take_them(strict, kind):
    assert run(strict, (kind, {})) == "COMPLETED"


def test_a_compiled_circuit_runs(strict):
    assert run(strict, H2, compiles=True) == "COMPLETED"


def test_a_lenient_server_translates_the_gates(client):
    """The server that all tests share is lenient."""
    assert run(client, H2) == "COMPLETED"


def test_a_lenient_server_starts_from_a_shell(new_client, tmp_path):
    command = [EXECUTABLES / "tkr-nexus", "serve", "--lenient", "--directory", tmp_path]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            url = process.stdout.readline().strip()
            environment = RunningServer(NEXUS, tmp_path, url).env
            assert run(new_client(environment), H2) == "COMPLETED"
        finally:
            process.terminate()
