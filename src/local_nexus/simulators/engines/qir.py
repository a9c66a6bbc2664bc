"""QIR as Selene takes it.

qir-qis, which translates QIR for Selene, knows version 2 of QIR's instruction set.
Programs made by pytket-qir differ in three ways: they read results by the name of
version 1, they declare functions that they do not use, and in its profile ``PYTKET``
keep classical registers by functions of the machine's run time.
"""

import re
from dataclasses import dataclass

import llvmlite.binding as llvm  # type: ignore[import-untyped]
import qir_qis

from local_nexus.simulators.errors import SimulationError

MARKS = (b"__quantum__qis__read_result__body", b"create_creg")
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
WIDTHS = {1, 8, 16, 32, 64}
"""Bits of the integers that C has."""


@dataclass(frozen=True)
class WasmFunction:
    """A WASM function that a program calls.

    :param name: its name in the module.
    :param symbol: its name in the program, which is ours.
    :param parameters: the bits of each of its arguments, which are integers.
    :param result: the bits of its result; None without one.
    """

    name: str
    symbol: str
    parameters: tuple[int, ...]
    result: int | None


def bitcode(program: bytes) -> bytes:
    """Return the bitcode of a QIR program, which may be bitcode or text, for Selene.

    :raises Exception: when it is not QIR; the text says why.
    """
    is_bitcode = program.startswith((b"BC", b"\xde\xc0\x17\x0b"))
    if not any(mark in program for mark in MARKS):
        return program if is_bitcode else qir_qis.qir_ll_to_bc(program.decode())
    module = (llvm.parse_bitcode if is_bitcode else _parse)(program)
    text = str(module).replace(
        "__quantum__qis__read_result__body", "__quantum__rt__read_result"
    )
    if "@create_creg(" in text:
        text = _with_registers(text)
    return qir_qis.qir_ll_to_bc(_without_unused(text))


def with_wasm_symbols(program: bytes) -> tuple[bytes, list[WasmFunction]]:
    """Give the WASM functions that a program calls names that only they have.

    :param program: bitcode.
    :returns: bitcode with these names, and the functions.
    :raises SimulationError: when a function has arguments that are no integers.
    """
    module = llvm.parse_bitcode(program)
    functions: list[WasmFunction] = []
    for function in module.functions:
        attributes = b" ".join(function.attributes).split()
        if function.is_declaration and WASM_ATTRIBUTE in attributes:
            found = _wasm_function(function, f"local_nexus_wasm_{len(functions)}")
            function.name = found.symbol
            functions.append(found)
    renamed = qir_qis.qir_ll_to_bc(str(module)) if functions else program
    return renamed, functions


def _wasm_function(function: llvm.ValueRef, symbol: str) -> WasmFunction:
    signature = function.global_value_type

    def bits(kind: llvm.TypeRef) -> int:
        if kind.type_kind != llvm.TypeKind.integer or kind.type_width not in WIDTHS:
            raise SimulationError(
                f"The program calls the WASM function {function.name} with a value of "
                f"the LLVM type {kind}; here only integers are passed."
            )
        width: int = kind.type_width
        return width

    returned = signature.get_function_return()
    return WasmFunction(
        function.name,
        symbol,
        tuple(bits(kind) for kind in signature.get_function_parameters()),
        None if returned.type_kind == llvm.TypeKind.void else bits(returned),
    )


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
