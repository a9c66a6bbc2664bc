"""WASM functions that HUGR and QIR programs call in Selene.

A program in Selene is a process of its own, into which C functions are linked that
stand for those of the module. They ask this process over a socket, which runs the
module with wasmtime as for circuits.
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

from local_nexus.simulators.c_compiler import compile_c
from local_nexus.simulators.errors import SimulationError
from local_nexus.simulators.wasm.modules import WasmModule, WasmShot
from local_nexus.simulators.wasm.stubs import WasmCalls

SOURCE = Path(__file__).with_name("wasm_calls.c")
MOST_CHARACTERS = 200
HEADER = struct.Struct("=QqqQ")
ANSWER = struct.Struct("=2q")
DISPOSE = -1


@dataclass
class WasmLibrary(Utility):
    """The C functions, for the link of a program."""

    path: Path = Path()

    @property
    @override
    def library_file(self) -> Path:
        return self.path


@contextlib.contextmanager
def serving(wasm: bytes, calls: WasmCalls, directory: Path) -> Iterator[WasmLibrary]:
    """Serve the functions of a module to one program after the other.

    :param wasm: The module in binary form.
    :param calls: What programs call.
    :param directory: An existing private directory, in which files are left.
    :returns: The library that a program has to be linked with.
    :raises SimulationError: When the module cannot be loaded, has not all of the
        functions, or cannot be served.
    """
    module = WasmModule(wasm, needs_init=False)
    names = [_name(function, module.exports) for function in calls.functions]
    socket = directory / "wasm"
    source, library = directory / "wasm.c", directory / "wasm.o"
    path = ", ".join(str(byte) for byte in [*bytes(socket), 0])
    source.write_text(
        f"{SOURCE.read_text()}const char wasm_socket[] = {{{path}}};\n{calls.stubs}"
    )
    compile_c(source, library, "-c")
    try:
        server = _Server(str(socket), _Calls)
    except OSError as error:
        raise SimulationError(
            f"WASM calls need a socket at {socket}: {error}. A shorter path of the "
            "directory for temporary files, TMPDIR, may help."
        ) from error
    server.module, server.names = module, names
    with server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield WasmLibrary(library)
        finally:
            server.shutdown()
            thread.join()


def _name(function: str | int, exports: Sequence[str]) -> str:
    """Return the name of a function, which may be given by its number."""
    if isinstance(function, int):
        if function < len(exports):
            return exports[function]
    elif function in exports:
        return function
    raise SimulationError(
        f"The program calls {function}, which its WASM module does not have."
    )


class _Server(socketserver.UnixStreamServer):
    module: WasmModule
    names: Sequence[str]

    @override
    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing: a program that was killed cannot read its answer."""


class _Calls(socketserver.StreamRequestHandler):
    """Answers the calls of one process, which does one shot after the other."""

    server: _Server

    @override
    def handle(self) -> None:
        current: int | None = None
        contexts: dict[int, WasmShot] = {}
        while header := self.rfile.read(HEADER.size):
            number, context, function, count = HEADER.unpack(header)
            arguments = struct.unpack(f"={count}q", self.rfile.read(8 * count))
            if number != current:
                current, contexts = number, {}
            if function == DISPOSE:
                contexts.pop(context, None)
                self.wfile.write(ANSWER.pack(0, 0))
                continue
            if context not in contexts:
                contexts[context] = self.server.module.shot()
            name = self.server.names[function]
            self.wfile.write(_answer(contexts[context], name, arguments))


def _answer(shot: WasmShot, name: str, arguments: tuple[int, ...]) -> bytes:
    try:
        value = shot.call(name, arguments)
    except SimulationError as error:
        reason = f"EXIT:INT:{error}".encode(errors="replace")[:MOST_CHARACTERS]
        return ANSWER.pack(1, len(reason)) + reason
    # The same bits as an integer with a sign.
    return ANSWER.pack(0, (value + 2**63) % 2**64 - 2**63)
