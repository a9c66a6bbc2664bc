"""A circuit as simulators take it, and its result as its owner expects it.

The module ``pytket.backends`` imports scipy, sympy and networkx, which takes as long as
many simulations do. It is imported where a result is a state.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from pytket.circuit import Bit, Circuit, Qubit

from local_nexus.simulators.circuits.conditions import is_scratch
from local_nexus.simulators.devices import Config, Device
from local_nexus.simulators.errors import SimulationError
from local_nexus.simulators.noise.configs import emulator_of
from local_nexus.simulators.noise.error_rates import ErrorRates


@dataclass(frozen=True)
class CircuitRun:
    """A circuit to simulate, as engines take it.

    :param circuit: A circuit without boxes and symbols.
    :param config: The backend config.
    :param device: The device that the config names.
    :param requested_shots: Shots to take; None where a state is asked for.
    :param rates: Error rates of a Quantinuum device; None for an ideal one.
    :param wasm: A module of functions that the circuit calls, in binary form.
    """

    circuit: Circuit
    config: Config
    device: Device
    requested_shots: int | None
    rates: ErrorRates | None
    wasm: bytes | None

    @property
    def seed(self) -> int | None:
        """What makes the shots reproducible, None for shots of their own each time."""
        simulator = emulator_of(self.config).get("simulator") or {}
        seed: int | None = self.config.get("seed", simulator.get("seed"))
        return seed

    @property
    def wants_state(self) -> bool:
        """Whether the result is a state; only some devices return one."""
        no_shots = self.requested_shots is None or not self.circuit.bits
        return no_shots and "supports_state" in self.device["supports"]

    @property
    def n_shots(self) -> int:
        """Shots to take, for engines that return nothing else.

        :raises SimulationError: When the request has no number of shots, or the circuit
            has no bits for their outcomes.
        """
        if self.requested_shots is None:
            raise SimulationError(
                f"A program for {self.config['type']} needs a number of shots."
            )
        if not self.circuit.bits:
            raise SimulationError(
                "The circuit has no bits, so that shots of it have no outcomes: add "
                "measurements, for example by measure_all()."
            )
        return self.requested_shots


def flatten(circuit: Circuit) -> tuple[Circuit, list[Qubit], list[Bit]]:
    """Rename all qubits to ``q[i]`` and all bits to ``c[i]``, as simulators ask for.

    :returns: The renamed circuit, and the qubits and bits of the original, such that
        the one at position i became ``q[i]`` or ``c[i]``.
    """
    flat = circuit.copy()
    flat.flatten_registers()
    return flat, circuit.qubits, circuit.bits


def check_has_qubits(circuit: Circuit) -> None:
    """Refuse a circuit without qubits, whose state pytket has no result for.

    :raises SimulationError: When it has none.
    """
    if not circuit.qubits:
        raise SimulationError(
            "The circuit has no qubits, and so no state: add a qubit to it."
        )


@dataclass(frozen=True)
class Shots:
    """The outcomes of a circuit.

    :param table: One row per shot and one column per bit, of zeros and ones.
    :param bits: The bits of the columns, as the owner of the circuit named them.
    """

    table: npt.NDArray[Any]
    bits: list[Bit]

    def to_dict(self) -> dict[str, Any]:
        """Return what pytket's ``BackendResult.to_dict()`` does, without scratch bits.

        Scratch bits are those that compilers add.
        """
        visible = [
            (column, bit)
            for column, bit in enumerate(self.bits)
            if not is_scratch(bit.reg_name)
        ]
        table = self.table[:, [column for column, _bit in visible]]
        packed = np.packbits(table.astype(np.bool_), axis=-1)
        return {
            "qubits": [],
            "bits": [bit.to_list() for _column, bit in visible],
            "shots": {"width": len(visible), "array": packed.tolist()},
        }
