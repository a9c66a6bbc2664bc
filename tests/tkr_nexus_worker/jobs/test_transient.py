import pytest

from tkr_nexus_worker.jobs.transient import is_worth_a_retry


@pytest.mark.parametrize(
    "reason",
    [
        "Internal server error.",
        "502 Bad Gateway",
        "The device is temporarily unavailable; try again later",
        "System went offline during execution",
        "The connection was reset by the peer",
        "HARDWARE FAULT in zone 3",
    ],
)
def test_a_fault_of_the_infrastructure_is_worth_a_retry(reason):
    assert is_worth_a_retry("ERROR", reason)


@pytest.mark.parametrize(
    "reason",
    [
        "Invalid program: gate CCX is not supported by the device",
        "Internal error: syntax error in line 3",
        "The circuit has too many qubits",
        "The program exceeds max_cost; try again with a higher one",
        "The simulation passed its time limit",
    ],
)
def test_a_fault_of_the_program_is_not(reason):
    assert not is_worth_a_retry("ERROR", reason)


@pytest.mark.parametrize("reason", ["", "the laser was off", "unknown"])
def test_a_reason_that_is_not_known_is_not(reason):
    assert not is_worth_a_retry("ERROR", reason)


@pytest.mark.parametrize(
    "state", ["CANCELLED", "DEPLETED", "TERMINATED", "COMPLETED", "RUNNING", "PAUSED"]
)
def test_in_any_other_state_the_reason_does_not_count(state):
    assert not is_worth_a_retry(state, "Internal server error.")
