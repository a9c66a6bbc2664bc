"""Tasks of a loop of five circuits an iteration, as a user would write them."""

import sys
from typing import NamedTuple

from pytket.backends.backendresult import BackendResult
from pytket.circuit import Circuit, OpType
from pytket.passes import AutoRebase
from tierkreis import Worker
from tierkreis.models import portmapping

worker = Worker("hybrid_worker")

SHIFTS = (-0.5, -0.25, 0.0, 0.25, 0.5)


@portmapping
class Step(NamedTuple):
    """The state after an iteration.

    :param angle: The next angle, in half-turns.
    :param iteration: The number of iterations so far.
    :param should_continue: Whether to go on.
    """

    angle: float
    iteration: int
    should_continue: bool


@worker.task()
def circuits(angle: float) -> list[Circuit]:
    """Build five circuits around an angle.

    :param angle: The angle, in half-turns.
    :returns: The circuits, in the gates of Quantinuum's devices.
    """
    made = []
    for shift in SHIFTS:
        circuit = Circuit(2, name=f"turned by {shift}").Ry(angle + shift, 0)
        circuit.CX(0, 1).Ry(angle, 1).measure_all()
        AutoRebase({OpType.PhasedX, OpType.Rz, OpType.ZZPhase}).apply(circuit)
        made.append(circuit)
    return made


@worker.task()
def energies(results: list[BackendResult]) -> list[float]:
    """Calculate an energy from each result.

    :param results: The results of the circuits.
    :returns: The mean of the parity of both qubits.
    """
    distributions = [result.get_distribution() for result in results]
    return [
        float(sum(p * (-1) ** sum(bits) for bits, p in found.items()))
        for found in distributions
    ]


@worker.task()
def step(angle: float, iteration: int, values: list[float], n_iterations: int) -> Step:
    """Move the angle to where the energy falls.

    :param angle: The angle, in half-turns.
    :param iteration: The number of iterations so far.
    :param values: The energies around it.
    :param n_iterations: The number of iterations of the whole loop.
    :returns: The next angle, and whether to go on.
    """
    slope = sum(s * value for s, value in zip(SHIFTS, values, strict=True))
    done = iteration + 1
    return Step(angle - 0.2 * slope, done, done < n_iterations)


if __name__ == "__main__":
    worker.app(sys.argv)
