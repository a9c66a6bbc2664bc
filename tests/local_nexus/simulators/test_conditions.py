"""Conditions on boxes are read once, before the box, whatever the box writes."""

import itertools
import json

import numpy as np
import pytest
from pytket.backends.backendresult import BackendResult
from pytket.circuit import (
    Bit,
    CircBox,
    Circuit,
    Qubit,
    StatePreparationBox,
    reg_eq,
    reg_neq,
)

from local_nexus.simulators import CompileRequest, RunRequest

from .conftest import circuit_request, wait_for

H2 = {"type": "QuantinuumConfig", "device_name": "H2-1LE"}
IDEAL = {
    "state vector": {"type": "QulacsConfig"},
    "H-Series": H2,
    "stabilizers": H2 | {"simulator": "stabilizer"},
    "Aer": {"type": "AerConfig"},
    "matrix product states": {
        "type": "SelenePlusConfig",
        "simulator": {"type": "MatrixProductStateSimulator"},
    },
}
COMPILERS = [H2, {"type": "AerConfig"}, {"type": "QulacsConfig"}]


def box(name: str, n_qubits: int, n_bits: int) -> Circuit:
    circuit = Circuit(n_qubits, n_bits)
    circuit.name = name
    return circuit


def start() -> Circuit:
    """A circuit whose bit ``c[0]`` is 1, and whose qubits are 0."""
    circuit = Circuit(3)
    circuit.add_c_register("c", 2)
    circuit.add_c_register("d", 1)
    return circuit.X(0).Measure(Qubit(0), Bit("c", 0)).X(0)


def end(circuit: Circuit, qubit: int) -> Circuit:
    return circuit.Measure(Qubit(qubit), Bit("d", 0))


def writes_its_condition() -> Circuit:
    """``if (c[0]) { c[0] = measure q[1]; x q[0]; }``: 0 is written, q[0] is flipped."""
    inner = box("If", 2, 1).Measure(1, 0).X(0)
    circuit = start()
    circuit.add_circbox(
        CircBox(inner), [Qubit(0), Qubit(1), Bit("c", 0)], condition=Bit("c", 0)
    )
    return end(circuit, 0)


def writes_between_gates() -> Circuit:
    """As the one before, with gates on both sides: pytket's own pass aborts on it."""
    inner = box("If", 1, 1).X(0).Measure(0, 0).X(0).Measure(0, 0).X(0)
    circuit = start()
    circuit.add_circbox(CircBox(inner), [Qubit(0), Bit("c", 0)], condition=Bit("c", 0))
    return end(circuit, 0)


def branches_on_a_bit() -> Circuit:
    """``if (c[0]) { c[0] = measure q[1]; } else { x q[0]; }``: nothing is flipped."""
    circuit = start()
    inner = box("If", 1, 1).Measure(0, 0)
    circuit.add_circbox(CircBox(inner), [Qubit(1), Bit("c", 0)], condition=Bit("c", 0))
    otherwise = box("Else", 1, 0).X(0)
    circuit.add_circbox(
        CircBox(otherwise), [Qubit(0)], condition_bits=[Bit("c", 0)], condition_value=0
    )
    return end(circuit, 0)


def branches_on_a_register() -> Circuit:
    """``if (c == 1) { c[0] = measure q[1]; } else { x q[0]; }``."""
    circuit = start()
    register = circuit.get_c_register("c")
    inner = box("If", 1, 1).Measure(0, 0)
    circuit.add_circbox(
        CircBox(inner), [Qubit(1), Bit("c", 0)], condition=reg_eq(register, 1)
    )
    otherwise = box("Else", 1, 0).X(0)
    circuit.add_circbox(CircBox(otherwise), [Qubit(0)], condition=reg_neq(register, 1))
    return end(circuit, 0)


def nested() -> Circuit:
    """A condition in a condition, the inner one of which writes both bits."""
    innermost = box("If", 2, 2).Measure(1, 0).Measure(1, 1).X(0)
    middle = box("If", 2, 2)
    middle.add_circbox(CircBox(innermost), [0, 1, 0, 1], condition=Bit(1))
    middle.X(0).X(0, condition_bits=[0], condition_value=0)
    circuit = start().Measure(Qubit(1), Bit("c", 1))
    circuit.add_c_setbits([True], [Bit("c", 1)])
    units = [Qubit(0), Qubit(1), Bit("c", 0), Bit("c", 1)]
    circuit.add_circbox(CircBox(middle), units, condition=Bit("c", 0))
    return end(circuit, 0)


def opposite_conditions() -> Circuit:
    """What asks for 0 and 1 of a bit at once is never done."""
    inner = box("If", 1, 1).X(0, condition_bits=[0], condition_value=0)
    circuit = start()
    circuit.add_circbox(CircBox(inner), [Qubit(0), Bit("c", 0)], condition=Bit("c", 0))
    return end(circuit, 0)


def box_without_a_condition() -> Circuit:
    """A box of a box, with a global phase and swapped wires."""
    inner = box("inner", 2, 1).SWAP(0, 1).Measure(0, 0).add_phase(0.25)
    inner.replace_SWAPs()
    circuit = start().X(1)
    circuit.add_circbox(CircBox(inner), [Qubit(0), Qubit(1), Bit("d", 0)])
    return circuit


def resets_and_barriers() -> Circuit:
    """A box that resets its qubit, and a barrier of bits, under a condition."""
    inner = box("inner", 1, 1).add_barrier([0], [0])
    inner.add_gate(StatePreparationBox(np.array([1, 0]), False, True), [0])
    circuit = start().X(0)
    circuit.add_barrier([Qubit(0), Bit("c", 0)])
    circuit.add_circbox(CircBox(inner), [Qubit(0), Bit("c", 1)], condition=Bit("c", 0))
    return end(circuit, 0)


# The values of c[0], c[1] and d[0].
CASES = {
    writes_its_condition: (0, 0, 1),
    writes_between_gates: (0, 0, 1),
    branches_on_a_bit: (0, 0, 0),
    branches_on_a_register: (0, 0, 0),
    nested: (0, 0, 1),
    opposite_conditions: (1, 0, 0),
    box_without_a_condition: (1, 0, 1),
    resets_and_barriers: (1, 0, 0),
}


def counts(outcome):
    assert outcome.status == "COMPLETED", outcome.error_detail
    return BackendResult.from_dict(json.loads(outcome.result)).get_counts()


@pytest.mark.parametrize("engine", IDEAL)
@pytest.mark.parametrize("make", CASES, ids=lambda make: make.__name__)
def test_a_condition_is_read_before_its_box(run, make, engine):
    outcome = run(circuit_request(make(), IDEAL[engine], 20))
    assert counts(outcome) == {CASES[make]: 20}


@pytest.mark.parametrize(
    ("config", "level"), list(itertools.product(COMPILERS, range(4)))
)
@pytest.mark.parametrize("make", CASES, ids=lambda make: make.__name__)
def test_compilation_keeps_conditions(pool, run, make, config, level):
    program = json.dumps(make().to_dict())
    compiled = wait_for(pool, CompileRequest(program, config, level))
    assert compiled.status == "COMPLETED", compiled.error_detail
    outcome = run(RunRequest("circuit", compiled.circuit, {"type": "QulacsConfig"}, 20))
    assert counts(outcome) == {CASES[make]: 20}


def test_scratch_bits_of_compilers_are_not_in_results(run):
    circuit = start()
    register = circuit.get_c_register("c")
    circuit.X(1, condition=reg_eq(register, 1))
    end(circuit, 1)
    assert any(bit.reg_name.startswith("tk_SCRATCH") for bit in circuit.bits)
    for config in IDEAL.values():
        outcome = run(circuit_request(circuit, config, 20))
        result = BackendResult.from_dict(json.loads(outcome.result))
        assert set(result.c_bits) == {Bit("c", 0), Bit("c", 1), Bit("d", 0)}
        assert result.get_counts() == {(1, 0, 1): 20}


def test_a_condition_on_more_bits_than_pytket_compares_holds(run):
    outer, inner = Circuit(1, 20), Circuit(1, 20)
    inner.X(0, condition_bits=list(range(20)), condition_value=3)
    circuit = Circuit(1)
    first, second = circuit.add_c_register("a", 20), circuit.add_c_register("b", 20)
    result = circuit.add_c_register("r", 1)
    circuit.add_c_setreg(3, second)
    circuit.add_c_setreg(5, first)
    outer.add_circbox(CircBox(inner), [0, *range(20)])
    circuit.add_circbox(
        CircBox(outer),
        [Qubit(0), *second],
        condition_bits=list(first),
        condition_value=5,
    )
    circuit.Measure(Qubit(0), result[0])
    for config in IDEAL.values():
        outcome = run(circuit_request(circuit, config, 5))
        assert outcome.status == "COMPLETED", outcome.error_detail
        found = BackendResult.from_dict(json.loads(outcome.result))
        assert found.get_counts([result[0]]) == {(1,): 5}
