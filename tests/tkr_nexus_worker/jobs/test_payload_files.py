import base64
import json
from pathlib import Path

import pytest
from pytket.circuit import Circuit, OpType
from pytket.qasm import circuit_from_qasm

from tkr_nexus_worker.errors import InvalidInputError
from tkr_nexus_worker.jobs.models import JobPayload, PayloadProgram
from tkr_nexus_worker.jobs.payload_files import save_payload

BELL = Circuit(2, name="bell").H(0).CX(0, 1).measure_all()


def program(index: int, name: str, **contents) -> PayloadProgram:
    return PayloadProgram(
        index=index,
        program_id=contents.pop("program_id", f"id {index}"),
        program_type=contents.pop("program_type", "circuit"),
        name=name,
        **contents,
    )


def payload(*programs: PayloadProgram) -> JobPayload:
    return JobPayload(
        job_id="an id",
        name="a job",
        project="a project",
        backend_config={},
        options={},
        programs=list(programs),
    )


def test_a_circuit_is_saved_as_qasm_json_and_drawing(tmp_path):
    folder = tmp_path / "new" / "folder"
    saved = payload(program(0, "bell", circuit=BELL.to_dict()))
    files = save_payload(saved, folder)
    assert sorted(it.name for it in files) == [
        "0_bell.json",
        "0_bell.qasm",
        "0_bell.txt",
        "payload.json",
    ]
    from_json = json.loads((folder / "0_bell.json").read_text())
    assert Circuit.from_dict(from_json) == BELL
    assert str(circuit_from_qasm(folder / "0_bell.qasm")) == str(BELL)
    assert "●" in (folder / "0_bell.txt").read_text()
    again = JobPayload.model_validate_json((folder / "payload.json").read_text())
    assert again == saved


@pytest.mark.parametrize(
    "name", ["../../outside", "/etc/passwd", "..", "", "a\x00b", "ü" * 500, "CON:"]
)
def test_no_name_leads_out_of_the_directory(tmp_path, name):
    folder = tmp_path / "folder"
    for file in save_payload(payload(program(0, name, circuit=BELL.to_dict())), folder):
        assert file.resolve().parent == folder
    assert list(tmp_path.iterdir()) == [folder]


def test_a_program_that_runs_twice_is_saved_once(tmp_path):
    twice = [
        program(n, "bell", program_id="one", circuit=BELL.to_dict()) for n in range(11)
    ]
    files = save_payload(payload(*twice), tmp_path)
    assert {it.name for it in files} == {
        "00_bell.json",
        "00_bell.qasm",
        "00_bell.txt",
        "payload.json",
    }


def test_what_qasm_cannot_say_is_said(tmp_path):
    circuit = Circuit(2, name="odd").add_gate(OpType.NPhasedX, [0.3, 0], [0, 1])
    save_payload(payload(program(0, "odd", circuit=circuit.to_dict())), tmp_path)
    assert not (tmp_path / "0_odd.qasm").exists()
    assert "NPhasedX" in (tmp_path / "0_odd.no-qasm.txt").read_text()


@pytest.mark.parametrize(
    ("program_type", "content", "suffix"),
    [
        ("hugr", b"HUGRiHJv", ".hugr"),
        ("qir", b"BC\xc0\xde", ".bc"),
        ("qir", b"; ModuleID = 'x'\n", ".ll"),
    ],
)
def test_other_programs_are_saved_as_they_are(tmp_path, program_type, content, suffix):
    text = base64.b64encode(content).decode()
    saved = payload(program(0, "p", program_type=program_type, content=text))
    save_payload(saved, tmp_path)
    assert (tmp_path / f"0_p{suffix}").read_bytes() == content


def test_nothing_is_overwritten_without_force_and_nothing_else_written(tmp_path):
    saved = payload(program(0, "bell", circuit=BELL.to_dict()))
    mine = tmp_path / "0_bell.qasm"
    mine.write_text("mine")
    with pytest.raises(InvalidInputError, match="exists already"):
        save_payload(saved, tmp_path)
    assert list(tmp_path.iterdir()) == [mine]
    assert mine.read_text() == "mine"
    save_payload(saved, tmp_path, force=True)
    assert str(circuit_from_qasm(mine)) == str(BELL)


def test_a_link_in_the_directory_is_replaced_and_not_followed(tmp_path):
    outside, folder = tmp_path / "outside", tmp_path / "folder"
    folder.mkdir()
    outside.write_text("mine")
    (folder / "payload.json").symlink_to(outside)
    save_payload(payload(), folder, force=True)
    assert outside.read_text() == "mine"
    assert not (folder / "payload.json").is_symlink()


def test_a_directory_that_cannot_be_made_is_an_error(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InvalidInputError, match="cannot be"):
        save_payload(payload(), Path(tmp_path / "file" / "folder"))
