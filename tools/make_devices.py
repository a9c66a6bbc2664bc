# noqa: INP001 - a folder of scripts
"""Make ``devices.json``, the facts about the devices of the embedded Nexus.

Needs more packages than the simulators do; run it from a checkout by ::

    uv run --with pytket-quantinuum --with pytket-braket tools/make_devices.py

Sources: H-Series machines are the offline machine list of pytket-quantinuum, with the
error rates that Quantinuum published. Emulators and syntax checkers have the facts of
their machine. Helios has the figures of arXiv:2511.05465. The simulators tell about
themselves. IBM's devices are the snapshots in qiskit-ibm-runtime.
"""

import json
from collections.abc import Iterator
from typing import Any, get_args

from pytket.architecture import Architecture, FullyConnected
from pytket.backends.backendinfo import BackendInfo
from pytket.circuit import Node, OpType

from local_nexus.simulators.devices import BACKEND_NAMES, DEVICE_FILE, PropertyName

Stored = dict[str, Any]

HELIOS_QUBITS = 98
HELIOS = {
    "max_n_shots": 10_000,
    "noise_specs": {
        "1q_gate_error": {"p1": 2.5e-5},
        "2q_gate_error": {"p2": 7.9e-4},
        "spam_error": {"p_meas_0": 4.8e-4, "p_meas_1": 4.8e-4},
    },
}
PROPERTIES = get_args(PropertyName.__value__)

IBM_SNAPSHOTS = ["FakeBrisbane", "FakeTorino"]
IBM_REGION = "us-east"
"""Where IBM's devices of the snapshots stood."""


def stored_backend_info(info: Any, **misc: Any) -> Stored:
    """Return a ``StoredBackendInfo`` of quantinuum-schemas 7.8 as a dictionary.

    :param info: the backend information of pytket.
    :param misc: further facts.
    """
    architecture = info.architecture or Architecture([])
    fully_connected = isinstance(architecture, FullyConnected)
    coupling = architecture.coupling if isinstance(architecture, Architecture) else []
    nodes = [] if fully_connected else architecture.nodes
    return {
        "name": info.name,
        "device_name": info.device_name,
        "version": info.version,
        "device": {
            "nodes": [{"unitid": _unit(node), "gate_errors": {}} for node in nodes],
            "edges": [
                {
                    "unitid_from": _unit(start),
                    "unitid_to": _unit(end),
                    "gate_errors": {},
                }
                for start, end in coupling
            ],
            "n_nodes": len(architecture.nodes),
            "fully_connected": fully_connected,
        },
        "gate_set": sorted(gate.name for gate in info.gate_set),
        "n_cl_reg": info.n_cl_reg,
        "supports_fast_feedforward": info.supports_fast_feedforward,
        "supports_reset": info.supports_reset,
        "supports_midcircuit_measurement": info.supports_midcircuit_measurement,
        "misc": misc,
    }


def _unit(node: Node) -> tuple[str, list[int]]:
    return node.reg_name, list(node.index)


def simulators() -> Iterator[Stored]:
    """Yield the simulators that are installed here."""
    from pytket.extensions.braket.backends.braket import BraketBackend
    from pytket.extensions.qiskit.backends import aer
    from pytket.extensions.qulacs.backends.qulacs_backend import QulacsBackend

    for backend in (
        aer.AerBackend(),
        aer.AerStateBackend(),
        aer.AerUnitaryBackend(),
        QulacsBackend(),
    ):
        yield stored_backend_info(backend.backend_info, system_type="simulator")
    local = stored_backend_info(
        BraketBackend(local=True).backend_info, system_type="simulator"
    )
    yield local | {"device_name": "local"}


def h_series() -> Iterator[Stored]:
    """Yield H1 and H2: machines, emulators, local emulators, syntax checkers."""
    from pytket.extensions.quantinuum import QuantinuumAPIOffline, QuantinuumBackend

    for info in QuantinuumBackend.available_devices(api_handler=QuantinuumAPIOffline()):
        yield from _family(stored_backend_info(info, **info.misc))
    for name in ("H1", "H2"):
        machine = QuantinuumBackend(
            f"{name}-1", api_handler=QuantinuumAPIOffline()
        ).backend_info
        yield _kin(
            stored_backend_info(machine, **machine.misc),
            f"{name}-Emulator",
            "hosted_emulator",
        )


def helios() -> Iterator[Stored]:
    """Yield Helios: machines, emulators, syntax checkers, and the open simulator."""
    gates = {OpType.PhasedX, OpType.Rz, OpType.ZZPhase, OpType.Measure, OpType.Reset}
    for name in ("Helios-1", "Helios-2"):
        info = BackendInfo(
            name="HeliosBackend",
            device_name=name,
            version="1",
            architecture=FullyConnected(HELIOS_QUBITS, "q"),
            gate_set=gates,
            n_cl_reg=4000,
            supports_fast_feedforward=True,
            supports_midcircuit_measurement=True,
            supports_reset=True,
        )
        machine = stored_backend_info(info, system_type="hardware", **HELIOS)
        yield machine
        yield _kin(machine, f"{name}E", "emulator")
        yield _kin(machine, f"{name}E-lite", "local_emulator")
        yield _kin(machine, f"{name}SC", "syntax_checker")
    for backend in ("SeleneBackend", "SelenePlusBackend"):
        yield _kin(machine, None, "simulator") | {"name": backend}


def _family(machine: Stored) -> Iterator[Stored]:
    name = machine["device_name"]
    yield machine
    yield _kin(machine, f"{name}E", "emulator")
    yield _kin(machine, f"{name}LE", "local_emulator")
    yield _kin(machine, f"{name}SC", "syntax_checker")


def _kin(machine: Stored, name: str | None, system_type: str) -> Stored:
    """Return a device with the facts of a machine; only local ones take any shots."""
    misc = machine["misc"] | {"system_type": system_type}
    if system_type in ("local_emulator", "simulator"):
        del misc["max_n_shots"]
    return machine | {"device_name": name, "misc": misc}


def ibm() -> Iterator[Stored]:
    """Yield IBM's devices, as machines and as emulators of their noise."""
    from pytket.extensions.qiskit.qiskit_convert import _gate_str_2_optype
    from qiskit_ibm_runtime import fake_provider  # type: ignore[import-untyped]

    for snapshot in IBM_SNAPSHOTS:
        device = getattr(fake_provider, snapshot)()
        info = BackendInfo(
            name="IBMQBackend",
            device_name=device.name.replace("fake", "ibm"),
            version=str(device.backend_version),
            architecture=Architecture(list(device.coupling_map.get_edges())),
            gate_set={
                _gate_str_2_optype[name]
                for name in device.operation_names
                if name in _gate_str_2_optype
            },
            supports_midcircuit_measurement=True,
            supports_reset=True,
        )
        stored = stored_backend_info(
            info, system_type="hardware", snapshot=snapshot, region=IBM_REGION
        )
        yield stored
        emulator = _kin(stored, stored["device_name"], "hosted_emulator")
        yield emulator | {"name": "IBMQEmulatorBackend"}


def properties() -> dict[str, list[str]]:
    """Return for the name of every backend the properties that it has.

    Helios and Selene have no backend in pytket, and those of IBM need an account; all
    of them return shots.
    """
    from pytket.extensions.braket.backends.braket import BraketBackend
    from pytket.extensions.qiskit.backends import aer
    from pytket.extensions.quantinuum import QuantinuumAPIOffline, QuantinuumBackend
    from pytket.extensions.qulacs.backends.qulacs_backend import QulacsBackend

    backends: list[Any] = [
        aer.AerBackend(),
        aer.AerStateBackend(),
        aer.AerUnitaryBackend(),
        QulacsBackend(),
        BraketBackend(local=True),
        QuantinuumBackend("H1-1", api_handler=QuantinuumAPIOffline()),
    ]
    known = {
        type(backend).__name__: [name for name in PROPERTIES if getattr(backend, name)]
        for backend in backends
    }
    shots = ["supports_shots", "supports_counts"]
    others = [name for name in BACKEND_NAMES.values() if name not in known]
    return known | dict.fromkeys(others, shots)


def main() -> None:
    """Write the file."""
    supports = properties()
    local = {"local_emulator", "hosted_emulator", "simulator"}
    entries = [
        {
            "backend_name": info["name"],
            "device_name": info["device_name"],
            "nexus_hosted": info["misc"]["system_type"] in local,
            "supports": supports[info["name"]],
            "backend_info": info,
        }
        for family in (simulators, h_series, helios, ibm)
        for info in family()
    ]
    lines = ",\n".join(json.dumps(entry) for entry in entries)
    DEVICE_FILE.write_text(f"[\n{lines}\n]\n")


if __name__ == "__main__":
    main()
