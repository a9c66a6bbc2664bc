"""Jobs from submission to results, and all that people do with them."""

import time

import httpx
import pytest
from tests.helpers.photonic_workflows import (
    QPU,
    hong_ou_mandel,
    identity,
    random_sampler,
    rich_sampler,
)

from local_artemis import Fault, Progress
from tkr_lightworks_worker import jobs, results
from tkr_lightworks_worker.artemis import client
from tkr_lightworks_worker.artemis.qpus import get_qpu_details, list_qpus
from tkr_lightworks_worker.errors import (
    ArtemisRefusedError,
    ArtemisUnavailableError,
    InvalidInputError,
    JobFailedError,
    ResultFormatError,
    ResultsNotReadyError,
    SetupError,
    TokenError,
    WaitTimeoutError,
)
from tkr_lightworks_worker.jobs.models import JobRef
from tkr_lightworks_worker.samplers import SamplerSpec
from tkr_lightworks_worker.validation import validate_job

HOM = SamplerSpec.of(hong_ou_mandel())


@pytest.fixture
def submit(artemis):
    def submit(spec=HOM, name="a job"):
        return jobs.submit_job(QPU, name, spec)

    return submit


@pytest.fixture
def waiting(artemis, submit):
    artemis.progress = Progress.seconds(queued=1e6)
    return submit()


def test_a_sampler_is_submitted_waited_for_and_gives_its_counts(submit):
    job = submit()
    seen = []
    status = jobs.wait_until_complete(job, poll_interval=0.05, on_progress=seen.append)
    assert status.state.name == "Completed"
    assert seen[-1].status == status
    result = results.get_result(job)
    # Two photons at a beam splitter leave it together.
    assert set(result.counts) == {"|1,0>", "|0,1>"}
    assert result.n_samples == 100
    assert not result.is_partial
    assert not jobs.is_running(job)


def test_jobs_are_in_the_order_of_the_samplers(artemis):
    specs = [identity(3, 1, n_samples=n) for n in (1, 2, 3)]
    found = jobs.submit_jobs(QPU, "several", specs)
    for job in found:
        jobs.wait_until_complete(job, poll_interval=0.05)
    assert [result.n_samples for result in results.get_results(found)] == [1, 2, 3]
    names = [job["name"].split(" ")[0] for job in artemis.jobs(3)]
    assert names == ["several_1", "several_2", "several_3"]


def test_post_selected_counts_are_those_of_the_client(submit):
    job = submit(SamplerSpec.of(rich_sampler(500)))
    jobs.wait_until_complete(job, poll_interval=0.05)
    result = results.get_result(job)
    theirs = result.to_result()
    assert result.counts == {str(state): n for state, n in theirs.items()}
    assert sum(result.counts.values()) < result.n_samples == 500
    assert {len(state) for state in result.states} == {3}
    assert results.SamplingResult(**result.model_dump(mode="json")) == result


def test_the_structure_of_a_circuit_is_sent_where_asked_for(artemis, submit):
    spec = SamplerSpec.of(rich_sampler(), direct_implementation=True)
    payload = artemis.payload(submit(spec).job_id)
    assert payload["direct_implementation"] is True
    assert [it[0] for it in payload["circuit_spec"]] == [
        *("BeamSplitter", "BeamSplitter", "PhaseShifter", "Barrier", "ModeSwaps"),
        "UnitaryMatrix",
    ]


def test_a_timed_out_job_gives_a_partial_result_or_an_error(artemis, submit, caplog):
    job = submit()
    jobs.wait_until_complete(job, poll_interval=0.05)
    artemis.set_job_status(job.job_id, "TimedOut")
    assert not jobs.is_running(job)
    result = results.get_result(job)
    assert (result.is_partial, result.state) == (True, "TimedOut")
    assert "timed out" in caplog.text
    with pytest.raises(JobFailedError, match="timed out"):
        results.get_result(job, allow_partial=False)


def test_a_timed_out_job_without_results_is_an_empty_partial_result(artemis, waiting):
    artemis.set_job_status(waiting.job_id, "TimedOut")
    with artemis.fault(Fault("answer", status=400, path="/jobs/*/results")):
        result = results.get_result(waiting)
    assert (result.is_partial, result.counts, result.states) == (True, {}, [])


def test_a_failed_job_is_told_with_its_notes_and_compilation_errors(artemis, waiting):
    artemis.set_job_status(
        waiting.job_id, "Failed", "The laser is off", [(17, "Too deep")]
    )
    with pytest.raises(JobFailedError, match=r"Too deep \(code 17\); The laser is off"):
        jobs.is_running(waiting)
    with pytest.raises(JobFailedError):
        results.get_result(waiting)
    assert results.get_result(waiting, allow_failed=True).counts == {}
    assert jobs.get_job_details(waiting).compilation_errors == ["Too deep (code 17)"]


def test_a_word_that_is_not_known_is_waited_for(artemis, waiting, caplog):
    artemis.set_job_status(waiting.job_id, "Calibrating")
    assert jobs.is_running(waiting)
    assert "'Calibrating'" in caplog.text


def test_compiling_is_waited_for(artemis, waiting, caplog):
    artemis.set_job_status(waiting.job_id, "Compiling")
    assert jobs.is_running(waiting)
    assert not [it for it in caplog.records if it.levelname == "WARNING"]


def test_results_of_a_waiting_job_are_not_ready(waiting):
    with pytest.raises(ResultsNotReadyError):
        results.get_result(waiting)


def test_results_that_are_not_there_yet_are_asked_for_again(
    artemis, submit, monkeypatch
):
    monkeypatch.setattr(results, "_PAUSE", 0.01)
    job = submit()
    jobs.wait_until_complete(job, poll_interval=0.05)
    with artemis.fault(Fault("answer", status=404, path="/jobs/*/results", times=3)):
        assert results.get_result(job).n_samples == 100


def test_a_job_that_times_out_during_a_download_is_partial(artemis):
    # Later ones of many are downloaded once earlier ones have been taken.
    found = jobs.submit_jobs(QPU, "many", [HOM] * 10)
    for job in found:
        jobs.wait_until_complete(job, poll_interval=0.05)
    artemis.set_job_status(found[-1].job_id, "Running")
    downloads = results.iterate_results(found)
    next(downloads)
    artemis.set_job_status(found[-1].job_id, "TimedOut")
    *_, last = downloads
    assert (last.state, last.is_partial) == ("TimedOut", True)


def test_data_of_a_job_without_rules_is_in_the_result_of_the_client():
    content = {"results": {"(1, 0)": 5}, "job_data": {"random_seed": 7}}
    result = results.read_result(JobRef(job_id=1), "Completed", content)
    assert result.to_result().job_data == {"random_seed": 7}


def test_rules_for_modes_that_are_not_there_leave_all_counts(caplog):
    content = {"results": {"(1, 0)": 5}, "job_data": {"post_select": [[[5], [1]]]}}
    result = results.read_result(JobRef(job_id=1), "Completed", content)
    assert result.counts == {"|1,0>": 5}
    assert "modes that it has not" in caplog.text


def test_data_of_a_job_that_is_no_object_is_said_in_a_sentence():
    with pytest.raises(ResultFormatError, match="cannot be read"):
        results.read_result(
            JobRef(job_id=1), "Completed", {"results": {}, "job_data": [1]}
        )


def test_results_without_data_are_told_of(caplog):
    content = {"results": None, "job_data": None}
    result = results.read_result(JobRef(job_id=1), "Completed", content)
    assert result.raw_counts == {}
    assert "no data in the results of" in caplog.text


def test_an_answer_that_is_no_text_is_asked_for_again(artemis, monkeypatch):
    answers = [httpx.Response(200, content=b"<p>caf\xe9</p>")] * 2
    answers.append(httpx.Response(200, json=[]))
    assert client.call("list QPUs", lambda: answers.pop(0).json()) == []
    monkeypatch.setenv("TKR_LIGHTWORKS_RETRY_TIME", "0.01")
    page = httpx.Response(200, content=b"<p>caf\xe9</p>")
    with pytest.raises(ArtemisUnavailableError, match="cannot be read"):
        client.call("list QPUs", page.json)

    def not_compressed_as_it_says() -> httpx.Response:
        headers = {"content-encoding": "gzip"}
        return httpx.Response(200, headers=headers, content=b"plain")

    with pytest.raises(ArtemisUnavailableError, match="cannot be read"):
        client.call("list QPUs", not_compressed_as_it_says)
    with pytest.raises(ArtemisUnavailableError, match="may have been carried out"):
        client.call("submit job", page.json, changes=True)


def test_a_wait_that_takes_too_long_ends(waiting):
    with pytest.raises(WaitTimeoutError, match="It continues"):
        jobs.wait_until_complete(waiting, timeout=0.1, poll_interval=0.05)


def test_a_job_is_found_by_id_name_and_start_of_its_name(artemis, submit):
    name = f"find me {time.time()}"
    job = submit(name=name)
    for text in (str(job.job_id), job.name, name, name[:-1]):
        assert jobs.find_job(text).job_id == job.job_id
    submit(name=name)
    with pytest.raises(InvalidInputError, match=str(job.job_id)):
        jobs.find_job(name)
    with pytest.raises(ArtemisRefusedError, match="no job called"):
        jobs.find_job("nobody")
    with pytest.raises(ArtemisRefusedError, match="no job"):
        jobs.get_job_status(10**9)


@pytest.mark.parametrize("listing", ["names", "ids"])
def test_scheduled_jobs_are_listed_with_their_places(artemis, waiting, submit, listing):
    second = submit()
    artemis.set_listing(listing)
    found = {job.job_id: job for job in jobs.list_scheduled_jobs()}
    assert {waiting.job_id, second.job_id} <= set(found)
    assert found[waiting.job_id].state.name in ("Accepted", "Scheduled")


def test_a_cancelled_job_can_be_cancelled_again(artemis, waiting):
    assert jobs.cancel_job(waiting).state.name == "Cancelled"
    assert jobs.cancel_job(waiting).state.name == "Cancelled"


def test_a_completed_job_is_not_retried_without_force(submit):
    job = submit()
    jobs.wait_until_complete(job, poll_interval=0.05)
    with pytest.raises(InvalidInputError, match="Completed"):
        jobs.retry_job(job)


def test_qpus_are_listed_with_their_limits(artemis):
    assert QPU in [qpu.name for qpu in list_qpus()]
    qpu = get_qpu_details(QPU)
    assert (qpu.n_modes, qpu.max_photons, qpu.max_detection_filter) == (20, 8, 4)
    assert qpu.allowed_samples(4) == 10_000
    assert qpu.allowed_samples(1) == 1_000_000


BAD = [
    (identity(21, 1), "21 modes.*20"),
    (identity(20, 9, min_detection=1), "9 photons.*8"),
    (identity(20, 6), "6 detected photons.*at most 4"),
    (identity(20, 4, n_samples=10_001), "10,001 samples.*10,000"),
    (identity(4, 2, n_samples=0), "0 samples"),
]


@pytest.mark.parametrize(("spec", "words"), BAD)
def test_a_sampler_that_does_not_fit_is_refused_and_nothing_submitted(
    artemis, spec, words
):
    with pytest.raises(InvalidInputError, match=f"^Sampler 1 .*{words}"):
        jobs.submit_jobs(QPU, "bad", [HOM, spec])
    assert not posts(artemis)
    validation = validate_job(QPU, [HOM, spec])
    assert not validation.fits
    assert len(validation.problems) == 1


def posts(artemis) -> list:
    return [it for it in artemis.requests() if it.method == "POST"]


@pytest.mark.parametrize(
    ("qpu_name", "name", "specs", "words"),
    [
        ("Artemsi", "a job", [HOM], "'Artemsi'.*Artemis"),
        ("", "a job", [HOM], "qpu_name"),
        (QPU, " ", [HOM], "job_name"),
        (QPU, "a\udcff", [HOM], "job_name.*Unicode"),
        (QPU, "a job", [], "samplers is empty"),
    ],
)
def test_a_bad_job_is_refused_and_nothing_submitted(
    artemis, qpu_name, name, specs, words
):
    with pytest.raises(InvalidInputError, match=words):
        jobs.submit_jobs(qpu_name, name, specs)
    assert not posts(artemis)


def test_an_offline_qpu_is_refused_unless_lightworks_allows_it(artemis, own_settings):
    artemis.set_qpu_available(False)
    try:
        with pytest.raises(InvalidInputError, match="offline"):
            jobs.prepare_job(QPU, "a job", [HOM])
        with (own_settings / "remote_settings.yaml").open("a") as file:
            file.write("\nrequire_online: false\n")
        assert jobs.prepare_job(QPU, "a job", [HOM]) == QPU
    finally:
        artemis.set_qpu_available(True)


def test_without_a_token_nothing_is_sent(artemis, own_settings):
    (own_settings / "tokens.json").unlink()
    with pytest.raises(TokenError, match="no access token"):
        jobs.submit_job(QPU, "a job", HOM)
    assert not artemis.requests()


def test_of_several_tokens_one_has_to_be_named(artemis, own_settings, monkeypatch):
    tokens = own_settings / "tokens.json"
    good = tokens.read_text().split('"')[3]
    tokens.write_text(f'{{"mine": "{good}", "yours": "abc"}}')
    with pytest.raises(TokenError, match="mine, yours") as raised:
        list_qpus()
    assert "abc" not in str(raised.value)
    monkeypatch.setenv("TKR_LIGHTWORKS_TOKEN_NAME", "mine")
    assert list_qpus()


def test_a_token_that_is_not_accepted_is_told_without_it(own_settings):
    (own_settings / "tokens.json").write_text('{"mine": "a-secret"}')
    with pytest.raises(TokenError, match="does not accept") as raised:
        list_qpus()
    assert "a-secret" not in str(raised.value)


def test_without_an_address_it_is_told_how_to_set_one(own_settings):
    (own_settings / "remote_settings.yaml").unlink()
    with pytest.raises(SetupError, match="set_api_url"):
        list_qpus()


@pytest.mark.parametrize(
    "settings", [b"api_url: https://artemis.example:port/\n", b"api_url: \xe9\n"]
)
def test_settings_that_are_no_address_are_told_in_a_sentence(own_settings, settings):
    (own_settings / "remote_settings.yaml").write_bytes(settings)
    with pytest.raises(SetupError, match="set_api_url"):
        list_qpus()


def test_a_job_of_another_artemis_is_refused(submit):
    other = submit().model_copy(update={"url": "https://artemis.example/"})
    with pytest.raises(InvalidInputError, match="on Artemis at"):
        jobs.is_running(other)
    with pytest.raises(InvalidInputError, match="on Artemis at"):
        results.get_results([other, other])


def test_random_unitaries_give_all_their_samples(submit):
    job = submit(SamplerSpec.of(random_sampler(1000)))
    jobs.wait_until_complete(job, poll_interval=0.05)
    assert results.get_result(job).n_samples == 1000
