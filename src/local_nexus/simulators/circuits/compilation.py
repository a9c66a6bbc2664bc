"""Compilation of circuits for a device, by pytket's passes.

The passes for Quantinuum's devices are those that pytket-quantinuum 0.59 documents as
its default compilation; the other backends bring their own.
"""

import importlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytket.architecture import Architecture, FullyConnected
from pytket.circuit import Bit, Circuit, Node, OpType
from pytket.passes import (
    AutoRebase,
    AutoSquash,
    BasePass,
    CustomPass,
    DecomposeBoxes,
    DecomposeTK2,
    FlattenRelabelRegistersPass,
    FullPeepholeOptimise,
    GreedyPauliSimp,
    NormaliseTK2,
    RemoveBarriers,
    RemovePhaseOps,
    RemoveRedundancies,
    RepeatPass,
    SequencePass,
    SynthesiseTK,
    ZZPhaseToRz,
)
from pytket.passes.resizeregpass import scratch_reg_resize_pass

from local_nexus.simulators.circuits.classical import classical_operations, inner
from local_nexus.simulators.circuits.conditions import is_scratch, unfold
from local_nexus.simulators.circuits.preparation import check_size, parse
from local_nexus.simulators.costs import NATIVE_GATES
from local_nexus.simulators.devices import Config, Device, device_of
from local_nexus.simulators.errors import MissingSimulatorError, SimulationError
from local_nexus.simulators.requests import CompileOutcome, CompileRequest

if TYPE_CHECKING:
    from pytket.backends.backend import Backend
    from pytket.backends.backendinfo import BackendInfo

LEVELS = range(4)
GREEDY_GATES = {
    OpType.Z,
    OpType.X,
    OpType.Y,
    OpType.S,
    OpType.Sdg,
    OpType.V,
    OpType.Vdg,
    OpType.H,
    OpType.CX,
    OpType.CY,
    OpType.CZ,
    OpType.SWAP,
    OpType.Rz,
    OpType.Rx,
    OpType.Ry,
    OpType.T,
    OpType.Tdg,
    OpType.ZZMax,
    OpType.ZZPhase,
    OpType.XXPhase,
    OpType.YYPhase,
    OpType.PhasedX,
}
"""What :func:`pytket.passes.GreedyPauliSimp` takes."""
GREEDY_SECONDS = 300
TWO_QUBIT_GATES = ("ZZPhase", "ZZMax", "TK2")


def to_native_gates(circuit: Circuit) -> Circuit:
    """Return a circuit in the gates of Quantinuum's devices, not optimised."""
    native = circuit.copy()
    AutoRebase(NATIVE_GATES).apply(native)
    return native


def compile_circuit(
    request: CompileRequest, device_file: Path | None = None
) -> CompileOutcome:
    """Compile a circuit for a device.

    :param device_file: As for :func:`local_nexus.simulators.devices.devices`.
    :returns: The compiled circuit, and what each pass made of it.
    :raises SimulationError: When the circuit cannot be compiled for the device.
    """
    config, level = request.backend_config, request.optimisation_level
    if level not in LEVELS:
        raise SimulationError(
            f"The optimisation level is {level}; it has to be 0, 1, 2 or 3."
        )
    circuit = unfold(parse(request.circuit))
    device = device_of(config, device_file)
    check_size(circuit, device)
    bits = circuit.bits
    names = classical_operations(circuit)
    if names and device["backend_name"] in IBM_BACKENDS:
        raise SimulationError(
            f"{config['type']} compiles no circuit that computes with bits, and this "
            f"one has {', '.join(names)}: take another device."
        )
    steps = []
    for step in _flat(_passes(config, device, _safe(level, circuit))):
        _apply(step, circuit)
        _restore_scratch(circuit, bits)
        steps.append((_name(step), json.dumps(circuit.to_dict())))
    return CompileOutcome(
        "COMPLETED",
        message="The circuit has been compiled.",
        circuit=json.dumps(circuit.to_dict()),
        passes=tuple(steps),
    )


def _apply(step: BasePass, circuit: Circuit) -> None:
    try:
        step.apply(circuit)
    except (IndexError, RuntimeError, ValueError) as error:
        hint = "Optimisation level 0 has the fewest passes."
        if "implicit wireswap" in str(error):
            hint = (
                "Write a swap under a condition as three CX, or compile with "
                "allow_implicit_swaps=False where the config has that."
            )
        raise SimulationError(
            f"pytket's pass {_name(step)} fails on the circuit: {error}. {hint}"
        ) from error


def _safe(level: int, circuit: Circuit) -> int:
    """Return a level whose passes keep what a circuit does.

    ``GreedyPauliSimp`` of level 3 drops the conditions of all operations but gates.
    """
    conditional = [
        inner(command.op)
        for command in circuit
        if command.op.type == OpType.Conditional
    ]
    has_others = any(
        not op.is_gate() or op.type in (OpType.Measure, OpType.Reset)
        for op in conditional
    )
    return min(level, 2) if has_others else level


def _passes(config: Config, device: Device, level: int) -> BasePass:
    match device["backend_name"]:
        case name if name in IBM_BACKENDS:
            qiskit = _extension("qiskit", config, "aer")
            compilation: BasePass = qiskit.IBMQBackend.pass_from_info(
                _backend_info(device), level
            )
            return compilation
        case name if name in EXTENSIONS:
            extension, extra = EXTENSIONS[name]
            backend = getattr(_extension(extension, config, extra), name)
            return _default_pass(backend, level)
        case _:
            return _quantinuum(config, device, level)


IBM_BACKENDS = ("IBMQBackend", "IBMQEmulatorBackend")
EXTENSIONS = {
    "AerBackend": ("qiskit", "aer"),
    "AerStateBackend": ("qiskit", "aer"),
    "AerUnitaryBackend": ("qiskit", "aer"),
    "BraketBackend": ("braket", "braket"),
    "QulacsBackend": ("qulacs", "local"),
}
"""Name of a backend -> its extension of pytket and the extra that installs it."""


def _extension(name: str, config: Config, extra: str) -> Any:
    try:
        return importlib.import_module(f"pytket.extensions.{name}")
    except ModuleNotFoundError as error:
        raise MissingSimulatorError(config["type"], extra) from error


def _default_pass(backend: "type[Backend]", level: int) -> BasePass:
    options = {"local": True} if backend.__name__ == "BraketBackend" else {}
    # Qulacs and Braket have nothing beyond level 2.
    highest = 3 if backend.__name__.startswith("Aer") else 2
    return backend(**options).default_compilation_pass(min(level, highest))


def _quantinuum(config: Config, device: Device, level: int) -> BasePass:
    """Return the default compilation for Quantinuum's devices.

    :raises SimulationError: When the config chooses a gate that the device has not.
    """
    swaps = config.get("allow_implicit_swaps", True)
    target = _target(config.get("target_2qb_gate") or "ZZPhase", device)
    rebase = AutoRebase({OpType.PhasedX, OpType.Rz, target}, allow_swaps=swaps)
    squash = [
        RemoveRedundancies(),
        AutoSquash({OpType.PhasedX, OpType.Rz}),
        RemoveRedundancies(),
    ]
    decompose = _decompose_tk2(target, allow_swaps=swaps)
    by_level: dict[int, list[BasePass]] = {
        0: [rebase],
        1: [SynthesiseTK(), *decompose, rebase, ZZPhaseToRz(), *squash],
        2: [
            FullPeepholeOptimise(allow_swaps=swaps, target_2qb_gate=OpType.TK2),
            *decompose,
            rebase,
            *squash,
        ],
        3: [
            RemoveBarriers(),
            AutoRebase(GREEDY_GATES),
            GreedyPauliSimp(
                allow_zzphase=True,
                only_reduce=True,
                thread_timeout=GREEDY_SECONDS,
                trials=10,
            ),
            # It leaves swaps to the names of the qubits.
            *([] if swaps else [CustomPass(_with_swaps, "replace implicit swaps")]),
            *decompose,
            rebase,
            *squash,
        ],
    }
    return SequencePass(
        [
            DecomposeBoxes(),
            scratch_reg_resize_pass(),
            *by_level[level],
            RemovePhaseOps(),
            FlattenRelabelRegistersPass("q"),
        ]
    )


def _target(name: str, device: Device) -> OpType:
    """Return the gate on two qubits that a config chooses."""
    gate_set = device["backend_info"]["gate_set"]
    choices = [gate for gate in TWO_QUBIT_GATES if gate in gate_set]
    if name not in choices:
        of_device = device["device_name"] or device["backend_name"]
        raise SimulationError(
            f"target_2qb_gate is {name}; {of_device} has {', '.join(choices)}: choose "
            "one of its gates."
        )
    return OpType.from_name(name)


def _with_swaps(circuit: Circuit) -> Circuit:
    changed = circuit.copy()
    changed.replace_implicit_wire_swaps()
    return changed


def _decompose_tk2(target: OpType, *, allow_swaps: bool) -> list[BasePass]:
    match target:
        case OpType.TK2:
            return []
        case OpType.ZZPhase:
            fidelity = {"ZZPhase_fidelity": 1.0}
        case _:
            fidelity = {"ZZMax_fidelity": 1.0}
    return [NormaliseTK2(), DecomposeTK2(allow_swaps=allow_swaps, **fidelity)]


def _restore_scratch(circuit: Circuit, bits: list[Bit]) -> None:
    """Name bits as before a pass, if otherwise scratch bits became those of a user."""
    had = any(is_scratch(bit.reg_name) for bit in bits)
    if had and not any(is_scratch(bit.reg_name) for bit in circuit.bits):
        circuit.rename_units(dict(zip(circuit.bits, bits, strict=True)))


def _backend_info(device: Device) -> "BackendInfo":
    """Return the facts about a device as pytket has them, as far as passes ask."""
    from pytket.backends.backendinfo import BackendInfo

    info = device["backend_info"]
    edges = [
        (_node(edge["unitid_from"]), _node(edge["unitid_to"]))
        for edge in info["device"]["edges"]
    ]
    return BackendInfo(
        name=info["name"],
        device_name=info["device_name"],
        version=info["version"],
        architecture=(
            FullyConnected(info["device"]["n_nodes"])
            if info["device"]["fully_connected"]
            else Architecture(edges)
        ),
        gate_set={OpType.from_name(name) for name in info["gate_set"]},
    )


def _node(unit: tuple[str, list[int]]) -> Node:
    return Node(unit[0], unit[1])


def _flat(compilation: BasePass) -> Iterator[BasePass]:
    """Yield the passes of a sequence, also of sequences inside it."""
    if isinstance(compilation, SequencePass):
        for step in compilation.get_sequence():
            yield from _flat(step)
    else:
        yield compilation


def _name(compilation: BasePass) -> str:
    """Return the name of a pass as pytket stores it."""
    if isinstance(compilation, RepeatPass):
        return "RepeatPass"
    stored = compilation.to_dict()
    kind = stored["pass_class"]
    return str(stored[kind].get("name", kind))
