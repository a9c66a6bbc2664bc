"""OpenQASM 2, compared with Qiskit's parser and simulators."""

from math import exp, log, pi, sin, sqrt
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pytket.circuit import OpType
from pytket.qasm import circuit_from_qasm_str
from pytket.utils import compare_unitaries
from qiskit import qasm2
from qiskit.quantum_info import Operator
from qiskit_aer import AerSimulator
from tests.helpers.exact_distributions import distribution

from tkr_nexus_worker.errors import InvalidInputError
from tkr_nexus_worker.program_files.openqasm.gates import LIBRARIES
from tkr_nexus_worker.program_files.openqasm.program import circuit_from_openqasm
from tkr_nexus_worker.program_files.read import read_programs

HEAD = 'OPENQASM 2.0;\ninclude "qelib1.inc";\n'
QUBITS = {"q": 2, "r": 2, "input": 1}
BITS = {"c": 2, "output": 2, "d": 1}
PARAMETERS = ["theta", "e", "oo", "nan", "pi2", "i", "inf", "lambda", "gamma"]
GATES = ["x", "y", "z", "h", "s", "sdg", "t", "tdg", "sx", "sxdg", "id"]
ROTATIONS = ["rx", "ry", "rz", "u1", "p"]
TWO = ["cx", "cy", "cz", "ch", "swap", "csx", "CX"]
TWO_ROTATIONS = ["crx", "cry", "crz", "cu1", "cp", "rxx", "rzz"]
SHOTS = 2000


@pytest.fixture
def circuit_of(tmp_path):
    def read(text):
        path = tmp_path / "program.qasm"
        path.write_text(text)
        [file] = read_programs([path])
        return file.program

    return read


def numbers():
    whole = st.integers(0, 12).map(str)
    forms = [
        "{}.{}",
        "{}.",
        ".{}{}",
        "{}.{}e-1",
        "{}.E-1",
        "{}e-2",
        "{}.{}E+0",
        "0.{}{}",
    ]
    real = st.tuples(st.sampled_from(forms), st.integers(0, 9), st.integers(0, 9))
    return whole | real.map(lambda it: it[0].format(it[1], it[2]))


def expressions(names=()):
    leaves = numbers() | st.sampled_from(["pi", *names])
    # Small enough that no power of a power leaves the real numbers.
    small = numbers() | st.just("pi")

    def extend(inner):
        return st.one_of(
            st.tuples(inner, st.sampled_from("+-*"), inner).map(" ".join),
            st.tuples(inner, small).map(lambda it: f"({it[0]})/({it[1]}+1)"),
            st.tuples(small, st.sampled_from(["2", "3", "-1"])).map(
                lambda it: f"(0.5+{it[0]})^{it[1]}"
            ),
            inner.map(lambda it: f"-({it})"),
            st.tuples(st.sampled_from(["sin", "cos"]), inner).map(
                lambda it: f"{it[0]}({it[1]})"
            ),
            small.map(lambda it: f"sqrt({it})"),
            small.map(lambda it: f"ln(1+{it})"),
            small.map(lambda it: f"exp(-{it})"),
            small.map(lambda it: f"-{it}^2"),
        )

    return st.recursive(leaves, extend, max_leaves=4)


@st.composite
def qubits_of(draw, n_qubits):
    """Return operands of a gate: qubits, or registers of one size."""
    if draw(st.booleans()):
        names = draw(st.permutations(["q", "r"]))[:n_qubits]
        if len(names) == n_qubits:
            return ", ".join(names)
    every = [f"{name}[{at}]" for name, size in QUBITS.items() for at in range(size)]
    return ",".join(draw(st.permutations(every))[:n_qubits])


@st.composite
def gate_calls(draw, defined, names=(), arguments=None):
    kinds = ["gate", "rotation", "u3"]
    if arguments is None or len(arguments) > 1:
        kinds += ["two", "angle"]
    if defined:
        kinds.append("defined")
    kind = draw(st.sampled_from(kinds))
    n_parameters, n_qubits, name = {
        "gate": (0, 1, draw(st.sampled_from(GATES))),
        "rotation": (1, 1, draw(st.sampled_from(ROTATIONS))),
        "u3": (3, 1, draw(st.sampled_from(["u3", "U", "u"]))),
        "two": (0, 2, draw(st.sampled_from(TWO))),
        "angle": (1, 2, draw(st.sampled_from(TWO_ROTATIONS))),
        "defined": draw(st.sampled_from(defined)) if defined else None,
    }[kind]
    if arguments is None:
        operands = draw(qubits_of(n_qubits))
    else:
        operands = ",".join(draw(st.permutations(arguments))[:n_qubits])
    values = [draw(expressions(names)) for _ in range(n_parameters)]
    return f"{name}{f'({",".join(values)})' if values else ''} {operands};"


@st.composite
def programs(draw, *, measured):
    lines, defined = [], []
    for number in range(draw(st.integers(0, 2))):
        names = draw(st.permutations(PARAMETERS))[: draw(st.integers(0, 3))]
        n_qubits = draw(st.integers(1, 3))
        own = ["a", "box", "qubit"][:n_qubits]
        calls = [
            draw(gate_calls([one for one in defined if one[1] <= n_qubits], names, own))
            for _ in range(draw(st.integers(0, 3)))
        ]
        head = (
            f"gate g{number}{f'({",".join(names)})' if names else ''} {','.join(own)}"
        )
        lines.append(f"{head} {{ {' '.join(calls)} }}")
        defined.append((len(names), n_qubits, f"g{number}"))
    lines += [f"qreg {name}[{size}];" for name, size in QUBITS.items()]
    lines += [f"creg {name}[{size}];" for name, size in BITS.items()]
    for _ in range(draw(st.integers(1, 6))):
        lines.append(draw(gate_calls(defined)))
        if measured:
            lines.append(draw(st.sampled_from(["", "barrier q, input;", *_MEASURED])))
            call = draw(gate_calls(defined))
            lines.append(f"if({draw(st.sampled_from(_CONDITIONS))}) {call}")
    if measured:
        lines += ["measure q -> c;", "measure r -> output;"]
    return HEAD + "\n".join(lines) + "\n"


_MEASURED = [
    "measure q -> c;",
    "measure r[1]->output[0];",
    "measure input -> d;",
    "if (c == 1) measure r -> c;",
    "reset q;",
    "reset r[0];",
    "if (d==0) reset q[1];",
]
_CONDITIONS = ["c==0", "c == 1", "c==3", "d==1", "output==2"]


# Qiskit's header, as far as it says what gates do.
INSTRUCTIONS = [it for it in qasm2.LEGACY_CUSTOM_INSTRUCTIONS if it.name != "delay"]


def by_qiskit(text):
    return qasm2.loads(text, strict=False, custom_instructions=INSTRUCTIONS)


@settings(max_examples=40, deadline=None, derandomize=True)
@given(programs(measured=False))
def test_gates_mean_what_they_mean_to_qiskit(text):
    expected = Operator(by_qiskit(text).reverse_bits()).data
    found = circuit_from_openqasm(text, Path())
    # Qiskit orders qubits as they are declared, pytket by their names.
    order = [f"{name}[{at}]" for name, size in QUBITS.items() for at in range(size)]
    names = {qubit: order.index(str(qubit)) for qubit in found.qubits}
    found.rename_units({qubit: type(qubit)("k", at) for qubit, at in names.items()})
    assert compare_unitaries(found.get_unitary(), expected)


@settings(max_examples=25, deadline=None, derandomize=True)
@given(programs(measured=True))
def test_counts_are_those_of_qiskits_parser_and_simulator(text):
    found = distribution(circuit_from_openqasm(text, Path()), *reversed(BITS))
    simulator = AerSimulator(seed_simulator=7)
    circuit = by_qiskit(text).decompose(reps=4)
    counts = simulator.run(circuit, shots=SHOTS).result().get_counts()
    assert counts.keys() <= found.keys()
    for outcome, probability in found.items():
        margin = 5 * sqrt(probability * (1 - probability) / SHOTS) + 5 / SHOTS
        assert abs(counts.get(outcome, 0) / SHOTS - probability) < margin, outcome


@pytest.mark.parametrize(
    ("number", "value"),
    [
        ("1.e-1", 0.1),
        ("1.E-1", 0.1),
        (".5", 0.5),
        ("2.", 2),
        ("1e-1", 0.1),
        ("1E+0", 1),
        ("+0.5", 0.5),
        ("-0.5", -0.5),
        ("- 0.5", -0.5),
        ("1/2", 0.5),
        ("3/2/2", 0.75),
        ("2^-1", 0.5),
        ("-2^2", -4),
        ("2^3^0.5", 2 ** (3**0.5)),
        ("exp(-1)", exp(-1)),
        ("ln(2)", log(2)),
        ("sqrt(2)", sqrt(2)),
        ("sin(1)+cos(1)*tan(1)", 2 * sin(1)),
    ],
)
def test_numbers_of_every_legal_form_are_what_they_say(circuit_of, number, value):
    circuit = circuit_of(f"{HEAD}qreg q[1];\nrx({number}) q[0];\n")
    [command] = circuit
    assert command.op.params[0] == pytest.approx(value / pi % 4)


@pytest.mark.parametrize("name", ["e", "E", "I", "oo", "nan", "pi2", "inf", "zoo", "S"])
def test_a_parameter_is_what_it_is_given_whatever_its_name(circuit_of, name):
    gate = f"gate tilt({name}) a {{ rx({name}) a; }}\n"
    circuit = circuit_of(f"{HEAD}{gate}qreg q[1];\ntilt(pi/2) q[0];\n")
    assert [command.op.params for command in circuit] == [[0.5]]


@pytest.mark.parametrize(
    ("body", "outcome"),
    [
        ("qreg q[2];creg c[40];x q[1];measure q[0]->c[0];measure q[1]->c[39];", None),
        ("qreg q[1];creg c[1];opaque g(a) b;x q;measure q->c;", "1"),
        ("qreg x[2];creg c[2];x x[1];measure x->c;", "10"),
        ("gate x a { } qreg q[1];creg c[1];x q;measure q->c;", "0"),
        ("gate g() a { x a; } qreg q[1];creg c[1];g() q;measure q->c;", "1"),
        ("qreg q[1];creg c[2];if(c==0) x q;if(c==7) x q;measure q[0]->c[1];", "10"),
        ("qreg Q[1];creg box[1];x Q;measure Q->box;", "1"),
        ("qreg q[1];;creg c[1];/* a\n b */x q;;measure q->c;", "1"),
        ("qreg q[1];creg c[1];rx(pi*-1.0) q;measure q->c;", "1"),
        ('include "hqslib1.inc";qreg q[1];creg c[1];U1q(pi,0) q;measure q->c;', "1"),
        ('include "stdgates.inc";qreg q[1];creg c[1];x q;measure q->c;', "1"),
    ],
)
def test_programs_of_every_legal_kind_run(circuit_of, body, outcome):
    found = distribution(circuit_of(HEAD + body))
    assert found == {outcome or "1" + 39 * "0": pytest.approx(1)}


@pytest.mark.parametrize("version", ["OPENQASM 2;", "// told\nOPENQASM 2.0;", ""])
def test_the_version_is_written_in_every_way(circuit_of, version):
    program = f'{version}\ninclude "qelib1.inc";\nqreg q[1];\nh q;\n'
    assert [command.op.type for command in circuit_of(program)] == [OpType.H]


@pytest.mark.parametrize(
    ("body", "line", "message"),
    [
        ("opaque hide(a) b;\nqreg q[1];\nhide(1) q[0];", 5, "gate 'hide' is opaque"),
        ("qreg q[1];\nrx(a) q[0];", 4, "'a' is not declared"),
        ("gate g(a) x {\nrx(b) x; }", 4, "'b' is not declared"),
        ("gate g a {\nh a;\ncx a,b; }", 5, "'b' is not a qubit of the gate"),
        ("qreg q[2];creg c[3];\nmeasure q->c;", 4, "2 qubits .* 3 bits of 'c'"),
        ("qreg q[2];creg c[2];\nmeasure q->c[0];", 4, "2 qubits .* 1 bit of"),
        ("qreg q[2];\nqreg r[3];\ncx q,r;", 5, "unequal sizes: 2 and 3"),
        ("qreg q[2];\nbarrier q,q[1];", 4, r"qubit q\[1\] twice"),
        ("qreg q[2];\ncx q[1],q[1];", 4, r"qubit q\[1\] twice"),
        ("qreg q[1];\nqreg q[2];", 4, "'q' is declared twice"),
        ("qreg q[1];\ncreg q[2];", 4, "'q' is declared twice"),
        ("qreg q[1];\nx\nr;", 5, "register 'r' is not declared"),
        ("qreg q[1];\nmeasure q->d;", 4, "register 'd' is not declared"),
        ("qreg q[1];\nrx(1/0) q[0];", 4, "division by zero"),
        ("qreg q[1];\nrx(ln(-1)) q[0];", 4, "ln of -1 is not a finite real number"),
        ("qreg q[1];\nrx(1e999) q[0];", 4, "'1e999' is too large"),
        ("qreg q[1];\nrx(foo(1)) q[0];", 4, "function 'foo' is not known"),
        ("qreg q[1];\nx q[0]\nh q[0];", 4, "';' after"),
        ("qreg q[1];\nqubit r;", 4, "'qubit' is not defined"),
        ("qreg q[1];\nx(1) q[0];", 4, "0 parameters, not 1"),
        ("qreg q[0];", 3, "size of a register is 0"),
        ("qreg q[1];\ng q[0];\ngate g a { }", 4, "gate 'g' is not defined"),
        ("qreg q[1];\nx q[0:1];", 4, "character ':'"),
        ("gate g a {\nh a;", 3, "'{' is not closed"),
        ("qreg q[1];creg c[1];\nc = 1;", 4, "no assignments"),
        ("qreg q[1];creg c[1];\nif(c==1) { x q; }", 4, "braces only"),
        ("qreg q[1];creg c[1];\nif(c==1.0) x q;", 4, "compares a register with"),
        ("qreg q[1];creg c[1];\nif(c==-1) x q;", 4, "compares a register with"),
        ("qreg q[1];creg c[1];\nif(c==1) creg d[1];", 4, "if has a gate, a"),
        ("creg c[1];gate g a {\nif(c==1) x a; }", 4, "cannot be part of a gate"),
        ("qreg q[1];\nrx(log(2)) q;", 4, "'log' is not known; known are .* ln"),
        ("qreg q[1];\nrx(1==1) q;", 4, "'==' is not an operator of numbers"),
        ("qreg q[1];\nrx(0^-1) q;", 4, r"'\^' of 0, -1 is not a finite"),
        ("qreg q[1];creg c[1];\nc[0] = measure q[0];", 4, "write measure q -> c;"),
        ("qreg q[1];\ngate U a { }", 4, "'U' is built in"),
        ("qreg q[1];\nqreg CX[1];", 4, "'CX' is built in"),
        ("qreg q[2];\nx q[0+1];", 4, "whole number is needed, not 1.0; write 1"),
        ("qreg q[2];\nrx q[0];", 4, "takes 1 parameter, not 0"),
        ("qreg q[1];\n/* told x q;", 4, "not expected here"),
    ],
)
def test_a_mistake_is_named_with_its_line(circuit_of, body, line, message):
    with pytest.raises(InvalidInputError, match=f"line {line}: .*{message}"):
        circuit_of(HEAD + body)


def test_files_beside_a_program_are_included(circuit_of, tmp_path):
    (tmp_path / "own.inc").write_text("gate flip a { x a; }\n")
    program = (
        f'{HEAD}include "own.inc";\nqreg q[1];\ncreg c[1];\nflip q;\nmeasure q->c;'
    )
    assert distribution(circuit_of(program)) == {"1": pytest.approx(1)}
    (tmp_path / "own.inc").write_text("gate flip a {\nxx a; }\n")
    with pytest.raises(InvalidInputError, match=r"own\.inc, line 2: gate 'xx' is not"):
        circuit_of(program)


@pytest.mark.parametrize(
    "name", ["none.inc", "../program.qasm", "/etc/passwd", "program.qasm", "away.inc"]
)
def test_other_files_are_not_included(circuit_of, tmp_path, name):
    (tmp_path / "away.inc").symlink_to("/etc/hosts")
    known = "" if name == "program.qasm" else ".*hqslib1.inc, qelib1.inc, stdgates.inc"
    with pytest.raises(InvalidInputError, match=f"include .{name}.{known}"):
        circuit_of(f'{HEAD}include "{name}";')


@pytest.mark.parametrize("name", sorted(LIBRARIES["hqslib1.inc"]))
def test_gates_of_libraries_do_what_pytket_and_qiskit_say(circuit_of, name):
    gate = LIBRARIES["hqslib1.inc"][name]
    library = "qelib1.inc" if name in LIBRARIES["qelib1.inc"] else "hqslib1.inc"
    angles = ", ".join(str(0.3 + 0.4 * at) for at in range(gate.n_parameters))
    operands = ",".join(f"q[{at}]" for at in range(gate.n_qubits))
    program = (
        f'OPENQASM 2.0;\ninclude "{library}";\nqreg q[{gate.n_qubits}];\n'
        f"{name}{angles and f'({angles})'} {operands};\n"
    )
    found = circuit_of(program).get_unitary()
    references = []
    # Of the others one parser does not know each.
    if name not in ("c3sx", "rcccx"):
        references.append(circuit_from_qasm_str(program).get_unitary())
    if name in {it.name for it in INSTRUCTIONS} - {"u0"}:
        references.append(Operator(by_qiskit(program).reverse_bits()).data)
    for reference in references:
        assert compare_unitaries(found, reference)
    assert references or name in ("c3sx", "rcccx")
