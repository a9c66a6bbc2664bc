"""WASM functions that QIR programs call in Selene.

A program in Selene is a process of its own, into which C functions are linked that have
the names and types of those in the module. They ask this process over a socket, which
runs the module with wasmtime as for circuits.
"""

import contextlib
import socketserver
import struct
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import override

from selene_core import Utility

from local_nexus.simulators.engines.c_compiler import compile_c
from local_nexus.simulators.engines.qir import WasmFunction
from local_nexus.simulators.engines.wasm import WasmModule, WasmShot
from local_nexus.simulators.errors import SimulationError

SOURCE = Path(__file__).with_name("wasm_calls.c")
MOST_CHARACTERS = 200
NUMBER = struct.Struct("=q")
HEADER = struct.Struct("=3Q")
ANSWER = struct.Struct("=2q")


@dataclass
class WasmLibrary(Utility):
    """The functions in C, for the link of a program."""

    path: Path = Path()

    @property
    @override
    def library_file(self) -> Path:
        return self.path


@contextlib.contextmanager
def serving(
    wasm: bytes, functions: Sequence[WasmFunction], directory: Path
) -> Iterator[WasmLibrary]:
    """Serve the functions of a module to one program after the other.

    :param wasm: the module in binary form.
    :param functions: the functions that programs call.
    :param directory: an existing private directory, in which files are left.
    :returns: the library that the program has to be linked with.
    :raises SimulationError: when the module cannot be loaded, has not all of the
        functions, or cannot be served.
    """
    module = WasmModule(wasm, needs_init=False)
    missing = [one.name for one in functions if one.name not in module.functions]
    if missing:
        raise SimulationError(
            f"The program calls {', '.join(missing)}, which its WASM module does not "
            "have."
        )
    socket = directory / "wasm"
    source, library = directory / "wasm.c", directory / "wasm.o"
    source.write_text(SOURCE.read_text() + _stubs(functions, socket))
    compile_c(source, library, "-c")
    try:
        server = _Server(str(socket), _Calls)
    except OSError as error:
        raise SimulationError(
            f"WASM calls need a socket at {socket}: {error}. A shorter path of the "
            "directory for temporary files, TMPDIR, may help."
        ) from error
    server.module, server.functions = module, functions
    with server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield WasmLibrary(library)
        finally:
            server.shutdown()
            thread.join()


def _stubs(functions: Sequence[WasmFunction], socket: Path) -> str:
    """Return the functions in C."""
    path = ", ".join(str(byte) for byte in [*bytes(socket), 0])
    lines = [f"const char wasm_socket[] = {{{path}}};"]
    for index, function in enumerate(functions):
        count = len(function.parameters)
        parameters = ", ".join(
            f"{_c_type(bits)} a{place}"
            for place, bits in enumerate(function.parameters)
        )
        arguments = ", ".join(["0", *(f"a{place}" for place in range(count))])
        result = "void" if function.result is None else _c_type(function.result)
        returned = "" if function.result is None else f"return ({result})"
        lines.append(
            f"{result} {function.symbol}({parameters or 'void'}) {{\n"
            f"    int64_t arguments[] = {{{arguments}}};\n"
            f"    {returned} wasm_call({index}, arguments + 1, {count});\n}}"
        )
    return "\n".join(lines) + "\n"


def _c_type(bits: int) -> str:
    return "_Bool" if bits == 1 else f"int{bits}_t"


class _Server(socketserver.UnixStreamServer):
    module: WasmModule
    functions: Sequence[WasmFunction]

    @override
    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing: a program that was killed cannot read its answer."""


class _Calls(socketserver.StreamRequestHandler):
    """Answers the calls of one process, which does one shot after the other."""

    server: _Server

    @override
    def handle(self) -> None:
        current: int | None = None
        shot = self.server.module.shot()
        while header := self.rfile.read(HEADER.size):
            number, index, count = HEADER.unpack(header)
            arguments = struct.unpack(f"={count}q", self.rfile.read(8 * count))
            if number != current:
                current, shot = number, self.server.module.shot()
            self.wfile.write(self._answer(shot, index, arguments))

    def _answer(self, shot: WasmShot, index: int, arguments: tuple[int, ...]) -> bytes:
        try:
            value = shot.call(self.server.functions[index].name, arguments)
        except SimulationError as error:
            reason = f"EXIT:INT:{error}".encode(errors="replace")[:MOST_CHARACTERS]
            return ANSWER.pack(1, len(reason)) + reason
        # The same bits as an integer with a sign.
        return ANSWER.pack(0, (value + 2**63) % 2**64 - 2**63)
