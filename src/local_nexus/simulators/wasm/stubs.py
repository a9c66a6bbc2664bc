"""C functions by which a program in Selene calls the functions of a WASM module."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class WasmCalls:
    """The WASM functions that a program calls, and how it does so.

    :param functions: Their names in the module, or their numbers among its exports.
    :param stubs: Functions in C with the names that the program calls. They ask
        ``wasm_call`` of ``wasm_calls.c``, with a place in ``functions``.
    """

    functions: Sequence[str | int]
    stubs: str


def stub(
    symbol: str, result: str, types: Iterable[str], body: str, *, number: int
) -> str:
    """Return a function in C.

    :param symbol: Its name for the linker.
    :param result: The type that it returns.
    :param types: Those of its arguments, which are ``a0``, ``a1`` and so on.
    :param number: A number that no other stub has.
    """
    named = ", ".join(f"{kind} a{place}" for place, kind in enumerate(types))
    head = f"{result} wasm_stub_{number}({named or 'void'})"
    return f'{head} __asm__(LINKED("{symbol}"));\n{head} {{\n    {body}\n}}\n'


def call(context: str, function: str, arguments: Iterable[str]) -> str:
    """Return a call of ``wasm_call`` in C."""
    values = ["0", *arguments]
    array = f"(const int64_t[]){{{', '.join(values)}}} + 1"
    return f"wasm_call({context}, {function}, {array}, {len(values) - 1})"
