"""The pauses between the tries of a request, in a time that passes only in them."""

import time
from datetime import UTC, datetime, timedelta

import pytest
import tenacity
from tests.helpers.waiting import Clock

from tkr_runtime import requests
from tkr_runtime.requests import (
    TransientResponseError,
    read_retry_after,
    send_with_retries,
)
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
        send(busy(7.5), busy(60.0), busy(90.0))
    assert clock.pauses == [7.5, 60.0]


def test_a_service_that_asks_for_no_pause_is_given_the_usual_pauses(clock):
    with pytest.raises(TransientResponseError):
        send(*[busy(0.0)] * 50, busy(1000.0))
    assert all(pause > 0.0 for pause in clock.pauses)
    assert clock.pauses[-1] == 8.0


@pytest.mark.parametrize("zone", ["UTC0", "JST-9"])
def test_a_date_without_a_zone_is_in_utc(monkeypatch, zone):
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    date = f"{datetime.now(UTC) + timedelta(days=1):%a %b %d %H:%M:%S %Y}"
    try:
        asked = read_retry_after(date)
    finally:
        monkeypatch.undo()
        time.tzset()
    assert asked == pytest.approx(86400.0, abs=3600.0)


def test_only_what_is_tried_again_is_said_to_be(clock, caplog):
    with pytest.raises(TransientResponseError):
        send(busy())
    assert caplog.text.count("could not try") == len(clock.pauses)
