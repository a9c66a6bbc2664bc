"""Does a job fit a device? Found out before anything is uploaded.

What is certain is a problem: more qubits or shots than the device has, free symbols.
What Nexus may judge in another way is a warning: gates that are not in the gate set of
the device, features that it does not have by its own account, a device that Nexus does
not list, a cost above its limit, a quota that is used up.
"""

import logging
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import cast

import qnexus as qnx
from pydantic import BaseModel
from pytket.circuit import Circuit, Conditional, Op, OpType
from pytket.passes import AutoRebase, DecomposeBoxes
from pytket.predicates import (
    GateSetPredicate,
    NoFastFeedforwardPredicate,
    NoMidMeasurePredicate,
)
from qnexus.models import BackendConfig

from tkr_nexus_worker.devices import DeviceDetails, find_device, with_status
from tkr_nexus_worker.errors import (
    InvalidInputError,
    NexusRefusedError,
    NexusUnavailableError,
)
from tkr_nexus_worker.jobs.items import describe_alike
from tkr_nexus_worker.nexus.checks import check_shots
from tkr_nexus_worker.nexus.client import call

logger = logging.getLogger(__name__)

# Backends whose devices have the qubits of a machine, and no more.
_MACHINES = frozenset({"Quantinuum", "Helios", "IBMQ", "IBMQEmulator"})
_CHARGED_KINDS = frozenset({"hardware", "emulator"})
_CHARGED_BACKENDS = frozenset({"Quantinuum", "Helios"})
# The gates by which Quantinuum counts the cost; Rz is done by software.
_NATIVE_TWO_QUBIT = {OpType.ZZPhase, OpType.ZZMax, OpType.TK2}
_NATIVE = {OpType.PhasedX, OpType.Rz, *_NATIVE_TWO_QUBIT}
_BOUNDARIES = {OpType.Input, OpType.Output, OpType.ClInput, OpType.ClOutput}
# What a circuit may hold beside the gates of a device.
_NO_GATES = {
    OpType.Barrier,
    OpType.ClExpr,
    OpType.CopyBits,
    OpType.Measure,
    OpType.Phase,
    OpType.Reset,
    OpType.SetBits,
}
_ONLINE = "online"
# A check that cannot be made soon must not hold a workflow up.
_PATIENCE_SECONDS = 10.0


class CircuitNeeds(BaseModel):
    """What a circuit asks of a device.

    :param index: Its place in the job, from 0.
    :param name: Its name, where it has one.
    :param n_shots: The number of shots.
    :param n_qubits: The number of its qubits.
    :param n_one_qubit_gates: Its gates on one qubit, as the circuit is written.
    :param n_two_qubit_gates: Its gates on two qubits, as the circuit is written.
    :param n_measurements: Its measurements, those in boxes excepted.
    :param depth: Its depth.
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
    :param fits: Whether there are no problems.
    :param problems: What Nexus or the device is certain to refuse.
    :param warnings: What may be refused, and what could not be checked.
    :param circuits: What each circuit asks of the device.
    :param cost: The estimated cost of all circuits in HQC; None where it was not
        estimated.
    """

    device: str | None
    fits: bool
    problems: list[str]
    warnings: list[str]
    circuits: list[CircuitNeeds]
    cost: float | None = None


@dataclass
class _Remarks:
    """What was found of circuits, by their indices."""

    problems: list[tuple[int, str]] = field(default_factory=list)
    warnings: list[tuple[int, str]] = field(default_factory=list)


def validate_job(
    circuits: Sequence[Circuit], n_shots: list[int], backend_config: BackendConfig
) -> JobValidation:
    """Find out whether a job fits a device, without uploading anything.

    The cost is that of the circuits in the gates of the device, without optimisation,
    by the formula that Quantinuum publishes for its H-Series: 5 + shots (N1 + 10 N2 +
    5 Nm) / 5000 HQC for each circuit, with N1 gates on one qubit (Rz is free), N2 on
    two, and Nm preparations, resets and measurements.

    :param circuits: The circuits, at least one.
    :param n_shots: One number of shots for each circuit.
    :param backend_config: Where and how to run them.
    :returns: Problems, warnings, and what each circuit asks of the device.
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
    problems, warnings, total = [], [], None
    if isinstance(device, DeviceDetails):
        remarks = _compare(circuits, n_shots, device)
        if _is_charged(device):
            _estimate(circuits, needs, remarks, backend_config)
            total = sum(one.cost or 0.0 for one in needs)
            warnings.append(
                f"the job takes about {total:.2f} HQC, and Nexus does not tell how "
                "many you have left"
            )
        elif device.nexus_hosted:
            warnings += _quota_warnings()
        [device] = with_status([device])
        if device.status not in (None, _ONLINE):
            warnings.append(f"{device.name} is {device.status} now; jobs wait for it")
        problems += describe_alike(remarks.problems)
        warnings = describe_alike(remarks.warnings) + warnings
    else:
        warnings.append(f"{device}; whether the job fits it is not known")
    return JobValidation(
        device=device.name if isinstance(device, DeviceDetails) else None,
        fits=not problems,
        problems=problems,
        warnings=warnings,
        circuits=needs,
        cost=total,
    )


def check_fit(
    circuits: Sequence[Circuit], n_shots: object, backend_config: BackendConfig
) -> None:
    """Refuse a job that is certain not to fit its device, in one request.

    What is uncertain becomes a warning in the log. It neither estimates the cost nor
    asks for quotas.

    :param circuits: The circuits.
    :param n_shots: One number of shots for each circuit.
    :param backend_config: Where and how to run them.
    :raises InvalidInputError: If the job does not fit; it names each circuit.
    :raises NotLoggedInError: If there is no valid login.
    """
    device = find_device(backend_config, retry_time=_PATIENCE_SECONDS)
    if not isinstance(device, DeviceDetails):
        logger.warning("nexus: %s; whether the job fits it is not known", device)
        return
    remarks = _compare(circuits, check_shots(n_shots, len(circuits)), device)
    if remarks.problems:
        raise InvalidInputError(
            f"The job does not fit {device.name}: "
            f"{'; '.join(describe_alike(remarks.problems))}."
        )
    for warning in describe_alike(remarks.warnings):
        logger.warning("nexus: %s", warning)


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

    Predicates of pytket look at whole circuits in no time, Python does not.
    """
    remarks = _Remarks()
    known = {OpType.from_name(g) for g in device.gate_set if g in OpType.__members__}
    has_gates = GateSetPredicate(known | _NO_GATES)
    unknown_gates: str | None = None
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
        if device.max_shots is not None and shots > device.max_shots:
            problem = f"{shots} shots, and {device.name} takes {device.max_shots}"
            remarks.problems.append((index, f"{problem} at most"))
        for is_there, predicate, what in features:
            if not is_there and not predicate.verify(circuit):
                remarks.warnings.append(
                    (index, f"{what} its end, which {device.name} says it cannot do")
                )
        if not device.reset and circuit.n_gates_of_type(OpType.Reset):
            warning = f"resets qubits, which {device.name} says it cannot do"
            remarks.warnings.append((index, warning))
        if known and not has_gates.verify(circuit):
            unknown_gates = unknown_gates or _name_others(circuit, known | _NO_GATES)
            warning = (
                f"has gates that are not among those of {device.name}{unknown_gates}; "
                "execute jobs do not compile: rebase the circuit first where the "
                "device refuses it"
            )
            remarks.warnings.append((index, warning))
    return remarks


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


def _name_others(circuit: Circuit, known: set[OpType]) -> str:
    """Name gates of a circuit that are not known."""
    names = sorted({op.type.name for op, _ in _distinct_ops(circuit)} - _names(known))
    return f", such as {', '.join(names[:5])}" if names else ""


def _names(types: set[OpType]) -> set[str]:
    return {kind.name for kind in types}


def _distinct_ops(circuit: Circuit) -> list[tuple[Op, int]]:
    """Count the operations of a circuit, those under a condition as if there were none.

    To go through the commands of a large circuit takes minutes; its operations by type
    take a second.
    """
    counts: Counter[str] = Counter()
    examples: dict[str, Op] = {}
    for kind in OpType.__members__.values():
        if kind in _BOUNDARIES or not circuit.n_gates_of_type(kind):
            continue
        for op in map(_inner, circuit.ops_of_type(kind)):
            key = f"{op.type.name} {op.n_qubits} {op.params if op.is_gate() else ''}"
            counts[key] += 1
            examples[key] = op
    return [(examples[key], count) for key, count in counts.items()]


def _inner(op: Op) -> Op:
    if op.type == OpType.Conditional:
        return _inner(cast("Conditional", op).op)
    return op


def _is_charged(device: DeviceDetails) -> bool:
    return device.backend in _CHARGED_BACKENDS and device.kind in _CHARGED_KINDS


def _estimate(
    circuits: Sequence[Circuit],
    needs: Sequence[CircuitNeeds],
    remarks: _Remarks,
    backend_config: BackendConfig,
) -> None:
    """Add the cost to what circuits need, and compare it with their limit."""
    limit = getattr(backend_config, "max_cost", None)
    for circuit, one in zip(circuits, needs, strict=True):
        if circuit.is_symbolic():
            continue
        one.cost = _hqc(circuit, one.n_shots)
        if limit is not None and one.cost > limit:
            warning = f"costs about {one.cost:.2f} HQC, above its max_cost of {limit:g}"
            remarks.warnings.append((one.index, warning))


def _hqc(circuit: Circuit, shots: int) -> float:
    plain = circuit.copy()
    DecomposeBoxes().apply(plain)
    one_qubit = two_qubit = 0
    spam = plain.n_qubits
    for op, count in _distinct_ops(plain):
        if op.type in (OpType.Measure, OpType.Reset):
            spam += count
        elif op.is_gate() and op.type not in _NO_GATES:
            one, two = _native_gates(op)
            one_qubit += one * count
            two_qubit += two * count
    return 5 + shots * (one_qubit + 10 * two_qubit + 5 * spam) / 5000


def _native_gates(op: Op) -> tuple[int, int]:
    """Count the gates on one and two qubits that a device does for an operation."""
    native = Circuit(op.n_qubits)
    native.add_gate(op, list(range(op.n_qubits)))
    if op.type not in _NATIVE:
        AutoRebase(_NATIVE).apply(native)
    two_qubit = sum(native.n_gates_of_type(gate) for gate in _NATIVE_TWO_QUBIT)
    return native.n_gates_of_type(OpType.PhasedX), two_qubit


def _quota_warnings() -> list[str]:
    """Ask whether the quota of simulations is used up."""
    try:
        quota = call(
            "look up the quota of simulations",
            lambda: qnx.quotas.get("simulation"),
            retry_time=_PATIENCE_SECONDS,
        )
    # qnexus reads the first of the quotas, also where there is none.
    except (NexusRefusedError, NexusUnavailableError, IndexError, KeyError) as error:
        return [f"Nexus does not tell your quota of simulations ({error})"]
    if isinstance(quota.quota, str) or quota.usage < quota.quota:
        return []
    used_up = f"used up ({quota.usage:g} of {quota.quota:g} seconds)"
    return [
        f"your quota of simulations is {used_up}; ask the administrator for more",
    ]
