import json
import os
import signal
import ssl
import subprocess
import sys
from pathlib import Path

import certifi
import httpx
import psutil
import pytest
from tests.helpers.server_log import complaints
from tests.helpers.waiting import wait_until
from tests.local_nexus.conftest import ClientError

from local_nexus import LocalNexus
from local_nexus.simulators.devices import devices

OWNER = """
import time
from local_nexus import LocalNexus

nexus = LocalNexus()
nexus.start()
print(nexus.directory, flush=True)
{then}
"""


def tree(pid: int) -> list[psutil.Process]:
    return psutil.Process(pid).children(recursive=True)


def test_data_survives_a_restart_in_the_same_directory(tmp_path, new_client):
    with LocalNexus(directory=tmp_path / "data") as nexus:
        client = new_client(nexus.env)
        job = client.run(
            """
            project = qnx.projects.create(name="kept")
            circuit = qnx.circuits.upload(bell(), project=project)
            job = qnx.start_execute_job(
                programs=circuit, n_shots=50, project=project, name="kept",
                backend_config=qnx.models.QulacsConfig(),
            )
            qnx.jobs.wait_for(job, timeout=120)
            result = job.id
            """
        )
        email = nexus.email
    with LocalNexus(directory=tmp_path / "data") as nexus:
        assert nexus.email == email
        total = new_client(nexus.env).run(
            """
            found = qnx.jobs.get(id=job)
            counts = qnx.jobs.results(found)[0].download_result().get_counts()
            result = [found.last_status, sum(counts.values())]
            """,
            job=job,
        )
    assert total == ["COMPLETED", 50]


def test_a_job_that_was_queued_at_the_stop_runs_after_the_restart(tmp_path, new_client):
    directory = tmp_path / "data"
    with LocalNexus(directory=directory) as nexus:
        new_client(nexus.env).run(
            """
            project = qnx.projects.create(name="queued")
            circuit = qnx.circuits.upload(bell(), project=project)
            job = qnx.start_execute_job(
                programs=[circuit] * 6, n_shots=[10] * 6, project=project,
                backend_config=qnx.models.QulacsConfig(), name="long",
            )
            """
        )
        (before,) = nexus.jobs()
    assert before["status"] != "COMPLETED"
    with LocalNexus(directory=directory) as nexus:
        finished = wait_until(lambda: nexus.jobs()[0]["status"] == "COMPLETED", 120)
        assert finished
        assert nexus.jobs()[0]["items"] == ["COMPLETED"] * 6


def test_stop_leaves_no_process_and_no_temporary_directory():
    before = set(tree(os.getpid()))
    nexus = LocalNexus()
    nexus.start()
    directory = nexus.directory
    nexus.stop()
    nexus.stop()
    assert not directory.exists()
    assert set(tree(os.getpid())) <= before


def test_a_client_that_is_idle_does_not_hold_up_the_end(tmp_path):
    with LocalNexus(directory=tmp_path) as nexus:
        context = ssl.create_default_context(cafile=nexus.env["SSL_CERT_FILE"])
        with httpx.Client(verify=context) as client:
            assert client.get(f"{nexus.url}/openapi.json").is_success
            nexus.stop()
            # uvicorn complains when it gives connections up.
            assert complaints(nexus) == []


def test_an_exception_in_the_context_stops_the_server():
    nexus = LocalNexus()
    with pytest.raises(ZeroDivisionError), nexus:
        _ = 1 / 0
    assert not nexus.directory.exists()


def test_kill_of_the_parent_leaves_no_process_and_no_directory():
    owner = subprocess.Popen(
        [sys.executable, "-c", OWNER.format(then="time.sleep(600)")],
        stdout=subprocess.PIPE,
        text=True,
    )
    with owner:
        directory = Path(owner.stdout.readline().strip())
        children = tree(owner.pid)
        assert children
        owner.kill()
    assert wait_until(lambda: not any(child.is_running() for child in children))
    assert not directory.exists()


def test_a_parent_that_forgets_to_stop_leaves_nothing():
    ended = subprocess.run(
        [sys.executable, "-c", OWNER.format(then="")],
        capture_output=True,
        text=True,
        check=True,
    )
    assert wait_until(lambda: not Path(ended.stdout.strip()).exists())


def test_the_command_line_prints_the_environment_and_ends_at_a_signal(tmp_path):
    server = subprocess.Popen(
        [sys.executable, "-m", "local_nexus", "--directory", str(tmp_path)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with server:
        url = server.stdout.readline().strip()
        exports = [server.stdout.readline() for _ in range(3)]
        server.send_signal(signal.SIGINT)
        assert server.wait(30) == 0
        assert server.stderr.read() == ""
    assert url.startswith("https://127.0.0.1:")
    assert exports[0] == "export NEXUS_PROTOCOL=https\n"


def test_a_port_in_use_is_one_sentence_and_exit_code_1(nexus):
    assert refusal("--port", str(nexus.port)).startswith(
        f"Cannot listen on port {nexus.port}: "
    )


def test_starting_on_a_port_in_use_says_why(nexus):
    with pytest.raises(RuntimeError, match="Cannot listen on port"):
        LocalNexus(port=nexus.port).start()


def test_a_reset_server_is_as_good_as_new(new_client):
    made = """
        project = qnx.projects.create(name="before")
        qnx.start_execute_job(
            programs=[qnx.circuits.upload(bell(), project=project)] * 4,
            n_shots=[10] * 4, backend_config=qnx.models.QulacsConfig(), name="job",
            project=project,
        )
    """
    with LocalNexus() as nexus:
        client = new_client(nexus.env)
        client.run(made)
        nexus.add_user("other@example.org", "secret")
        nexus.reset()
        assert nexus.jobs() == []
        with pytest.raises(ClientError, match="Not authenticated"):
            client.run("qnx.projects.get_all().count()")
        client.run("qnx.client.get_nexus_client(reload=True)")
        assert client.run("result = qnx.projects.get_all().count()") == 0
        client.run(made)
        assert wait_until(lambda: nexus.jobs()[0]["status"] == "COMPLETED", 120)
        assert complaints(nexus) == []


def test_tokens_are_readable_by_their_owner_only(nexus):
    tokens = Path(nexus.env["NEXUS_TOKEN_PATH"])
    modes = {file.name: file.stat().st_mode & 0o777 for file in tokens.glob("*.json")}
    assert modes == {"id.json": 0o600, "token.json": 0o600}


def test_the_bundle_keeps_the_authorities_trusted_before(nexus):
    trusted = os.environ.get("SSL_CERT_FILE", certifi.where())
    context = ssl.create_default_context(cafile=nexus.env["SSL_CERT_FILE"])
    before = ssl.create_default_context(cafile=trusted)
    assert len(context.get_ca_certs()) == len(before.get_ca_certs()) + 1


def test_the_certificate_is_refused_without_the_bundle(nexus):
    with pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
        httpx.get(nexus.url, verify=ssl.create_default_context())


def refusal(*arguments: str, **environment: str) -> str:
    """Return what a server says that does not start: one line on standard error."""
    ended = subprocess.run(
        [sys.executable, "-m", "local_nexus", *arguments],
        capture_output=True,
        text=True,
        env=os.environ | environment,
    )
    assert (ended.returncode, ended.stdout) == (1, "")
    (line,) = ended.stderr.splitlines()
    return line


def test_a_host_that_is_not_known_is_one_sentence():
    assert refusal("--host", "no-such-host.invalid").startswith(
        "Cannot listen on host no-such-host.invalid: "
    )


def test_an_address_of_another_machine_is_one_sentence():
    assert refusal("--host", "192.0.2.1") == (
        "Cannot listen on 192.0.2.1: this machine does not have that address."
    )


def test_two_servers_do_not_share_a_directory(nexus):
    assert refusal("--directory", str(nexus.directory)) == (
        f"A server is running in {nexus.directory} already: stop it first, or take "
        "another directory."
    )


def test_the_directory_of_a_killed_server_is_free_again(tmp_path):
    with LocalNexus(directory=tmp_path) as nexus:
        os.kill(nexus.pid, signal.SIGKILL)
        assert wait_until(lambda: nexus.exit_code == -signal.SIGKILL)
    with LocalNexus(directory=tmp_path) as nexus:
        assert nexus.exit_code is None


def test_a_missing_library_names_the_extra(tmp_path):
    broken = "raise ModuleNotFoundError(\"No module named 'uvicorn'\", name='uvicorn')"
    (tmp_path / "uvicorn.py").write_text(broken)
    assert refusal(PYTHONPATH=str(tmp_path)) == (
        "The embedded Nexus needs more packages: pip install 'PATH[local]', where PATH "
        "is the checkout or wheel of tkr-nexus-worker. There is no module uvicorn."
    )


def test_a_file_that_lists_no_devices_is_one_sentence(tmp_path):
    file = tmp_path / "devices.json"
    file.write_text("{}")
    assert refusal("--device-file", str(file)).startswith(
        f"{file} is not a device file: "
    )


def test_devices_of_a_file_can_be_asked_for(tmp_path, new_client):
    own = [device for device in devices() if device["device_name"] == "H2-1LE"]
    own[0] = own[0] | {"device_name": "MINE"}
    file = tmp_path / "devices.json"
    file.write_text(json.dumps(own))
    with LocalNexus(device_file=file) as nexus:
        names = new_client(nexus.env).run(
            "result = list(qnx.devices.get_all().df()['device_name'])"
        )
        context = ssl.create_default_context(cafile=nexus.env["SSL_CERT_FILE"])
        login = {"email": nexus.email, "password": nexus.password}
        with httpx.Client(base_url=nexus.url, verify=context) as http:
            http.post("/auth/login", json=login)
            status = http.get("/api/machines/v1beta/MINE/status")
    assert "MINE" in names
    assert status.json() == {"state": "online"}


def test_a_server_on_another_address_is_used_like_any_other(new_client):
    with LocalNexus(host="127.0.0.2") as nexus:
        assert nexus.url.startswith("https://127.0.0.2:")
        user = new_client(nexus.env).run("result = qnx.users.get_self().display_name")
        assert user == "Local User"


def test_a_server_on_all_addresses_is_reached_on_loopback(new_client):
    with LocalNexus(host="0.0.0.0") as nexus:  # noqa: S104
        assert nexus.url.startswith("https://127.0.0.1:")
        user = new_client(nexus.env).run("result = qnx.users.get_self().display_name")
        assert user == "Local User"
