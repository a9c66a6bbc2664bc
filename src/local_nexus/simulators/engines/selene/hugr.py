"""HUGR as Selene takes it: compiled, and with no function of anybody else in it."""

import re
from functools import cache

import llvmlite.binding as llvm  # type: ignore[import-untyped]
from selene_core.build_utils.symbols import get_symbols_from_object
from selene_core.build_utils.types import LibDep
from selene_helios_qis_plugin import HeliosInterface
from selene_hugr_qis_compiler import EmulatorState

from local_nexus.simulators.errors import SimulationError

OF_COMPILER = re.compile(r"llvm\.[\w.]+|gpu_\w+")
"""What the compiler defines itself, and WASM functions, which are those of GPUs."""
OF_PROGRAM = re.compile(r"__hugr__\.(.+)\.\d+")
"""What the compiler makes of the name of a function."""


def bitcode(program: bytes) -> bytes:
    """Return the bitcode of a HUGR program for Selene.

    :raises SimulationError: When it calls a function that it does not have.
    :raises Exception: When it cannot be compiled; the text says why.
    """
    compiled = EmulatorState.from_bytes(program).compile_to_bitcode()
    # As with QIR, the linker would take such a function from wherever it finds one.
    for function in llvm.parse_bitcode(compiled).functions:
        name = function.name
        if function.is_declaration and not (
            OF_COMPILER.fullmatch(name) or name in _of_selene()
        ):
            found = OF_PROGRAM.fullmatch(name)
            raise SimulationError(
                f"The HUGR program calls the function {found[1] if found else name}, "
                "which it only declares: define it. Programs may call their own "
                "functions here, and those of their WASM module."
            )
    return compiled


@cache
def _of_selene() -> frozenset[str]:
    """Return the functions of the libraries that Selene links programs with."""
    libraries = [library.path for library in LibDep.from_plugin(HeliosInterface())]
    # One of them is an archive, whose only function is the one that calls the program.
    tables = [
        get_symbols_from_object(path) for path in libraries if path.suffix != ".a"
    ]
    return frozenset[str]().union(*(table.defined_functions for table in tables))
