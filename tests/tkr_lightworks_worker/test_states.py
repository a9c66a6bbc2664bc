"""Every state of a job has one meaning."""

import pytest

from tkr_lightworks_worker.artemis.states import JOB_STATES, Phase, job_state
from tkr_lightworks_worker.lightworks import remote

Status = remote().http.Status


def test_every_state_of_the_client_is_in_the_table_and_no_other():
    assert set(JOB_STATES) == {status.value.replace(" ", "") for status in Status}


@pytest.mark.parametrize("status", list(Status))
def test_what_has_ended_and_has_results_is_what_the_client_says(status):
    state = job_state(status.value)
    assert state.is_final == status.is_complete
    assert (state.phase is Phase.SUCCEEDED) == status.has_results


def test_every_failure_says_what_to_do_next():
    for state in JOB_STATES.values():
        if state.phase is Phase.FAILED:
            assert state.advice


def test_the_client_itself_fails_on_a_word_of_the_table():
    details = remote().http.artemis_job_details.ArtemisJobDetails
    with pytest.raises(KeyError):
        details(1, None, "Compiling", "", "", [], None)
