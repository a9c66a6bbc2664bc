"""QIR as Selene takes it.

qir-qis, which translates QIR for Selene, knows version 2 of QIR's instruction set.
Programs made by pytket-qir differ in three ways: they read results by the name of
version 1, they declare functions that they do not use, and in its profile ``PYTKET``
keep classical registers by functions of the machine's run time.
"""

import re

import llvmlite.binding as llvm  # type: ignore[import-untyped]
import qir_qis

from local_nexus.simulators.engines.selene import qir_check
from local_nexus.simulators.errors import SimulationError
from local_nexus.simulators.wasm.stubs import WasmCalls, call, stub

MARKS = ("__quantum__qis__read_result__body", "create_creg")
"""Names in a program that has to be rewritten."""

REGISTER_FUNCTIONS = """
define internal i64 @get_int_from_creg(ptr %creg) alwaysinline {
  %value = load i64, ptr %creg
  ret i64 %value
}
define internal void @set_creg_to_int(ptr %creg, i64 %value) alwaysinline {
  store i64 %value, ptr %creg
  ret void
}
define internal i1 @get_creg_bit(ptr %creg, i64 %index) alwaysinline {
  %value = load i64, ptr %creg
  %shifted = lshr i64 %value, %index
  %bit = trunc i64 %shifted to i1
  ret i1 %bit
}
define internal void @set_creg_bit(ptr %creg, i64 %index, i1 %bit) alwaysinline {
  %value = load i64, ptr %creg
  %place = shl i64 1, %index
  %others = xor i64 %place, -1
  %cleared = and i64 %value, %others
  %wide = zext i1 %bit to i64
  %placed = shl i64 %wide, %index
  %new = or i64 %cleared, %placed
  store i64 %new, ptr %creg
  ret void
}
define internal void @mz_to_creg_bit(ptr %qubit, ptr %creg, i64 %index) alwaysinline {
  call void @__quantum__qis__mz__body(ptr %qubit, ptr null)
  %bit = call i1 @__quantum__rt__read_result(ptr null)
  call void @set_creg_bit(ptr %creg, i64 %index, i1 %bit)
  ret void
}
"""
"""The classical registers of the profile ``PYTKET``, each an integer of 64 bits."""

CREATE = re.compile(r"(%\S+) = call ptr @create_creg\(i64 \d+\)")
DECLARATION = re.compile(r'declare [^@]*@"?([\w$.]+)"?\(.*\n')
MEASURE = "__quantum__qis__mz__body"
WASM_ATTRIBUTE = b'"wasm"'
"""What functions of a WASM module are declared with."""
C_TYPES = {
    "void": "void",
    "i32": "int32_t",
    "i64": "int64_t",
}
"""LLVM types that such functions may have."""


def bitcode(program: bytes) -> bytes:
    """Return the bitcode of a QIR program, which may be bitcode or text, for Selene.

    :raises SimulationError: When it could do more than a quantum program does.
    :raises Exception: When it is not QIR; the text says why.
    """
    is_bitcode = program.startswith((b"BC", b"\xde\xc0\x17\x0b"))
    module = (llvm.parse_bitcode if is_bitcode else _parse)(program)
    qir_check.check(module)
    qir_check.close(module)
    # Written anew: nobody else reads the program as it came.
    text = str(module)
    if not any(mark in text for mark in MARKS):
        return qir_qis.qir_ll_to_bc(text)
    text = text.replace(
        "__quantum__qis__read_result__body", "__quantum__rt__read_result"
    )
    if "@create_creg(" in text:
        text = _with_registers(text)
    return qir_qis.qir_ll_to_bc(_without_unused(text))


def with_wasm_symbols(program: bytes) -> tuple[bytes, WasmCalls | None]:
    """Let a program call C functions in the place of WASM functions.

    :param program: Bitcode.
    :returns: Bitcode in which they have names of ours, and the calls; None without any.
    :raises SimulationError: When values are not integers.
    """
    module = llvm.parse_bitcode(program)
    names: list[str] = []
    stubs = ""
    for function in module.functions:
        attributes = b" ".join(function.attributes).split()
        if function.is_declaration and WASM_ATTRIBUTE in attributes:
            symbol = f"local_nexus_wasm_{len(names)}"
            stubs += _stub(function, symbol, len(names))
            names.append(function.name)
            function.name = symbol
    if not names:
        return program, None
    return qir_qis.qir_ll_to_bc(str(module)), WasmCalls(names, stubs)


def _stub(function: llvm.ValueRef, symbol: str, number: int) -> str:
    signature = function.global_value_type
    kinds = [signature.get_function_return(), *signature.get_function_parameters()]
    result, *types = [_c_type(kind, function.name) for kind in kinds]
    values = [f"a{place}" for place in range(len(types))]
    returned = "" if result == "void" else f"return ({result})"
    body = f"{returned} {call('0', str(number), values)};"
    return stub(symbol, result, types, body, number=number)


def _c_type(kind: llvm.TypeRef, name: str) -> str:
    if str(kind) not in C_TYPES:
        raise SimulationError(
            f"The program passes the WASM function {name} a value of the LLVM type "
            f"{kind}, or gets one; here only integers of 32 and 64 bits are passed."
        )
    return C_TYPES[str(kind)]


def _parse(program: bytes) -> llvm.ModuleRef:
    return llvm.parse_assembly(program.decode())


def _with_registers(text: str) -> str:
    """Return a module whose classical registers have become plain integers."""
    text = CREATE.sub(r"\1 = alloca i64\n  store i64 0, ptr \1", text)
    text = DECLARATION.sub(_unless_defined_here, text)
    text += REGISTER_FUNCTIONS
    if f"declare void @{MEASURE}(" not in text:
        text += f"declare void @{MEASURE}(ptr, ptr writeonly)\n"
    module = llvm.parse_assembly(text)
    llvm.initialize_native_target()
    machine = llvm.Target.from_default_triple().create_target_machine()
    builder = llvm.create_pass_builder(machine, llvm.create_pipeline_tuning_options())
    passes = llvm.create_new_module_pass_manager()
    passes.add_always_inliner_pass()
    passes.add_sroa_pass()
    passes.add_global_dead_code_eliminate_pass()
    passes.run(module, builder)
    return str(module)


def _unless_defined_here(declaration: re.Match[str]) -> str:
    name = declaration.group(1)
    ours = re.search(rf"define .* @{re.escape(name)}\(", REGISTER_FUNCTIONS)
    return "" if ours or name == "create_creg" else declaration.group()


def _without_unused(text: str) -> str:
    def keep(declaration: re.Match[str]) -> str:
        uses = len(re.findall(rf'@"?{re.escape(declaration.group(1))}"?\(', text))
        return declaration.group() if uses > 1 else ""

    return DECLARATION.sub(keep, text)
