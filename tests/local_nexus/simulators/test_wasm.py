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


def test_selene_refuses_modules(run):
    outcome = run(RunRequest("hugr", b"", {"type": "SeleneConfig"}, 1, wasm=MODULE))
    assert "only circuits can call" in outcome.error_detail
