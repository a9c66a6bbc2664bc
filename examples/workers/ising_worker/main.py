"""Tasks about two spins in a transverse field, H = -Z0 Z1 - field (X0 + X1)."""

import sys

from pytket.backends.backendresult import BackendResult
from pytket.circuit import Circuit, OpType
from pytket.passes import AutoRebase
from tierkreis import Worker

worker = Worker("ising_worker")


@worker.task()
def measurement_circuits(angle: float) -> list[Circuit]:
    """Prepare the product state of two spins turned by an angle, for both bases.

    :param angle: The angle of each spin to the z axis, in half-turns.
    :returns: One circuit that measures Z on both spins, and one that measures X.
    """
    in_z = Circuit(2, name="ising_z").Ry(angle, 0).Ry(angle, 1)
    in_x = in_z.copy().H(0).H(1)
    in_x.name = "ising_x"
    circuits = [in_z.measure_all(), in_x.measure_all()]
    for circuit in circuits:
        AutoRebase({OpType.PhasedX, OpType.Rz, OpType.ZZPhase}).apply(circuit)
    return circuits


@worker.task()
def energy(results: list[BackendResult], field: float) -> float:
    """Estimate the energy from the results of the two circuits.

    :param results: The results of the circuits of measurement_circuits.
    :param field: The strength of the transverse field.
    :returns: The mean energy, in units of the coupling.
    """
    in_z, in_x = (result.get_distribution() for result in results)
    zz = sum(p * (-1) ** (bits[0] + bits[1]) for bits, p in in_z.items())
    x_sum = sum(p * ((-1) ** bits[0] + (-1) ** bits[1]) for bits, p in in_x.items())
    return float(-zz - field * x_sum)


@worker.task()
def share_of_ones(result: BackendResult) -> float:
    """Return which share of all measured bits is 1.

    :param result: The result of one circuit.
    """
    return float(result.get_shots().mean())


if __name__ == "__main__":
    worker.app(sys.argv)
