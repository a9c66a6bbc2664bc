"""HUGR, QIR and circuits in one call: a job for each kind, results in their order."""

from uuid import uuid4

import pytest
from pytket.circuit import Circuit
from qnexus.models.references import WasmModuleRef
from quantinuum_schemas.models.backend_config import (
    HeliosConfig,
    QuantinuumConfig,
    QulacsConfig,
    SeleneConfig,
)
from tests.local_nexus.simulators.test_hybrid import bell_qir
from tests.tkr_nexus_worker.graphs.test_hugr import reports_a_tag_four_times
from tierkreis.storage import FileStorage

from tkr_nexus_worker import InProcessExecutor, WorkflowFailedError, jobs, programs, run
from tkr_nexus_worker.graphs import (
    nexus_submit_hugr,
    nexus_submit_programs,
    nexus_submit_qir,
)
from tkr_nexus_worker.results import ProgramShots

PROJECT = "tests of programs"
ONE = Circuit(2, name="one").X(0).measure_all()
QIR = bell_qir()


@pytest.fixture
def run_in_process(connected, tmp_path):
    def run_graph(graph, **inputs):
        storage = FileStorage(uuid4(), tierkreis_directory=tmp_path)
        inputs = {
            "project_name": PROJECT,
            "backend_config": SeleneConfig(),
            "n_qubits": None,
            "max_cost": None,
            **inputs,
        }
        outputs = run(graph, inputs, storage, InProcessExecutor(storage))
        return [ProgramShots(**output) for output in outputs]

    return run_graph


@pytest.fixture(scope="module")
def package():
    return reports_a_tag_four_times.compile()


def test_programs_of_all_kinds_give_their_shots_in_one_list(
    run_in_process, package, connected
):
    name = f"mixed {uuid4()}"
    inputs = {
        "job_name": name,
        "programs": [QIR, ONE, package, ONE],
        "n_shots": [3, 4, 5, 6],
        "n_qubits": [2, 2, 1, 2],
    }
    found = run_in_process(nexus_submit_programs(0.2), **inputs)
    assert [one.program_type for one in found] == ["qir", "circuit", "hugr", "circuit"]
    assert [one.index for one in found] == [0, 1, 2, 3]
    assert list(map(len, found)) == [3, 4, 5, 6]
    assert found[1].shots == [[("c", [1, 0])]] * 4
    assert found[2].shots == [[("c", 1), ("c", 0), ("c", 1), ("c", 0)]] * 5
    assert dict(found[2].to_pytket().get_counts()) == {(1, 0, 1, 0): 5}
    assert found[2].to_qsys().results[0].collate_tags() == {"c": [1, 0, 1, 0]}
    assert all(shot[0][1] == shot[1][1] for shot in found[0].shots)
    assert {tuple(tag for tag, _ in shot) for shot in found[0].shots} == {
        ("c[0]", "c[1]")
    }
    submitted = [job["name"] for job in connected.jobs() if name in job["name"]]
    assert sorted(submitted) == [
        f"{name} ({kind})" for kind in ("HUGR", "QIR", "circuits")
    ]
    assert found[1].job_id == found[3].job_id != found[0].job_id


def test_the_qubits_and_the_largest_cost_of_hugr_programs_reach_nexus(
    run_in_process, package
):
    inputs = {
        "job_name": "hugr",
        "hugr_packages": [package, package],
        "n_shots": [2, 3],
        "n_qubits": [1, 4],
        "max_cost": [50.0, 60.0],
        "backend_config": HeliosConfig(system_name="Helios-1E"),
    }
    found = run_in_process(nexus_submit_hugr(0.2), **inputs)
    assert list(map(len, found)) == [2, 3]
    submitted = jobs.get_job_payload(found[0].job_id)
    assert submitted.name == "hugr"
    assert [one.options for one in submitted.programs] == [
        {"max_cost": 50.0, "n_qubits": 1},
        {"max_cost": 60.0, "n_qubits": 4},
    ]


@pytest.mark.parametrize(
    "config", [SeleneConfig(), QuantinuumConfig(device_name="H2-1LE")]
)
def test_qir_gives_typed_shots_on_every_system(run_in_process, config):
    inputs = {
        "job_name": "qir",
        "qir_programs": [QIR],
        "n_shots": [5],
        "n_qubits": [2],
        "backend_config": config,
    }
    [found] = run_in_process(nexus_submit_qir(0.2), **inputs)
    assert len(found) == 5
    assert set(found.to_pytket().get_counts()) <= {(0, 0), (1, 1)}


@pytest.mark.parametrize(
    ("inputs", "words"),
    [
        ({"programs": [b"HUGRiHJv rubbish"]}, "A HUGR package cannot be read"),
        ({"programs": [b"rubbish"]}, "neither LLVM bitcode nor LLVM text"),
        ({"programs": []}, "There are no programs"),
        ({"programs": [QIR, QIR]}, "n_shots has length 1"),
        ({"n_qubits": [1, 2]}, "n_qubits has length 2"),
        ({"max_cost": [0.0]}, r"max_cost\[0\]"),
        (
            {"backend_config": QulacsConfig()},
            "Qulacs runs circuits only, and program 0",
        ),
        ({"programs": [Circuit(1).H(0)]}, "has no measurement"),
    ],
)
def test_what_cannot_run_is_refused_before_anything_is_sent(
    run_in_process, connected, inputs, words
):
    given = {"job_name": "refused", "programs": [QIR], "n_shots": [3], **inputs}
    with pytest.raises(WorkflowFailedError, match=words):
        run_in_process(nexus_submit_programs(0.2), **given)
    assert connected.requests() == []


def test_the_programs_of_a_job_name_their_wasm_module(run_in_process, connected):
    wasm = programs.upload_wasm(b"\0asm\1\0\0\0", PROJECT)
    graph = nexus_submit_programs(0.2, wasm_module=wasm)
    inputs = {"job_name": "wasm", "programs": [QIR], "n_shots": [1], "n_qubits": [2]}
    [found] = run_in_process(graph, **inputs)
    options = jobs.get_job_payload(found.job_id).options
    assert options["wasm_module_id"] == str(wasm.id)
    assert isinstance(wasm, WasmModuleRef)
