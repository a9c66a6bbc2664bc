from math import inf, nan

import pytest
from pytket.circuit import (
    CircBox,
    Circuit,
    MultiplexedU2Box,
    Op,
    OpType,
    Pauli,
    PauliExpBox,
    PauliExpPairBox,
    QControlBox,
)
from quantinuum_schemas.models.backend_config import AerStateConfig, QulacsConfig
from sympy import Symbol

from tkr_nexus_worker.errors import InvalidInputError
from tkr_nexus_worker.nexus.checks import check_job, is_measured

BELL = Circuit(2, name="bell").H(0).CX(0, 1).measure_all()
UNMEASURED = Circuit(1, name="bare").H(0)
GOOD = {
    "project_name": "p",
    "job_name": "j",
    "circuits": [BELL, BELL],
    "n_shots": [10, 20],
    "backend_config": QulacsConfig(),
}


def test_a_good_job_passes():
    check_job(**GOOD)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"project_name": ""}, ["project_name", "''"]),
        ({"project_name": "  "}, ["project_name"]),
        ({"job_name": ""}, ["job_name"]),
        ({"job_name": 3}, ["job_name", "3"]),
        ({"circuits": []}, ["circuits is empty"]),
        ({"n_shots": [10]}, ["2 circuits", "length 1"]),
        ({"n_shots": [10, 20, 30]}, ["2 circuits", "length 3"]),
        ({"n_shots": 10}, ["n_shots is 10", "list"]),
        ({"n_shots": [10, 0]}, ["n_shots[1]", "0", "at least 1"]),
        ({"n_shots": [-5, 10]}, ["circuit 0", "-5"]),
        ({"n_shots": [10, 1.5]}, ["circuit 1", "1.5", "integer"]),
        ({"n_shots": [True, 10]}, ["circuit 0", "True"]),
        ({"n_shots": ["10", 10]}, ["circuit 0", "'10'"]),
        (
            {"circuits": [BELL, UNMEASURED]},
            ["circuits[1]", "'bare'", "no measurement", "backend_config"],
        ),
    ],
)
def test_a_bad_job_is_refused_in_one_sentence_that_names_the_value(change, words):
    with pytest.raises(InvalidInputError) as caught:
        check_job(**{**GOOD, **change})
    message = str(caught.value)
    assert "\n" not in message
    for word in words:
        assert word in message


def test_circuits_without_measurement_are_fine_where_the_backend_returns_states():
    check_job("p", "j", [UNMEASURED], [1], AerStateConfig())


def _conditional() -> Circuit:
    circuit = Circuit(1, 2)
    circuit.add_gate(OpType.Measure, [0, 0], condition_bits=[1], condition_value=1)
    return circuit


@pytest.mark.parametrize(
    ("circuit", "measured"),
    [
        (BELL, True),
        (UNMEASURED, False),
        (Circuit(1, 1).H(0), False),
        (_conditional(), True),
        (Circuit(1, 1).add_circbox(CircBox(Circuit(1, 1).Measure(0, 0)), [0, 0]), True),
        (Circuit(1).add_circbox(CircBox(Circuit(1).H(0)), [0]), False),
    ],
)
def test_measurements_are_found_also_inside_conditions_and_boxes(circuit, measured):
    assert is_measured(circuit) is measured


def _in_a_box(circuit):
    outer = Circuit(circuit.n_qubits, 1)
    return outer.add_circbox(
        CircBox(circuit), circuit.qubits, condition_bits=[0], condition_value=1
    )


@pytest.mark.parametrize(
    ("circuit", "message"),
    [
        (
            Circuit(1).H(0).Rx(nan, 0),
            r"gate 1 \(Rx\(nan\) on q\[0\]\) .* parameter nan",
        ),
        (Circuit(2).Rz(inf, 1), r"gate 0 .* on q\[1\]\) has the parameter"),
        (Circuit(1).Rx(Symbol("a") + 1, 0), "gate 0 .* the free symbol a; replace it"),
        (_in_a_box(Circuit(1).Rz(Symbol("b"), 0)), "gate 0 .* the free symbol b"),
        (_in_a_box(Circuit(1).Rz(nan, 0)), "gate 0 .* the parameter nan"),
        (
            Circuit(2).add_gate(QControlBox(Op.create(OpType.Rx, [nan]), 1), [0, 1]),
            "gate 0 .* the parameter nan",
        ),
        (
            Circuit(1).add_pauliexpbox(PauliExpBox([Pauli.X], nan), [0]),
            "gate 0 .* the parameter nan",
        ),
        (
            Circuit(1).add_gate(
                PauliExpPairBox([Pauli.X], 0.1, [Pauli.Z], Symbol("c")), [0]
            ),
            "gate 0 .* the free symbol c",
        ),
        (
            Circuit(2).add_gate(
                MultiplexedU2Box([((False,), Op.create(OpType.Rz, nan))]), [0, 1]
            ),
            "gate 0 .* the parameter nan",
        ),
    ],
)
def test_angles_that_are_no_finite_number_are_refused_with_their_place(
    circuit, message
):
    named = circuit.copy()
    named.name = "strange"
    with pytest.raises(
        InvalidInputError, match=rf"circuits\[1\] \('strange'\): {message}"
    ):
        check_job(**{**GOOD, "circuits": [BELL, named]})
