import logging

import pytest
from qnexus.models.job_status import WAITING_STATUS, JobStatusEnum

from tkr_nexus_worker.nexus.states import JOB_STATES, Phase, job_state


def test_every_state_of_qnexus_is_in_the_table_and_no_other():
    assert set(JOB_STATES) == {status.value for status in JobStatusEnum}


@pytest.mark.parametrize("status", list(JobStatusEnum))
def test_waiting_states_are_those_that_qnexus_waits_in(status):
    waits = job_state(status.value).phase is Phase.WAITING
    assert waits == (status in WAITING_STATUS)


def test_only_completed_is_a_success():
    successes = [s.name for s in JOB_STATES.values() if s.phase is Phase.SUCCEEDED]
    assert successes == ["COMPLETED"]


def test_every_failure_says_what_to_do_next():
    for state in JOB_STATES.values():
        assert bool(state.advice) == (state.phase is Phase.FAILED)


def test_an_unknown_state_waits_and_warns(caplog):
    with caplog.at_level(logging.WARNING):
        state = job_state("PAUSED")
    assert state.phase is Phase.WAITING
    assert not state.is_final
    assert "'PAUSED'" in caplog.text
