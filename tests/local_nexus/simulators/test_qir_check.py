"""A QIR program computes and calls QIR; nothing in it becomes other native code."""

import pytest

from .test_hybrid import ATTRIBUTES, HELIOS, completed

DECLARATIONS = {
    "__quantum__qis__h__body": "void @{}(ptr)",
    "__quantum__rt__qubit_allocate": "ptr @{}(ptr)",
    "__quantum__rt__qubit_array_allocate": "void @{}(i64, ptr, ptr)",
    "__quantum__rt__int_record_output": "void @{}(i64, ptr)",
    "create_creg": "ptr @{}(i64)",
    "set_creg_to_int": "void @{}(ptr, i64)",
    "get_int_from_creg": "i64 @{}(ptr)",
}
FOREIGN = "ptr inttoptr (i64 4096 to ptr)"


def qir(code: str, outside: str = "", head: str = "") -> bytes:
    declared = "\n".join(
        f"declare {form.format(name)}"
        for name, form in DECLARATIONS.items()
        if f"@{name}(" in code and f"@{name}(" not in outside
    )
    return f"""
@0 = internal constant [2 x i8] c"x\\00"
{outside}
define void @main() #0 {head} {{
entry:
{code}
  ret void
}}
{declared}
{ATTRIBUTES}
""".encode()


HARMLESS = "call void @__quantum__qis__h__body(ptr null)"


@pytest.mark.parametrize(
    "program",
    [
        qir('call void asm sideeffect "nop", ""()'),
        qir(HARMLESS, 'module asm "nop"'),
        qir("%p = inttoptr i64 4096 to ptr\nstore i64 1, ptr %p"),
        qir("%p = ptrtoint ptr @main to i64"),
        qir(
            "%v = add i64 ptrtoint (ptr @main to i64), 1\n"
            "call void @__quantum__rt__int_record_output(i64 %v, ptr @0)"
        ),
        qir(f"call void {FOREIGN.removeprefix('ptr ')}()"),
        qir(f"store i64 1, {FOREIGN}"),
        qir(f"%v = load i64, {FOREIGN}"),
        qir(f"%p = load ptr, {FOREIGN}\ncall void %p()"),
        qir("%p = alloca ptr\n%f = load ptr, ptr %p\ncall void %f()"),
        qir("%p = alloca i8\nstore i64 1, ptr %p"),
        qir(
            "%p = alloca [2 x i64]\n%q = getelementptr [2 x i64], ptr %p, i64 0, i64 9"
            "\nstore i64 1, ptr %q"
        ),
        qir(
            "%p = alloca [2 x i64]\n%n = load i64, ptr %p\n"
            "%q = getelementptr i64, ptr %p, i64 %n\nstore i64 1, ptr %q"
        ),
        qir("%p = alloca [1000000 x i64]\nstore i64 1, ptr %p"),
        qir("call i32 @system(ptr @0)", "declare i32 @system(ptr)"),
        qir(HARMLESS, "declare i32 @system(ptr)"),
        qir(
            "call void @llvm.memset.p0.i64(ptr @0, i8 0, i64 99, i1 false)",
            "declare void @llvm.memset.p0.i64(ptr, i8, i64, i1)",
        ),
        qir(HARMLESS, f"@other = alias void (), {FOREIGN}"),
        qir(HARMLESS, '@code = constant [2 x i8] c"\\90\\90", section ".text"'),
        qir(HARMLESS, head="prologue i32 -1869574000"),
        qir(HARMLESS, head='section ".init"'),
        qir(
            HARMLESS,
            "@llvm.global_ctors = appending global [1 x { i32, ptr, ptr }] "
            "[{ i32, ptr, ptr } { i32 1, ptr @main, ptr null }]",
        ),
        qir(HARMLESS, '!llvm.dependent-libraries = !{!9}\n!9 = !{!"/tmp/evil.a"}'),
        qir(HARMLESS).replace(b'"entry_point"', b'"entry_point" "probe-stack"="x"'),
        qir(f"call void @set_creg_to_int({FOREIGN}, i64 1)"),
        qir(f"%q = call ptr @__quantum__rt__qubit_allocate({FOREIGN})"),
        qir(
            "%a = alloca [2 x ptr]\n"
            "call void @__quantum__rt__qubit_array_allocate(i64 9, ptr %a, ptr null)"
        ),
        qir(f"call void @__quantum__rt__int_record_output(i64 1, {FOREIGN})"),
        qir("%q = call ptr @__quantum__rt__qubit_allocate(ptr @0)"),
        qir(HARMLESS, "define void @other() #0 { ret void }"),
    ],
)
def test_what_could_become_native_code_of_the_author_is_refused(run_hybrid, program):
    outcome = run_hybrid("qir", program, HELIOS, 1)
    assert outcome.status == "ERROR"
    assert outcome.error_detail.startswith("The QIR program has ")


def test_a_program_may_have_variables_and_functions_of_its_own(run_hybrid):
    # Its function has the name of one that the simulator needs.
    program = qir(
        "%n = alloca i64\nstore i64 20, ptr %n\n%v = load i64, ptr %n\n"
        "%w = call i64 @malloc(i64 %v)\n"
        "call void @__quantum__rt__int_record_output(i64 %w, ptr @0)",
        "define i64 @malloc(i64 %x) {\n%y = add i64 %x, 1\nret i64 %y\n}",
    )
    (shot,) = completed(run_hybrid("qir", program, HELIOS, 1))["4"]
    assert [value for _tag, value in shot] == [21]
