"""OpenQASM 2, compared with Qiskit's parser and simulators."""

from math import sqrt
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pytket.utils import compare_unitaries
from qiskit import qasm2
from qiskit.quantum_info import Operator
from qiskit_aer import AerSimulator
from tests.helpers.exact_distributions import distribution

from tkr_nexus_worker.program_files.interpreter import circuit_from_openqasm
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
    def read(text, name="program.qasm"):
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
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


@settings(max_examples=60, deadline=None, derandomize=True)
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
