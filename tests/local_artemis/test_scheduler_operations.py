"""What Lightworks's tutorial "Scheduler operations" does, by HOME alone.

Its cells are told in calls of the same functions, in the same order; they run in a
process of their own, in which warnings are errors, with the dwells that are the
default.
"""

import os
import subprocess
import sys

from local_artemis import LocalArtemis

CELLS = """
import lightworks as lw
from lightworks import remote

remote.token.load("local")
remote.token.list_saved()
# ---
print(remote.list_qpus())
qpu = remote.QPU("Artemis")
print(qpu.details.max_samples)
# ---
circuit = lw.Unitary(lw.random_unitary(6, seed=1))
sampler = lw.Sampler(circuit, lw.State([1, 0, 1, 0, 1, 0]), 1000, min_detection=2)
job = qpu.run(sampler, job_name="First job")
# ---
assert not job.complete
print(job.job_id, job.status, job.queue_position)
assert remote.list_scheduled_jobs() == [job.job_id]
print(remote.show_scheduled())
# ---
job.save_to_file("saved_job")
job = remote.load_job_from_file("saved_job")
job.wait_until_complete()
assert job.success
# ---
result = job.get_result()
assert sum(result.values()) == 1000
assert all(state.n_photons >= 2 for state in result)
result.save("counts")
# ---
job = qpu.run(sampler)
job.cancel()
print(job.status)
try:
    job.get_result()
except remote.ResultsError as error:
    print(error)
# ---
job.retry()
job.cancel()
assert str(remote.get_job_status(job.job_id)) == "Cancelled"
# ---
batch = lw.Batch(lw.Sampler, task_args=[[circuit], [sampler.input_state], [10, 20]],
                 task_kwargs={"min_detection": [1]})
jobs = qpu.run_async(batch, job_name="Batch")
print(jobs.names, jobs.job_id)
print(jobs.status, jobs.queue_position)
assert len(remote.list_scheduled_jobs()) == 2
# ---
jobs.save_to_file("saved_batch")
jobs = remote.load_job_from_file("saved_batch")
jobs.wait_until_complete()
assert jobs.all_success
assert [sum(it.values()) for it in jobs.get_all_results().values()] == [10, 20]
assert jobs.retry_failed() is False
# ---
job_id = jobs.jobs[0].job_id
assert remote.check_job_complete(job_id)
print(remote.get_job_details(job_id))
print(remote.get_results(job_id))
assert len(remote.list_all_jobs()) == 5
# ---
other = qpu.run_async(sampler, job_name="Last job")
remote.cancel_job(other.job_id)
assert remote.list_scheduled_jobs() == []
"""


def test_the_cells_run_one_after_the_other(tmp_path):
    with LocalArtemis() as artemis:
        ended = subprocess.run(
            [sys.executable, "-W", "error", "-c", CELLS],
            env=os.environ | artemis.env,
            cwd=tmp_path,
            capture_output=True,
            text=True,
        )
    assert ended.returncode == 0, ended.stderr
    assert {it.name for it in tmp_path.iterdir()} == {
        *("saved_job.json", "saved_batch.json", "counts.json")
    }
