"""The pauses between the tries of a request, in a time that passes only in them."""

import pytest
import tenacity
from tests.helpers.waiting import Clock

from tkr_runtime import requests
from tkr_runtime.requests import TransientResponseError, send_with_retries
from tkr_runtime.settings.limits import Limits

LIMITS = Limits(retry_time=100.0, retry_wait=8.0)


@pytest.fixture
def clock(monkeypatch) -> Clock:
    clock = Clock()
    for module in (requests, tenacity, tenacity.nap):
        monkeypatch.setattr(module, "time", clock)
    return clock


def send(*errors: TransientResponseError) -> None:
    """Send a request that fails with each of the errors, the last one for ever."""
    remaining = list(errors)

    def request() -> None:
        raise remaining.pop(0) if remaining[1:] else remaining[0]

    send_with_retries(
        "try",
        request,
        limits=LIMITS,
        log_prefix="cloud: ",
        is_worth_a_retry=lambda error: isinstance(error, TransientResponseError),
        translate=lambda _error: None,
    )


def busy(retry_after: float | None = None) -> TransientResponseError:
    return TransientResponseError(503, retry_after, "busy")


def test_pauses_grow_up_to_the_longest_and_end_at_the_time_limit(clock):
    with pytest.raises(TransientResponseError, match="busy"):
        send(busy())
    for number, pause in enumerate(clock.pauses):
        shortest = 0.2 * 2**number
        assert min(8.0, shortest) <= pause <= min(8.0, shortest + 1.0)
    assert clock.pauses[-1] == 8.0
    assert clock.now - clock.pauses[-1] < 100.0 <= clock.now


def test_the_pauses_of_two_requests_differ(clock):
    for _ in range(2):
        with pytest.raises(TransientResponseError):
            send(busy())
    first = [now for now in clock.pauses if now < 8.0]
    assert len(set(first)) == len(first)


def test_a_pause_that_the_service_asks_for_is_kept_exactly(clock):
    with pytest.raises(TransientResponseError):
        send(busy(7.5), busy(0.0), busy(60.0), busy(90.0))
    assert clock.pauses == [7.5, 0.0, 60.0]


def test_only_what_is_tried_again_is_said_to_be(clock, caplog):
    with pytest.raises(TransientResponseError):
        send(busy())
    assert caplog.text.count("could not try") == len(clock.pauses)
