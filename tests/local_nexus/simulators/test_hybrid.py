"""HUGR and QIR programs run on Selene and give results of both versions."""

import json
import re

import pytest
import qir_qis
from guppylang import guppy
from guppylang.std.builtins import array, panic, result
from guppylang.std.builtins import exit as guppy_exit
from guppylang.std.quantum import h, measure, qubit
from hugr.cli import convert
from hugr.qsystem.result import QsysResult
from pytket.backends.backendresult import BackendResult
from scipy.stats import binomtest

from .conftest import ALPHA, SELENE, completed

HELIOS = {"type": "HeliosConfig", "system_name": "Helios-1"}
H2 = {"type": "QuantinuumConfig", "device_name": "H2-1LE"}


@guppy
def leaves_early() -> None:
    coin = qubit()
    h(coin)
    if measure(coin).read():
        guppy_exit("heads", 3)
    result("coin", False)


@guppy
def gives_up() -> None:
    coin = qubit()
    measure(coin).read()
    panic("no coin")


@guppy
def may_panic() -> None:
    coin = qubit()
    h(coin)
    heads = measure(coin).read()
    result("coin", heads)
    if heads:
        panic("no coin")
    result("after", 7)


@guppy
def counts_to_four() -> None:
    for number in range(4):
        result("even", number % 2 == 0)


@guppy.declare
def system(command: int) -> int: ...


@guppy
def calls_the_system() -> None:
    result("status", system(5))


@guppy
def returns_all_types() -> None:
    result("whole", -5)
    result("real", 0.25)
    result("wholes", array(1, -2, 3))
    result("reals", array(0.5, 1.5))
    result("flags", array(True, False))
    result("group:part/a", 2)


@guppy
def may_return_nothing() -> None:
    coin = qubit()
    h(coin)
    if measure(coin).read():
        result("heads", True)


@guppy
def turns_for_long() -> None:
    turned = qubit()
    for _ in range(6000):
        h(turned)
    result("turned", measure(turned).read())


@pytest.fixture(scope="session")
def hugr():
    programs = {
        "leaves_early": leaves_early,
        "gives_up": gives_up,
        "may_panic": may_panic,
        "counts_to_four": counts_to_four,
        "returns_all_types": returns_all_types,
        "may_return_nothing": may_return_nothing,
        "turns_for_long": turns_for_long,
    }
    return {name: program.compile().to_bytes() for name, program in programs.items()}


def bell_qir(read: str = "") -> bytes:
    """A Bell pair in the base profile; ``read`` is a declaration more."""
    return f"""
@0 = internal constant [5 x i8] c"c[0]\\00"
@1 = internal constant [5 x i8] c"c[1]\\00"
define void @main() #0 {{
  call void @__quantum__qis__h__body(ptr null)
  call void @__quantum__qis__cnot__body(ptr null, ptr {ONE})
  call void @__quantum__qis__mz__body(ptr null, ptr null)
  call void @__quantum__qis__mz__body(ptr {ONE}, ptr {ONE})
  call void @__quantum__rt__result_record_output(ptr null, ptr @0)
  call void @__quantum__rt__result_record_output(ptr {ONE}, ptr @1)
  ret void
}}
declare void @__quantum__qis__h__body(ptr)
declare void @__quantum__qis__cnot__body(ptr, ptr)
declare void @__quantum__qis__mz__body(ptr, ptr writeonly)
declare void @__quantum__rt__result_record_output(ptr, ptr)
{read}
{ATTRIBUTES}
""".encode()


ONE = "inttoptr (i64 1 to ptr)"
ATTRIBUTES = """
attributes #0 = { "entry_point" "output_labeling_schema" "qir_profiles"="custom"
  "required_num_qubits"="2" "required_num_results"="2" }
!llvm.module.flags = !{!0, !1, !2, !3}
!0 = !{i32 1, !"qir_major_version", i32 2}
!1 = !{i32 7, !"qir_minor_version", i32 0}
!2 = !{i32 1, !"dynamic_qubit_management", i1 false}
!3 = !{i32 1, !"dynamic_result_management", i1 false}
"""

# A flipped qubit, measured into bit 2 of a register; then a second one if that is set.
REGISTERS = f"""
@0 = internal constant [2 x i8] c"c\\00"
define void @main() #0 {{
entry:
  %0 = call ptr @create_creg(i64 3)
  call void @__quantum__qis__x__body(ptr null)
  call void @mz_to_creg_bit(ptr null, ptr %0, i64 2)
  %1 = call i1 @get_creg_bit(ptr %0, i64 2)
  br i1 %1, label %then, label %done
then:
  call void @__quantum__qis__x__body(ptr inttoptr (i64 1 to ptr))
  br label %done
done:
  call void @mz_to_creg_bit(ptr inttoptr (i64 1 to ptr), ptr %0, i64 0)
  %2 = call i64 @get_int_from_creg(ptr %0)
  call void @__quantum__rt__int_record_output(i64 %2, ptr @0)
  ret void
}}
declare i1 @__quantum__qis__read_result__body(ptr)
declare void @__quantum__rt__int_record_output(i64, ptr)
declare i1 @get_creg_bit(ptr, i64)
declare void @set_creg_bit(ptr, i64, i1)
declare void @set_creg_to_int(ptr, i64)
declare ptr @create_creg(i64)
declare i64 @get_int_from_creg(ptr)
declare void @mz_to_creg_bit(ptr, ptr, i64)
declare void @__quantum__qis__x__body(ptr)
{ATTRIBUTES}
""".encode()


def test_a_hugr_program_gives_shots_with_plain_and_with_typed_tags(
    run_hybrid, bell_hugr
):
    outcome = run_hybrid("hugr", bell_hugr, SELENE, 1000)
    results = completed(outcome)
    assert outcome.result_type == "QSYS"
    assert outcome.cost is None
    for plain, typed in zip(results["3"], results["4"], strict=True):
        assert plain in ([["first", 0], ["second", 0]], [["first", 1], ["second", 1]])
        assert typed == [[f"USER:BOOL:{tag}", value] for tag, value in plain]
    ones = QsysResult(results["3"]).register_counts()["first"]["1"]
    assert binomtest(ones, 1000, 0.5).pvalue > ALPHA


def test_a_stabilizer_simulator_and_noise_are_used_where_asked_for(
    run_hybrid, bell_hugr
):
    config = SELENE | {
        "simulator": {"type": "StabilizerSimulator"},
        "error_model": {"type": "DepolarizingErrorModel", "p_meas": 0.3},
    }
    shots = completed(run_hybrid("hugr", bell_hugr, config, 2000))["3"]
    unequal = sum(first[1] != second[1] for first, second in shots)
    assert binomtest(unequal, 2000, 2 * 0.3 * 0.7).pvalue > ALPHA


def test_seeds_make_shots_reproducible(run_hybrid, bell_hugr):
    config = SELENE | {"simulator": {"type": "StatevectorSimulator", "seed": 4}}
    first, second = (
        completed(run_hybrid("hugr", bell_hugr, config, 40)) for _ in range(2)
    )
    unseeded = completed(run_hybrid("hugr", bell_hugr, SELENE, 40))
    assert first == second != unseeded


def test_the_first_shot_is_traced(run_hybrid, bell_hugr):
    (trace,) = json.loads(run_hybrid("hugr", bell_hugr, SELENE, 3).runtime_traces)
    measured = [
        record["event"]["qubit"]
        for record in trace["events"]
        if record["source"]["kind"] == "Simulator"
        and record["event"]["kind"] == "Measurement"
    ]
    assert sorted(measured) == [0, 1]


def test_a_very_long_trace_is_not_kept(run_hybrid, hugr):
    outcome = run_hybrid("hugr", hugr["turns_for_long"], SELENE, 1)
    completed(outcome)
    assert outcome.runtime_traces is None


def test_coins_and_given_outcomes_replace_a_simulation(run_hybrid, bell_hugr):
    coin = SELENE | {"simulator": {"type": "CoinflipSimulator", "bias": 1.0}}
    shots = completed(run_hybrid("hugr", bell_hugr, coin, 5))["3"]
    assert shots == [[["first", 1], ["second", 1]]] * 5
    given = [[True, True], [False, False]]
    replay = SELENE | {
        "simulator": {"type": "ClassicalReplaySimulator", "measurements": given}
    }
    shots = completed(run_hybrid("hugr", bell_hugr, replay, 2))["3"]
    assert shots == [[["first", a], ["second", b]] for a, b in given]


def test_a_shot_that_exits_says_so_and_the_others_go_on(run_hybrid, hugr):
    results = completed(run_hybrid("hugr", hugr["leaves_early"], SELENE, 50))
    assert {json.dumps(shot) for shot in results["3"]} == {
        '[["exit: heads", 3]]',
        '[["coin", 0]]',
    }


def test_a_program_that_panics_is_an_error_with_its_words(run_hybrid, hugr):
    outcome = run_hybrid("hugr", hugr["gives_up"], SELENE, 5)
    assert outcome.status == "ERROR"
    assert "Shot 1 of 5" in outcome.error_detail
    assert "no coin" in outcome.error_detail


def test_the_shots_before_a_panic_are_kept(run_hybrid, hugr):
    seeded = {**SELENE, "simulator": {"type": "StatevectorSimulator", "seed": 3}}
    outcome = run_hybrid("hugr", hugr["may_panic"], seeded, 100)
    assert outcome.status == "ERROR"
    assert "no coin" in outcome.error_detail
    assert outcome.cost is None
    *good, last = json.loads(outcome.result)["3"]
    assert f"Shot {len(good) + 1} of 100" in outcome.error_detail
    assert good
    assert all(shot == [["coin", 0], ["after", 7]] for shot in good)
    assert last == [["coin", 1], ["exit: no coin", 1001]]


def test_a_tag_keeps_all_of_its_values_in_order(run_hybrid, hugr):
    results = completed(run_hybrid("hugr", hugr["counts_to_four"], SELENE, 2))
    assert results["3"] == [[["even", 1], ["even", 0], ["even", 1], ["even", 0]]] * 2


def test_values_of_all_types_are_kept(run_hybrid, hugr):
    results = completed(run_hybrid("hugr", hugr["returns_all_types"], SELENE, 1))
    assert results["3"] == [
        [
            ["whole", -5],
            ["real", 0.25],
            ["wholes", [1, -2, 3]],
            ["reals", [0.5, 1.5]],
            ["flags", [1, 0]],
            ["group:part/a", 2],
        ]
    ]
    types = [tag.split(":")[1] for tag, _value in results["4"][0]]
    assert types == ["INT", "FLOAT", "INTARR", "FLOATARR", "BOOLARR", "INT"]


def test_shots_without_results_count(run_hybrid, hugr):
    results = completed(run_hybrid("hugr", hugr["may_return_nothing"], SELENE, 60))
    assert len(results["3"]) == 60
    assert {json.dumps(shot) for shot in results["3"]} == {"[]", '[["heads", 1]]'}


def test_too_few_qubits_are_an_error(run_hybrid, bell_hugr):
    outcome = run_hybrid("hugr", bell_hugr, SELENE, 5, n_qubits=1)
    assert outcome.status == "ERROR"
    assert "with 1 qubits: Panic" in outcome.error_detail


def test_helios_charges_what_its_syntax_checker_says(run_hybrid, bell_hugr):
    ran = run_hybrid("hugr", bell_hugr, HELIOS, 1000)
    checked = run_hybrid(
        "hugr", bell_hugr, HELIOS | {"system_name": "Helios-1SC"}, 1000
    )
    # One ZZPhase, three PhasedX, two preparations and two measurements.
    assert ran.cost == checked.cost == 5 + 1000 * (3 + 10 + 5 * 4) / 5000
    assert ran.cost_confidence == checked.cost_confidence == 1.0
    assert completed(checked) == {"3": [], "4": []}


def test_a_program_that_costs_more_than_allowed_is_an_error(run_hybrid, bell_hugr):
    outcome = run_hybrid("hugr", bell_hugr, HELIOS, 1000, max_cost=11.5)
    assert outcome.status == "ERROR"
    assert "11.60 HQC" in outcome.error_detail


@pytest.mark.parametrize(
    ("program", "sentence"),
    [
        (b"HUGRiHJv\x02@broken", "matching version"),
        (b"\xff\xfe", "neither HUGR nor QIR"),
        (b"define void @main() {", "neither HUGR nor QIR"),
    ],
)
def test_what_is_no_program_is_an_error(run_hybrid, program, sentence):
    outcome = run_hybrid("hugr", program, SELENE)
    assert outcome.status == "ERROR"
    assert sentence in outcome.error_detail


def plus(simulator):
    return {"type": "SelenePlusConfig", "simulator": {"type": simulator}}


def test_an_unknown_simulator_is_an_error(run_hybrid, bell_hugr):
    outcome = run_hybrid("hugr", bell_hugr, plus("AbacusSimulator"))
    assert "There is no AbacusSimulator" in outcome.error_detail


def test_matrix_product_states_of_hybrid_programs_are_exact(run_hybrid, bell_hugr):
    config = plus("MatrixProductStateSimulator") | {
        "error_model": {"type": "NoErrorModel"}
    }
    shots = completed(run_hybrid("hugr", bell_hugr, config, 50))["3"]
    assert all(first[1] == second[1] for first, second in shots)
    outcome = run_hybrid("hugr", bell_hugr, config, n_qubits=60)
    assert "A state vector of 60 qubits" in outcome.error_detail


def test_devices_for_circuits_refuse_hugr(run_hybrid, bell_hugr):
    outcome = run_hybrid("hugr", bell_hugr, {"type": "QulacsConfig"})
    assert "QulacsConfig runs circuits only" in outcome.error_detail


@pytest.mark.parametrize(
    "read", ["", "declare i1 @__quantum__qis__read_result__body(ptr)"]
)
def test_qir_on_helios_gives_its_output_format_and_typed_shots(run_hybrid, read):
    results = completed(run_hybrid("qir", bell_qir(read), HELIOS, 20))
    for shot in results["4"]:
        assert shot in (
            [["USER:RESULT:c[0]", 0], ["USER:RESULT:c[1]", 0]],
            [["USER:RESULT:c[0]", 1], ["USER:RESULT:c[1]", 1]],
        )
    lines = results["3"].splitlines()
    assert lines[:2] == ["HEADER\tschema_id\tlabeled", "HEADER\tschema_version\t1.0"]
    assert lines.count("START") == lines.count("END\t0") == 20
    assert "OUTPUT\tRESULT\t1\tc[0]" in lines
    by_name = {"type": "QuantinuumConfig", "device_name": "Helios-1E"}
    assert run_hybrid("qir", bell_qir(read), by_name, 2).result_type == "QSYS"


@pytest.mark.parametrize("simulator", ["state-vector", "stabilizer"])
def test_qir_on_h_series_gives_a_pytket_result(run_hybrid, simulator):
    bitcode = qir_qis.qir_ll_to_bc(bell_qir().decode())
    outcome = run_hybrid("qir", bitcode, H2 | {"simulator": simulator}, 200)
    assert outcome.result_type == "PYTKET"
    counts = BackendResult.from_dict(completed(outcome)).get_counts()
    assert set(counts) == {(0, 0), (1, 1)}


def test_classical_registers_of_qir_are_kept(run_hybrid):
    results = completed(run_hybrid("qir", REGISTERS, HELIOS, 3))
    assert results["4"] == [[["USER:INT:c", 0b101]]] * 3
    result = BackendResult.from_dict(completed(run_hybrid("qir", REGISTERS, H2, 3)))
    assert result.get_counts(sorted(result.c_bits)[:3]) == {(1, 0, 1): 3}
    assert len(result.c_bits) == 64


RECORDS = """
  call void @__quantum__rt__array_record_output(i64 2, ptr @0)
  call void @__quantum__rt__tuple_record_output(i64 2, ptr @1)
  call void @__quantum__rt__int_record_output(i64 -7, ptr @n)
  call void @__quantum__rt__bool_record_output(i1 true, ptr @b)
"""
REAL = "  call void @__quantum__rt__double_record_output(double 0.5, ptr @0)\n"
DECLARED = """
@n = internal constant [2 x i8] c"n\\00"
@b = internal constant [2 x i8] c"b\\00"
declare void @__quantum__rt__array_record_output(i64, ptr)
declare void @__quantum__rt__tuple_record_output(i64, ptr)
declare void @__quantum__rt__int_record_output(i64, ptr)
declare void @__quantum__rt__bool_record_output(i1, ptr)
"""


def recording(*, real):
    """A program that records one value of each type after its Bell pair."""
    double = "declare void @__quantum__rt__double_record_output(double, ptr)"
    program = bell_qir(DECLARED + (double if real else "")).decode()
    records = RECORDS + (REAL if real else "")
    return program.replace("  ret void", f"{records}  ret void", 1).encode()


def test_output_records_have_the_names_of_the_specification(run_hybrid):
    results = completed(run_hybrid("qir", recording(real=True), HELIOS, 1))
    lines = [line for line in results["3"].splitlines() if line.startswith("OUTPUT")]
    assert lines[2:] == [
        "OUTPUT\tARRAY\t2\tc[0]",
        "OUTPUT\tTUPLE\t2\tc[1]",
        "OUTPUT\tINT\t-7\tn",
        "OUTPUT\tBOOL\ttrue\tb",
        "OUTPUT\tDOUBLE\t0.5\tc[0]",
    ]


def test_a_real_number_is_no_result_of_h_series(run_hybrid):
    outcome = run_hybrid("qir", recording(real=True), H2, 3)
    assert outcome.status == "ERROR"
    assert "have to be bits and integers" in outcome.error_detail


@pytest.mark.parametrize("device", ["H2-1SC", "H2-1E"])
def test_qir_on_each_device_of_h_series_gives_registers(run_hybrid, device):
    config = H2 | {"device_name": device}
    outcome = run_hybrid("qir", recording(real=False), config, 5)
    result = BackendResult.from_dict(completed(outcome))
    assert result.get_shots().shape[0] == 5
    assert {bit.reg_name for bit in result.c_bits} == {"c", "n", "b"}


def test_the_shots_of_a_syntax_checker_are_zero(run_hybrid):
    outcome = run_hybrid("qir", bell_qir(), H2 | {"device_name": "H2-1SC"}, 5)
    counts = BackendResult.from_dict(completed(outcome)).get_counts()
    assert counts == {(0, 0): 5}


@pytest.mark.parametrize("name", ["system", "of.my.own"])
def test_a_hugr_program_that_calls_what_it_does_not_define_is_refused(run_hybrid, name):
    envelope = convert(calls_the_system.compile().to_bytes(), format="json")
    program = re.sub(rb'"[\w.]+\.system"', f'"{name}"'.encode(), envelope)
    outcome = run_hybrid("hugr", program, SELENE, 1, n_qubits=1)
    assert outcome.status == "ERROR"
    assert f"calls the function {name}, which it only" in outcome.error_detail
