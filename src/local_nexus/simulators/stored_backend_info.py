"""Backend information in the form in which Nexus stores it."""

from typing import Any

from pytket.architecture import Architecture, FullyConnected
from pytket.backends.backendinfo import BackendInfo
from pytket.circuit import Node

Stored = dict[str, Any]


def stored_backend_info(info: BackendInfo) -> Stored:
    """Return a ``StoredBackendInfo`` of quantinuum-schemas 7.8 as a dictionary.

    Gate errors and read-out errors are kept per node and per edge; the averages that
    pytket keeps beside them as well.
    """
    architecture = info.architecture or Architecture([])
    fully_connected = isinstance(architecture, FullyConnected)
    nodes = list(architecture.nodes)
    coupling = architecture.coupling if isinstance(architecture, Architecture) else []
    return {
        "name": info.name,
        "device_name": info.device_name,
        "version": info.version,
        "device": {
            "nodes": [] if fully_connected else [_node(info, node) for node in nodes],
            "edges": [_edge(info, start, end) for start, end in coupling],
            "n_nodes": len(nodes),
            "fully_connected": fully_connected,
        },
        "gate_set": sorted(gate.name for gate in info.gate_set),
        "n_cl_reg": info.n_cl_reg,
        "supports_fast_feedforward": info.supports_fast_feedforward,
        "supports_reset": info.supports_reset,
        "supports_midcircuit_measurement": info.supports_midcircuit_measurement,
        "misc": {},
    }


def _unit(node: Node) -> tuple[str, list[int]]:
    return node.reg_name, list(node.index)


def _node(info: BackendInfo, node: Node) -> Stored:
    errors = (info.all_node_gate_errors or {}).get(node, {})
    readout = (info.all_readout_errors or {}).get(node)
    return {
        "unitid": _unit(node),
        "average_error": (info.averaged_node_gate_errors or {}).get(node),
        "readout_error": (info.averaged_readout_errors or {}).get(node),
        "gate_errors": {gate.name: float(error) for gate, error in errors.items()},
        "zero_state_readout_error": readout and readout[0][1],
        "one_state_readout_error": readout and readout[1][0],
    }


def _edge(info: BackendInfo, start: Node, end: Node) -> Stored:
    edge = (start, end)
    errors = (info.all_edge_gate_errors or {}).get(edge, {})
    return {
        "unitid_from": _unit(start),
        "unitid_to": _unit(end),
        "average_error": (info.averaged_edge_gate_errors or {}).get(edge),
        "gate_errors": {gate.name: float(error) for gate, error in errors.items()},
    }
