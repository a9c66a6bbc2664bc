"""The server itself: its start and stop, its files, restarts, the page, the shell."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
from tests.helpers.photonics import Api, connect, files_of, payload
from tests.helpers.postgresql import database
from tests.helpers.waiting import wait_until

from local_artemis import ARTEMIS, Fault, LocalArtemis, Noise, Progress
from local_artemis.jobs.checks import errors_of
from local_artemis.jobs.models import NewJob
from local_artemis.qpus.models import Qpu
from local_artemis.qpus.service import read
from local_cloud import RunningServer, StartError

QPUS = [
    {"name": "Small", "modes": 4, "photons": 1, "samples": {"1": 10}},
    {"name": "Noisy", "noise": {"brightness": 0.5}, "available": False},
]
DWELLS = Progress.seconds(queued=0.25, submitted=2, running=0.5)


def test_clients_find_their_files_below_home_alone(artemis):
    files = files_of(artemis)
    assert artemis.env["TKR_LIGHTWORKS_HOME"] == artemis.env["HOME"]
    settings = (files / "remote_settings.yaml").read_text()
    assert f"api_url: {artemis.url}/\n" in settings
    assert {it.name for it in files.iterdir()} == {
        *("remote_settings.yaml", "certificate.pem", "tokens.json")
    }
    assert all(it.stat().st_mode & 0o077 == 0 for it in files.iterdir())


def test_settings_and_tokens_of_the_user_are_kept(artemis):
    files = files_of(artemis)
    before = {it: it.read_text() for it in files.iterdir()}
    with (files / "remote_settings.yaml").open("a") as file:
        file.write("require_online: false\n")
    tokens = files / "tokens.json"
    tokens.write_text(json.dumps(json.loads(tokens.read_text()) | {"mine": "secret"}))
    artemis.log_in()
    assert json.loads(tokens.read_text())["mine"] == "secret"
    assert "require_online: false" in (files / "remote_settings.yaml").read_text()
    for path, text in before.items():
        path.write_text(text)
    artemis.log_in()


def test_other_programs_need_no_proxy_settings_of_their_own(artemis, monkeypatch):
    monkeypatch.setenv("NO_PROXY", "example.org")
    assert artemis.env["NO_PROXY"] == artemis.env["no_proxy"] == "example.org,127.0.0.1"


def test_jobs_dwell_by_default(artemis):
    artemis.clear_progress()
    assert artemis.progress == DWELLS


def test_jobs_results_and_changes_survive_a_kill(tmp_path):
    directory, qpus = tmp_path / "data", tmp_path / "qpus.json"
    qpus.write_text(json.dumps([{"name": "Artemis"}, *QPUS]))
    options = {"directory": directory, "progress": Progress.immediate()}
    with LocalArtemis(device_file=qpus, **options) as artemis:
        with connect(artemis) as http:
            api = Api(http)
            done = api.submit(job_name="done")
            assert wait_until(lambda: api.status(done) == "Completed")
            counts = api.results(done)
            artemis.progress = Progress.seconds(queued=1e6)
            waiting = api.submit(job_name="waiting", n_samples=77)
            artemis.set_seed(5)
            artemis.set_qpu_available(False)
            token = http.headers["x-access-token"]
            # The engine needs longer than the server lives.
            lost = api.submit(qpu="Noisy", n_photons=8, n_modes=20)
            os.kill(artemis.pid, signal.SIGKILL)
        port = artemis.port
    with LocalArtemis(**options) as artemis, connect(artemis, token) as http:
        assert artemis.port != port
        api = Api(http)
        assert api.results(done) == counts
        assert api.status(waiting) == "Scheduled"
        assert not http.get("/qpus").json()[0]["isAvailable"]
        artemis.set_qpu_available(True)
        assert wait_until(lambda: api.status(waiting) == "Completed")
        assert sum(api.results(waiting)["results"].values()) == 77
        # Its QPU is not in a file any more.
        details = api.details(lost)
        assert (details["jobStatus"], details["userExecutionNotes"]) == (
            "Failed",
            "There is no QPU 'Noisy'. Take one of 'Artemis'.",
        )
        assert api.submit() == lost + 1


def test_everything_is_kept_in_postgresql(tmp_path):
    with database() as url:
        options = {"database": url, "progress": Progress.after_reads(1)}
        with LocalArtemis(directory=tmp_path / "first", **options) as artemis:
            artemis.set_seed(5)
            with connect(artemis) as http:
                api = Api(http)
                job, waiting = api.submit(), api.submit(job_name="waiting")
                while api.status(job) != "Completed":
                    pass
                counts = api.results(job)
                assert [it["id"] for it in api.listed("Accepted")] == [waiting]
        with LocalArtemis(directory=tmp_path / "first", **options) as artemis:
            with connect(artemis) as http:
                api = Api(http)
                assert api.results(job) == counts
                assert [api.status(waiting) for _ in range(4)][-1] == "Completed"
                assert api.http.get(f"/jobs/{'9' * 18}").status_code == 404
            artemis.reset()
            assert artemis.jobs() == []


def test_a_reset_leaves_nothing(shared_artemis):
    with LocalArtemis(progress=Progress.immediate()) as artemis:
        with connect(artemis) as http:
            Api(http).submit()
            artemis.set_qpu_available(False)
            artemis.set_listing("ids")
            artemis.reset()
            assert http.get("/jobs").status_code == 401
        assert artemis.progress == DWELLS
        with connect(artemis) as http:
            assert Api(http).listed() == []
            assert http.get("/qpus").json()[0]["isAvailable"]


def test_seeds_noise_and_engines_are_set_for_new_jobs(api, artemis):
    def counts(**others):
        job = api.submit(**others)
        while api.status(job) != "Completed":
            pass
        return job, api.results(job)["results"]

    same = {"job_data": {"random_seed": 1}}
    assert counts(**same)[1] == counts(**same)[1] != counts()[1]
    artemis.set_noise(Noise(brightness=0.01, dark_counts=0.5))
    _job, noisy = counts(n_samples=1000)
    artemis.set_noise(None)
    assert "(1, 1, 1, 1)" in noisy
    assert "(1, 1, 1, 1)" not in counts(n_samples=1000)[1]


def test_the_emulator_of_lightworks_computes_in_a_process_of_its_own(api, artemis):
    artemis.set_engine("lightworks")
    artemis.progress = Progress.immediate()
    job = api.submit(n_samples=50)
    artemis.set_engine("numpy")
    # It takes several seconds to import; nobody else waits for it.
    other = api.submit()
    assert wait_until(lambda: api.status(other) == "Completed")
    assert wait_until(lambda: api.status(job) == "Completed", 60)
    assert sum(api.results(job)["results"].values()) == 50


def test_qpus_and_rules_come_from_files(tmp_path):
    qpus, rules = tmp_path / "qpus.json", tmp_path / "rules.toml"
    qpus.write_text(json.dumps(QPUS))
    rules.write_text(
        '[[progress]]\nreads = 1\n[[faults]]\naction = "drop"\ntimes = 1\n'
    )
    with LocalArtemis(device_file=qpus, faults=rules) as artemis:
        assert artemis.progress == Progress.after_reads(1)
        with connect(artemis) as http:
            with pytest.raises(httpx.RemoteProtocolError):
                http.get("/qpus")
            names = {it["name"]: it["isAvailable"] for it in http.get("/qpus").json()}
            assert names == {"Small": True, "Noisy": False}
            api = Api(http)
            refused = api.refused(qpu="Small")
            assert refused == {
                "input": "Small takes at most 1 photons, not 2",
                "n_samples": "Small takes at most 10 samples with 1 or more clicks, "
                "not 100",
            }


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("[]", "the file: List should have at least 1 item"),
        ('[{"name": "A"}, {"name": "A"}]', "two QPUs have the name 'A'"),
        ('[{"name": "A", "noise": {"purity": 2}}]', "purity of noise is above 0.5"),
        ('[{"name": "A", "moods": 4}]', "0.moods: Extra inputs are not permitted"),
    ],
)
def test_a_wrong_file_of_qpus_is_refused_in_a_sentence(tmp_path, content, sentence):
    path = tmp_path / "qpus.json"
    path.write_text(content)
    with pytest.raises(ValueError, match=sentence):
        read(path)


def test_a_server_says_why_it_does_not_start(tmp_path):
    with pytest.raises(StartError, match=r"nothing\.json"):
        LocalArtemis(device_file=tmp_path / "nothing.json").start()


def test_without_strictness_limits_do_not_matter():
    small = Qpu(name="Small", modes=1, photons=1, samples={1: 1})
    job = NewJob.model_validate(payload())
    assert len(list(errors_of(job, small, lenient=False))) == 3
    assert list(errors_of(job, small, lenient=True)) == []


def test_a_shell_gets_the_environment_and_a_server_is_found_again(tmp_path):
    directory = tmp_path / "data"
    command = [sys.executable, "-m", "local_artemis", f"--directory={directory}"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        url = process.stdout.readline().strip()
        exports = [process.stdout.readline() for _ in range(6)]
        server = RunningServer.find(ARTEMIS, directory)
        assert server.url == url
        home = Path(server.env["HOME"])
        assert f"export HOME={home}\n" in exports
        assert f"export TKR_LIGHTWORKS_HOME={home}\n" in exports
        server.stop()
        assert process.wait(20) == 0


def test_the_page_opens_by_a_link_and_changes_nothing_by_the_api(artemis, api):
    job = api.submit(job_name="shown")
    while api.status(job) != "Completed":
        pass
    with connect(artemis) as browser:
        del browser.headers["x-access-token"]
        assert browser.get("/page/jobs").status_code == 401
        assert browser.get(artemis.page_link()).status_code == 303
        assert "Embedded Artemis" in browser.get("/").text
        shown = browser.get("/page/jobs").json()[0]
        assert (shown["id"], shown["name"]) == (job, "shown")
        assert browser.get(f"/jobs/{job}/results").json() == api.results(job)
        assert browser.get(f"/page/jobs/{job}/payload").json() == artemis.payload(job)
        assert browser.put(f"/jobs/{job}/cancel").status_code == 401


def test_an_answer_that_is_lost_leaves_the_job(api, artemis):
    before = len(artemis.jobs())
    fault = Fault("drop", path="/jobs", method="POST", when="after")
    with artemis.fault(fault), pytest.raises(httpx.RemoteProtocolError):
        api.submit()
    assert len(artemis.jobs()) == before + 1
