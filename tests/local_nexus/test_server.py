import os
import signal
import ssl
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import certifi
import httpx
import psutil
import pytest

from local_nexus import LocalNexus

OWNER = """
import time
from local_nexus import LocalNexus

nexus = LocalNexus()
nexus.start()
print(nexus.directory, flush=True)
{then}
"""


def wait_until(condition: Callable[[], bool], seconds: float = 30) -> bool:
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:
        time.sleep(0.02)
    return condition()


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
                programs=[circuit] * 60, n_shots=[10] * 60, project=project,
                backend_config=qnx.models.QulacsConfig(), name="long",
            )
            """
        )
        (before,) = nexus.jobs()
    assert before["status"] != "COMPLETED"
    with LocalNexus(directory=directory) as nexus:
        finished = wait_until(lambda: nexus.jobs()[0]["status"] == "COMPLETED", 120)
        assert finished
        assert nexus.jobs()[0]["items"] == ["COMPLETED"] * 60


def test_stop_leaves_no_process_and_no_temporary_directory():
    before = set(tree(os.getpid()))
    nexus = LocalNexus()
    nexus.start()
    directory = nexus.directory
    nexus.stop()
    nexus.stop()
    assert not directory.exists()
    assert set(tree(os.getpid())) <= before


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
    ended = subprocess.run(
        [sys.executable, "-m", "local_nexus", "--port", str(nexus.port)],
        capture_output=True,
        text=True,
    )
    assert ended.returncode == 1
    assert ended.stderr.startswith(f"Cannot listen on port {nexus.port}: ")
    assert ended.stderr.count("\n") == 1


def test_starting_on_a_port_in_use_says_why(nexus):
    with pytest.raises(RuntimeError, match="Cannot listen on port"):
        LocalNexus(port=nexus.port).start()


def test_tokens_are_readable_by_their_owner_only(nexus):
    tokens = Path(nexus.env["NEXUS_TOKEN_PATH"])
    assert {file.name for file in tokens.iterdir()} == {"id.json", "token.json"}
    assert {file.stat().st_mode & 0o777 for file in tokens.iterdir()} == {0o600}


def test_the_bundle_keeps_the_authorities_trusted_before(nexus):
    trusted = os.environ.get("SSL_CERT_FILE", certifi.where())
    context = ssl.create_default_context(cafile=nexus.env["SSL_CERT_FILE"])
    before = ssl.create_default_context(cafile=trusted)
    assert len(context.get_ca_certs()) == len(before.get_ca_certs()) + 1


def test_the_certificate_is_refused_without_the_bundle(nexus):
    with pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
        httpx.get(nexus.url, verify=ssl.create_default_context())
