"""Programs in files, run as one job."""

import json
from pathlib import Path

import pytest
from guppylang import guppy
from guppylang.std.builtins import output
from guppylang.std.quantum import measure, qubit, x
from hugr.package import Package
from pytket.circuit import Circuit, OpType
from quantinuum_schemas.models.backend_config import (
    HeliosConfig,
    QuantinuumConfig,
    QulacsConfig,
    SeleneConfig,
)
from tests.local_nexus.simulators.test_hybrid import bell_qir

from local_nexus import Fault
from tkr_nexus_worker import BudgetExceededError, run
from tkr_nexus_worker.errors import (
    InvalidInputError,
    NotLoggedInError,
    WorkflowFailedError,
)
from tkr_nexus_worker.jobs import get_job_payload
from tkr_nexus_worker.program_files import jobs
from tkr_nexus_worker.program_files.jobs import submit_files
from tkr_nexus_worker.program_files.read import ProgramFile
from tkr_nexus_worker.receipts import find_receipts, read_receipt
from tkr_nexus_worker.results import (
    JobResults,
    get_results_by_id,
    load_results,
    save_results,
)

LOCAL = QuantinuumConfig(device_name="H2-1LE")


@guppy
def sometimes_silent() -> None:
    sure = qubit()
    x(sure)
    if measure(sure).read():
        output("c", True)


def write(folder, name, circuit):
    path = folder / name
    path.write_text(json.dumps(circuit.to_dict()))
    return path


@pytest.fixture
def files(tmp_path):
    one = Circuit(2).X(0).measure_all()
    two = Circuit(2).X(1).measure_all()
    return [write(tmp_path, "one.json", one), write(tmp_path, "two.json", two)]


@pytest.fixture
def submit(connected, tmp_path):
    def run(files, config=LOCAL, n_shots=5, **options):
        return submit_files(
            files,
            config,
            n_shots,
            polling_interval=0.2,
            directory=tmp_path / "checkpoints",
            **options,
        )

    return run


def test_circuits_in_files_run_as_one_job_in_their_order(submit, files, tmp_path):
    found = submit(files, n_shots=[3, 4], project_name="files")
    assert [dict(one) for one in found] == [{"10": 3}, {"01": 4}]
    assert [one.name for one in found] == ["one", "two"]
    assert found.complete
    receipt = found.receipt
    assert (receipt.job_name, receipt.project_name) == ("one and 1 more", "files")
    assert found.to_counts() == get_results_by_id(str(receipt.job_id)).to_counts()
    path = save_results(found, tmp_path / "saved.json")
    assert load_results(path).to_counts() == found.to_counts()


def test_many_circuits_are_divided_into_jobs_and_their_results_joined(submit, files):
    found = submit([*files, files[0]], n_shots=[3, 4, 5], max_programs=2)
    assert [dict(one) for one in found] == [{"10": 3}, {"01": 4}, {"10": 5}]
    assert [(one.index, one.name) for one in found] == [
        (0, "one"),
        (1, "two"),
        (2, "one"),
    ]
    assert [job.items_total for job in found.jobs] == [2, 1]
    with pytest.raises(InvalidInputError, match="max_programs"):
        submit(files, max_programs=1, compile="local")


def test_of_several_jobs_those_that_ended_well_are_returned_when_one_fails(
    submit, files, tmp_path
):
    wide = write(tmp_path, "wide.json", Circuit(60).X(0).measure_all())
    config = QulacsConfig()
    found = submit(
        [files[0], wide, files[1]], config, max_programs=1, allow_failed=True
    )
    assert [dict(one) for one in found] == [{"10": 5}, {}, {"01": 5}]
    assert [one.name for one in found] == ["one", "wide", "two"]
    assert not found.complete
    ids = [job.job_id for job in found.jobs]
    assert "1 of the 3 parts" in found.failure
    assert "60 qubits" in found.failure
    assert found.failure.endswith(f"`tkr-nexus results --partial {' '.join(ids)}`.")
    again = JobResults.chained(get_results_by_id(job, allow_failed=True) for job in ids)
    assert [dict(one) for one in again] == [dict(one) for one in found]


def test_what_one_kind_of_programs_gave_is_returned_when_another_was_not_submitted(
    submit, files, nexus
):
    qir = ProgramFile(Path("bell.ll"), bell_qir())
    fault = Fault("answer", status=400, body={"message": "no QIR"}, path="/api/qir/*")
    with nexus.fault(fault):
        found = submit(
            [files[0], qir, files[1]],
            SeleneConfig(),
            n_qubits=2,
            compile="local",
            allow_failed=True,
        )
    assert [one.index for one in found] == [0, 2]
    assert "no QIR" in found.failure
    assert "1 of the programs was not submitted." in found.failure


@pytest.mark.parametrize("receipts", ["none", "damaged", "only of the submission"])
def test_receipts_that_could_not_be_written_do_not_lose_the_results(
    submit, files, tmp_path, monkeypatch, receipts
):
    def run_and_spoil(graph, inputs, storage, executor, **options):
        outputs = run(graph, inputs, storage, executor, **options)
        for path in find_receipts(storage):
            match receipts:
                case "none":
                    path.unlink()
                case "damaged":
                    path.write_text("{")
                case _:
                    if read_receipt(path).state == "COMPLETED":
                        path.unlink()
        return outputs

    monkeypatch.setattr(jobs, "run", run_and_spoil)
    found = submit(files, n_shots=[3, 4])
    assert [dict(one) for one in found] == [{"10": 3}, {"01": 4}]
    assert found.receipt.state == "COMPLETED"


def test_without_a_login_nothing_is_begun(
    submit, files, nexus, connect_qnexus, tmp_path
):
    connect_qnexus(nexus.env | {"NEXUS_TOKEN_PATH": str(tmp_path / "nowhere")})
    with pytest.raises(NotLoggedInError):
        submit(files)
    assert not (tmp_path / "checkpoints").exists()
    assert nexus.requests() == []


def test_guppy_programs_run_on_selene(submit, tmp_path):
    package = Package.from_bytes(sometimes_silent.compile().to_bytes())
    file = ProgramFile(tmp_path / "silent.py", package)
    [found] = submit([file], SeleneConfig())
    assert str(found) == "program 0 ('silent')"
    assert dict(found) == {"1": 5}
    assert found.tagged_shots == [[("c", 1)]] * 5
    with pytest.raises(InvalidInputError, match=r"Qulacs runs circuits only.*silent"):
        submit([file], QulacsConfig())
    with pytest.raises(
        InvalidInputError, match=r"silent\.py is not a circuit, and Nex"
    ):
        submit([file], SeleneConfig(), compile=2)


def test_programs_of_several_kinds_run_as_jobs_of_their_own(submit, files, tmp_path):
    package = Package.from_bytes(sometimes_silent.compile().to_bytes())
    qir = tmp_path / "bell.ll"
    qir.write_bytes(bell_qir())
    mixed = [qir, files[0], ProgramFile(tmp_path / "silent.py", package), files[1]]
    config = SeleneConfig()
    found = submit(mixed, config, n_shots=[3, 4, 5, 6], n_qubits=2, compile="local")
    [submitted, _] = get_job_payload(found.jobs[0].job_id).programs
    assert {it.op.type for it in Circuit.from_dict(submitted.circuit)} == {
        *(OpType.PhasedX, OpType.Measure)
    }
    assert [one.index for one in found] == [0, 1, 2, 3]
    assert [one.n_shots for one in found] == [3, 4, 5, 6]
    assert set(found[0]) <= {"00", "11"}
    assert [dict(one) for one in found[1:]] == [{"10": 4}, {"1": 5}, {"01": 6}]
    assert [job.name for job in found.jobs] == [
        f"bell and 3 more ({kind})" for kind in ("circuits", "HUGR", "QIR")
    ]
    assert found.complete
    counts = found.to_counts()
    assert counts.job_ids == [job.job_id for job in found.jobs]
    path = save_results(found, tmp_path / "saved.json")
    assert load_results(path).to_counts().circuits == counts.circuits


def test_circuits_are_compiled_on_this_machine_where_asked(submit, tmp_path):
    file = write(tmp_path, "one.json", Circuit(2).H(0).H(0).X(0).CX(0, 1).measure_all())
    hardware = QuantinuumConfig(device_name="H2-1E", noisy_simulation=False)
    with pytest.raises(InvalidInputError, match=r"H2-1E, such as CX, H.*--compile"):
        submit([file], hardware)
    results = submit([file], hardware, compile="local", target_2qb_gate="ZZMax")
    assert [dict(one) for one in results] == [{"11": 5}]
    [submitted] = get_job_payload(results.job.job_id).programs
    gates = {command.op.type for command in Circuit.from_dict(submitted.circuit)}
    assert gates <= {OpType.PhasedX, OpType.Rz, OpType.ZZMax, OpType.Measure}


def test_options_without_a_use_are_refused_before_anything_is_sent(
    connected, submit, files
):
    with pytest.raises(InvalidInputError, match="circuits that are not compiled"):
        submit(files, target_2qb_gate="ZZMax")
    with pytest.raises(InvalidInputError, match="is 2, and circuits say it themselves"):
        submit(files, n_qubits=2)
    with pytest.raises(InvalidInputError, match="optimisation level is 4"):
        submit(files, compile=4)
    assert connected.requests() == []


def test_programs_that_cost_too_much_whatever_they_do_are_not_uploaded(
    connected, submit, tmp_path
):
    qir = tmp_path / "bell.ll"
    qir.write_bytes(bell_qir())
    config = HeliosConfig(system_name="Helios-1E")
    with pytest.raises(BudgetExceededError, match=r"at least 10\.00 HQC, above its li"):
        submit([qir, qir], config, n_qubits=2, max_job_cost=9)
    with pytest.raises(BudgetExceededError, match="Program 0 costs at least 5 HQC, ab"):
        submit([qir, qir], config, n_qubits=2, max_cost=4.9)
    assert connected.requests(method="POST") == []


@pytest.mark.parametrize(
    ("n_shots", "options", "message"),
    [
        (0, {}, r"n_shots\[0\], for circuit 0, is 0"),
        ([5], {}, "length 1, but there are 2 circuits"),
        (5, {"job_name": " "}, "job_name"),
        (5, {"project_name": ""}, "project_name"),
    ],
)
def test_wrong_inputs_are_refused_before_anything_is_sent(
    connected, submit, files, n_shots, options, message
):
    with pytest.raises(InvalidInputError, match=message):
        submit(files, n_shots=n_shots, **options)
    assert connected.requests() == []


def test_a_circuit_that_measures_nothing_is_refused_before_anything_is_sent(
    connected, submit, tmp_path
):
    with pytest.raises(InvalidInputError, match=r"circuits.0. \('empty'\) has no meas"):
        submit([write(tmp_path, "empty.json", Circuit(1).H(0))])
    assert connected.requests() == []


def test_a_job_that_cannot_run_is_refused_before_its_upload(submit, tmp_path):
    large = write(tmp_path, "large.json", Circuit(57).H(0).measure_all())
    with pytest.raises(WorkflowFailedError, match="57 qubits, and H2-1LE has 56"):
        submit([large])


def test_openqasm_files_run_as_their_specification_says(submit, tmp_path):
    head_2 = 'OPENQASM 2.0;\ninclude "qelib1.inc";\n'
    head_3 = 'include "stdgates.inc";\n'
    programs = {
        "wide": f"{head_2}qreg q[2];creg c[40];x q[1];measure q[1]->c[39];",
        "small": f"{head_2}qreg q[1];creg c[1];rx(1.e-9) q[0];measure q->c;",
        "named": f"{head_2}gate g(e) a {{ rx(e) a; }} qreg q[1];creg c[1];g(pi) q;"
        "measure q->c;",
        "scalar": f"OPENQASM 3.0;\n{head_3}qubit q;bit c;x q;c = measure q;",
        "mark": f"\ufeff{head_2}qreg q[1];creg c[1];x q;measure q->c;",
        "bare": f"{head_3}qubit[1] q;bit[1] c;x q[0];c[0] = measure q[0];",
    }
    paths = []
    for name, text in programs.items():
        paths.append(tmp_path / f"{name}.qasm")
        paths[-1].write_text(text)
    found = submit(paths, n_shots=5)
    expected = [{39 * "0" + "1": 5}, {"0": 5}, *[{"1": 5}] * 4]
    assert [dict(one) for one in found] == expected
    assert [one.name for one in found] == list(programs)
