"""Check whether a job fits a device, before anything is uploaded.

What the device certainly refuses is a problem: more qubits or shots than it has, free
symbols. What it probably refuses is a warning, and the job does not fit either: gates
outside its gate set, registers that are too wide or too many, features that it lacks by
its own account, a cost above its limit. Other warnings do not concern the fit: what the
job costs, a device that is offline, a quota that is used up.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field

import qnexus as qnx
from pydantic import BaseModel
from pytket.circuit import Circuit, OpType
from pytket.predicates import (
    GateSetPredicate,
    NoFastFeedforwardPredicate,
    NoMidMeasurePredicate,
)
from qnexus.models import BackendConfig

from tkr_nexus_worker.costs.estimates import (
    estimate_circuits,
    is_charged,
    is_exact,
)
from tkr_nexus_worker.costs.formula import NO_GATES, distinct_ops, inner_op
from tkr_nexus_worker.devices import DeviceDetails, find_device, with_status
from tkr_nexus_worker.errors import (
    InvalidInputError,
    NexusRefusedError,
    NexusUnavailableError,
)
from tkr_nexus_worker.jobs.items import describe_alike
from tkr_nexus_worker.nexus.checks import check_shots
from tkr_nexus_worker.nexus.client import call
from tkr_nexus_worker.program_files.conditions import decompose_boxes

logger = logging.getLogger(__name__)

# Backends whose devices have the qubits of a machine, and no more.
_MACHINES = frozenset({"Quantinuum", "Helios", "IBMQ", "IBMQEmulator"})
# Backends that run classical operations, whether or not their gate sets list them.
_CLASSICAL_BACKENDS = frozenset({"Quantinuum", "Helios", "Selene", "SelenePlus"})
_CLASSICAL = {OpType.ClExpr, OpType.CopyBits, OpType.SetBits}
_FOR_STABILIZERS = {*NO_GATES, OpType.noop}
_ONLINE = "online"
# A check without an answer must not delay a workflow.
_PATIENCE_SECONDS = 10.0


class CircuitNeeds(BaseModel):
    """What a circuit needs of a device.

    :param index: The place of the circuit in the job, from 0.
    :param name: The name of the circuit, where it has one.
    :param n_shots: The number of shots.
    :param n_qubits: The number of qubits.
    :param n_one_qubit_gates: The number of gates on one qubit, as written.
    :param n_two_qubit_gates: The number of gates on two qubits, as written.
    :param n_measurements: The number of measurements outside of boxes.
    :param depth: The depth.
    :param cost: The estimated cost in HQC; None where it was not estimated.
    """

    index: int
    name: str | None
    n_shots: int
    n_qubits: int
    n_one_qubit_gates: int
    n_two_qubit_gates: int
    n_measurements: int
    depth: int
    cost: float | None = None


class JobValidation(BaseModel):
    """Whether a job fits a device.

    :param device: The name of the device; None where Nexus does not list it.
    :param fits: Whether the device is known and nothing was found that it may refuse.
    :param problems: What Nexus or the device certainly refuses.
    :param warnings: What may be refused, and what could not be checked.
    :param circuits: What each circuit needs.
    :param cost: The estimated cost of all circuits in HQC; None where it was not
        estimated.
    :param cost_confidence: 1 where the cost is certain; None where nobody says.
    """

    device: str | None
    fits: bool
    problems: list[str]
    warnings: list[str]
    circuits: list[CircuitNeeds]
    cost: float | None = None
    cost_confidence: float | None = None


@dataclass
class _Remarks:
    """What a device refuses of circuits, certainly or probably, by their indices."""

    problems: list[tuple[int, str]] = field(default_factory=list)
    warnings: list[tuple[int, str]] = field(default_factory=list)

    @property
    def is_empty(self) -> bool:
        """Whether nothing was found."""
        return not self.problems and not self.warnings


def validate_job(
    circuits: Sequence[Circuit], n_shots: list[int], backend_config: BackendConfig
) -> JobValidation:
    """Check whether a job fits a device, without uploading anything.

    The cost is that of the circuits in the gates of the device, without optimisation,
    by the formula that Quantinuum publishes for its H-Series: 5 + shots (N1 + 10 N2 +
    5 Nm) / 5000 HQC for each circuit, with N1 gates on one qubit (Rz is free), N2 on
    two, and Nm preparations, resets and measurements.

    :param circuits: The circuits, at least one.
    :param n_shots: One number of shots for each circuit.
    :param backend_config: Where and how to run them.
    :returns: Problems, warnings, and what each circuit needs.
    :raises InvalidInputError: If there are no circuits, or not one whole number of
        shots for each.
    :raises NotLoggedInError: If there is no valid login.
    """
    if not circuits:
        raise InvalidInputError("There are no circuits to check; give at least one.")
    check_shots(n_shots, len(circuits))
    device = find_device(backend_config, retry_time=_PATIENCE_SECONDS)
    needs = [
        _needs(index, circuit, shots)
        for index, (circuit, shots) in enumerate(zip(circuits, n_shots, strict=True))
    ]
    problems, warnings, fits, total = [], [], False, None
    is_certain = False
    if isinstance(device, DeviceDetails):
        remarks = _compare(circuits, n_shots, device)
        _compare_gates(circuits, device, remarks)
        _compare_simulator(circuits, backend_config, remarks)
        refusals = _compare_batch(backend_config, device)
        if is_charged(device):
            _estimate(circuits, needs, remarks, backend_config)
            total = sum(one.cost or 0.0 for one in needs)
            is_certain = is_exact(device, backend_config) and all(
                one.cost is not None for one in needs
            )
            refusals += _compare_batch_cost(backend_config, total)
            warnings.append(
                f"the job costs about {total:.2f} HQC, and Nexus does not report how "
                "many you have left"
            )
        elif device.nexus_hosted:
            warnings += _quota_warnings()
        [device] = with_status([device])
        if device.status not in (None, _ONLINE):
            warnings.append(f"{device.name} is {device.status} now; jobs wait for it")
        problems += describe_alike(remarks.problems)
        warnings = describe_alike(remarks.warnings) + refusals + warnings
        fits = remarks.is_empty and not refusals
    else:
        warnings.append(f"{device}; whether the job fits it is not known")
    return JobValidation(
        device=device.name if isinstance(device, DeviceDetails) else None,
        fits=fits,
        problems=problems,
        warnings=warnings,
        circuits=needs,
        cost=total,
        cost_confidence=1.0 if is_certain else None,
    )


def check_fit(
    circuits: Sequence[Circuit],
    n_shots: object,
    backend_config: BackendConfig,
    *,
    compiled: bool = False,
) -> DeviceDetails | str:
    """Refuse a job that its device certainly refuses, in one request.

    What the device only may refuse is a warning in the log. The cost is not estimated
    and quotas are not requested.

    :param circuits: The circuits.
    :param n_shots: One number of shots for each circuit.
    :param backend_config: Where and how to run them.
    :param compiled: Whether they are compiled before they run, so that they may have
        any gates.
    :returns: The device; a sentence that says why it cannot be found, if it cannot.
    :raises InvalidInputError: If the job does not fit; it names each circuit.
    :raises NotLoggedInError: If there is no valid login.
    """
    device = find_device(backend_config, retry_time=_PATIENCE_SECONDS)
    if not isinstance(device, DeviceDetails):
        logger.warning("nexus: %s; whether the job fits it is not known", device)
        return device
    remarks = _compare(circuits, check_shots(n_shots, len(circuits)), device)
    if not compiled:
        _compare_gates(circuits, device, remarks)
        _compare_simulator(circuits, backend_config, remarks)
    if remarks.problems:
        raise InvalidInputError(
            f"The job does not fit {device.name}, the device of its backend_config: "
            f"{'; '.join(describe_alike(remarks.problems))}."
        )
    refusals = describe_alike(remarks.warnings) + _compare_batch(backend_config, device)
    for warning in refusals:
        logger.warning("nexus: %s", warning)
    return device


def check_gates(circuits: Sequence[Circuit], backend_config: BackendConfig) -> None:
    """Refuse circuits with gates that a device of hardware, or its emulator, lacks.

    Other devices only may refuse them, which :func:`check_fit` warns of.

    :param circuits: The circuits.
    :param backend_config: Where and how to run them.
    :raises InvalidInputError: If there are such gates; it names each circuit.
    :raises NotLoggedInError: If there is no valid login.
    """
    device = find_device(backend_config, retry_time=_PATIENCE_SECONDS)
    if not isinstance(device, DeviceDetails) or not is_charged(device):
        return
    foreign = _foreign_gates(circuits, device)
    if foreign:
        raise InvalidInputError(
            f"{'; '.join(describe_alike(foreign))}. A job does not compile: add "
            "--compile, which lets Nexus compile them first, or --compile=local, which "
            "changes their gates on this machine."
        )


def _needs(index: int, circuit: Circuit, shots: int) -> CircuitNeeds:
    return CircuitNeeds(
        index=index,
        name=circuit.name,
        n_shots=shots,
        n_qubits=circuit.n_qubits,
        n_one_qubit_gates=circuit.n_1qb_gates(),
        n_two_qubit_gates=circuit.n_2qb_gates(),
        n_measurements=circuit.n_gates_of_type(OpType.Measure),
        depth=circuit.depth(),
    )


def _compare(
    circuits: Sequence[Circuit], n_shots: Sequence[int], device: DeviceDetails
) -> _Remarks:
    """Compare circuits with what a device has.

    Predicates of pytket check a large circuit fast, which a loop in Python does not.
    """
    remarks = _Remarks()
    features = [
        (device.midcircuit_measurement, NoMidMeasurePredicate(), "measures before"),
        (device.feedforward, NoFastFeedforwardPredicate(), "uses measured bits before"),
    ]
    for index, (circuit, shots) in enumerate(zip(circuits, n_shots, strict=True)):
        if circuit.is_symbolic():
            symbols = ", ".join(sorted(map(str, circuit.free_symbols())))
            problem = f"has free symbols ({symbols}); substitute numbers"
            remarks.problems.append((index, problem))
            continue
        _compare_size(index, circuit, device, remarks)
        _compare_registers(index, circuit, device, remarks)
        if device.max_shots is not None and shots > device.max_shots:
            problem = f"n_shots is {shots}, and {device.name} takes {device.max_shots}"
            remarks.problems.append((index, f"{problem} at most"))
        for is_there, predicate, what in features:
            if not is_there and not predicate.verify(circuit):
                remarks.warnings.append(
                    (index, f"{what} its end, which {device.name} says it cannot do")
                )
        if not device.reset and _resets(circuit):
            warning = f"resets qubits, which {device.name} says it cannot do"
            remarks.warnings.append((index, warning))
    return remarks


def _compare_gates(
    circuits: Sequence[Circuit], device: DeviceDetails, remarks: _Remarks
) -> None:
    """Say which circuits have gates that a device lacks, and how to compile them."""
    for index, text in _foreign_gates(circuits, device):
        warning = (
            f"{text}; Nexus refuses them in an execute job, which does not compile "
            "(`tkr-nexus run --local` translates them): compile the circuit before, "
            "with the graph nexus_compile_submit_and_poll, `tkr-nexus run --compile` "
            "or AutoRebase of pytket"
        )
        remarks.warnings.append((index, warning))


def _foreign_gates(
    circuits: Sequence[Circuit], device: DeviceDetails
) -> list[tuple[int, str]]:
    """Return the circuits with gates that a device lacks, and what is to be said."""
    known = {OpType.from_name(g) for g in device.gate_set if g in OpType.__members__}
    if not known:
        return []
    classical = _CLASSICAL if device.backend in _CLASSICAL_BACKENDS else set()
    allowed = known | NO_GATES | classical
    has_gates = GateSetPredicate(allowed)
    foreign = [
        index
        for index, circuit in enumerate(circuits)
        if not circuit.is_symbolic() and not has_gates.verify(circuit)
    ]
    if not foreign:
        return []
    examples = _name_others(circuits[foreign[0]], allowed)
    text = f"has gates that are not among those of {device.name}{examples}"
    return [(index, text) for index in foreign]


def _compare_size(
    index: int, circuit: Circuit, device: DeviceDetails, remarks: _Remarks
) -> None:
    available = device.n_qubits
    if available is None or circuit.n_qubits <= available:
        return
    text = f"{circuit.n_qubits} qubits, and {device.name} has {available}"
    used = circuit.copy()
    used.remove_blank_wires()
    if used.n_qubits > available and device.backend in _MACHINES:
        remarks.problems.append((index, text))
    else:
        remarks.warnings.append((index, text))


def _compare_registers(
    index: int, circuit: Circuit, device: DeviceDetails, remarks: _Remarks
) -> None:
    widths: dict[str, int] = {}
    for bit in circuit.bits:
        # A register is as wide as its last bit, whether or not it has all others.
        width = bit.index[0] + 1 if bit.index else 1
        widths[bit.reg_name] = max(width, widths.get(bit.reg_name, 0))
    limit = device.max_register_width
    # A seed of random numbers has 64 bits on every device.
    seeds = {
        unit.reg_name
        for command in circuit.commands_of_type(OpType.RNGSeed)
        for unit in command.args
    }
    if limit is not None:
        for name, width in widths.items():
            if width > limit and name not in seeds:
                text = f"the register {name} has {width} bits, and {device.name} takes"
                remarks.warnings.append((index, f"{text} {limit} at most"))
    limit = device.n_registers
    if limit is not None and len(widths) > limit:
        text = f"{len(widths)} classical registers, and {device.name} takes {limit}"
        remarks.warnings.append((index, f"{text} at most"))


def _compare_simulator(
    circuits: Sequence[Circuit], config: BackendConfig, remarks: _Remarks
) -> None:
    """Say where a config asks for stabilizers and a circuit needs more."""
    emulator = getattr(config, "emulator_config", None) or config
    simulator = getattr(emulator, "simulator", None)
    if "stabilizer" not in str(getattr(simulator, "type", simulator)).lower():
        return
    for index, circuit in enumerate(circuits):
        if circuit.is_symbolic():
            continue
        plain = decompose_boxes(circuit)
        others = [
            str(op)
            for op, _ in distinct_ops(plain)
            if op.is_gate() and op.type not in _FOR_STABILIZERS and not op.is_clifford()
        ]
        if others:
            warning = (
                f"has gates that are no Clifford gates, such as {others[0]}; the "
                "stabilizer simulator refuses them: take the state-vector simulator"
            )
            remarks.warnings.append((index, warning))


def _compare_batch(config: BackendConfig, device: DeviceDetails) -> list[str]:
    """Say where a config asks for a batch and the device has none."""
    if not getattr(config, "attempt_batching", False) or device.batching is not False:
        return []
    return [f"the config has attempt_batching, and {device.name} runs no batches"]


def _compare_batch_cost(config: BackendConfig, total: float) -> list[str]:
    limit = getattr(config, "max_batch_cost", None)
    if limit is None or total <= limit:
        return []
    return [
        f"the job costs about {total:.2f} HQC, above its max_batch_cost of {limit:g}"
    ]


def _resets(circuit: Circuit) -> bool:
    if circuit.n_gates_of_type(OpType.Reset):
        return True
    conditional = circuit.ops_of_type(OpType.Conditional)
    return any(inner_op(op).type == OpType.Reset for op in conditional)


def _name_others(circuit: Circuit, known: set[OpType]) -> str:
    """Name some gates of a circuit that are not among the known ones."""
    names = sorted({op.type.name for op, _ in distinct_ops(circuit)} - _names(known))
    return f", such as {', '.join(names[:5])}" if names else ""


def _names(types: set[OpType]) -> set[str]:
    return {kind.name for kind in types}


def _estimate(
    circuits: Sequence[Circuit],
    needs: Sequence[CircuitNeeds],
    remarks: _Remarks,
    backend_config: BackendConfig,
) -> None:
    """Set the cost of each circuit, and compare it with the limit of the config."""
    limit = getattr(backend_config, "max_cost", None)
    shots = [one.n_shots for one in needs]
    for one, found in zip(needs, estimate_circuits(circuits, shots), strict=True):
        one.cost = found.cost
        if limit is not None and one.cost is not None and one.cost > limit:
            warning = f"costs about {one.cost:.2f} HQC, above its max_cost of {limit:g}"
            remarks.warnings.append((one.index, warning))


def _quota_warnings() -> list[str]:
    """Return a warning if the quota of simulations is used up or unknown."""
    try:
        quota = call(
            "look up the quota of simulations",
            lambda: qnx.quotas.get("simulation"),
            retry_time=_PATIENCE_SECONDS,
        )
    # qnexus reads the first of the quotas, also where there is none.
    except (NexusRefusedError, NexusUnavailableError, IndexError, KeyError) as error:
        return [f"Nexus does not report your quota of simulations ({error})"]
    if isinstance(quota.quota, str) or quota.usage < quota.quota:
        return []
    used_up = f"used up ({quota.usage:g} of {quota.quota:g} seconds)"
    return [
        f"your quota of simulations is {used_up}; ask the administrator for more",
    ]
