"""What a QIR program may do, checked before any of it becomes native code.

A program is linked with the simulator and runs in a process of it. So it may compute,
branch and call the functions of QIR, and reach no other memory than its own variables
and no other function. What is not known to be harmless is refused.
"""

import re

import llvmlite.binding as llvm  # type: ignore[import-untyped]

from local_nexus.simulators.errors import SimulationError

COMPUTATIONS = {
    "ret",
    "br",
    "switch",
    "phi",
    "select",
    "icmp",
    "fcmp",
    "unreachable",
    "freeze",
    "trunc",
    "zext",
    "sext",
    "fptrunc",
    "fpext",
    "fptoui",
    "fptosi",
    "uitofp",
    "sitofp",
    "add",
    "sub",
    "mul",
    "udiv",
    "sdiv",
    "urem",
    "srem",
    "and",
    "or",
    "xor",
    "shl",
    "lshr",
    "ashr",
    "fadd",
    "fsub",
    "fmul",
    "fdiv",
    "frem",
    "fneg",
    "alloca",
    "load",
    "store",
    "call",
    "getelementptr",
}
REGISTERS = {
    "create_creg",
    "get_int_from_creg",
    "set_creg_to_int",
    "get_creg_bit",
    "set_creg_bit",
    "mz_to_creg_bit",
}
"""Functions of the machine's run time that :mod:`.qir` replaces."""
EXTERNAL = re.compile(
    r"__quantum__(qis|rt)__\w+|llvm\.(dbg|lifetime|assume|[su](min|max)|abs|fabs|floor"
    r"|ceil|round|trunc|sqrt|pow|exp|log|sin|cos)\b.*"
)
OUTPUT = re.compile(r"__quantum__rt__\w+_record_output")
ARRAY = re.compile(
    r"__quantum__rt__(qubit|result)_array_(allocate|release|record_output)"
)
ALLOCATION = re.compile(r"__quantum__rt__\w*allocate")

VARIABLE = re.compile(r"(%\S+) = alloca (?:\[(\d+) x (\w+)\]|(\w+))(?:, align \d+)?")
ADDRESS = re.compile(
    r"%\S+ = getelementptr (?:[a-z]+ )*(?:\[(\d+) x (\w+)\]|(\w+)), ptr (%[^\s,]+)"
    r"((?:, i\d+ \d+)+)"
)
REGISTER = re.compile(r"%\S+ = (?:tail )?call ptr @create_creg\(i64 \d+\).*")
SCALAR = re.compile(r"i([1-9]|[1-5]\d|6[0-4])|double|float|ptr")
NUMBER = re.compile(r"ptr inttoptr \(i\d+ \d+ to ptr\)")
MOST_VARIABLES = 4096
"""Values that the variables of a function may have, so that they do not leave the
stack."""

STRING = re.compile(r'"[^"]*"')
NAME = re.compile(r"[@%$#][\w$.-]*")
OUTSIDE_CODE = re.compile(
    r"\b(module asm|alias|ifunc|section|prologue|prefix|personality|gc|comdat"
    r"|partition|thread_local)\b"
)
METADATA = re.compile(
    r"^!llvm\.(?!module\.flags |ident |dbg\.cu |errno\.tbaa )\S+", re.MULTILINE
)
HOOKS = re.compile(
    r'"(probe-stack|fentry|instrument-function|patchable|split-stack|xray)[^"]*"'
)


def check(module: llvm.ModuleRef) -> None:
    """Refuse a program that could do more than a quantum program does.

    :raises SimulationError: Naming what it may not do.
    """
    text = str(module)
    for line in text.splitlines():
        plain = NAME.sub("@", STRING.sub("@", line))
        if line.startswith(("@", "define", "declare", "module asm", "$")) and (
            found := OUTSIDE_CODE.search(plain)
        ):
            raise _refused(found.group())
    for pattern in (METADATA, HOOKS):
        if found := pattern.search(text):
            raise _refused(found.group())
    for variable in module.global_variables:
        if variable.name.startswith("llvm."):
            raise _refused(variable.name)
    external = set()
    for function in module.functions:
        if function.is_declaration:
            _check_external(function)
            external.add(function.name)
    for function in module.functions:
        _Body(function, external).check()


def close(module: llvm.ModuleRef) -> None:
    """Let no function and no variable of the program stand in for one of others.

    :raises SimulationError: When it begins in several functions.
    """
    for variable in module.global_variables:
        variable.linkage = "internal"
    entries = 0
    for function in module.functions:
        if function.is_declaration:
            continue
        if b"entry_point" in b" ".join(function.attributes):
            entries += 1
            function.name = "program_entry_point"
        else:
            function.linkage = "internal"
    if entries > 1:
        raise _refused(f"{entries} entry points")


def _check_external(function: llvm.ValueRef) -> None:
    name = function.name
    is_wasm = b'"wasm"' in b" ".join(function.attributes).split()
    if not (is_wasm or name in REGISTERS or EXTERNAL.fullmatch(name)):
        raise _refused(f"the function {name}")


def _check_value(value: llvm.ValueRef) -> None:
    """Refuse constants that are addresses, except labels and numbers of qubits."""
    kind = value.value_kind.name
    if kind == "inline_asm":
        raise _refused("inline assembly")
    if kind == "constant_expr":
        is_label = "getelementptr" in str(value) and "inttoptr" not in str(value)
        if not (NUMBER.fullmatch(str(value)) or is_label):
            raise _refused(str(value))


class _Body:
    """The code of one function.

    :param function: Of the program.
    :param external: The functions that it does not define.
    """

    def __init__(self, function: llvm.ValueRef, external: set[str]) -> None:
        self._blocks = [list(block.instructions) for block in function.blocks]
        self._external = external
        # Name -> how many values of which type.
        self._variables: dict[str, tuple[int, str]] = {}

    def check(self) -> None:
        """Refuse code that leaves what the function may reach."""
        for number, block in enumerate(self._blocks):
            for instruction in block:
                if instruction.opcode == "alloca":
                    # Each turn of a loop would take more of the stack.
                    if number:
                        raise _refused(f"the variable {_words(instruction)}")
                    self._add_variable(instruction)
        for block in self._blocks:
            for instruction in block:
                self._check(instruction, list(instruction.operands))

    def _add_variable(self, instruction: llvm.ValueRef) -> None:
        found = VARIABLE.fullmatch(str(instruction).strip())
        if found is not None:
            name, length, of_array, alone = found.groups()
            kind = of_array or alone
            self._variables[name] = int(length or 1), kind
            total = sum(size for size, _kind in self._variables.values())
            if SCALAR.fullmatch(kind) and total <= MOST_VARIABLES:
                return
        raise _refused(f"the variable {_words(instruction)}")

    def _check(self, instruction: llvm.ValueRef, operands: list[llvm.ValueRef]) -> None:
        opcode = instruction.opcode
        if opcode not in COMPUTATIONS:
            raise _refused(f"the instruction {opcode}")
        for operand in operands:
            _check_value(operand)
        match opcode:
            case "load":
                is_safe = self._element(operands[0]) == str(instruction.type)
            case "store":
                is_safe = self._element(operands[1]) == str(operands[0].type)
            case "getelementptr":
                is_safe = self._element(instruction) is not None
            case "call":
                is_safe = self._is_safe_call(operands)
            case _:
                is_safe = True
        if not is_safe:
            raise _refused(f"the instruction {_words(instruction)}")

    def _is_safe_call(self, operands: list[llvm.ValueRef]) -> bool:
        *arguments, callee = operands
        if callee.value_kind.name != "function":
            return False
        name = callee.name
        pointers = [one for one in arguments if str(one.type) == "ptr"]
        if name not in self._external:
            return True
        if name in REGISTERS - {"create_creg"}:
            # A qubit may come first.
            return REGISTER.fullmatch(_words(pointers[-1])) is not None
        if ARRAY.fullmatch(name):
            count, array, *others = arguments
            size, kind = self._variable(array) or (0, "")
            is_fit = _is_label if OUTPUT.fullmatch(name) else self._may_be_written
            is_inside = _count(count) <= size and kind == "ptr"
            return is_inside and all(map(is_fit, others))
        if ALLOCATION.fullmatch(name):
            return all(map(self._may_be_written, pointers))
        if OUTPUT.fullmatch(name):
            return _is_label(pointers[-1])
        # Its pointers are qubits and results, of which only the number counts.
        return True

    def _may_be_written(self, value: llvm.ValueRef) -> bool:
        """Return whether a function may write an error there; null is nowhere."""
        is_null = value.value_kind.name == "constant_pointer_null"
        return is_null or self._variable(value) == (1, "i64")

    def _variable(self, value: llvm.ValueRef) -> tuple[int, str] | None:
        found = VARIABLE.fullmatch(str(value).strip())
        return None if found is None else self._variables[found.group(1)]

    def _element(self, place: llvm.ValueRef) -> str | None:
        """Return the type of the value at a place in a variable; None elsewhere."""
        variable = self._variable(place)
        if variable is not None:
            return variable[1]
        found = ADDRESS.fullmatch(str(place).strip())
        if found is None:
            return None
        length, of_array, alone, name, numbers = found.groups()
        size, kind = self._variables.get(name, (0, ""))
        indices = [int(number.split()[1]) for number in numbers[2:].split(", ")]
        is_same = (of_array or alone) == kind and length in {None, str(size)}
        is_shaped = len(indices) == (1 if length is None else 2)
        is_inside = not any(indices[:-1]) and indices[-1] < size
        return kind if is_same and is_shaped and is_inside else None


def _is_label(value: llvm.ValueRef) -> bool:
    kind = value.value_kind.name
    return kind in {"global_variable", "constant_pointer_null"} or (
        kind == "constant_expr" and not NUMBER.fullmatch(str(value))
    )


def _count(value: llvm.ValueRef) -> int:
    found = re.fullmatch(r"i\d+ (\d+)", str(value))
    if found is None:
        raise _refused(f"an array of {_words(value)} elements")
    return int(found.group(1))


def _words(value: llvm.ValueRef) -> str:
    return " ".join(str(value).split())[:200]


def _refused(what: str) -> SimulationError:
    return SimulationError(
        f"The QIR program has {what}, which programs may not use here: they may "
        "compute, and call the functions of QIR and of their WASM module."
    )
