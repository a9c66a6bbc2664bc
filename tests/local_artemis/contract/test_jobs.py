"""Jobs by their ids and by their objects: states, results, cancelling, files."""

import pytest
from tests.helpers.contract import covers

from local_artemis import Fault, Progress


@pytest.fixture
def waiting(frozen, qpu, sampler):
    """A job that stays in the queue."""
    return qpu.run_async(sampler(), job_name="waiting")


@pytest.fixture
def completed(at_once, qpu, sampler):
    """A job that has completed."""
    job = qpu.run(sampler(), job_name="completed")
    while not job.complete:
        pass
    return job


@covers("Job.status")
@covers("Job.queue_position")
@covers("Job.complete")
@covers("Job.success")
@covers("Job.details")
@covers("get_job_status", "job_id")
@covers("get_job_details", "job_id")
@covers("check_job_complete", "job_id")
@covers("list_scheduled_jobs")
@covers("list_all_jobs")
@covers("show_scheduled")
def test_a_waiting_job_is_found_in_the_queue(remote, waiting):
    key = waiting.job_id
    assert str(waiting.status) == remote.get_job_status(key) == "Scheduled"
    assert waiting.queue_position == 1
    assert (waiting.complete, waiting.success) == (False, False)
    assert remote.check_job_complete(str(key)) is False
    details = remote.get_job_details(key)
    assert details == waiting.details
    assert (details.job_id, details.notes) == (key, None)
    assert remote.list_scheduled_jobs() == [key]
    assert remote.list_all_jobs()[0] == key
    table = remote.show_scheduled()
    assert table.to_dict("records") == [
        {"Job ID": key, "Status": "Scheduled", "Queue Position": "1"}
    ]


@covers("show_scheduled")
@covers("Job.queue_position")
def test_a_job_that_was_just_accepted_has_no_place_yet(frozen, remote, qpu, sampler):
    frozen.progress = Progress.seconds(queued=1e6)
    job = qpu.run_async(sampler())
    assert job.queue_position is None
    assert remote.show_scheduled()["Queue Position"].tolist() == ["Waiting"]


@covers("Job.get_result")
@covers("get_results", "job_id")
@covers("check_job_complete", "job_id")
@covers("Job.complete")
@covers("Job.success")
@covers("Status.is_complete")
@covers("Status.has_results")
def test_results_are_the_same_by_id_and_by_object(remote, completed):
    assert remote.check_job_complete(completed.job_id)
    assert (completed.complete, completed.success) == (True, True)
    assert (completed.status.is_complete, completed.status.has_results) == (True, True)
    assert dict(remote.get_results(completed.job_id)) == dict(completed.get_result())


@covers("Job.get_result", raises="ResultsError")
@covers("get_results", "job_id", raises="ResultsError")
def test_results_too_early_are_an_error(remote, waiting):
    with pytest.raises(remote.ResultsError, match="not yet complete"):
        waiting.get_result()
    with pytest.raises(remote.ResultsError, match="not yet complete"):
        remote.get_results(waiting.job_id)


@covers("get_results", "job_id", raises="ResultsError")
@pytest.mark.parametrize(
    ("status", "reason"),
    [
        ("Failed", "failed with reason:\nThe laser is cold."),
        ("Cancelled", "was cancelled"),
    ],
)
def test_jobs_without_results_say_why(remote, waiting, frozen, status, reason):
    frozen.set_job_status(waiting.job_id, status, notes="The laser is cold.")
    with pytest.raises(remote.ResultsError, match=reason):
        remote.get_results(waiting.job_id)


@covers("get_results", "job_id")
@covers("QPUSamplingResult.outputs")
@covers("QPUSamplingResult.plot", raises="ValueError")
def test_a_time_out_without_samples_gives_an_empty_result(remote, completed, at_once):
    key = completed.job_id
    at_once.set_job_status(key, "TimedOut")
    at_once.expire_results(key)
    assert remote.get_job_status(key) == "Timed Out"
    with pytest.warns(UserWarning, match="No results were returned"):
        result = remote.get_results(key)
    assert (dict(result), result.outputs) == ({}, None)
    with pytest.raises(ValueError, match="no data"):
        result.plot()


@covers("get_results", "job_id")
def test_results_that_come_late_are_asked_for_again(remote, completed, at_once):
    at_once.add_fault(Fault("answer", path="*/results", status=404, times=1))
    assert sum(remote.get_results(completed.job_id).values()) == 100


@covers("cancel_job", "job_id")
@covers("cancel_job", "job_id", raises="JobError")
@covers("Job.cancel", raises="JobError")
@covers("Job.retry")
@covers("Job.cancel")
def test_a_job_is_cancelled_once_and_retried_as_another(remote, waiting):
    first = waiting.job_id
    remote.cancel_job(first)
    for cancel in (waiting.cancel, lambda: remote.cancel_job(first)):
        with pytest.raises(remote.JobError, match="already been cancelled"):
            cancel()
    waiting.retry()
    assert waiting.job_id > first
    waiting.cancel()
    assert str(waiting.status) == "Cancelled"


@covers("cancel_job", "job_id", raises="JobError")
def test_a_job_that_has_ended_cannot_be_cancelled(remote, completed):
    with pytest.raises(remote.JobError, match="not in a cancellable"):
        remote.cancel_job(completed.job_id)


@covers("get_job_status", "job_id", raises="JobNotFoundError")
@covers("get_job_details", "job_id", raises="JobNotFoundError")
@covers("check_job_complete", "job_id", raises="JobNotFoundError")
@covers("cancel_job", "job_id", raises="JobNotFoundError")
@covers("get_results", "job_id", raises="JobNotFoundError")
def test_a_job_that_is_not_there_is_an_error(remote, artemis):
    for ask in (
        remote.get_job_status,
        remote.get_job_details,
        remote.check_job_complete,
        remote.cancel_job,
        remote.get_results,
    ):
        with pytest.raises(remote.JobNotFoundError):
            ask(10**9)


@covers("get_job_status", "job_id", raises="KeyError")
@pytest.mark.parametrize("word", ["Compiling", "Levitating"])
def test_the_client_fails_at_words_that_it_does_not_know(remote, waiting, frozen, word):
    frozen.set_job_status(waiting.job_id, word)
    with pytest.raises(KeyError):
        remote.get_job_status(waiting.job_id)


@covers("get_job_status", "job_id", raises="HTTPError")
def test_the_client_raises_what_a_server_that_is_down_answers(remote, waiting, frozen):
    frozen.add_fault(Fault("answer", path="/jobs/*", status=503, times=1))
    with pytest.raises(remote.HTTPError, match="503"):
        remote.get_job_status(waiting.job_id)


@covers("Job.wait_until_complete")
def test_the_client_waits_for_the_end(at_once, qpu, sampler):
    at_once.progress = Progress.seconds(running=0.2)
    job = qpu.run_async(sampler())
    job.wait_until_complete()
    assert job.success


@covers("Job.save_to_file", "filename", "allow_overwrite")
@covers("Job.save_to_file", "filename", raises="ValueError")
@covers("Job.load_from_file", "filename")
@covers("load_job_from_file", "filename")
@covers("saved_job_exists", "filename")
@covers("Job.payload")
def test_a_job_is_kept_in_a_file(remote, completed, tmp_path):
    path = str(tmp_path / "kept")
    assert not remote.saved_job_exists(path)
    completed.save_to_file(path)
    with pytest.raises(ValueError, match="already exists"):
        completed.save_to_file(path)
    completed.save_to_file(path, allow_overwrite=True)
    assert remote.saved_job_exists(path)
    loaded = remote.load_job_from_file(path)
    assert loaded.job_id == completed.job_id
    assert dict(loaded.get_result()) == dict(completed.get_result())
    assert loaded.payload.payload["job_name"] == "completed"
    other = type(loaded)()
    other.load_from_file(path)
    assert other.job_id == completed.job_id


@covers("BatchJob.save_to_file", "filename", "allow_overwrite")
@covers("BatchJob.save_to_file", "filename", raises="ValueError")
@covers("BatchJob.load_from_file", "filename")
@covers("load_job_from_file", "filename")
def test_a_batch_is_kept_in_a_file(frozen, lw, remote, qpu, sampler, tmp_path):
    batch = lw.Batch()
    batch.add(sampler())
    jobs = qpu.run_async(batch)
    path = str(tmp_path / "kept")
    jobs.save_to_file(path)
    with pytest.raises(ValueError, match="already exists"):
        jobs.save_to_file(path)
    jobs.save_to_file(path, allow_overwrite=True)
    loaded = remote.load_job_from_file(path)
    assert loaded.job_id == jobs.job_id
    other = type(loaded)()
    other.load_from_file(path)
    assert other.job_id == jobs.job_id


@covers("load_job_from_file", "filename", raises="FileNotFoundError")
def test_a_file_that_is_not_there_is_an_error(remote, tmp_path):
    with pytest.raises(FileNotFoundError):
        remote.load_job_from_file(str(tmp_path / "nothing"))


@covers("QPUSamplingResult.raw_data")
@covers("QPUSamplingResult.outputs")
@covers("QPUSamplingResult.post_selection")
@covers("QPUSamplingResult.job_data")
@covers("QPUSamplingResult.plot", "show")
@covers("QPUSamplingResult.save", "filename", "raw_data")
@covers("QPUSamplingResult.map", "mapping", "args", "kwargs")
@covers("QPUSamplingResult.apply_post_selection", "post_selection")
def test_what_can_be_done_with_results(completed, lw, tmp_path):
    result = completed.get_result()
    assert result.outputs == list(result) == list(result.raw_data)
    assert (result.post_selection, result.job_data) == (None, None)
    figure, _axes = result.plot(show=False)
    assert figure is not None
    result.save(str(tmp_path / "counts"), raw_data=True)
    assert (tmp_path / "counts.json").exists()

    def keep(state, number, *, modes):
        return lw.State([*state.s[:modes], number])

    mapped = result.map(keep, 0, modes=2)
    assert sum(mapped.values()) == 100
    first = result.apply_post_selection(lambda state: state[0] == 1)
    assert 0 < sum(first.values()) < 100
