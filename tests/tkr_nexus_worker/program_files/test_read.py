"""Programs in files, good and bad."""

import json

import pytest
from hugr.package import Package
from pytket.circuit import Circuit, OpType

from tkr_nexus_worker.errors import InvalidInputError
from tkr_nexus_worker.program_files import read
from tkr_nexus_worker.program_files.read import read_programs

BELL = Circuit(2).H(0).CX(0, 1).measure_all()
QASM2 = """OPENQASM 2.0;
include "qelib1.inc";
qreg q[2];
creg c[2];
h q[0];
cx q[0], q[1];
measure q -> c;
"""
QASM3 = """OPENQASM 3.0;
include "stdgates.inc";
qubit[2] q;
bit[2] c;
h q[0];
cx q[0], q[1];
c = measure q;
"""
GUPPY = """from guppylang import guppy
from guppylang.std.builtins import output
from guppylang.std.quantum import h, measure, qubit

print("noise")

@guppy
def main() -> None:
    coin = qubit()
    h(coin)
    output("c[0]", measure(coin).read())
"""


def write(folder, name, content):
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("bell.qasm", QASM2),
        ("bell.QASM", QASM3),
        ("bell.json", json.dumps(BELL.to_dict())),
    ],
)
def test_circuits_are_read_and_take_the_name_of_their_file(name, content, tmp_path):
    [file] = read_programs([write(tmp_path, name, content)])
    gates = [command.op.type for command in file.program]
    assert gates == [OpType.H, OpType.CX, OpType.Measure, OpType.Measure]
    assert file.program.name == "bell"


@pytest.mark.parametrize(
    "encoded",
    [
        b"\xef\xbb\xbf" + QASM2.encode(),
        QASM2.encode("utf-16"),
        QASM2.encode("utf-16-le"),
        QASM2.encode("utf-16-be"),
        QASM2.encode("utf-32"),
        QASM2.replace("\n", "\r\n").encode(),
        QASM2.replace("\n", "\r").encode(),
        f"// Schr\xf6dinger\n{QASM2}".encode("latin-1"),
        f"// Schr\xf6dinger\n{QASM3}".encode("latin-1"),
        b"\xef\xbb\xbf" + QASM3.encode(),
    ],
)
def test_text_is_read_in_the_encodings_that_editors_write(encoded, tmp_path):
    [file] = read_programs([write(tmp_path, "a.qasm", encoded)])
    assert [command.op.type for command in file.program][:2] == [OpType.H, OpType.CX]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-32"])
def test_json_is_read_in_every_encoding_of_unicode(encoding, tmp_path):
    content = json.dumps(BELL.to_dict()).encode(encoding)
    [file] = read_programs([write(tmp_path, "a.json", content)])
    assert file.program.n_gates == 4


def test_an_error_of_type_in_guppy_is_shown_as_the_compiler_shows_it(tmp_path):
    wrong = GUPPY.replace("    h(coin)", "    number: int = h(coin)")
    path = write(tmp_path, "coin.py", wrong)
    with pytest.raises(InvalidInputError) as caught:
        read_programs([path])
    first, *lines = str(caught.value).splitlines()
    assert first.startswith(f"{path}, line 10: the Guppy program does not compile: ")
    assert lines[0].startswith("Error: Type mismatch (at ")
    assert "    number: int = h(coin)" in "\n".join(lines)
    assert lines[-1].lstrip("| ").startswith("^")


def test_a_circuit_keeps_a_name_of_its_own(tmp_path):
    named = json.dumps(Circuit(1, name="mine").to_dict())
    [file] = read_programs([write(tmp_path, "other.json", named)])
    assert file.program.name == "mine"


def test_a_guppy_file_is_compiled_in_a_process_of_its_own(tmp_path, capfd):
    path = write(tmp_path, "coin.py", GUPPY)
    [file] = read_programs([str(path)])
    assert isinstance(file.program, Package)
    assert capfd.readouterr().out == ""
    package = write(tmp_path, "coin.hugr", file.program.to_bytes())
    [again] = read_programs([package])
    assert isinstance(again.program, Package)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.qasm", "hello", "line 1: it ends too early, after 'hello'"),
        ("a.qasm", b"OPENQASM 2.0;\n\xff", "line 2: the character 'ÿ'"),
        ("a.qasm", b"\xff\xfeO\x00P\x00", "line 1: .*after 'OP'"),
        ("a.qasm", b"\xff\xfeO\x00P", "line 1: it is not text in utf-16"),
        ("a.qasm", QASM2.replace("h q[0];", "foo q[0];"), "line 5: .*foo"),
        ("a.qasm", QASM2.replace("h q[0];", "h q[0]"), r"line 5: .*';' after '\]'"),
        ("a.qasm", QASM2.replace("h q[0];", "h q[7];"), r"line 5: .*q\[7\]"),
        ("a.qasm", QASM2.replace("h q[0];", "cx q[0];"), "line 5: .*2 qubits, not 1"),
        ("a.qasm", QASM3.replace("h q[0];", "foo q[0];"), "line 5: .*foo"),
        ("a.qasm", QASM3.replace("h q[0];", "h q[0]"), "line 5: .*';' after"),
        ("a.qasm", QASM3.replace("h q[0];", "h q[7];"), "line 5: .*out of range"),
        ("a.json", '{\n"qubits": [}', "line 2: .*Expecting value"),
        (
            "a.json",
            '{"a": 1}',
            "line 1: this is not a circuit as pytket writes it: key",
        ),
        ("a.json", "[]", "not a JSON object"),
        ("a.json", b"\xff\xfe{", "line 1: .*not text"),
        ("a.json", b'{"a": "\xe9"}', "line 1: .*not text in UTF-8"),
        ("a.hugr", b"hello", "not a HUGR package"),
        ("a.txt", "hello", r"ends in \.qasm"),
        ("a.py", "x = (\n", "line 1: .*never closed"),
        ("a.py", "x = 1\n", "no Guppy function main"),
        ("a.py", "\nimport os\nos.nothing()\n", "line 3: .*nothing"),
        ("a.py", GUPPY.replace("h(coin)", "hh(coin)"), "line 10: .*`hh` is not def"),
        ("a.py", "import os\nos._exit(7)\n", "the program ended: exit code 7"),
        ("a.py", "raise SystemExit(0)\n", "line 1: .*SystemExit"),
    ],
)
def test_a_file_without_a_program_is_named_with_its_line(
    name, content, message, tmp_path, capfd
):
    path = write(tmp_path, name, content)
    with pytest.raises(InvalidInputError, match=message) as caught:
        read_programs([path])
    assert str(path) in str(caught.value)
    first, *lines = str(caught.value).splitlines()
    assert bool(lines) == ("does not compile" in first)
    assert capfd.readouterr() == ("", "")


def test_files_that_are_not_there_and_no_files_are_refused(tmp_path):
    with pytest.raises(InvalidInputError, match=r"none\.qasm cannot be read"):
        read_programs([tmp_path / "none.qasm"])
    with pytest.raises(InvalidInputError, match="no files"):
        read_programs([])


def test_a_guppy_file_that_does_not_end_is_stopped(tmp_path, monkeypatch):
    monkeypatch.setattr(read, "GUPPY_SECONDS", 0.5)
    path = write(tmp_path, "slow.py", "import time\ntime.sleep(3600)\n")
    with pytest.raises(InvalidInputError, match=r"more than 0\.5 seconds to compile"):
        read_programs([path])
