"""Circuits are compiled by pytket's own passes to what a device can run."""

import json

import pytest
from pytket.architecture import Architecture
from pytket.circuit import Circuit, Node, OpType
from pytket.predicates import ConnectivityPredicate, GateSetPredicate
from pytket.utils import compare_statevectors

from local_nexus.simulators import CompileRequest
from local_nexus.simulators.devices import device_of

LEVELS = [0, 1, 2, 3]
CONFIGS = [
    {"type": "QuantinuumConfig", "device_name": "H1-1"},
    {"type": "HeliosConfig", "system_name": "Helios-1"},
    {"type": "AerConfig"},
    {"type": "AerStateConfig"},
    {"type": "QulacsConfig"},
    {"type": "BraketConfig", "local": True},
    {"type": "IBMQConfig", "backend_name": "ibm_brisbane"},
]


def redundant():
    circuit = Circuit(3).H(0).H(0).CX(0, 1).CX(0, 1).Ry(0.3, 0).CX(0, 2).CRx(0.2, 1, 2)
    return circuit.CX(2, 0).T(1)


@pytest.fixture
def compiled(run):
    def outcome_of(circuit, config, level=2):
        request = CompileRequest(json.dumps(circuit.to_dict()), config, level)
        return run(request)

    return outcome_of


def circuit_of(outcome):
    assert outcome.status == "COMPLETED", outcome.error_detail
    return Circuit.from_dict(json.loads(outcome.circuit))


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("config", CONFIGS, ids=lambda config: config["type"])
def test_the_result_has_the_gates_of_the_device(compiled, config, level):
    circuit = circuit_of(compiled(redundant(), config, level))
    names = device_of(config)["backend_info"]["gate_set"]
    gates = {OpType.from_name(name) for name in names}
    assert GateSetPredicate(gates | {OpType.Barrier}).verify(circuit)


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("config", CONFIGS[:6], ids=lambda config: config["type"])
def test_the_result_does_what_the_circuit_did(compiled, config, level):
    circuit = circuit_of(compiled(redundant(), config, level))
    assert compare_statevectors(
        circuit.get_statevector(), redundant().get_statevector()
    )


def test_a_circuit_is_routed_on_the_qubits_of_the_device(compiled):
    config = {"type": "IBMQConfig", "backend_name": "ibm_torino"}
    ring = Circuit(5)
    for qubit in range(5):
        ring.H(qubit).CZ(qubit, (qubit + 2) % 5)
    circuit = circuit_of(compiled(ring.measure_all(), config))
    edges = device_of(config)["backend_info"]["device"]["edges"]
    architecture = Architecture(
        [(Node(*edge["unitid_from"]), Node(*edge["unitid_to"])) for edge in edges]
    )
    assert ConnectivityPredicate(architecture).verify(circuit)


def test_higher_levels_need_fewer_gates(compiled):
    config = CONFIGS[0]
    plain, optimised = (
        circuit_of(compiled(redundant(), config, level)) for level in (0, 2)
    )
    assert optimised.n_2qb_gates() < plain.n_2qb_gates()


def test_every_pass_is_named_and_comes_with_its_circuit(compiled):
    outcome = compiled(redundant(), CONFIGS[0], 1)
    names = [name for name, _circuit in outcome.passes]
    assert names[0] == "DecomposeBoxes"
    assert {"SynthesiseTK", "NormaliseTK2", "DecomposeTK2"} <= set(names)
    last = Circuit.from_dict(json.loads(outcome.passes[-1][1]))
    assert last == circuit_of(outcome)


@pytest.mark.parametrize("gate", ["ZZPhase", "ZZMax", "TK2"])
def test_the_gate_on_two_qubits_can_be_chosen(compiled, gate):
    config = CONFIGS[0] | {"target_2qb_gate": gate}
    circuit = circuit_of(compiled(redundant(), config))
    others = {"ZZPhase", "ZZMax", "TK2"} - {gate}
    assert circuit.n_gates_of_type(OpType.from_name(gate))
    assert not any(circuit.n_gates_of_type(OpType.from_name(o)) for o in others)


def test_bits_keep_their_names(compiled):
    circuit = Circuit(2)
    answer = circuit.add_c_register("answer", 2)
    circuit.H(0).CX(0, 1).Measure(0, answer[1]).Measure(1, answer[0])
    assert circuit_of(compiled(circuit, CONFIGS[0])).bits == circuit.bits


@pytest.mark.parametrize(
    ("circuit", "config", "level", "sentence"),
    [
        (Circuit(21), CONFIGS[0], 2, "H1-1 has 20"),
        (Circuit(1), CONFIGS[0], 4, "optimisation level is 4"),
        (Circuit(1), CONFIGS[0] | {"device_name": "H9"}, 2, "no device 'H9'"),
        (
            Circuit(1),
            CONFIGS[0] | {"target_2qb_gate": "CX"},
            2,
            "H1-1 has ZZPhase, ZZMax, TK2",
        ),
        (Circuit(1), CONFIGS[0] | {"target_2qb_gate": "Nix"}, 2, "Nix"),
        (
            Circuit(2, 1).add_gate(
                OpType.SWAP, [0, 1], condition_bits=[0], condition_value=1
            ),
            CONFIGS[0],
            2,
            "Write a swap under a condition as three CX",
        ),
    ],
)
def test_what_cannot_be_compiled_is_an_error(
    compiled, circuit, config, level, sentence
):
    outcome = compiled(circuit, config, level)
    assert outcome.status == "ERROR"
    assert sentence in outcome.error_detail
    assert outcome.circuit is None


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("gate", ["ZZPhase", "ZZMax", "TK2"])
def test_without_implicit_swaps_a_circuit_has_none(compiled, gate, level):
    config = CONFIGS[0] | {"target_2qb_gate": gate, "allow_implicit_swaps": False}
    original = Circuit(3).H(0).SWAP(0, 1).CX(0, 1).SWAP(1, 2).CZ(0, 2)
    circuit = circuit_of(compiled(original, config, level))
    assert not circuit.has_implicit_wireswaps
    used = {command.op.type.name for command in circuit} & {"ZZPhase", "ZZMax", "TK2"}
    assert used == {gate}
    assert compare_statevectors(circuit.get_statevector(), original.get_statevector())


def test_a_gate_that_the_device_has_not_is_no_target(compiled):
    config = {
        "type": "QuantinuumConfig",
        "device_name": "Helios-1",
        "target_2qb_gate": "ZZMax",
    }
    outcome = compiled(redundant(), config)
    assert outcome.status == "ERROR"
    assert "Helios-1 has ZZPhase: choose" in outcome.error_detail


def test_circuits_that_compute_with_bits_are_not_compiled_for_ibm(compiled):
    circuit = Circuit(1, 1).add_c_setbits([True], [0])
    outcome = compiled(circuit, CONFIGS[-1])
    assert outcome.status == "ERROR"
    assert "SetBits" in outcome.error_detail
