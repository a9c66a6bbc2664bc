"""Samples of Clifford circuits of any size, by the stabilizers of their final state.

Their outcomes are all equally probable, and lie in an affine space over two elements:
the stabilizers without X say which, and the others lead from one outcome to the next
(Aaronson and Gottesman, Physical Review A 70, 052328).
"""

from typing import TYPE_CHECKING

from pytket.circuit import Circuit, OpType, Qubit
from pytket.passes import AutoRebase, SquashTK1
from pytket.pauli import Pauli, QubitPauliTensor
from pytket.tableau import UnitaryTableau

if TYPE_CHECKING:
    from numpy import ndarray

# Gates that turn by a quarter about Z and X, which pytket has in its tableaus.
_QUARTERS = {"z": OpType.S, "x": OpType.V}
_TOLERANCE = 1e-9


def clifford_gates(circuit: Circuit) -> Circuit | None:
    """Return a circuit of gates in the gates of a tableau.

    :param circuit: A circuit of gates alone.
    :returns: An equal circuit up to its phase; None if it is none of Clifford gates.
    """
    given = circuit.copy()
    AutoRebase({OpType.CX, OpType.TK1}).apply(given)
    SquashTK1().apply(given)
    gates = Circuit()
    for qubit in given.qubits:
        gates.add_qubit(qubit)
    for command in given:
        if command.op.type == OpType.CX:
            gates.CX(*command.qubits)
            continue
        for axis, angle in zip("zxz", reversed(command.op.params), strict=True):
            quarters = 2.0 * float(angle)
            if abs(quarters - round(quarters)) > _TOLERANCE:
                return None
            for _ in range(round(quarters) % 4):
                gates.add_gate(_QUARTERS[axis], command.qubits)
    return gates


def sample_clifford(
    gates: Circuit, n_samples: int, seed: int | None = None
) -> "ndarray":
    """Sample the measurement of all qubits of a Clifford circuit that begins in zeros.

    :param gates: The circuit, as :func:`clifford_gates` returns it.
    :param n_samples: The number of samples.
    :param seed: Repeats the samples; None for others each time.
    :returns: A row of zeros and ones for each sample, in the order of the qubits.
    """
    import numpy as np

    qubits = list(gates.qubits)
    tableau = UnitaryTableau(gates)
    steps, fixed = _reduced([tableau.get_zrow(qubit) for qubit in qubits], qubits)
    one = np.array(_solution(fixed, qubits), dtype=np.int64)
    rng = np.random.default_rng(seed)
    chosen = rng.integers(0, 2, (n_samples, len(steps))).astype(np.float32)
    leads = np.array(
        [[_has_x(step, qubit) for qubit in qubits] for step in steps], np.float32
    ).reshape(len(steps), len(qubits))
    return ((chosen @ leads).astype(np.int64) + one) % 2


def _has_x(pauli: QubitPauliTensor, qubit: Qubit) -> bool:
    return pauli[qubit] in (Pauli.X, Pauli.Y)


def _reduced(
    stabilizers: list[QubitPauliTensor], qubits: list[Qubit]
) -> tuple[list[QubitPauliTensor], list[QubitPauliTensor]]:
    """Divide stabilizers into independent ones with X, and others without."""
    steps: list[QubitPauliTensor] = []
    rest = stabilizers
    for qubit in qubits:
        pivot = next((it for it in rest if _has_x(it, qubit)), None)
        if pivot is None:
            continue
        steps.append(pivot)
        rest = [
            it * pivot if _has_x(it, qubit) else it for it in rest if it is not pivot
        ]
    return steps, rest


def _solution(fixed: list[QubitPauliTensor], qubits: list[Qubit]) -> list[int]:
    """Return an outcome that has the parities which stabilizers without X demand."""
    rows: list[tuple[Qubit, QubitPauliTensor]] = []
    rest = fixed
    for qubit in qubits:
        pivot = next((it for it in rest if it[qubit] == Pauli.Z), None)
        if pivot is None:
            continue
        rows = [
            (own, row * pivot if row[qubit] == Pauli.Z else row) for own, row in rows
        ]
        rows.append((qubit, pivot))
        rest = [
            it * pivot if it[qubit] == Pauli.Z else it for it in rest if it is not pivot
        ]
    # Each row has a qubit of its own; all other qubits may be zero.
    values = {own: int(row.coeff.real < 0) for own, row in rows}
    return [values.get(qubit, 0) for qubit in qubits]
