"""Secrets stay with their owner: in files, and out of long-lived processes."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import landlockpy
import psutil
import pytest

from local_nexus import LocalNexus

SECRETS = {
    "LANGSMITH_API_KEY": "secret",
    "PATH_TO_SECRET": "secret",
    "HOMEBREW_GITHUB_API_TOKEN": "secret",
    "PYTHON_SECRET": "secret",
    "AWS_SECRET_ACCESS_KEY": "secret",
}


@pytest.fixture
def careless_umask():
    before = os.umask(0)
    yield
    os.umask(before)


def open_to_others(directory: Path) -> set[str]:
    return {
        path.name
        for path in [directory, *directory.rglob("*")]
        if stat.S_IMODE(path.lstat().st_mode) & 0o077
    }


@pytest.fixture(scope="module")
def ran_a_job(make_client, tmp_path_factory) -> Iterator[LocalNexus]:
    """A server that was started among secrets and without care, and ran a job."""
    directory = tmp_path_factory.mktemp("deep") / "deep" / "data"
    with pytest.MonkeyPatch.context() as patch:
        before = os.umask(0)
        for name, text in SECRETS.items():
            patch.setenv(name, text)
        with LocalNexus(directory=directory) as nexus, make_client(nexus.env) as client:
            client.run(
                """
                project = qnx.projects.get_or_create(name="secrets")
                circuit = qnx.circuits.upload(bell(), project=project)
                job = qnx.start_execute_job(
                    programs=circuit, n_shots=50, project=project, name="kept",
                    backend_config=qnx.models.QulacsConfig(),
                )
                qnx.jobs.wait_for(job, timeout=120)
                """
            )
            yield nexus
        os.umask(before)
    assert open_to_others(directory) == {"authority-127.0.0.1.pem"}


def test_nobody_else_can_read_what_a_server_writes(ran_a_job):
    assert open_to_others(ran_a_job.directory) == {"authority-127.0.0.1.pem"}


def test_what_an_older_server_left_open_is_closed(tmp_path, careless_umask):
    with LocalNexus(directory=tmp_path):
        pass
    for path in tmp_path.rglob("*"):
        path.chmod(0o777 if path.is_dir() else 0o666)
    (tmp_path / "of-the-user").touch(0o644)
    tmp_path.chmod(0o755)
    with LocalNexus(directory=tmp_path):
        left = open_to_others(tmp_path) - {tmp_path.name}
        assert left == {"authority-127.0.0.1.pem", "of-the-user"}


@pytest.mark.skipif(
    landlockpy.abi_version() < 2, reason="this kernel has no Landlock, or an old one"
)
def test_the_simulators_of_a_server_are_cut_off_from_its_files(ran_a_job):
    children = psutil.Process(ran_a_job.pid).children(recursive=True)
    # The other half of each only waits for its end.
    simulators = [it for it in children if it.ppid() != ran_a_job.pid]
    assert simulators
    for simulator in simulators:
        status = Path(f"/proc/{simulator.pid}/status").read_text()
        assert "NoNewPrivs:\t1" in status
        assert str(ran_a_job.directory) in simulator.parent().cmdline()[-2]


def test_servers_and_simulators_keep_no_variables_that_may_be_secrets(ran_a_job):
    server = psutil.Process(ran_a_job.pid)
    processes = [server, *server.children(recursive=True)]
    assert len(processes) > 1
    for process in processes:
        assert SECRETS.keys().isdisjoint(process.environ())
