"""Submitting: one sampler or many, with names, options, heralds and post-selection."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from tests.helpers.contract import covers
from tests.helpers.waiting import wait_until
from tests.local_artemis.engines.statistics import assert_same_distribution

from local_artemis import Progress


def wait(job) -> None:
    """Wait without the pauses of the client."""
    while not job.complete:
        pass


@covers("QPU.name")
@covers("QPU.run", "task", "job_name")
@covers("Job.status")
@covers("Job.get_result")
@covers("Job.job_id")
@covers("Job.payload")
@covers("Payload.payload")
def test_a_sampler_is_run_under_its_name(at_once, qpu, sampler):
    assert (qpu.name, str(qpu)) == ("Artemis", "Artemis")
    job = qpu.run(sampler(500), job_name="mine")
    wait(job)
    assert job.status.value == "Completed"
    assert sum(job.get_result().values()) == 500
    (shown,) = at_once.jobs(latest=1)
    assert (shown["id"], shown["name"]) == (job.job_id, "mine")
    assert job.payload.payload["n_samples"] == 500


@covers("QPU.__call__", "task", "job_name", "direct_encoding", "options")
@covers("QPUSamplingResult.job_data")
def test_options_come_back_and_a_seed_repeats_the_counts(at_once, qpu, sampler):
    counts = []
    for number in range(2):
        options = {"random_seed": 7, "note": number}
        job = qpu(sampler(), direct_encoding=True, job_name="seeded", options=options)
        wait(job)
        result = job.get_result()
        assert result.job_data == options
        counts.append(dict(result))
    assert counts[0] == counts[1]
    spec = at_once.payload(job.job_id)["circuit_spec"]
    assert [name for name, _arguments in spec] == ["UnitaryMatrix"]


@covers("QPU.run_async", "task", "job_name", "direct_encoding", "options")
@covers("QPU.run_async", "task", "require_online", raises="QPUOfflineError")
@covers("QPU.run", "task", "require_online", raises="QPUOfflineError")
@covers("QPU.__call__", "task", "require_online", raises="QPUOfflineError")
@covers("set_global_require_online", "value")
@covers("get_global_require_online")
def test_an_offline_qpu_takes_jobs_unless_it_has_to_be_online(
    at_once, remote, qpu, sampler
):
    at_once.set_qpu_available(False)
    for submit in (qpu, qpu.run, qpu.run_async):
        with pytest.raises(remote.QPUOfflineError):
            submit(sampler(), require_online=True)
    remote.set_global_require_online(True)
    assert remote.get_global_require_online() is True
    with pytest.raises(remote.QPUOfflineError):
        qpu.run_async(sampler())
    remote.set_global_require_online(False)
    job = qpu.run_async(
        sampler(), direct_encoding=True, job_name="patient", options={"note": 1}
    )
    assert job.status.value == "Scheduled"
    at_once.set_qpu_available(True)
    wait(job)
    assert job.success


@covers("QPU.run", "task", "direct_encoding", "options", "job_name")
@covers("BatchJob.names")
@covers("BatchJob.jobs")
@covers("BatchJob.job_id")
@covers("BatchJob.status")
@covers("BatchJob.queue_position")
@covers("BatchJob.all_complete")
@covers("BatchJob.all_success")
@covers("BatchJob.wait_until_complete")
@covers("BatchJob.get_all_results")
@covers("BatchJob.get_result", "name")
@covers("BatchJob.retry_failed")
def test_a_batch_is_a_job_for_each_sampler(at_once, lw, qpu, sampler):
    batch = lw.Batch()
    for n_samples in (10, 20, 30):
        batch.add(sampler(n_samples))
    names = ["a", "b", "c"]
    jobs = qpu.run(batch, direct_encoding=True, job_name=names, options={"note": 1})
    jobs.wait_until_complete()
    assert jobs.names == names
    assert [job.job_id for job in jobs.jobs] == list(jobs.job_id.values())
    assert {it.value for it in jobs.status.values()} == {"Completed"}
    assert jobs.queue_position == dict.fromkeys(names)
    assert (jobs.all_complete, jobs.all_success) == (True, True)
    results = jobs.get_all_results()
    assert [sum(results[name].values()) for name in names] == [10, 20, 30]
    assert jobs.get_result("b") is results["b"]
    assert jobs.retry_failed() is False


@covers("BatchJob.cancel_all")
@covers("BatchJob.get_all_results", raises="ResultsError")
@covers("BatchJob.retry_failed")
@covers("BatchJob.get_result", "name")
@covers("Status.is_cancellable")
def test_a_batch_is_cancelled_and_retried(frozen, lw, qpu, sampler):
    batch = lw.Batch(
        lw.Sampler, [[sampler().circuit], [lw.State([1, 0, 0, 0])], [5, 6]]
    )
    jobs = qpu.run_async(batch, job_name="many")
    assert jobs.names == ["many_1", "many_2"]
    assert all(it.is_cancellable for it in jobs.status.values())
    with pytest.raises(lw.remote.ResultsError):
        jobs.get_all_results()
    first = jobs.job_id
    jobs.cancel_all()
    assert {it.value for it in jobs.status.values()} == {"Cancelled"}
    with pytest.warns(UserWarning, match="did not generate any results"):
        assert "was cancelled" in jobs.get_result("many_1")
    frozen.progress = Progress.immediate()
    assert jobs.retry_failed() is True
    jobs.wait_until_complete()
    assert set(jobs.job_id.values()).isdisjoint(first.values())


def test_heralds_and_post_selection_are_applied_as_by_the_emulator(at_once, lw, qpu):
    circuit = lw.PhotonicCircuit(4)
    circuit.add(lw.Unitary(lw.random_unitary(4, seed=2)))
    circuit.herald(3, 1)
    selection = lw.PostSelection()
    selection.add(0, (0, 1))
    selection.add((1, 2), (1, 2))
    arguments = {"post_selection": selection, "min_detection": 1}
    task = lw.Sampler(circuit, lw.State([1, 0, 1]), 20_000, **arguments)
    job = qpu.run(task, options={"random_seed": 1})
    wait(job)
    result = job.get_result()
    sent = at_once.payload(job.job_id)
    assert (sent["input"], sent["min_detection"]) == ([1, 0, 1, 1], 2)
    assert sent["job_data"]["post_select"] == [[[0], [0, 1]], [[1, 2], [1, 2]]]
    assert sent["job_data"]["herald"] == [[[3], [1]]]
    assert sum(result.values()) < sum(result.raw_data.values()) == 20_000
    direct = lw.Sampler(
        circuit,
        lw.State([1, 0, 1]),
        20_000,
        detector=lw.emulator.Detector(photon_counting=False),
        random_seed=2,
        **arguments,
    )
    emulated = lw.emulator.Backend("slos").run(direct)
    assert_same_distribution(*(counts_by_state(it) for it in (result, emulated)))


def counts_by_state(result) -> dict[tuple[int, ...], int]:
    return {tuple(state.s): int(count) for state, count in result.items()}


@covers("QPU.run_async", "task", raises="ValidationError")
@covers("QPU.run", "task", raises="ValidationError")
@pytest.mark.parametrize(
    ("n_modes", "n_photons", "changes"),
    [
        (21, 2, {}),
        (20, 9, {}),
        (20, 5, {"min_detection": 5}),
        (20, 4, {"n_samples": 10_001}),
    ],
)
def test_the_client_checks_limits_by_what_the_server_says(
    at_once, lw, qpu, n_modes, n_photons, changes
):
    state = lw.State([int(mode < n_photons) for mode in range(n_modes)])
    circuit = lw.Unitary(lw.random_unitary(n_modes, seed=1))
    arguments = {"min_detection": 4, "n_samples": 10} | changes
    arguments["min_detection"] = min(arguments["min_detection"], n_photons)
    task = lw.Sampler(circuit, state, arguments.pop("n_samples"), **arguments)
    for submit in (qpu.run, qpu.run_async):
        with pytest.raises(lw.remote.ValidationError):
            submit(task)
    assert at_once.requests(method="POST") == []


@covers("QPU.run_async", "task", raises="JobSubmissionError")
@covers("QPU.run", "task", raises="JobSubmissionError")
def test_what_the_server_refuses_is_raised_with_the_field(at_once, lw, qpu, sampler):
    # The client lets no samples through.
    for submit in (qpu.run, qpu.run_async):
        with pytest.raises(lw.remote.JobSubmissionError, match="n_samples : Input"):
            submit(sampler(0))


@covers("QPU.run", "task", "job_name", raises="JobSubmissionError")
def test_errors_of_the_compilation_are_raised(artemis, lw, qpu, sampler):
    artemis.progress = Progress.seconds(queued=1e6)

    def fail() -> None:
        wait_until(lambda: artemis.jobs(latest=1)[-1]["name"] == "doomed")
        (job,) = artemis.jobs(latest=1)
        errors = [(12, "A phase is out of range.")]
        artemis.set_job_status(job["id"], "Failed", compilation_errors=errors)

    qpu.run_async(sampler(), job_name="another")
    with ThreadPoolExecutor() as pool:
        failing = pool.submit(fail)
        with pytest.raises(lw.remote.JobSubmissionError, match="12 \tA phase is out"):
            qpu.run(sampler(), job_name="doomed")
        failing.result()


@covers("QPU.details", raises="ValueError")
@covers("get_qpu_details", "name", raises="ValueError")
def test_an_unknown_qpu_is_an_error(remote, artemis):
    with pytest.raises(ValueError, match="not found"):
        _ = remote.QPU("Apollo").details
    with pytest.raises(ValueError, match="not found"):
        remote.get_qpu_details("Apollo")


@covers("QPU.details")
@covers("get_qpu_details", "name")
@covers("list_qpus")
def test_qpus_are_listed_with_their_limits(remote, qpu):
    assert remote.list_qpus() == ["Artemis"]
    details = remote.get_qpu_details("Artemis")
    assert details == qpu.details
    assert (details.n_modes, details.max_photon_input) == (20, 8)
    assert details.max_samples == {1: 1_000_000, 2: 1_000_000, 3: 50_000, 4: 10_000}
    assert details.available is True
