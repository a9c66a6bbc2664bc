"""Circuits are compiled, by Nexus or by pytket, and run in one graph."""

from uuid import uuid4

import pytest
from pytket.backends.backendresult import BackendResult
from pytket.circuit import Circuit
from qnexus.models.references import CircuitRef
from quantinuum_schemas.models.backend_config import QuantinuumConfig
from quantinuum_schemas.models.hypertket_config import HyperTketConfig
from tierkreis.storage import FileStorage

from tkr_nexus_worker import (
    InProcessExecutor,
    InvalidInputError,
    WorkflowFailedError,
    run,
)
from tkr_nexus_worker.graphs import compile_and_poll, nexus_compile_submit_and_poll

PROJECT = "tests of compilations"
CONFIG = QuantinuumConfig(device_name="H2-1LE")
ONE = Circuit(2, name="one").X(0).CX(0, 1).X(0).measure_all()
TWO = Circuit(2, name="two").X(0).measure_all()


@pytest.fixture
def run_in_process(connected, tmp_path):
    def run_graph(graph, **inputs):
        storage = FileStorage(uuid4(), tierkreis_directory=tmp_path)
        inputs = {"project_name": PROJECT, "backend_config": CONFIG, **inputs}
        return run(graph, inputs, storage, InProcessExecutor(storage))

    return run_graph


def test_compiled_circuits_run_and_give_results_in_their_order(
    run_in_process, connected
):
    graph = nexus_compile_submit_and_poll(
        1, 0.2, target_2qb_gate="ZZMax", hypertket_config=HyperTketConfig()
    )
    inputs = {"job_name": "compiled", "circuits": [ONE, TWO], "n_shots": [3, 4]}
    outputs = run_in_process(graph, **inputs)
    found = [dict(BackendResult.from_dict(one).get_counts()) for one in outputs]
    assert found == [{(0, 1): 3}, {(1, 0): 4}]
    submitted = [one for one in connected.jobs() if one["name"] == "compiled"]
    assert len(submitted) == 2


def test_circuits_are_compiled_alone_for_other_tasks(run_in_process):
    inputs = {"job_name": "alone", "circuits": [TWO]}
    [compiled] = run_in_process(compile_and_poll(0, 0.2), **inputs)
    assert CircuitRef(**compiled).annotations.name == "two-compiled"


def test_pytket_compiles_without_a_job_of_its_own(run_in_process, connected):
    graph = nexus_compile_submit_and_poll(
        polling_interval=0.2, compile="local", passes=["RemoveRedundancies"]
    )
    inputs = {"job_name": "local", "circuits": [ONE], "n_shots": [3]}
    [output] = run_in_process(graph, **inputs)
    assert dict(BackendResult.from_dict(output).get_counts()) == {(0, 1): 3}
    submitted = [one for one in connected.jobs() if one["name"] == "local"]
    assert len(submitted) == 1


def test_what_cannot_run_is_refused_before_anything_is_uploaded(
    run_in_process, connected
):
    large = Circuit(57).H(0).measure_all()
    inputs = {"job_name": "large", "circuits": [large], "n_shots": [3]}
    with pytest.raises(WorkflowFailedError, match="57 qubits, and H2-1LE has 56"):
        run_in_process(nexus_compile_submit_and_poll(), **inputs)
    assert not [it for it in connected.requests() if it.method == "POST"]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"optimisation_level": 5}, "optimisation level is 5"),
        ({"passes": ["SynthesiseTK"]}, "Nexus chooses its own"),
        ({"compile": "here"}, "compile is 'here'"),
        ({"compile": "local", "hypertket_config": HyperTketConfig()}, "is for Nexus"),
        ({"polling_interval": 0}, "polling interval is 0"),
    ],
)
def test_wrong_options_are_refused_when_the_graph_is_built(options, words):
    with pytest.raises(InvalidInputError, match=words):
        nexus_compile_submit_and_poll(**options)
