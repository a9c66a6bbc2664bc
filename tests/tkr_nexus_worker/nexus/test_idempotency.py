"""What is made once: a try that was lost is waited for, one turned away is not."""

import os
import time

import httpx
import pytest

from tkr_nexus_worker.errors import NexusUnavailableError
from tkr_nexus_worker.nexus import idempotency
from tkr_nexus_worker.nexus.client import TransientResponseError
from tkr_nexus_worker.nexus.idempotency import make_once

pytestmark = pytest.mark.usefixtures("connected")

TURNED_AWAY = [
    httpx.ConnectError("refused"),
    TransientResponseError(429, 0.0, "slow down"),
]
LOST = [httpx.ReadError("reset"), TransientResponseError(502, None, "bad gateway")]


class Clock:
    """Stands for the module ``time``: to sleep moves the clock on."""

    def __init__(self) -> None:
        self.now = time.time()
        self.slept = 0.0

    def time(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds
        self.slept += seconds


@pytest.fixture
def clock(monkeypatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(idempotency, "time", clock)
    monkeypatch.setenv("TKR_NEXUS_SETTLE_TIME", "1000")
    return clock


class Nexus:
    """Makes a thing, unless it fails first."""

    def __init__(self, *failures: Exception) -> None:
        self.failures = list(failures)
        self.n_looks = 0

    def find(self) -> str | None:
        self.n_looks += 1
        return None

    def make(self) -> str:
        if self.failures:
            raise self.failures.pop()
        return "made"


@pytest.mark.parametrize("failure", TURNED_AWAY, ids=repr)
def test_a_try_that_was_turned_away_is_repeated_at_once(clock, failure, tmp_path):
    nexus, marker = Nexus(failure), tmp_path / "marker"
    assert make_once("make it", nexus.find, nexus.make, marker=marker) == "made"
    assert (clock.slept, nexus.n_looks) == (0.0, 0)


@pytest.mark.parametrize("failure", TURNED_AWAY, ids=repr)
def test_a_process_that_was_turned_away_leaves_no_marker(
    clock, failure, tmp_path, monkeypatch
):
    monkeypatch.setenv("TKR_NEXUS_RETRY_TIME", "0.001")
    monkeypatch.setenv("TKR_NEXUS_RETRY_WAIT", "0.001")
    nexus, marker = Nexus(*[failure] * 1000), tmp_path / "marker"
    with pytest.raises(NexusUnavailableError):
        make_once("make it", nexus.find, nexus.make, marker=marker)
    assert not marker.exists()


@pytest.mark.parametrize("failure", LOST, ids=repr)
def test_a_try_that_was_lost_is_looked_for_once_it_has_settled(
    clock, failure, tmp_path
):
    nexus, marker = Nexus(failure), tmp_path / "marker"
    assert make_once("make it", nexus.find, nexus.make, marker=marker) == "made"
    assert clock.slept == pytest.approx(1000, abs=1)
    assert nexus.n_looks == 2  # once more at the end, for the lost one


def test_a_batch_that_was_cut_off_waits_once_for_all_its_circuits(clock, tmp_path):
    markers = [tmp_path / f"marker{index}" for index in range(20)]
    begun = clock.now - 10
    for marker in markers:
        marker.touch()
        os.utime(marker, (begun, begun))
    nexus = Nexus()
    for marker in markers:
        make_once("make it", nexus.find, nexus.make, marker=marker)
    assert clock.slept == pytest.approx(990, abs=1)
    assert nexus.n_looks == len(markers)


def test_a_marker_of_a_process_that_was_killed_stays(clock, tmp_path):
    marker = tmp_path / "marker"
    marker.touch()
    nexus = Nexus(*TURNED_AWAY)
    make_once("make it", nexus.find, nexus.make, marker=marker)
    assert marker.exists()
    assert nexus.n_looks == 3
