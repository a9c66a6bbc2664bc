"""OpenQASM 3: what each construct does, and what is refused by name."""

# ruff: noqa: ARG005, E501 - a program is read best on one line
from math import sqrt
from pathlib import Path
from random import Random

import numpy as np
import pytest
from qiskit import ClassicalRegister, QuantumCircuit, QuantumRegister, qasm3
from qiskit.circuit.classical import expr
from qiskit.quantum_info import Operator
from qiskit_aer import AerSimulator
from tests.helpers.exact_distributions import distribution

from tkr_nexus_worker.errors import InvalidInputError
from tkr_nexus_worker.program_files.conditions import SCRATCH
from tkr_nexus_worker.program_files.openqasm import subroutines
from tkr_nexus_worker.program_files.openqasm.program import circuit_from_openqasm
from tkr_nexus_worker.program_files.read import read_programs

HEAD = 'OPENQASM 3.0;\ninclude "stdgates.inc";\n'


@pytest.fixture
def circuit_of(tmp_path):
    def read(text):
        path = tmp_path / "program.qasm"
        path.write_text(text)
        [file] = read_programs([path])
        return file.program

    return read


@pytest.mark.parametrize(
    ("body", "outcome"),
    [
        # Declarations
        ("qubit q; bit c; x q; c = measure q;", "1"),
        (
            "qubit q; qubit[2] r; bit[2] c; x r[1]; c = measure r; bit d = measure q;",
            "10 0",
        ),
        ("bit[2] c; x $2; c[0] = measure $0; c[1] = measure $2;", "10"),
        ("qreg q[1]; creg c[1]; x q; measure q -> c;", "1"),
        ("const int n = 3; qubit[n] q; bit[n] c; x q[n-1]; c = measure q;", "100"),
        (
            "const float a = pi; qubit q; bit c; rx(a/2) q; rx(a/2) q; c = measure q;",
            "1",
        ),
        ("qubit[2] q; let a = q[1]; x a; bit[2] c; c = measure q;", "10"),
        ("qubit q; qubit r; let b = q ++ r; bit[2] c; x b[1]; c = measure b;", "10"),
        ("qubit[3] q; bit[2] c; x q[-1]; c = measure q[1:2];", "10"),
        ("output bit c; qubit q; x q; c = measure q;", "1"),
        ('bit[2] c = "10"; bit[2] d; d = c << 1; d[0] = c[1] & ~c[0];', "10 01"),
        # Gates
        (
            "gate g(a, b) x, y { rx(a) x; cx x, y; rz(b) y; } qubit[2] q; g(pi, 0.1) q[0], q[1]; bit[2] c = measure q;",
            "11",
        ),
        (
            "gate g q { for int i in [0:2] { x q; } } qubit q; g q; bit c = measure q;",
            "1",
        ),
        ("qubit[2] q; x q[0]; ctrl @ x q[0], q[1]; bit[2] c = measure q;", "11"),
        ("qubit[2] q; negctrl @ x q[0], q[1]; bit[2] c = measure q;", "10"),
        ("qubit q; pow(2) @ sx q; inv @ s q; bit c = measure q;", "1"),
        # Loops and variables
        (
            "qubit[4] q; bit[4] c; for int i in [0:2:3] { x q[i]; } c = measure q;",
            "0101",
        ),
        ("qubit[4] q; bit[4] c; for uint i in {0, 3} x q[i]; c = measure q;", "1001"),
        (
            "qubit[4] q; bit[4] c; int i = 0; while (i < 3) { x q[i]; i += 2; } c = measure q;",
            "0101",
        ),
        (
            "qubit[4] q; bit[4] c; int i = 0; while (true) { if (i == 3) break; i += 1; if (i == 1) continue; x q[i]; } c = measure q;",
            "1100",
        ),
        (
            "bool b = true; qubit q; bit c; if (b) { x q; } else { h q; } c = measure q;",
            "1",
        ),
        ("uint[4] k = 18; qubit[3] q; bit[3] c; x q[k]; c = measure q;", "100"),
        # Conditions
        (
            "qubit[2] q; bit c; bit d; x q[0]; c = measure q[0]; if (c) { x q[0]; c = measure q[0]; } else { x q[1]; } d = measure q[1];",
            "0 0",
        ),
        (
            "qubit q; bit c; bit d; x q; c = measure q; if (c) { x q; c = measure q; x q; } d = measure q;",
            "0 1",
        ),
        (
            "qubit[2] q; bit[2] c; x q; c = measure q; if (c == 3) x q; else h q; bit[2] d = measure q;",
            "11 00",
        ),
        (
            "qubit[2] q; bit[2] c; x q[0]; c = measure q; if (c[0] && !c[1]) x q[1]; if (c[0] || c[1]) x q[0]; c = measure q;",
            "10",
        ),
        (
            "qubit[2] q; bit[2] c; x q[1]; c = measure q; if (c < 3) x q[0]; if (c >= 3) x q[1]; if (c != 2) x q[1]; c = measure q;",
            "11",
        ),
        (
            "qubit[2] q; bit[2] c; x q; c = measure q; if (c[0]) { if (c[1]) { x q[0]; c[0] = measure q[0]; x q[1]; } else { h q[1]; } } bit[2] d = measure q;",
            "10 00",
        ),
        (
            "qubit q; bit[2] c; bit d; c[1] = measure q; if (c == 0) { c[0] = 1; if (c[0]) { c[0] = 0; x q; } c[1] = 1; } d = measure q;",
            "10 1",
        ),
        (
            "qubit q; h q; measure q; h q; reset q; x q; bit c = measure q; end; x q;",
            "1",
        ),
        (
            "qubit[2] q; bit[2] c; x q; c = measure q; if (int[2](c) == -1) x q[0]; if (int[2](c) < 0) x q[1]; if (uint[2](c) > 2) x q[1]; c = measure q;",
            "10",
        ),
        # Numbers that are measured, or read bit by bit
        (
            "qubit[4] a; bit[4] c; uint[4] n = 5; for uint i in [0:3] { if (bool(n[i])) x a[i]; } c = measure a;",
            "0101",
        ),
        (
            "qubit[2] q; bit[2] c; x q[0]; bool b = measure q[0]; int n = int(c); uint[8] k; k = measure q; if (b) x q[1]; if (n == 1) x q[1]; if (k == 1 && !k[5]) x q[0]; c = measure q;",
            "10",
        ),
        (
            "qubit[2] q; bit[2] c; int k; x q[1]; c = measure q; if (c[1]) { k = c; } else { k = 0; } c = 0; if (k == 2) x q[0]; bit[2] d = measure q;",
            "00 11",
        ),
        ('bit[4] c = "0011"; bit[4] d; d = rotl(c, 1) | rotr(c, 1);', "0011 1111"),
        # A whole number has the bits of its type, however few of them are measured.
        (
            "qubit[2] q; bit[4] c; bit[4] d; bit[4] e; x q; uint[4] n = measure q; c = n; d = ~n; n = n << 1; e = n;",
            "0011 1100 0110",
        ),
        (
            "qubit[2] q; bit[2] c; bit[3] d; x q; c = measure q; uint n = c; if ((n << 1) == 6) d[0] = 1; if ((uint[4](c) << 2) == 12) d[1] = 1; if (~uint[4](c) == 12) d[2] = 1;",
            "11 111",
        ),
        (
            "qubit[2] q; bit[2] c; bit[4] d; bit e; x q; c = measure q; uint[4] n; if (c[0]) { n = c; n = n << 1; } else { n = 9; } d = n; if (c[0]) { n = ~n; } e = n == 9;",
            "11 0110 1",
        ),
        (
            "qubit[2] q; bit[2] c; bit[5] d; x q; c = measure q; int[2] a = c; int[4] b = a; int n = a; uint[4] u = a; d[0] = b == -1; d[1] = n == -1; d[2] = u == 15; d[3] = b == a; d[4] = (a >> 1) == -1;",
            "11 11111",
        ),
        # Unsigned numbers have no sign, and rounded ones are real numbers.
        ("uint n = 0; n -= 1; bit c = n > 5; bit d = floor(7.5) / 2 > 3.2;", "1 1"),
        ("qubit q; bit c; pow(1/2) @ x q; pow(1/2) @ x q; c = measure q;", "1"),
        # switch and subroutines
        (
            "qubit q; bit c; int n = 2; switch (n) { case 1 { h q; } case 2, 3 { x q; } default { h q; } } c = measure q;",
            "1",
        ),
        (
            "qubit[2] q; bit[2] c; bit[2] d; x q[1]; c = measure q; switch (c) { case 0 { h q; } case 1, 2 { x q; c = measure q; } default { h q; } } d = measure q;",
            "01 01",
        ),
        (
            "def flip(int n, qubit q) { for int i in [1:n] { x q; } } qubit q; bit c; flip(3, q); c = measure q;",
            "1",
        ),
        (
            "def parity(qubit[2] d, qubit a) -> bit { bit b; cx d[0], a; cx d[1], a; b = measure a; reset a; return b; } qubit[2] q; qubit a; bit[2] c; x q[0]; if (parity(q, a)) { x q[1]; } c[0] = parity(q, a); c[1] = measure q[1];",
            "10",
        ),
        (
            "def twice(float x) -> float { return 2 * x; } def m(qubit q) -> bit { return measure q; } qubit q; bit c; rx(twice(pi/2)) q; c = m(q); if (c) x q; c = m(q);",
            "0",
        ),
        ("def f(bit a) -> bit { a = a ^ 1; return a; } bit c; bit d = f(c);", "0 1"),
        (
            "qubit q; bit c; for int i in [0:1] { bit b; x q; b = measure q; c = b; }",
            "0",
        ),
    ],
)
def test_constructs_do_what_the_specification_says(circuit_of, body, outcome):
    circuit = circuit_of(HEAD + body)
    assert distribution(circuit) == {outcome: pytest.approx(1)}


@pytest.mark.parametrize(
    "head",
    ["", "OPENQASM 3;\n", "// first\n/* of\nall */ OPENQASM 3.1;\n", "// first\n"],
)
def test_the_version_line_may_be_absent_or_follow_comments(circuit_of, head):
    program = f'{head}include "stdgates.inc";\nqubit q;\nbit c;\nx q;\nc = measure q;'
    assert distribution(circuit_of(program)) == {"1": pytest.approx(1)}


def test_scratch_bits_have_the_name_that_results_leave_out(circuit_of):
    body = "qubit q; bit c; h q; c = measure q; if (c) { c = measure q; x q; }"
    names = {bit.reg_name for bit in circuit_of(HEAD + body).bits}
    assert names == {"c", SCRATCH}
    # Without a branch that writes its condition there are none.
    body = "qubit q; bit c; h q; c = measure q; if (c) { x q; } else { z q; }"
    assert {bit.reg_name for bit in circuit_of(HEAD + body).bits} == {"c"}


@pytest.mark.parametrize(
    ("body", "line", "message"),
    [
        ("input float t;\nqubit q;", 3, "an input 't'"),
        ("extern f(int) -> int;\n", 3, "external function"),
        ("qubit q;\ndelay[100ns] q;", 4, "delay"),
        ("qubit q;\nbox { x q; }", 4, "box"),
        ("qubit q;\nx q[0];", 4, "'q' is one qubit and has no index"),
        ("bit c;\nc[0] = 1;", 4, "'c' is one bit and has no index"),
        ("qubit q; bit c;\nrx(c | 1) q;", 4, "an expression is measured"),
        (
            "bit[4] c; qubit q;\nif (int[2](c) == 1) x q;",
            4,
            r"4 bits does not fit int\[2\]",
        ),
        ("bit[2] c; qubit q;\nif (int[2](c) == 3) x q;", 4, r"int\[2\] has no value 3"),
        ("bit c; qubit q; int k = 1;\nif (c) {\nk = 2; }", 5, "decides the value"),
        ("def f(qubit a) {\nfoo a; }\nqubit q;\nf(q);", 4, "'foo' is not defined"),
        (
            "def f(qubit[2] a) { }\nqubit q;\nf(q);",
            5,
            "stands for 2 qubits, and 'q' has 1 qubit",
        ),
        ("def f(qubit a) { }\nqubit q;\nf(q, q);", 5, "takes 1 argument, not 2"),
        ("def f(qubit a) { }\nqubit q;\nbit c = f(q);", 5, "'f' returns nothing"),
        (
            "def f(bit a) -> int { if (a) {\nreturn 1; } return 2; }\nbit c; int n = f(c);",
            4,
            "whether return is reached",
        ),
        (
            "def f(int n) -> int { return f(n) + f(n); }\nint n = f(1);",
            3,
            "nested too deeply",
        ),
        ("qubit q;\nduration d = 10ns;", 4, "durations"),
        ("qubit q;\narray[int[8], 3] a;", 4, "arrays"),
        ("extern f(int) -> int;", 3, "an external function"),
        ("qubit q; bit c;\nwhile (c) { x q; }", 4, "decides how often while repeats"),
        ("bit c;\nfor int i in [0:3] { if (c) { break; } }", 4, "whether break is"),
        ("int i = 0;\nwhile (true) { i += 1; }", 4, "more than 1,000 statements"),
        ("qubit q;\nqubit q;", 4, "'q' is declared twice"),
        ("qubit q;\nx $0;", 4, "either declared or physical"),
        ("qubit[2] q;\nx q[2];", 4, r"q\[2\] is out of range"),
        ("qubit[2] q; bit[3] c;\nc = measure q;", 4, "2 qubits .* 3 bits"),
        ("qubit[2] q; qubit[3] r;\ncx q, r;", 4, "unequal sizes"),
        ("qubit q;\nrx(a) q;", 4, "'a' is not declared"),
        ("qubit q;\nfoo q;", 4, "gate 'foo' is not defined"),
        ("gate g(a) q {\nrx(b) q; }", 4, "'b' is not declared"),
        ("const int n = 2;\nn = 3;", 4, "'n' is constant"),
        ("bit[2] c;\nc = c + -1;", 4, "express the number -1 beside bits"),
        ("bit[2] c;\nc = 2**64 * c;", 4, "the number 18446744073709551616 beside"),
        ("int n = 2;\nn ~= 3;", 4, "no operator '~' of two values"),
        ("qubit[2] q;\npow(0.5) @ ctrl(3) @ x q[0], q[1];", 4, "takes 4 qubits, not 2"),
    ],
)
def test_what_cannot_be_expressed_is_named_with_its_line(
    circuit_of, monkeypatch, body, line, message
):
    monkeypatch.setattr(subroutines, "MOST_STEPS", 1000)
    with pytest.raises(InvalidInputError, match=f"line {line}: .*{message}"):
        circuit_of(HEAD + body)


@pytest.mark.parametrize(
    "body",
    [
        "ctrl @ rz(0.3) q[0], q[1];",
        "ctrl(2) @ x q[0], q[1], q[2];",
        "negctrl @ ctrl @ h q[0], q[1], q[2];",
        "ctrl @ inv @ t q[0], q[1];",
        "pow(3) @ rx(0.3) q[0];",
        "pow(0.5) @ x q[0];",
        "pow(-2) @ t q[0];",
        "ctrl @ gphase(0.4) q[0];",
        "ctrl @ inv @ gphase(0.4) q[1];",
        "gate g(a) x, y { h x; ctrl @ rz(a) x, y; gphase(a); } ctrl @ g(0.4) q[0], q[1], q[2];",
        "phase(0.1) q[2]; cphase(0.2) q[0], q[1]; CX q[0], q[2]; cu(1, 2, 3, 4) q[0], q[1];",
    ],
)
def test_modifiers_of_gates_mean_what_they_mean_to_qiskit(circuit_of, body):
    program = f"{HEAD}qubit[3] q; h q; rx(0.2) q[1]; {body}"
    expected = Operator(qasm3.loads(program).reverse_bits()).data
    assert np.allclose(circuit_of(program).get_unitary(), expected)


@pytest.mark.parametrize("exponent", [0.5, 0.25])
def test_a_power_takes_equal_eigenvalues_for_one(circuit_of, exponent):
    # Two of these are -1, which rounding puts on either side of the cut.
    program = f"{HEAD}gate g a, b {{ cx a, b; y b; h a; cx a, b; }} qubit[2] q;"
    once = circuit_of(f"{program} g q[0], q[1];").get_unitary()
    root = circuit_of(f"{program} pow({exponent}) @ g q[0], q[1];").get_unitary()
    assert np.allclose(np.linalg.matrix_power(root, round(1 / exponent)), once)
    # A function of an operator commutes with all that the operator commutes with.
    projector = (np.eye(4) - once) / 2
    phase = np.exp(1j * np.pi * exponent)
    assert np.allclose(root, np.eye(4) + (phase - 1) * projector)


CONDITIONS = [
    lambda a, b, k: (a, k),
    lambda a, b, k: (b[0], k % 2),
    lambda a, b, k: expr.lift(a[1]),
    lambda a, b, k: expr.logic_not(a[0]),
    lambda a, b, k: expr.logic_and(expr.less_equal(a, k), b[1]),
    lambda a, b, k: expr.logic_or(expr.equal(a, b), b[0]),
    lambda a, b, k: expr.greater_equal(expr.bit_xor(a, b), k),
    lambda a, b, k: expr.not_equal(expr.bit_and(a, b), 0),
    lambda a, b, k: expr.less_equal(expr.bit_not(b), expr.bit_or(a, 1)),
]
SHOTS = 2000


def add_statements(random, circuit, count, depth=0):
    a, b = circuit.cregs[:2]

    def inner():
        add_statements(random, circuit, 2, depth + 1)

    for _ in range(count):
        kind = random.randrange(12 if depth < 2 else 9)
        first, second = random.sample(list(circuit.qubits), 2)
        match kind:
            case 0 | 1 | 2:
                getattr(circuit, random.choice(["h", "x", "sx", "t"]))(first)
            case 3 | 4:
                circuit.cx(first, second)
            case 5:
                circuit.ry(random.random() * 3, first)
            case 6 | 7:
                circuit.measure(first, random.choice([*a, *b]))
            case 8:
                circuit.reset(first)
            case 9:
                condition = random.choice(CONDITIONS)(a, b, random.randrange(4))
                with circuit.if_test(condition) as otherwise:
                    inner()
                with otherwise:
                    inner()
            case 10:
                with circuit.for_loop(range(random.randrange(3))):
                    inner()
            case 11:
                with circuit.switch(random.choice([a, b, a[0]])) as case:
                    with case(0):
                        inner()
                    with case(case.DEFAULT):
                        inner()


def check_random_programs(seeds):
    simulator = AerSimulator(seed_simulator=7)
    for seed in seeds:
        circuit = QuantumCircuit(
            QuantumRegister(3, "q"),
            ClassicalRegister(2, "a"),
            ClassicalRegister(2, "b"),
            ClassicalRegister(3, "out"),
        )
        add_statements(Random(seed), circuit, 10)
        circuit.measure(range(3), circuit.cregs[2])
        text = qasm3.dumps(circuit)
        found = distribution(circuit_from_openqasm(text, Path()), "out", "b", "a")
        counts = simulator.run(circuit, shots=SHOTS).result().get_counts()
        assert counts.keys() <= found.keys(), text
        for outcome, probability in found.items():
            margin = 5 * sqrt(abs(probability * (1 - probability)) / SHOTS) + 5 / SHOTS
            assert abs(counts.get(outcome, 0) / SHOTS - probability) < margin, text


def test_control_flow_means_what_it_means_to_qiskit():
    check_random_programs(range(12))


@pytest.mark.soak
def test_much_control_flow_means_what_it_means_to_qiskit():
    check_random_programs(range(1000, 1400))
