"""WASM functions that HUGR programs call.

Selene's compiler does not know HUGR's extension for WASM modules, but that for GPUs,
which has the same operations: it makes them calls of C functions of ``wasm_calls.c``.
"""

import json
from typing import Any

import hugr.cli

from local_nexus.simulators.errors import SimulationError
from local_nexus.simulators.wasm.stubs import WasmCalls

WASM = "tket.wasm"
GPU = {"extension": "tket.gpu", "extension_version": "0.2.0"}
GPU_MODULE = {
    "c": "ConstGpuModule",
    "v": {"module_filename": "", "config_filename": None},
}
HEADER_SIZE = 10
"""Bytes of an envelope before its content."""

Json = Any

INTEGER = {
    "extension": "arithmetic.int.types",
    "id": "int",
    "args": [{"tya": "BoundedNat", "n": 6}],
}
"""What is the same in all descriptions of an integer of 64 bits."""


def with_wasm_symbols(data: bytes) -> tuple[bytes, WasmCalls | None]:
    """Let a program call C functions in the place of WASM functions.

    :param data: An envelope of a HUGR package.
    :returns: An envelope that Selene knows, and the calls; None without any.
    :raises SimulationError: When values are not integers.
    """
    envelope = hugr.cli.convert(data, format="json")
    content = json.loads(envelope[HEADER_SIZE:])
    functions: dict[str | int, int] = {}
    for module in content["modules"]:
        module["nodes"] = [_rewritten(node, functions) for node in module["nodes"]]
    if not functions:
        return data, None
    changed = envelope[:HEADER_SIZE] + json.dumps(content).encode()
    return changed, WasmCalls(list(functions), stubs="")


def _rewritten(node: Json, functions: dict[str | int, int]) -> Json:
    """Return an operation, one of WASM as one of GPUs.

    :param functions: The functions, each with its number; new ones are added.
    """
    new = _for_gpus(node)
    if node.get("extension") != WASM:
        return new
    match node["name"]:
        case "lookup_by_name":
            name = node["args"][0]["arg"]
            number = functions.setdefault(name, len(functions))
            new["args"][0]["arg"] = str(number)
        case "lookup_by_id":
            number = functions.setdefault(node["args"][0]["n"], len(functions))
            new["args"][0]["n"] = number
        case "call":
            for types in node["args"]:
                _check_integers(types["elems"])
    return new


def _for_gpus(value: Json) -> Json:
    if isinstance(value, list):
        return [_for_gpus(one) for one in value]
    if not isinstance(value, dict):
        return value
    if value.get("c") == "ConstWasmModule":
        return GPU_MODULE
    new = {key: _for_gpus(one) for key, one in value.items()}
    return new | GPU if new.get("extension") == WASM else new


def _check_integers(types: list[Json]) -> None:
    for one in types:
        kind = one["ty"]
        if not INTEGER.items() <= kind.items():
            raise SimulationError(
                "The program passes a WASM function a value of type "
                f"{kind.get('id')}, or gets one; here only integers of 64 bits are "
                "passed."
            )
