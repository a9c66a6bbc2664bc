"""What the controller remembers of its nodes is what the files of the workflow say."""

import shutil
from importlib import import_module
from uuid import uuid4

import pytest
from tierkreis.builder import Graph
from tierkreis.builtins import iadd
from tierkreis.controller import run_graph
from tierkreis.controller.data.graph import Const, Eval, Func, GraphData
from tierkreis.controller.data.location import Loc
from tierkreis.controller.data.types import ptype_from_bytes
from tierkreis.models import TKR
from tierkreis.storage import FileStorage, InMemoryStorage

from tkr_runtime import tierkreis_internals
from tkr_runtime.workflows import known_nodes
from tkr_runtime.workflows.known_nodes import with_known_nodes

NODE = Loc("-.N1")


@pytest.fixture
def storage(tmp_path):
    return FileStorage(uuid4(), "nodes", tmp_path)


def test_only_file_storages_of_tierkreis_are_remembered(storage):
    class OwnStorage(FileStorage):
        """May keep its files anywhere."""

    in_memory = InMemoryStorage(uuid4())
    own = OwnStorage(uuid4(), "own", storage.tkr_dir)
    assert with_known_nodes(in_memory) is in_memory
    assert with_known_nodes(own) is own
    known = with_known_nodes(storage)
    assert known is not storage
    assert known.workflow_dir == storage.workflow_dir


def test_what_a_task_writes_is_seen(storage):
    known = with_known_nodes(storage)
    known.write_node_def(NODE, Func("worker.task", {}))
    assert not known.is_node_finished(NODE)
    assert not known.node_has_error(NODE)
    storage.touch(storage.workflow_dir / NODE / "_error")
    assert known.node_has_error(NODE)
    storage.mark_node_finished(NODE)
    assert known.is_node_finished(NODE)


@pytest.mark.parametrize("most_nodes", [1, 1000])
def test_what_the_controller_writes_is_known_and_written(
    most_nodes, storage, monkeypatch
):
    monkeypatch.setattr(known_nodes, "_MOST_NODES", most_nodes)
    known = with_known_nodes(storage)
    locs = [Loc(f"-.N{index}") for index in range(3)]
    for loc in locs:
        assert not known.is_node_started(loc)
        known.write_node_def(loc, Const(1))
        known.mark_node_finished(loc)
    for seen in (known, storage, with_known_nodes(storage)):
        assert all(seen.is_node_started(loc) for loc in locs)
        assert all(seen.is_node_finished(loc) for loc in locs)


def test_a_node_without_a_definition_can_have_finished(storage):
    storage.mark_node_finished(NODE)
    known = with_known_nodes(storage)
    assert known.is_node_finished(NODE)
    assert not known.is_node_started(NODE)


def test_the_latest_iteration_moves_on(storage):
    known = with_known_nodes(storage)
    for iteration in (0, 1, 2):
        known.write_node_def(NODE.L(iteration), Eval((-1, "body"), {}))
        assert known.latest_loop_iteration(NODE) == NODE.L(iteration)
        assert storage.latest_loop_iteration(NODE) == NODE.L(iteration)


def test_files_are_linked_and_written_as_by_tierkreis(storage):
    known = with_known_nodes(storage)
    known.write_output(NODE, "value", b"5")
    for _ in range(2):  # a controller that is resumed links again
        known.link_outputs(Loc("-.N2"), "value", NODE, "value")
    assert storage.read_output(Loc("-.N2"), "value") == b"5"
    known.write_output(NODE, "value", b"6")
    assert storage.read_output(NODE, "value") == b"6"
    assert known.read_output(NODE, "value") == b"6"


@pytest.mark.parametrize("most_outputs", [1, 1000])
def test_an_output_is_read_once_and_known_where_it_is_linked(
    most_outputs, storage, monkeypatch
):
    monkeypatch.setattr(known_nodes, "_MOST_OUTPUTS", most_outputs)
    known = with_known_nodes(storage)
    storage.write_output(NODE, "value", b"a graph")
    assert known.read_output(NODE, "value") == b"a graph"
    known.link_outputs(Loc("-.N2"), "body", NODE, "value")
    shutil.rmtree(storage.workflow_dir / "-.N2")
    assert known.read_output(Loc("-.N2"), "body") == b"a graph"


def test_large_outputs_are_not_kept_and_nor_are_logs(storage):
    known = with_known_nodes(storage)
    large = b"0" * 2**17
    known.write_output(NODE, "value", large)
    assert known.read_output(NODE, "value") == large
    assert not known._outputs
    for text in ("first", "second"):
        storage.write_node_errors(NODE, text)
        assert known.read_errors(NODE) == text


def test_what_the_controller_runs_itself_is_not_looked_up(storage):
    known = with_known_nodes(storage)
    known.write_node_def(NODE, Eval((-1, "body"), {}))
    storage.write_node_def(NODE.N(3), Const(1))
    storage.mark_node_finished(NODE)
    assert not known.is_node_finished(NODE)
    assert not known.is_node_started(NODE.N(3))
    assert not known.is_node_finished(NODE.N(4))
    known.write_node_def(NODE.N(3), Func("worker.task", {}))
    storage.mark_node_finished(NODE.N(3))
    assert known.is_node_finished(NODE.N(3))


def sums(depth: int) -> GraphData:
    """Return a graph with 2 ** depth ways from its output to its input."""
    g = Graph(TKR[int], TKR[int])
    value = g.inputs
    for _ in range(depth):
        value = g.task(iadd(value, value))
    return g.finish_with_outputs(value).data


def test_a_walk_comes_to_a_node_once_however_many_ways_lead_to_it(storage):
    graph = sums(60)
    run_graph(storage, None, graph, {"value": 1}, n_iterations=0)
    known = with_known_nodes(storage)
    walk = tierkreis_internals.walk_node(known, Loc(), graph.output_idx(), graph)
    assert len(walk.inputs_ready) == 1
    assert walk.started == walk.errored == []


def test_tierkreis_itself_is_left_as_it_is():
    for name in ("tierkreis.controller.start", "tierkreis.controller.storage.walk"):
        module = import_module(name)
        assert module.ptype_from_bytes is ptype_from_bytes
    walk = import_module("tierkreis.controller.storage.walk")
    assert walk.unfinished_results.__globals__["walk_node"] is walk.walk_node
    assert walk.walk_node is not tierkreis_internals.walk_node
