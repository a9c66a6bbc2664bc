"""Classical operations of a circuit do to its bits what pytket says they do."""

import itertools

import pytest
from pytket.circuit import Circuit, reg_eq
from pytket.circuit.logic_exp import RegNeg, RegWiseOp, create_reg_logic_exp

from local_nexus.simulators.circuits.classical import digits, number

from .conftest import circuit_request

WIDTH = 3
CONFIG = {"type": "QuantinuumConfig", "device_name": "H1-1LE"}


def circuit_with(a: int, b: int):
    """A circuit with two registers of given values, and one for the result."""
    circuit = Circuit(1)
    first, second = (
        circuit.add_c_register("a", WIDTH),
        circuit.add_c_register("b", WIDTH),
    )
    result = circuit.add_c_register("result", WIDTH + 2)
    circuit.add_c_setbits(
        [bool(bit) for bit in digits(a, WIDTH) + digits(b, WIDTH)],
        [*first, *second],
    )
    return circuit, first, second, result


def value(run_circuit, circuit, register):
    (outcome,) = run_circuit(circuit, CONFIG, 1).get_counts(register.to_list())
    return number(outcome)


ARITHMETIC = {
    RegWiseOp.AND: lambda a, b: a & b,
    RegWiseOp.OR: lambda a, b: a | b,
    RegWiseOp.XOR: lambda a, b: a ^ b,
    RegWiseOp.ADD: lambda a, b: a + b,
    RegWiseOp.SUB: lambda a, b: (a - b) % 32,
    RegWiseOp.MUL: lambda a, b: a * b % 32,
    RegWiseOp.LSH: lambda a, b: (a << b) % 32,
    RegWiseOp.RSH: lambda a, b: a >> b,
    RegWiseOp.EQ: lambda a, b: int(a == b),
    RegWiseOp.NEQ: lambda a, b: int(a != b),
    RegWiseOp.LT: lambda a, b: int(a < b),
    RegWiseOp.GT: lambda a, b: int(a > b),
    RegWiseOp.LEQ: lambda a, b: int(a <= b),
    RegWiseOp.GEQ: lambda a, b: int(a >= b),
}


@pytest.mark.parametrize("op", ARITHMETIC, ids=lambda op: op.name)
def test_registers_are_unsigned_integers(run_circuit, op):
    for a, b in ((5, 3), (3, 5), (6, 6), (0, 7)):
        circuit, first, second, result = circuit_with(a, b)
        expression = create_reg_logic_exp(op, [first, second])
        circuit.add_clexpr_from_logicexp(expression, result.to_list())
        assert value(run_circuit, circuit, result) == ARITHMETIC[op](a, b)


def test_a_negative_register_is_taken_modulo_its_size(run_circuit):
    circuit, a, _b, result = circuit_with(5, 3)
    circuit.add_clexpr_from_logicexp(RegNeg(a), result.to_list())
    assert value(run_circuit, circuit, result) == 32 - 5


def test_nested_expressions_are_evaluated_inside_out(run_circuit):
    circuit, a, b, result = circuit_with(5, 3)
    circuit.add_clexpr_from_logicexp((a + b) ^ (a & 4), result.to_list())
    assert value(run_circuit, circuit, result) == (5 + 3) ^ (5 & 4)


def test_bits_have_logic(run_circuit):
    for a, b in itertools.product((0, 1), repeat=2):
        circuit, first, second, result = circuit_with(a, b)
        circuit.add_clexpr_from_logicexp(first[0] & second[0], [result[0]])
        circuit.add_clexpr_from_logicexp(first[0] | second[0], [result[1]])
        circuit.add_clexpr_from_logicexp(first[0] ^ second[0], [result[2]])
        expected = (a & b) | (a | b) << 1 | (a ^ b) << 2
        assert value(run_circuit, circuit, result) == expected


def test_tables_are_looked_up_with_the_first_bit_lowest(run_circuit):
    circuit, a, _b, result = circuit_with(0b01, 0)
    circuit.add_c_predicate([False, True, False, False], [a[0], a[1]], result[0])
    circuit.add_c_modifier([True, False, False, False], [a[1]], result[1])
    circuit.add_c_transform([0, 2, 1, 3], [a[0], a[1]])
    circuit.add_c_copybits([a[0], a[1]], [result[2], result[3]])
    circuit.add_c_range_predicate(2, 3, [a[0], a[1]], result[4])
    assert value(run_circuit, circuit, result) == 0b11011


def test_an_operation_can_be_applied_to_whole_registers(run_circuit):
    circuit, a, b, _result = circuit_with(0b110, 0b011)
    circuit.add_c_xor_to_registers(a, b, a)
    assert value(run_circuit, circuit, a) == 0b101


def test_gates_and_measurements_depend_on_registers(run_circuit):
    for a, expected in ((5, 1), (4, 0)):
        circuit, first, _b, result = circuit_with(a, 0)
        circuit.X(0, condition=reg_eq(first, 5))
        circuit.Measure(0, result[0])
        assert value(run_circuit, circuit, result) == expected


def test_an_operation_may_itself_have_a_condition(run_circuit):
    for a, expected in ((1, 1), (0, 0)):
        circuit, first, _b, result = circuit_with(a, 0)
        circuit.add_c_setbits(
            [True], [result[0]], condition_bits=[first[0]], condition_value=1
        )
        assert value(run_circuit, circuit, result) == expected


def test_teleportation_moves_a_state(run_circuit):
    circuit = Circuit(3, 3).Ry(0.4, 0).H(1).CX(1, 2).CX(0, 1).H(0)
    circuit.Measure(0, 0).Measure(1, 1)
    circuit.X(2, condition_bits=[1], condition_value=1)
    circuit.Z(2, condition_bits=[0], condition_value=1)
    circuit.Ry(-0.4, 2).Measure(2, 2)
    counts = run_circuit(circuit, CONFIG, 1000).get_counts([circuit.bits[2]])
    assert counts == {(0,): 1000}


AER = [
    {"type": "AerConfig"},
    {"type": "QuantinuumConfig", "device_name": "H2-1LE", "simulator": "stabilizer"},
]
WITHOUT_ARITHMETIC = [
    op
    for op in ARITHMETIC
    if op not in (RegWiseOp.ADD, RegWiseOp.SUB, RegWiseOp.MUL)
    and op not in (RegWiseOp.LSH, RegWiseOp.RSH)
]


def counted(run_circuit, circuit, config):
    bits = sorted(circuit.bits)
    (outcome,) = run_circuit(circuit, config, 5).get_counts(bits)
    return outcome


@pytest.mark.parametrize("op", WITHOUT_ARITHMETIC, ids=lambda op: op.name)
@pytest.mark.parametrize("config", AER, ids=["Aer", "stabilizers"])
def test_aer_evaluates_what_is_no_arithmetic(run_circuit, op, config):
    for a, b in ((5, 3), (3, 5), (6, 6), (0, 7)):
        circuit, first, second, result = circuit_with(a, b)
        expression = create_reg_logic_exp(op, [first, second])
        circuit.add_clexpr_from_logicexp(expression, result.to_list())
        assert number(
            run_circuit(circuit, config, 1).get_shots(result.to_list())[0].tolist()
        ) == ARITHMETIC[op](a, b)


@pytest.mark.parametrize("config", AER, ids=["Aer", "stabilizers"])
def test_aer_looks_up_copies_and_exchanges_bits(run_circuit, config):
    circuit, a, b, result = circuit_with(0b01, 0b110)
    circuit.add_c_predicate([False, True, False, False], [a[0], a[1]], result[0])
    circuit.add_c_modifier([True, False, False, False], [a[1]], result[1])
    circuit.add_c_transform([0, 2, 1, 3], [a[0], a[1]])
    circuit.add_c_copybits([a[0], a[1]], [result[2], result[3]])
    circuit.add_c_and_to_registers(a, b, a)
    circuit.add_c_range_predicate(2, 6, b.to_list(), result[4])
    circuit.X(0, condition=result[4]).Measure(circuit.qubits[0], result[0])
    circuit.add_c_setbits([True], [result[1]], condition=result[0])
    expected = counted(run_circuit, circuit, CONFIG)
    assert counted(run_circuit, circuit, config) == expected


@pytest.mark.parametrize("config", AER, ids=["Aer", "stabilizers"])
def test_aer_refuses_arithmetic_by_name(run, config):
    circuit, first, second, result = circuit_with(5, 3)
    circuit.add_clexpr_from_logicexp(first + second, result.to_list())
    outcome = run(circuit_request(circuit, config))
    assert outcome.status == "ERROR"
    assert "ClExpr with RegAdd" in outcome.error_detail


@pytest.mark.parametrize(
    "config",
    [
        {"type": "AerStateConfig"},
        {"type": "BraketConfig", "local": True},
        {"type": "IBMQEmulatorConfig", "backend_name": "ibm_torino"},
    ],
    ids=lambda config: config["type"],
)
def test_simulators_of_gates_alone_refuse_classical_operations_by_name(run, config):
    circuit, _a, _b, _result = circuit_with(5, 3)
    outcome = run(circuit_request(circuit, config))
    assert outcome.status == "ERROR"
    assert "SetBits" in outcome.error_detail


@pytest.mark.parametrize("width", [33, 40, 64, 70])
def test_registers_may_be_wide(run_circuit, width):
    circuit = Circuit(2)
    a, b = circuit.add_c_register("a", width), circuit.add_c_register("b", width)
    result = circuit.add_c_register("result", width)
    circuit.X(1).Measure(circuit.qubits[0], a[0])
    circuit.Measure(circuit.qubits[1], a[width - 1])
    circuit.add_c_copyreg(a, b)
    circuit.add_clexpr_from_logicexp((a >> (width - 2)) + (b ^ a), result.to_list())
    assert value(run_circuit, circuit, a) == 1 << (width - 1)
    assert value(run_circuit, circuit, result) == 2


@pytest.mark.parametrize("width", [33, 40, 64])
@pytest.mark.parametrize("config", [CONFIG, *AER], ids=["Qulacs", "Aer", "stabilizers"])
def test_conditions_on_wide_registers_hold(run_circuit, width, config):
    circuit = Circuit(2)
    a, result = circuit.add_c_register("a", width), circuit.add_c_register("r", 2)
    circuit.X(0).Measure(circuit.qubits[0], a[width - 1])
    circuit.X(1, condition=reg_eq(a, 1 << (width - 1)))
    circuit.Measure(circuit.qubits[1], result[0])
    circuit.X(1, condition=reg_eq(a, 1)).Measure(circuit.qubits[1], result[1])
    assert run_circuit(circuit, config, 5).get_counts(list(result)) == {(1, 1): 5}


def test_the_complement_of_a_register_is_as_wide_as_the_expression(run_circuit):
    circuit, a, _b, result = circuit_with(5, 2)
    inverse = create_reg_logic_exp(RegWiseOp.NOT, [a])
    circuit.add_clexpr_from_logicexp(inverse, result.to_list())
    assert value(run_circuit, circuit, result) == 0b11010


def test_shifts_by_huge_numbers_give_nothing(run_circuit):
    circuit = Circuit(1)
    a, result = circuit.add_c_register("a", 60), circuit.add_c_register("result", 60)
    circuit.add_c_setreg(2**59, a)
    circuit.add_clexpr_from_logicexp((a << a) | (a**a), result.to_list())
    assert value(run_circuit, circuit, result) == 0
