import numpy as np
import pytest
from pytket.circuit import (
    Bit,
    CircBox,
    Circuit,
    Conditional,
    Op,
    OpType,
    Qubit,
    StatePreparationBox,
)
from pytket.qasm import circuit_from_qasm_str
from pytket.utils import compare_unitaries
from tests.helpers.exact_distributions import distribution

from tkr_nexus_worker.errors import ResultFormatError
from tkr_nexus_worker.jobs.models import JobPayload, PayloadProgram
from tkr_nexus_worker.jobs.payload import save_payload
from tkr_nexus_worker.program_files.drawing import draw, to_qasm
from tkr_nexus_worker.program_files.read import read_programs


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


def _box_that_writes_its_condition():
    inner = Circuit(1, 1).X(0).Measure(0, 0).X(0)
    circuit = Circuit(1, 2, name="box").X(0).Measure(0, 0)
    circuit.add_gate(
        CircBox(inner), [Qubit(0), Bit(0)], condition_bits=[Bit(0)], condition_value=1
    )
    return circuit.Measure(0, 1)


def _box_in_a_box():
    outer = Circuit(1, 2).X(0).Measure(0, 0)
    outer.X(0, condition_bits=[0, 1], condition_value=1)
    outer.add_gate(
        CircBox(Circuit(1, 1).X(0).Measure(0, 0)),
        [Qubit(0), Bit(0)],
        condition_bits=[Bit(0)],
        condition_value=1,
    )
    circuit = Circuit(1, 2, name="nest").add_circbox(CircBox(outer), [0, 1, 0])
    return circuit.Measure(0, 1)


def _nested_conditions():
    circuit = Circuit(2, 3, name="nested").X(0).Measure(0, 0).Measure(0, 1)
    twice = Conditional(Conditional(Op.create(OpType.X), 1, 1), 1, 1)
    circuit.add_gate(twice, [Bit(0), Bit(1), Qubit(1)])
    return circuit.Measure(1, 2)


def _condition_on_a_part_of_a_register():
    circuit = Circuit(2, 3).X(0).Measure(0, 2)
    circuit.X(1, condition_bits=[2, 0], condition_value=1)
    return circuit.Measure(1, 1)


def _box_that_resets():
    circuit = Circuit(1, 2).X(0).Measure(0, 0)
    box = StatePreparationBox(np.array([1, 0]), False, True)
    circuit.add_gate(box, [Qubit(0)], condition_bits=[Bit(0)], condition_value=1)
    return circuit.Measure(0, 1)


@pytest.mark.parametrize(
    ("make", "outcome"),
    [
        (_box_that_writes_its_condition, "10"),
        (_box_in_a_box, "10"),
        (_nested_conditions, "111"),
        (_condition_on_a_part_of_a_register, "110"),
        (_box_that_resets, "01"),
    ],
)
def test_conditions_of_every_kind_are_drawn_and_written(make, outcome, tmp_path):
    circuit = make()
    assert draw(circuit).startswith("q[0]: ")
    path = tmp_path / "again.qasm"
    path.write_text(to_qasm(circuit))
    [again] = read_programs([path])
    assert distribution(again.program) == pytest.approx({outcome: 1})


@pytest.mark.parametrize("width", [33, 63, 80, 500])
def test_registers_of_every_width_are_written_and_read(width, tmp_path):
    circuit = Circuit(1).X(0)
    wide = circuit.add_c_register("wide", width)
    circuit.Measure(Qubit(0), wide[width - 1])
    path = tmp_path / "wide.qasm"
    path.write_text(to_qasm(circuit))
    [again] = read_programs([path])
    assert again.program.get_commands() == circuit.get_commands()


def test_a_circuit_that_cannot_be_written_costs_no_other_file(tmp_path):
    strange = Circuit(2, name="strange").add_gate(OpType.NPhasedX, [0.3, 0], [0, 1])
    programs = [
        PayloadProgram(
            index=index,
            program_id=f"id {index}",
            program_type="circuit",
            name=circuit.name,
            circuit=circuit.to_dict(),
        )
        for index, circuit in enumerate([strange, _box_that_writes_its_condition()])
    ]
    payload = JobPayload(
        job_id="id",
        name="job",
        project="project",
        backend_config={},
        options={},
        programs=programs,
    )
    names = sorted(path.name for path in save_payload(payload, tmp_path))
    assert names == [
        *("0_strange.json", "0_strange.no-qasm.txt", "0_strange.txt"),
        *("1_box.json", "1_box.qasm", "1_box.txt"),
        "payload.json",
    ]
