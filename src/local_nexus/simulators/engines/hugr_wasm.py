"""WASM functions that HUGR programs call.

Selene's compiler does not know the extension of HUGR for WASM modules. Here its types
become numbers, and its operations calls of C functions that are declared only: a
context is the number by which the program asked for it, a function its place in a list,
and a result a tuple of the context and the values.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import hugr.cli

from local_nexus.simulators.engines.wasm_stubs import WasmCalls, call, stub
from local_nexus.simulators.errors import SimulationError

EXTENSION = "tket.wasm"
HEADER_SIZE = 10
"""Bytes of an envelope before its content."""

Json = Any

NUMBER = {
    "t": "Opaque",
    "extension": "prelude",
    "id": "usize",
    "args": [],
    "bound": "C",
}
INTEGER = {
    "extension": "arithmetic.int.types",
    "id": "int",
    "args": [{"tya": "BoundedNat", "n": 6}],
}
"""What is the same in all descriptions of an integer of 64 bits."""


def with_wasm_symbols(data: bytes) -> tuple[bytes, WasmCalls | None]:
    """Let a program call C functions in the place of WASM functions.

    :param data: an envelope of a HUGR package.
    :returns: an envelope that Selene knows, and the calls; None without any.
    :raises SimulationError: when values are no integers.
    """
    envelope = hugr.cli.convert(data, format="json")
    content = json.loads(envelope[HEADER_SIZE:])
    rewriting = _Rewriting()
    for module in content["modules"]:
        rewriting.rewrite(module)
    if not rewriting.found:
        return data, None
    calls = WasmCalls(list(rewriting.functions), "".join(rewriting.stubs))
    return envelope[:HEADER_SIZE] + json.dumps(content).encode(), calls


class _Rewriting:
    """Replaces the types and operations of WASM in modules of a HUGR package."""

    def __init__(self) -> None:
        self.found = False
        self.functions: dict[str | int, int] = {}
        self.stubs: list[str] = []

    def rewrite(self, module: Json) -> None:
        """Change the JSON of a module."""
        nodes, edges = module["nodes"], module["edges"]
        declared: dict[str, int] = {}
        for index, node in enumerate(list(nodes)):
            new = _with_numbers(node)
            if _is_ours(node):
                self.found = True
                new = _operation(node["name"], new)
                if new["op"] == "Call":
                    function = self._function(node)
                    signature = new["instantiation"]
                    if function.name not in declared:
                        declared[function.name] = len(nodes)
                        nodes.append(self._declaration(function, signature, len(nodes)))
                    place = len(signature["input"])
                    edges.append([[declared[function.name], 0], [index, place]])
            elif node["op"] == "Const" and _is_ours(node["v"].get("typ", {})):
                value = {"c": "ConstUsize", "v": 0}
                new["v"] = {"v": "Extension", "typ": NUMBER, "value": value}
            nodes[index] = new
        if module.get("metadata"):
            added = len(nodes) - len(module["metadata"])
            module["metadata"] += [None] * added

    def _function(self, node: Json) -> "_Function":
        """Return the C function for an operation."""
        match node["name"]:
            case "lookup_by_name" | "lookup_by_id":
                chosen = node["args"][0]
                key = chosen["n"] if chosen["tya"] == "BoundedNat" else chosen["arg"]
                number = self.functions.setdefault(key, len(self.functions))
                return _Function(f"lookup_{number}", "int64_t", f"return {number};")
            case "call":
                arguments, results = (_integers(one) for one in node["args"])
                if results > 1:
                    raise SimulationError("A WASM function returns one value here.")
                values = [f"a{place + 2}" for place in range(arguments)]
                done = call("a0", "a1", values)
                if results:
                    body = f"return (wasm_result){{a0, {done}}};"
                    return _Function(f"call_{arguments}", "wasm_result", body)
                body = f"{done};\n    return a0;"
                return _Function(f"do_{arguments}", "int64_t", body)
            case "dispose_context":
                return _Function(
                    "dispose", "void", f"{call('a0', 'WASM_DISPOSE', [])};"
                )
            case unknown:
                raise SimulationError(f"Selene knows no operation {unknown} of WASM.")

    def _declaration(self, function: "_Function", signature: Json, index: int) -> Json:
        name = f"local_nexus_wasm_{function.name}"
        # Selene's compiler puts the number of the node into the name.
        symbol = f"__hugr__.{name}.{index}"
        types = ["int64_t"] * len(signature["input"])
        number = len(self.stubs)
        self.stubs.append(
            stub(symbol, function.result, types, function.body, number=number)
        )
        return {
            "parent": 0,
            "op": "FuncDecl",
            "name": name,
            "signature": {"params": [], "body": signature},
            "visibility": "Public",
        }


@dataclass(frozen=True)
class _Function:
    """A C function, whose arguments are numbers: its name, result type and body."""

    name: str
    result: str
    body: str


def _is_ours(value: Mapping[str, Json]) -> bool:
    return value.get("extension") == EXTENSION


def _with_numbers(value: Json) -> Json:
    """Return a part of a HUGR with numbers for the types of WASM."""
    if isinstance(value, list):
        return [_with_numbers(one) for one in value]
    if not isinstance(value, dict):
        return value
    if value.get("t") == "Opaque" and _is_ours(value):
        if value["id"] != "result":
            return NUMBER
        values = [_with_numbers(one["ty"]) for one in value["args"][0]["elems"]]
        return {"t": "Sum", "s": "General", "rows": [[NUMBER, *values]]}
    return {key: _with_numbers(one) for key, one in value.items()}


def _operation(name: str, node: Json) -> Json:
    """Return what does the work of an operation, whose types are numbers already."""
    parent, signature = node["parent"], node["signature"]
    match name:
        case "get_context":
            return {"parent": parent, "op": "Tag", "tag": 1, "variants": [[], [NUMBER]]}
        case "read_result":
            types = [{"tya": "Type", "ty": kind} for kind in signature["output"]]
            return {
                "parent": parent,
                "op": "Extension",
                "extension": "prelude",
                "name": "UnpackTuple",
                "signature": signature,
                "args": [{"tya": "List", "elems": types}],
            }
        case _:
            return {
                "parent": parent,
                "op": "Call",
                "func_sig": {"params": [], "body": signature},
                "type_args": [],
                "instantiation": signature,
            }


def _integers(types: Json) -> int:
    """Return how many integers some types of a call are.

    :raises SimulationError: when one is anything else.
    """
    for one in types["elems"]:
        if not INTEGER.items() <= one["ty"].items():
            raise SimulationError(
                "The program passes a WASM function a value of type "
                f"{one['ty'].get('id')}, or gets one; here only integers of 64 bits "
                "are passed."
            )
    return len(types["elems"])
