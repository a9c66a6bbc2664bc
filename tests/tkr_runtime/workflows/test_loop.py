"""The loop of the controller: that it does all, and what it takes of a processor."""

import dataclasses
import json
from pathlib import Path
from random import Random
from uuid import uuid4

import pytest
from tests.helpers.repetition import soak
from tierkreis.controller import run_graph
from tierkreis.controller.data.graph import GraphData
from tierkreis.controller.data.location import Loc, WorkerCallArgs
from tierkreis.controller.storage import walk
from tierkreis.controller.storage.data import ExecutorDebugData
from tierkreis.exceptions import TierkreisError
from tierkreis.storage import FileStorage, read_outputs

from tkr_runtime.workflows import loop


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


class OneEnded:
    """A storage in which one of the tasks has ended, and the others run."""

    def is_node_finished(self, loc: Loc) -> bool:
        return loc == Loc()

    def node_has_error(self, _loc: Loc) -> bool:
        return False


@pytest.fixture
def clock(monkeypatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(loop, "time", clock)
    return clock


def run_walks(clock: Clock, seconds: float, n_walks: int, n_others: int) -> None:
    pauses = loop._Pauses(
        OneEnded(),
        monitor=lambda _tasks: None,
        monitor_seconds=5.0,
        shortest_pause=0.005,
    )
    tasks = [Loc(), *(Loc().N(number) for number in range(n_others))]
    for _ in range(n_walks):
        clock.work(seconds)
        pauses.wait_for_ended(tasks)


def test_a_small_workflow_is_never_held_back(clock):
    run_walks(clock, 0.002, 200, n_others=20)
    assert clock.now == pytest.approx(clock.used)


def test_walks_of_a_large_workflow_take_a_tenth_of_a_processor(clock):
    run_walks(clock, 0.1, 500, n_others=20)
    assert clock.used == pytest.approx(0.1 * clock.now, rel=0.02)


def test_a_loop_with_few_tasks_at_once_is_never_held_back(clock):
    run_walks(clock, 0.1, 500, n_others=7)
    assert clock.now == pytest.approx(clock.used)


class Tasks:
    """An executor whose tasks end while the controller sleeps, in a random order.

    :param storage: The storage of the workflow.
    :param seed: Of the order.
    :param at_once: The number of tasks that end in one sleep.
    :param failing: The number of the task that fails, if any.
    """

    def __init__(
        self,
        storage: FileStorage,
        seed: int = 0,
        at_once: int = 1,
        failing: int | None = None,
    ) -> None:
        self._storage = storage
        self._random = Random(seed)
        self._at_once = at_once
        self._failing = failing
        self._waiting: list[WorkerCallArgs] = []
        self.started: list[Path] = []

    def run(
        self, _launcher_name: str, worker_call_args_path: Path
    ) -> ExecutorDebugData:
        text = (self._storage.tkr_dir / worker_call_args_path).read_text()
        self._waiting.append(WorkerCallArgs(**json.loads(text)))
        self.started.append(worker_call_args_path)
        return ExecutorDebugData(executor="tasks", launch_command="")

    def sleep(self, _seconds: float) -> None:
        for _ in range(self._at_once):
            if self._waiting:
                index = self._random.randrange(len(self._waiting))
                self._end(self._waiting.pop(index))

    def _end(self, call: WorkerCallArgs) -> None:
        if self._failing == 0:
            (self._storage.tkr_dir / call.done_path).with_name("_error").touch()
            return
        if self._failing is not None:
            self._failing -= 1
        # Of a map, the input is all the files of a folder.
        paths = {k: self._storage.tkr_dir / path for k, path in call.inputs.items()}
        ins = {
            k: [json.loads(one.read_text()) for one in sorted(path.parent.iterdir())]
            if path.name == "*"
            else json.loads(path.read_text())
            for k, path in paths.items()
        }
        folder = self._storage.tkr_dir / call.output_dir
        outputs = getattr(self, call.function_name)(**ins)
        for name, value in outputs.items():
            (folder / name).write_text(json.dumps(value))
        (self._storage.tkr_dir / call.done_path).touch()

    def split(self, n: int) -> dict[str, int]:
        return {str(index): index + 1 for index in range(n)}

    def is_even(self, n: int) -> dict[str, bool]:
        return {"value": n % 2 == 0}

    def add(self, a: int, b: int) -> dict[str, int]:
        return {"value": a + b}

    def total(self, values: list[int]) -> dict[str, int]:
        return {"value": sum(values)}

    def count(self, n: int) -> dict[str, int | bool]:
        return {"n": n + 1, "more": n + 1 < 3}


def counting() -> GraphData:
    """Count one further."""
    g = GraphData()
    counted = g.func("tasks.count", {"n": g.input("n")})
    g.output({"n": counted("n"), "more": counted("more")})
    return g


def item() -> GraphData:
    """Count to three in a loop, and add that to the input if it is even."""
    g = GraphData()
    x = g.input("x")
    three = g.loop(g.const(counting()), {"n": g.const(0)}, "more")("n")
    added = g.func("tasks.add", {"a": x, "b": three})("value")
    is_even = g.func("tasks.is_even", {"n": x})("value")
    g.output({"value": g.if_else(is_even, added, x)("value")})
    return g


def summed(body: GraphData) -> GraphData:
    """Sum the values of a graph for all numbers up to the input, taken side by side."""
    g = GraphData()
    numbers = g.func("tasks.split", {"n": g.input("x")})("*")
    values = g.map(g.const(body), {"x": numbers})("*")
    g.output({"value": g.func("tasks.total", {"values": values})("value")})
    return g


def evaluated(body: GraphData) -> GraphData:
    """Add the values of a graph for the input and for two, each in an eval."""
    g = GraphData()
    first, second = (
        g.eval(g.const(body), {"x": x})("value") for x in (g.input("x"), g.const(2))
    )
    g.output({"value": g.func("tasks.add", {"a": first, "b": second})("value")})
    return g


@pytest.fixture
def drive(tmp_path, monkeypatch):
    """Run a graph by the loop of the controller, with the executor given."""

    def drive_graph(graph: GraphData, x: int, **how: int) -> tuple[int, Tasks]:
        storage = FileStorage(uuid4(), tierkreis_directory=tmp_path)
        tasks = Tasks(storage, **how)
        monkeypatch.setattr(loop._Pauses, "_sleep", lambda _, s: tasks.sleep(s))
        run_graph(storage, tasks, graph, {"x": x}, n_iterations=0)
        loop.run_to_end(
            storage, tasks, monitor=lambda _tasks: None, monitor_seconds=3600.0
        )
        return read_outputs(graph, storage), tasks

    return drive_graph


@pytest.mark.parametrize("at_once", [1, 3, 50])
@pytest.mark.parametrize("repetition", [0, *map(soak, range(1, 10))])
def test_graphs_in_graphs_end_in_whatever_order_their_tasks_do(
    drive, rng, repetition, at_once
):
    graph = evaluated(summed(evaluated(summed(item()))))
    value, tasks = drive(graph, 3, seed=rng.randrange(2**32), at_once=at_once)

    def of_items(n: int) -> int:
        return sum(x + 3 if x % 2 == 0 else x for x in range(1, n + 1))

    def of_groups(n: int) -> int:
        return sum(of_items(x) + of_items(2) for x in range(1, n + 1))

    assert value == of_groups(3) + of_groups(2)
    assert len(tasks.started) == len(set(tasks.started))


def test_a_task_that_fails_ends_the_workflow(drive):
    with pytest.raises(TierkreisError, match="Graph encountered errors"):
        drive(evaluated(summed(item())), 4, failing=10)


def test_the_end_of_a_task_costs_the_same_among_many(drive, monkeypatch):
    """Nodes are walked in proportion to the tasks, not to their square."""

    def n_walked(n_items: int) -> int:
        walked = 0

        def count(*arguments):
            nonlocal walked
            walked += 1
            return walk_node(*arguments)

        walk_node = walk.walk_node
        with monkeypatch.context() as patch:
            patch.setattr(walk, "walk_node", count)
            patch.setattr(loop, "walk_node", count)
            drive(summed(item()), n_items)
        return walked

    assert n_walked(20) < 4.5 * n_walked(5)
