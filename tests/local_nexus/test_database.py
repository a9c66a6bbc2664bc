import sqlite3
import subprocess
import sys
from collections.abc import Iterator

import pytest
from tests.helpers.postgresql import database
from tests.helpers.waiting import wait_until

from local_nexus import LocalNexus


@pytest.fixture(scope="module")
def postgresql() -> Iterator[str]:
    """The URL of a PostgreSQL server of this test's own."""
    with database() as url:
        yield url


def test_everything_is_kept_in_postgresql(postgresql, tmp_path, new_client):
    with LocalNexus(directory=tmp_path / "first", database=postgresql) as nexus:
        seen = new_client(nexus.env).run(
            """
            project = qnx.projects.create(name="in postgresql")
            for kind in ["bool", "int", "float", "string"]:
                qnx.projects.add_property(kind, kind, project=project)
            given = {"bool": True, "int": 3, "float": 0.5, "string": "text"}
            circuit = qnx.circuits.upload(bell(), project=project, properties=given)
            found = [
                qnx.circuits.get_all(project=project, properties={key: value}).count()
                for key, value in given.items()
            ]
            job = qnx.start_execute_job(
                programs=[circuit] * 3, n_shots=[5, 6, 7], project=project,
                backend_config=qnx.models.QulacsConfig(), name="three",
            )
            qnx.jobs.wait_for(job, timeout=250)
            shots = [
                sum(ref.download_result().get_counts().values())
                for ref in qnx.jobs.results(job)
            ]
            qnx.teams.create(name="team")
            result = [found, shots, qnx.quotas.get("simulation").usage > 0]
            """
        )
        assert not (nexus.directory / "nexus.db").exists()
    assert seen == [[1, 1, 1, 1], [5, 6, 7], True]
    with LocalNexus(directory=tmp_path / "first", database=postgresql) as nexus:
        again = new_client(nexus.env).run(
            """
            project = qnx.projects.get(name="in postgresql")
            names = [it.annotations.name for it in qnx.jobs.get_all(project=project)]
            qnx.projects.update(project, archive=True)
            qnx.projects.delete(project)
            result = names
            """
        )
    assert again == ["three"]


def test_what_was_written_reaches_the_file_while_the_server_runs(nexus, client):
    client.run("qnx.projects.create(name='brought into the file')")
    file = nexus.directory / "nexus.db"
    assert wait_until(lambda: b"brought into the file" in file.read_bytes())


def test_a_kill_in_the_middle_of_writes_leaves_a_consistent_store(tmp_path, new_client):
    directory = tmp_path / "data"
    with LocalNexus(directory=directory) as nexus:
        client = new_client(nexus.env)
        written = client.run(
            """
            import os, signal, threading, time
            project = qnx.projects.create(name="writes")
            result = []
            def write(number):
                try:
                    while True:
                        circuit = bell(f"{number}")
                        ref = qnx.circuits.upload(circuit, project=project)
                        result.append(str(ref.id))
                except Exception:
                    pass
            threads = [threading.Thread(target=write, args=(i,)) for i in range(4)]
            for thread in threads:
                thread.start()
            while len(result) < 50:
                time.sleep(0.01)
            os.kill(server, signal.SIGKILL)
            for thread in threads:
                thread.join()
            """,
            server=nexus.pid,
        )
    database = sqlite3.connect(directory / "nexus.db")
    assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    database.close()
    with LocalNexus(directory=directory) as nexus:
        kept = new_client(nexus.env).run(
            "result = [str(ref.id) for ref in qnx.circuits.get_all(page_size=1000)]"
        )
    # Nothing that was answered is lost; what was being written may or may not be there.
    assert set(written) <= set(kept)


@pytest.mark.parametrize(
    "url",
    [
        "nonsense",
        "mysql://a/b",
        "oracle://a",
        # No server listens on this port of the local host.
        "postgresql+psycopg://nexus@127.0.0.1:1/none",
    ],
)
def test_a_database_that_cannot_be_opened_is_named(url):
    ended = subprocess.run(
        [sys.executable, "-m", "local_nexus", "--database", url],
        capture_output=True,
        text=True,
    )
    assert ended.returncode == 1
    assert ended.stderr.startswith(f"Cannot open the database {url}: ")
    assert ended.stderr.count("\n") == 1
