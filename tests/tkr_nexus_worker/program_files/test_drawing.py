import pytest
from pytket.circuit import Circuit, OpType
from pytket.qasm import circuit_from_qasm_str
from pytket.utils import compare_unitaries

from tkr_nexus_worker.errors import ResultFormatError
from tkr_nexus_worker.program_files.drawing import draw, to_qasm


def test_controls_targets_and_what_they_cross_are_on_their_lines():
    circuit = Circuit(3, 1).H(0).CX(0, 2).Rz(0.25, 1).Measure(2, 0)
    assert draw(circuit).splitlines() == [
        "q[0]: ────H─────●────────",
        "q[1]: ─Rz(0.25)─┼────────",
        "q[2]: ──────────X─M>c[0]─",
    ]


def test_a_condition_comes_after_the_measurement_that_it_reads():
    circuit = Circuit(2, 1).Measure(0, 0)
    circuit.X(1, condition_bits=[0], condition_value=1)
    top, bottom = draw(circuit).splitlines()
    assert "if c[0]==1: X" in bottom
    assert top.index("M>c[0]") < bottom.index("if c[0]")


def test_all_lines_of_a_wide_circuit_fit():
    circuit = Circuit(3)
    for _ in range(30):
        circuit.Rx(0.123, 0).CX(0, 1).SWAP(1, 2)
    drawing = draw(circuit, width=60)
    assert max(map(len, drawing.splitlines())) <= 60
    assert drawing.count("Rx(0.123)") == 30
    assert drawing.count("─x") == 60
    blocks = drawing.split("\n\n")
    assert all(len(block.splitlines()) == 3 for block in blocks)


def test_a_circuit_without_gates_or_qubits_can_be_drawn():
    assert draw(Circuit(1)) == "q[0]: ──\n"
    assert draw(Circuit()) == ""


def test_gates_of_several_qubits_tell_which_is_which():
    circuit = Circuit(2).add_gate(OpType.ZZPhase, [0.3], [1, 0])
    top, bottom = draw(circuit).splitlines()
    assert "ZZPhase(0.3):1" in top
    assert "ZZPhase(0.3):0" in bottom


@pytest.mark.parametrize(
    "circuit",
    [
        Circuit(2).H(0).CX(0, 1).T(1),
        Circuit(2).add_gate(OpType.PhasedX, [0.5, 0.25], [0]).ZZPhase(0.3, 0, 1),
    ],
)
def test_qasm_says_what_the_circuit_does(circuit):
    again = circuit_from_qasm_str(to_qasm(circuit))
    assert compare_unitaries(circuit.get_unitary(), again.get_unitary())


def test_what_qasm_cannot_say_is_an_error_that_names_it():
    circuit = Circuit(2, name="strange").add_gate(OpType.NPhasedX, [0.3, 0], [0, 1])
    with pytest.raises(ResultFormatError, match=r"'strange'.*NPhasedX.*JSON"):
        to_qasm(circuit)
