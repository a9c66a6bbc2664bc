"""Jobs from submission to results, and all that they are refused for."""

import json
import re

import pytest
from tests.helpers.photonics import connect, payload

from local_artemis import Fault, Progress

DATE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")
DETAILS = {
    *("jobId", "queuePosition", "jobStatus", "createdDate", "updatedDate", "logs"),
    "userExecutionNotes",
}


def finish(api, job: int) -> dict:
    while api.status(job) not in ("Completed", "Failed", "TimedOut"):
        pass
    return api.details(job)


def test_a_job_moves_through_its_states_to_results(api):
    job = api.submit(n_samples=1000)
    seen = [api.details(job) for _ in range(4)]
    words = [it["jobStatus"] for it in seen]
    assert words == ["Accepted", "Scheduled", "Running", "Completed"]
    assert [it["status"] for it in seen[-1]["logs"]] == words
    assert all(set(it) == DETAILS for it in seen)
    assert [it["queuePosition"] for it in seen] == [None, 1, None, None]
    for it in seen[-1]["logs"]:
        assert set(it) == {"message", "createdDate", "status", "meta"}
        assert (it["meta"], bool(DATE.fullmatch(it["createdDate"]))) == ({}, True)
    results = api.results(job)
    assert results["job_data"] is None
    assert sum(results["results"].values()) == 1000
    assert all(re.fullmatch(r"\(([01], ){3}[01]\)", it) for it in results["results"])


def test_data_of_a_job_come_back_with_its_results(api):
    data = {"post_select": [[[0, 1], [1]]], "herald": None, "mine": {"a": 1}}
    job = api.submit(job_data=data)
    finish(api, job)
    assert api.results(job)["job_data"] == data


def test_results_too_early_are_not_found(api):
    job = api.submit()
    answer = api.http.get(f"/jobs/{job}/results")
    assert answer.status_code == 404
    assert answer.json() == {
        "message": f"Job {job} is Accepted and has no results yet."
    }


def test_a_cancelled_job_has_no_results_and_cannot_be_cancelled_again(api, artemis):
    artemis.progress = Progress.seconds(queued=1e6)
    job = api.submit()
    assert api.http.put(f"/jobs/{job}/cancel").status_code == 204
    assert api.status(job) == "Cancelled"
    assert api.http.get(f"/jobs/{job}/results").status_code == 400
    again = api.http.put(f"/jobs/{job}/cancel")
    assert (again.status_code, again.json()["message"]) == (
        409,
        f"Job {job} is Cancelled and cannot be cancelled.",
    )


def test_the_clock_moves_jobs_and_the_queue_gets_shorter(api, artemis):
    artemis.progress = Progress.seconds(
        queued=3600, submitted=3600, running=3600, queue=4
    )
    first, second = api.submit(), api.submit()
    assert api.details(first)["queuePosition"] is None
    positions = []
    artemis.advance(3600)
    for _ in range(3):
        positions.append([api.details(it)["queuePosition"] for it in (first, second)])
        artemis.advance(1200)
    assert positions == [[5, 6], [4, 5], [3, 4]]
    assert api.status(first) == "Running"
    artemis.advance(3600)
    artemis.progress = Progress.after_reads(1)
    assert finish(api, second)["jobStatus"] == "Completed"


def test_compiling_is_shown_on_request_only(api, artemis):
    artemis.set_progress(Progress.after_reads(2, compiling=True), job="compiled")
    job = api.submit(job_name="compiled")
    seen = [api.status(job) for _ in range(7)]
    assert seen == [
        *("Accepted", "Compiling", "Scheduled", "Scheduled", "Running", "Running"),
        "Completed",
    ]


def test_jobs_of_an_offline_qpu_stay_scheduled(api, artemis):
    artemis.progress = Progress.immediate()
    artemis.set_qpu_available(False)
    job = api.submit()
    assert api.status(job) == "Scheduled"
    (qpu,) = api.http.get("/qpus").json()
    assert qpu["isAvailable"] is False
    artemis.set_qpu_available(True)
    artemis.progress = Progress.after_reads(1)
    assert finish(api, job)["jobStatus"] == "Completed"


@pytest.mark.parametrize(
    ("change", "reasons"),
    [
        (
            {"qpu": "Apollo"},
            {"qpu": "There is no QPU 'Apollo'. Take one of 'Artemis'."},
        ),
        ({"input": [1, 0]}, {"input": "it has 2 modes, and the circuit 4"}),
        ({"input": [2, 0, 0, 0]}, {"input": "a mode takes 0 or 1 photons, not 2"}),
        ({"input": [-1, 1, 1, 0]}, {"input": "a mode takes 0 or 1 photons, not -1"}),
        ({"input": [0, 0, 0, 0]}, {"input": "it has no photon"}),
        (
            {"min_detection": 3},
            {"min_detection": "it is 3, and the input has 2 photons"},
        ),
        ({"n_samples": 0}, {"n_samples": "Input should be greater than or equal to 1"}),
        ({"n_samples": "1"}, {"n_samples": "Input should be a valid integer"}),
        ({"unitary": [["1"]]}, {"unitary": "it is not a matrix of 4 rows and columns"}),
        (
            {"unitary": [[1.0, 0, 0, 0]] * 4, "input": [0] * 4},
            {
                "input": "it has no photon",
                "unitary": "it is not unitary: rows 0 and 1 are not orthonormal",
            },
        ),
        (
            {"direct_implementation": True},
            {"circuit_spec": "a circuit that is implemented directly needs it"},
        ),
        (
            {"n_modes": 21, "n_photons": 9, "min_detection": 5},
            {
                "n_modes": "Artemis takes at most 20 modes, not 21",
                "input": "Artemis takes at most 8 photons, not 9",
                "min_detection": "Artemis takes at most 4 clicks to wait for, not 5",
            },
        ),
        (
            {"n_photons": 4, "min_detection": 4, "n_samples": 10_001},
            {
                "n_samples": "Artemis takes at most 10,000 samples with 4 or more "
                "clicks, not 10,001"
            },
        ),
    ],
    ids=str,
)
def test_wrong_fields_are_refused_with_their_names(api, artemis, change, reasons):
    before = len(artemis.jobs())
    assert api.refused(**change) == reasons
    assert len(artemis.jobs()) == before


def test_a_number_that_is_none_is_refused(api):
    rows = [["nonsense", "0", "0", "0"], *payload()["unitary"][1:]]
    answer = api.http.post("/jobs", json=payload() | {"unitary": rows})
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["name"] == "unitary"


def test_a_field_deep_inside_is_named(api):
    rows = [["1", None, "0", "0"], *payload()["unitary"][1:]]
    answer = api.http.post("/jobs", json=payload() | {"unitary": rows})
    assert answer.json()["errors"][0]["name"] == "unitary.0.1"


def test_paths_may_be_written_in_capitals(api):
    job = api.submit()
    assert api.http.get(f"/JOBS/{job}").status_code == 200
    (qpu,) = api.http.get("/Qpus").json()
    assert api.http.get(f"/Qpus/{qpu['id']}").json() == qpu


def test_a_qpu_has_the_keys_that_the_client_takes(api):
    (qpu,) = api.http.get("/qpus").json()
    assert list(qpu) == [
        *("id", "name", "numberOfModes", "maxPhotonInputNumber", "maxDetectionFilter"),
        *("defaultMaxSamples", "maxSamples", "isAvailable", "lastUpdated"),
    ]
    assert qpu["maxSamples"][2] == {"item1": 3, "item2": 50_000}
    assert api.http.get("/qpus/nothing").status_code == 404


def test_what_is_not_there_is_said_in_one_sentence(api):
    for path in ("/jobs/999999", "/jobs/nothing", "/jobs/999999/results"):
        answer = api.http.get(path)
        assert answer.status_code == 404
        assert answer.json()["message"].startswith("There is no job '")
    assert api.http.get("/jobs/1/nothing").status_code == 501


def test_nobody_gets_in_without_a_token(api, artemis):
    for token in ("", "forged", "for.ged"):
        answer = api.http.get("/jobs", headers={"x-access-token": token})
        assert answer.status_code == 401, token
    artemis.expire_tokens()
    assert api.http.get("/qpus").status_code == 401
    artemis.log_in()
    with connect(artemis) as http:
        assert http.get("/qpus").status_code == 200


def test_the_jobs_of_others_are_forbidden(api, artemis):
    job = api.submit()
    with connect(artemis, artemis.add_user("other")) as others:
        assert others.get(f"/jobs/{job}").status_code == 403
        assert others.get(f"/jobs/{job}/results").status_code == 403
        assert others.put(f"/jobs/{job}/cancel").status_code == 403
        assert others.get(f"/page/jobs/{job}").status_code == 403
        assert others.get(f"/page/jobs/{job}/payload").status_code == 403
        assert others.post(f"/page/jobs/{job}/cancel").status_code == 403
        assert others.get("/jobs").json() == {"items": []}


def test_jobs_are_listed_by_status_with_names_or_without(api, artemis):
    artemis.set_progress(Progress.seconds(queued=1e6), job="waits")
    waiting = api.submit(job_name="waits")
    done = api.submit()
    finish(api, done)
    ids = [it["id"] for it in api.listed()]
    assert ids[:2] == [done, waiting]
    assert [it["id"] for it in api.listed("Accepted", "Scheduled")] == [waiting]
    assert api.listed("Accepted")[0]["jobName"] == "waits"
    artemis.set_listing("ids")
    assert api.listed("Accepted", "Scheduled") == [{"id": waiting}]
    artemis.set_listing("names")
    assert len(api.http.get("/jobs", params={"pageSize": 1}).json()["items"]) == 1
    assert api.http.get("/jobs", params={"statuses": "Lost"}).status_code == 422


def test_any_state_can_be_set_by_hand(api, artemis):
    job = api.submit()
    artemis.set_job_status(job, "Levitating", notes="high up")
    assert api.details(job)["jobStatus"] == "Levitating"
    assert api.details(job)["userExecutionNotes"] == "high up"
    artemis.set_job_status(job, "Failed", compilation_errors=[(7, "too long")])
    meta = api.details(job)["logs"][-1]["meta"]
    assert meta == {"CompilationErrors": [{"Code": 7, "Message": "too long"}]}
    assert api.http.get(f"/jobs/{job}/results").status_code == 400


def test_a_job_that_timed_out_may_have_results_or_not(api, artemis):
    job = api.submit()
    finish(api, job)
    artemis.set_job_status(job, "TimedOut")
    assert api.results(job)["results"]
    artemis.expire_results(job)
    assert api.results(job)["results"] is None


def test_results_that_are_gone_are_not_found(api, artemis):
    job = api.submit()
    finish(api, job)
    artemis.expire_results(job)
    assert api.http.get(f"/jobs/{job}/results").status_code == 404


def test_a_job_whose_samples_never_click_enough_fails_in_a_sentence(api):
    half = 0.5**0.5
    job = api.submit(circuit=[[half, half], [half, -half]], min_detection=2)
    details = finish(api, job)
    assert details["jobStatus"] == "Failed"
    assert details["userExecutionNotes"] == (
        "No output state has 2 or more clicks, of which photons in the same mode are "
        "one: lower min_detection."
    )


def test_faults_hit_requests(api, artemis):
    with artemis.fault(Fault("answer", path="/jobs", status=503, retry_after=7)):
        answer = api.http.post("/jobs", json=payload())
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "7")


def test_a_payload_is_kept_as_it_came(api, artemis):
    sent = payload(job_name="kept")
    answer = api.http.post("/jobs", content=json.dumps(sent))
    job = int(answer.headers["X-Job-Id"])
    assert artemis.payload(job) == sent
    (shown,) = artemis.jobs(latest=1)
    assert (shown["id"], shown["name"], shown["n_samples"]) == (job, "kept", 100)
