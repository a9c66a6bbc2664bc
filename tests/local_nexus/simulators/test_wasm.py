"""Circuits call the functions of a WASM module, which remembers each shot by itself."""

import json

import pytest
from pytket.backends.backendresult import BackendResult
from pytket.circuit import Circuit
from pytket.wasm import WasmModuleHandler
from wasmtime import wat2wasm

from local_nexus.simulators import RunRequest

CONFIG = {"type": "QuantinuumConfig", "device_name": "H1-1LE"}
MODULE = bytes(
    wat2wasm("""
(module
  (global $sum (mut i32) (i32.const 0))
  (func (export "init") (global.set $sum (i32.const 1)))
  (func (export "collect") (param i32) (result i32)
    (global.set $sum (i32.add (global.get $sum) (local.get 0)))
    (global.get $sum))
  (func (export "minus") (param i32 i32) (result i32)
    (i32.sub (local.get 0) (local.get 1)))
  (func (export "forget") (global.set $sum (i32.const 0)))
  (func (export "fail") (unreachable)))
""")
)
HANDLER = WasmModuleHandler(MODULE)


def request(circuit, wasm=MODULE, n_shots=100):
    program = json.dumps(circuit.to_dict())
    return RunRequest("circuit", program, CONFIG, n_shots, wasm=wasm)


def collecting():
    """Two tossed coins, each of which is added to the sum of the module."""
    circuit = Circuit(2)
    coins, total = circuit.add_c_register("coins", 2), circuit.add_c_register("sum", 4)
    for qubit in range(2):
        circuit.H(qubit).Measure(qubit, coins[qubit])
        circuit.add_wasm("collect", HANDLER, [1], [4], [coins[qubit], *total])
    return circuit


def test_a_module_starts_anew_for_every_shot_and_keeps_its_state_within_it(run):
    outcome = run(request(collecting()))
    result = BackendResult.from_dict(json.loads(outcome.result))
    sums = result.get_counts(
        [bit for bit in result.c_bits if bit.reg_name == "sum"][::-1]
    )
    coins = result.get_counts([bit for bit in result.c_bits if bit.reg_name == "coins"])
    for row in result.get_shots():
        values = dict(zip(sorted(result.c_bits), row, strict=True))
        total = sum(
            int(value) << bit.index[0]
            for bit, value in values.items()
            if bit.reg_name == "sum"
        )
        tossed = sum(v for bit, v in values.items() if bit.reg_name == "coins")
        assert total == 1 + tossed
    assert len(sums) == 3
    assert len(coins) == 4


def test_functions_take_several_registers_and_run_under_a_condition(run):
    circuit = Circuit(1)
    a, b = circuit.add_c_register("a", 3), circuit.add_c_register("b", 3)
    circuit.add_c_setreg(2, a).add_c_setreg(5, b)
    circuit.add_wasm_to_reg("forget", HANDLER, [], [])
    circuit.add_wasm_to_reg("minus", HANDLER, [a, b], [a], condition=b[0])
    circuit.add_wasm_to_reg("minus", HANDLER, [a, b], [b], condition=b[1])
    outcome = run(request(circuit, n_shots=1))
    result = BackendResult.from_dict(json.loads(outcome.result))
    # 2 - 5 is -3, the lowest digits of which are those of 5.
    assert result.get_counts([*a, *b]) == {(1, 0, 1, 1, 0, 1): 1}


def calling(name):
    circuit = Circuit(1, 1)
    circuit.add_wasm(name, HANDLER, [], [], [])
    return circuit


@pytest.mark.parametrize(
    ("circuit", "wasm", "sentence"),
    [
        (collecting(), None, "the job has no wasm_module"),
        (collecting(), b"nonsense", "cannot be loaded"),
        (calling("fail"), MODULE, "WASM function fail failed"),
        (
            collecting(),
            bytes(wat2wasm("(module)")),
            "calls init, which its WASM module",
        ),
    ],
)
def test_what_cannot_be_called_is_an_error(run, circuit, wasm, sentence):
    outcome = run(request(circuit, wasm))
    assert outcome.status == "ERROR"
    assert sentence in outcome.error_detail


# Two coins; each that is 1 adds 1 to the sum of the module, then the name is called.
QIR = """
@0 = internal constant [4 x i8] c"sum\\00"
@1 = internal constant [6 x i8] c"minus\\00"
@2 = internal constant [5 x i8] c"c[0]\\00"
@3 = internal constant [5 x i8] c"c[1]\\00"
define void @main() #0 {
  call void @__quantum__qis__h__body(ptr null)
  call void @__quantum__qis__h__body(ptr inttoptr (i64 1 to ptr))
  call void @__quantum__qis__mz__body(ptr null, ptr null)
  call void @__quantum__qis__mz__body(ptr inttoptr (i64 1 to ptr),
    ptr inttoptr (i64 1 to ptr))
  %first = call i1 @__quantum__rt__read_result(ptr null)
  %second = call i1 @__quantum__rt__read_result(ptr inttoptr (i64 1 to ptr))
  %one = zext i1 %first to i64
  %other = zext i1 %second to i64
  %ignored = call i64 @collect(i64 %one)
  %sum = call i64 @collect(i64 %other)
  %minus = call i64 @minus(i64 %sum, i64 3)
  call void @NAME()
  call void @__quantum__rt__int_record_output(i64 %sum, ptr @0)
  call void @__quantum__rt__int_record_output(i64 %minus, ptr @1)
  call void @__quantum__rt__result_record_output(ptr null, ptr @2)
  call void @__quantum__rt__result_record_output(ptr inttoptr (i64 1 to ptr), ptr @3)
  ret void
}
declare void @__quantum__qis__h__body(ptr)
declare void @__quantum__qis__mz__body(ptr, ptr writeonly)
declare i1 @__quantum__rt__read_result(ptr)
declare void @__quantum__rt__int_record_output(i64, ptr)
declare void @__quantum__rt__result_record_output(ptr, ptr)
declare i64 @collect(i64) #1
declare i64 @minus(i64, i64) #1
declare void @NAME() #1
attributes #0 = { "entry_point" "output_labeling_schema" "qir_profiles"="custom"
  "required_num_qubits"="2" "required_num_results"="2" }
attributes #1 = { "wasm" }
!llvm.module.flags = !{!0, !1, !2, !3}
!0 = !{i32 1, !"qir_major_version", i32 2}
!1 = !{i32 7, !"qir_minor_version", i32 0}
!2 = !{i32 1, !"dynamic_qubit_management", i1 false}
!3 = !{i32 1, !"dynamic_result_management", i1 false}
"""
HELIOS = {"type": "HeliosConfig", "system_name": "Helios-1"}


def qir_request(name="forget", wasm=MODULE):
    program = QIR.replace("NAME", name).encode()
    return RunRequest("qir", program, HELIOS, 40, wasm=wasm)


def test_qir_programs_call_functions_too(run):
    outcome = run(qir_request())
    assert outcome.status == "COMPLETED", outcome.error_detail
    shots = [[value for _, value in shot] for shot in json.loads(outcome.result)["4"]]
    for total, minus, first, second in shots:
        assert total == 1 + first + second
        # Integers of 32 bits without a sign.
        assert minus == (total - 3) % 2**32
    assert len({tuple(shot) for shot in shots}) == 4


@pytest.mark.parametrize(
    ("name", "wasm", "sentence"),
    [
        ("forget", None, "the job has no wasm_module"),
        ("forget", b"nonsense", "cannot be loaded"),
        ("fail", MODULE, "WASM function fail failed"),
        ("travel", MODULE, "calls travel, which its WASM module"),
    ],
)
def test_what_a_qir_program_cannot_call_is_an_error(run, name, wasm, sentence):
    outcome = run(qir_request(name, wasm))
    assert outcome.status == "ERROR"
    assert sentence in outcome.error_detail


def test_hugr_programs_have_no_modules(run):
    outcome = run(RunRequest("hugr", b"", {"type": "SeleneConfig"}, 1, wasm=MODULE))
    assert "circuits and QIR programs can call" in outcome.error_detail
