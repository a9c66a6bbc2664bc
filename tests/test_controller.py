"""The loop of the controller: what it takes of a processor, however much happens."""

import dataclasses

import pytest
from tierkreis.controller.data.location import Loc

from tkr_nexus_worker import controller


@dataclasses.dataclass
class Clock:
    """The time of a thread that works, or sleeps."""

    now: float = 0.0
    used: float = 0.0

    def monotonic(self) -> float:
        return self.now

    def thread_time(self) -> float:
        return self.used

    def sleep(self, seconds: float) -> None:
        self.now += seconds

    def work(self, seconds: float) -> None:
        self.now += seconds
        self.used += seconds


class Ended:
    """A storage in which every task has ended."""

    def is_node_finished(self, _loc: Loc) -> bool:
        return True


@pytest.fixture
def clock(monkeypatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(controller, "time", clock)
    return clock


def run_walks(clock: Clock, seconds: float, n_walks: int) -> None:
    idle = controller._Idle(
        Ended(), watch=lambda: None, watch_seconds=5.0, shortest_pause=0.005
    )
    for _ in range(n_walks):
        clock.work(seconds)
        idle.pause_until_end_of_any([Loc()])


def test_a_small_workflow_is_never_held_back(clock):
    run_walks(clock, 0.002, 200)
    assert clock.now == pytest.approx(clock.used)


def test_walks_of_a_large_workflow_take_a_tenth_of_a_processor(clock):
    run_walks(clock, 0.1, 500)
    assert clock.used == pytest.approx(0.1 * clock.now, rel=0.02)
