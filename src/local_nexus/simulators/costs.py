"""What a program costs on a Quantinuum device.

HQC = 5 + n_shots * (N_1q + 10 N_2q + 5 N_m) / 5000: the formula that Quantinuum
publishes for H-Series, for example in the provider's documentation of Azure Quantum.
N_1q counts gates on one qubit (``PhasedX``; ``Rz`` is free), N_2q those on two, and N_m
preparations, resets and measurements.
"""

import math
import statistics
from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

from pytket.circuit import Circuit, Conditional, Op, OpType

from local_nexus.simulators.devices import Device
from local_nexus.simulators.errors import SimulationError

CHARGING = {"hardware", "emulator", "syntax_checker"}
"""System types of the devices that charge."""
CHARGING_BACKENDS = {"QuantinuumBackend", "HeliosBackend"}

NATIVE_GATES = {OpType.PhasedX, OpType.Rz, OpType.ZZPhase, OpType.ZZMax, OpType.TK2}


@dataclass(frozen=True)
class GateCounts:
    """What one shot of a program does; averages are possible.

    :param one_qubit: Gates on one qubit, without ``Rz``.
    :param two_qubit: Gates on two qubits.
    :param spam: Preparations, resets and measurements.
    """

    one_qubit: float = 0
    two_qubit: float = 0
    spam: float = 0


def hqc(counts: GateCounts, n_shots: int) -> float:
    """Return the cost of some shots in HQC."""
    per_shot = counts.one_qubit + 10 * counts.two_qubit + 5 * counts.spam
    return 5 + n_shots * per_shot / 5000


def charges(device: Device) -> bool:
    """Return whether a device charges for its programs."""
    return (
        device["backend_name"] in CHARGING_BACKENDS
        and device["backend_info"]["misc"]["system_type"] in CHARGING
    )


def counts_of_circuit(compiled: Circuit) -> GateCounts:
    """Count the operations of a circuit that has the gates of the device.

    Every qubit is prepared once; operations under a condition count as done.
    """
    counts = [_kind(_inner(command.op)) for command in compiled]
    return GateCounts(
        one_qubit=counts.count("one_qubit"),
        two_qubit=counts.count("two_qubit"),
        spam=counts.count("spam") + compiled.n_qubits,
    )


def counts_of_metrics(metrics: Mapping[str, int]) -> GateCounts:
    """Count the operations of one shot of a HUGR or QIR program.

    :param metrics: What Selene reports as ``user_program``; its resets are the
        preparations of qubits, too.
    """
    return GateCounts(
        one_qubit=metrics["rxy_count"],
        two_qubit=metrics["rzz_count"],
        spam=metrics["reset_count"] + metrics["measure_request_count"],
    )


@dataclass(frozen=True)
class Cost:
    """What a program costs.

    :param hqc: The cost in HQC.
    :param confidence: From 0 to 1; below 1 where shots differ in what they do.
    """

    hqc: float
    confidence: float

    def check(self, max_cost: float | None) -> None:
        """Refuse a program that costs more than its owner allowed.

        :raises SimulationError: When it does.
        """
        if max_cost is not None and self.hqc > max_cost:
            raise SimulationError(
                f"The program costs {self.hqc:.2f} HQC, more than its max_cost of "
                f"{max_cost:g} HQC: take fewer shots or raise max_cost."
            )


def paid(shots: list[GateCounts]) -> Cost:
    """Return the cost of shots that were taken."""
    return Cost(statistics.fmean(hqc(shot, len(shots)) for shot in shots), 1.0)


def estimate(sample: list[GateCounts], n_shots: int) -> Cost:
    """Return the cost of a program of which some shots are known.

    :param sample: The operations of the known shots.
    :param n_shots: Shots to pay for.
    :returns: The cost of average shots; the confidence is 1 less the relative standard
        error of the average.
    :raises SimulationError: When no shot is known.
    """
    if not sample:
        raise SimulationError(
            "The cost of the program cannot be estimated: none of its trial shots, "
            "whose measurements are random, came to its end."
        )
    prices = [hqc(shot, n_shots) for shot in sample]
    mean = statistics.fmean(prices)
    error = statistics.pstdev(prices) / math.sqrt(len(prices))
    return Cost(mean, max(0.0, 1 - error / mean))


def _inner(op: Op) -> Op:
    if op.type == OpType.Conditional:
        return _inner(cast("Conditional", op).op)
    return op


def _kind(op: Op) -> str:
    if op.type in (OpType.Measure, OpType.Reset):
        return "spam"
    if op.type in NATIVE_GATES and op.type != OpType.Rz:
        return "one_qubit" if op.n_qubits == 1 else "two_qubit"
    return "free"
