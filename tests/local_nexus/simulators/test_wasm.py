"""Programs call the functions of a WASM module, which remembers each shot by itself."""

import json

import pytest
from guppylang import guppy
from guppylang.std.platform import result
from guppylang.std.qsystem.wasm import spawn_wasm_contexts
from guppylang.std.quantum import h, measure, qubit
from guppylang_internals.decorator import wasm, wasm_module
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
    for index in range(2):
        circuit.H(index).Measure(index, coins[index])
        circuit.add_wasm("collect", HANDLER, [1], [4], [coins[index], *total])
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


WIDE_MODULE = bytes(
    wat2wasm("""
(module
  (memory (export "memory") 1)
  (global $sum (mut i64) (i64.const 0))
  (func (export "init") (global.set $sum (i64.const 10)))
  (func (export "collect") (param i64)
    (global.set $sum (i64.add (global.get $sum) (local.get 0))))
  (func (export "sum") (result i64) (global.get $sum))
  (func (export "minus") (param i64 i64) (result i64)
    (i64.sub (local.get 0) (local.get 1)))
  (func (export "fail") (unreachable)))
""")
)
FLOAT_MODULE = bytes(
    wat2wasm('(module (func (export "half") (result f64) (f64.const 0.5)))')
)


@pytest.fixture(scope="module")
def hugr(tmp_path_factory):
    """Programs with the modules that their functions are declared by."""
    folder = tmp_path_factory.mktemp("modules")
    (folder / "wide.wasm").write_bytes(WIDE_MODULE)
    (folder / "float.wasm").write_bytes(FLOAT_MODULE)

    @wasm_module(str(folder / "wide.wasm"))
    class Wide:
        @wasm
        def collect(self, value: int) -> None: ...
        @wasm(3)
        def total(self) -> int: ...
        @wasm
        def minus(self, first: int, second: int) -> int: ...
        @wasm
        def fail(self) -> None: ...

    @wasm_module(str(folder / "float.wasm"))
    class Floats:
        @wasm
        def half(self) -> float: ...

    @guppy
    def collects() -> None:
        first, second = spawn_wasm_contexts(2, Wide)
        coin = qubit()
        h(coin)
        first.collect(1)
        if measure(coin).read():
            first.collect(5)
            second.collect(-20)
        total = first.total()
        result("minus", first.minus(total, 100))
        added = 0
        for number in range(4):
            first.collect(number)
            added += first.total() - total
        result("added", added)
        result("second", second.total())
        first.discard()
        second.discard()

    @guppy
    def fails() -> None:
        [module] = spawn_wasm_contexts(1, Wide)
        module.fail()
        module.discard()

    @guppy
    def halves() -> None:
        [module] = spawn_wasm_contexts(1, Floats)
        result("half", module.half())
        module.discard()

    return {
        "collects": collects.compile().to_bytes(),
        "fails": fails.compile().to_bytes(),
        "halves": halves.compile().to_bytes(),
    }


def hugr_request(program, wasm):
    return RunRequest("hugr", program, {"type": "SeleneConfig"}, 20, wasm=wasm)


def test_hugr_programs_call_functions_of_several_contexts(run, hugr):
    outcome = run(hugr_request(hugr["collects"], WIDE_MODULE))
    assert outcome.status == "COMPLETED", outcome.error_detail
    shots = {json.dumps(shot) for shot in json.loads(outcome.result)["3"]}
    assert shots == {
        '[["minus", -89], ["added", 10], ["second", 10]]',
        '[["minus", -84], ["added", 10], ["second", -10]]',
    }


@pytest.mark.parametrize(
    ("name", "module", "sentence"),
    [
        ("collects", None, "the job has no wasm_module"),
        ("collects", bytes(wat2wasm("(module)")), "which its WASM module does not"),
        ("fails", WIDE_MODULE, "WASM function fail failed"),
        ("halves", FLOAT_MODULE, "a value of type float64"),
    ],
)
def test_what_a_hugr_program_cannot_call_is_an_error(run, hugr, name, module, sentence):
    outcome = run(hugr_request(hugr[name], module))
    assert outcome.status == "ERROR"
    assert sentence in outcome.error_detail


def test_a_hugr_program_may_leave_a_module_alone(run, bell_hugr):
    outcome = run(hugr_request(bell_hugr, MODULE))
    assert outcome.status == "COMPLETED", outcome.error_detail
