"""Results, devices and checks as tasks of a real graph."""

from typing import Any, NamedTuple

import pytest
from pytket.circuit import Circuit
from quantinuum_schemas.models.backend_config import QuantinuumConfig
from tests.conftest import PROJECT
from tierkreis.builder import Graph
from tierkreis.models import TKR

from tkr_nexus_worker import WorkflowFailedError, jobs, programs, run
from tkr_nexus_worker.devices import DeviceDetails, DeviceSummary
from tkr_nexus_worker.results import JobCounts
from tkr_nexus_worker.stubs import (
    get_device_details,
    get_results_by_id,
    list_devices,
    validate_job,
)
from tkr_nexus_worker.validation import JobValidation

CONFIG = QuantinuumConfig(device_name="H2-1LE")
BELL = Circuit(2, name="bell").H(0).CX(0, 1).measure_all()


class Inputs(NamedTuple):
    """A job, a device, and circuits that it could run."""

    job: TKR[str]
    selection: TKR[list[str]]
    device: TKR[str]
    circuits: TKR[list[Any]]
    n_shots: TKR[list[int]]
    backend_config: TKR[Any]


class Outputs(NamedTuple):
    """What a graph learns of them."""

    counts: TKR[Any]
    devices: TKR[list[Any]]
    device: TKR[Any]
    validation: TKR[Any]


@pytest.fixture
def look(make_executor, make_storage):
    """Run a graph with all four tasks."""
    g = Graph(Inputs, Outputs)
    graph = g.finish_with_outputs(
        Outputs(
            g.task(get_results_by_id(g.inputs.job, g.inputs.selection)),
            g.task(list_devices(g.const(value=False))),
            g.task(get_device_details(g.inputs.device)),
            g.task(
                validate_job(
                    g.inputs.circuits, g.inputs.n_shots, g.inputs.backend_config
                )
            ),
        )
    )

    def run_graph(job, selection):
        storage = make_storage()
        inputs = {
            "job": str(job.id),
            "selection": selection,
            "device": "H2-1",
            "circuits": [BELL],
            "n_shots": [7],
            "backend_config": CONFIG,
        }
        return run(graph, inputs, storage, make_executor(storage))

    return run_graph


@pytest.fixture
def job(connected):
    program = programs.upload_circuit(BELL, PROJECT)
    submitted = jobs.start_execute_job(PROJECT, "a job", [program], [50], CONFIG)
    jobs.wait_until_complete(submitted, timeout=60, poll_interval=0.05)
    return submitted


def test_a_graph_takes_results_devices_and_checks_as_values(look, job):
    outputs = look(job, ["c[0]=1"])
    [circuit] = JobCounts(**outputs["counts"]).circuits
    assert set(circuit.counts) == {"11"}
    assert circuit.n_shots == circuit.counts["11"] < circuit.n_shots_taken == 50
    names = {DeviceSummary(**one).name for one in outputs["devices"]}
    assert {"H2-1", "H2-1LE"} <= names
    assert DeviceDetails(**outputs["device"]).n_qubits == 56
    assert JobValidation(**outputs["validation"]).fits


def test_a_bit_that_is_not_there_fails_the_task_with_its_sentence(look, job):
    with pytest.raises(WorkflowFailedError, match=r"no bit 'd\[0\]' in circuit 0"):
        look(job, ["d[0]=1"])
