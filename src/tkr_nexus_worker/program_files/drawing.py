"""Circuits as text: a drawing for a person, and OpenQASM 2."""

from collections.abc import Iterator, Mapping

from pytket.circuit import Circuit, Command, Conditional, Op, OpType
from pytket.qasm.qasm import circuit_to_qasm_str
from pytket.unit_id import UnitID

from tkr_nexus_worker.errors import ResultFormatError
from tkr_nexus_worker.program_files.conditions import simplify_conditions

_WIRE, _CROSSING, _CONTROL, _SWAP = "─", "┼", "●", "x"
# Type of a controlled gate -> how many controls it has, and what its target is called.
_CONTROLLED = {
    OpType.CX: (1, "X"),
    OpType.CY: (1, "Y"),
    OpType.CZ: (1, _CONTROL),
    OpType.CH: (1, "H"),
    OpType.CRx: (1, "Rx"),
    OpType.CRy: (1, "Ry"),
    OpType.CRz: (1, "Rz"),
    OpType.CU1: (1, "U1"),
    OpType.CU3: (1, "U3"),
    OpType.CV: (1, "V"),
    OpType.CSX: (1, "SX"),
    OpType.CCX: (2, "X"),
}
# The standard library first, then Quantinuum's, which has operations on bits as well.
_QASM_HEADERS = ("qelib1", "hqslib1")
# The widest register that pytket writes unless told another width.
_USUAL_WIDTH = 32


def to_qasm(circuit: Circuit) -> str:
    """Write a circuit as OpenQASM 2.

    :param circuit: The circuit; its boxes are taken apart, and conditions that
        OpenQASM 2 has no words for are first written to scratch bits.
    :returns: The program, with the include of the gates that it needs.
    :raises ResultFormatError: If it has what OpenQASM 2 cannot express.
    """
    widths = (register.size for register in circuit.c_registers)
    width = max(_USUAL_WIDTH, max(widths, default=0))
    reason = ""
    for header in _QASM_HEADERS:
        try:
            simple = simplify_conditions(circuit)
            if header == "qelib1" and not all(command.qubits for command in simple):
                continue  # pytket would write the operations on bits all the same
            return circuit_to_qasm_str(simple, header=header, maxwidth=width)
        # pytket raises errors of many kinds for what it cannot write, and one circuit
        # that cannot be written must not cost the files of others.
        except Exception as error:  # noqa: BLE001
            reason = " ".join(str(error).split()).rstrip(".") or type(error).__name__
    raise ResultFormatError(
        f"Circuit {circuit.name!r} cannot be expressed in OpenQASM 2 ({reason}); take "
        "it as pytket JSON."
    )


def draw(circuit: Circuit, width: int = 80) -> str:
    """Draw a circuit: one line for each qubit, time from left to right.

    Angles are in half-turns, as everywhere in pytket. Bits are named where they are
    written or read.

    :param circuit: The circuit.
    :param width: The longest line, in characters; what is wider goes on in a further
        block of lines.
    :returns: The drawing; lines end in line feeds.
    """
    names = [f"{qubit}: " for qubit in circuit.qubits]
    margin = max(map(len, names), default=0)
    rows: dict[UnitID, int] = {it: row for row, it in enumerate(circuit.qubits)}
    columns = [_render(column, len(names)) for column in _columns(circuit, rows)]
    blocks = [
        "".join(
            f"{name:>{margin}}{_WIRE}{_WIRE.join(column[row] for column in block)}"
            f"{_WIRE}\n"
            for row, name in enumerate(names)
        )
        for block in _blocks(columns, width - margin - 2)
    ]
    return "\n".join(blocks)


def _cells(command: Command, rows: Mapping[UnitID, int]) -> dict[int, str]:
    """Return what a command puts on the line of each of its qubits."""
    op, prefix, arguments = command.op, "", list(command.args)
    while isinstance(op, Conditional):
        bits = ",".join(map(str, arguments[: op.width]))
        prefix += f"if {bits}=={op.value}: "
        arguments = arguments[op.width :]
        op = op.op
    on = [rows[argument] for argument in arguments if argument in rows]
    bits = ",".join(str(argument) for argument in arguments if argument not in rows)
    labels = _labels(op, len(on), bits)
    cells = dict(zip(on, labels, strict=True))
    if prefix and on:
        cells[on[0]] = prefix + cells[on[0]]
    return cells


def _labels(op: Op, n_qubits: int, bits: str) -> list[str]:
    if op.type == OpType.Measure:
        return [f"M>{bits}"]
    if op.type == OpType.Barrier:
        return ["░"] * n_qubits
    if op.type == OpType.SWAP:
        return [_SWAP, _SWAP]
    if op.type in _CONTROLLED:
        n_controls, target = _CONTROLLED[op.type]
        return [_CONTROL] * n_controls + [target + _parameters(op)]
    name = op.type.name + _parameters(op)
    if bits:
        name += f">{bits}"
    if n_qubits == 1:
        return [name]
    return [f"{name}:{number}" for number in range(n_qubits)]


def _parameters(op: Op) -> str:
    try:
        parameters = op.params
    except RuntimeError:  # a box without parameters
        return ""
    shown = (
        f"{it:.4g}" if isinstance(it, int | float) else str(it) for it in parameters
    )
    return f"({','.join(shown)})" if parameters else ""


def _columns(circuit: Circuit, rows: Mapping[UnitID, int]) -> list[dict[int, str]]:
    """Put each command into the first column in which all that it acts on is free."""
    columns: list[dict[int, str]] = []
    free_from: dict[int | UnitID, int] = {}
    for command in circuit:
        cells = _cells(command, rows)
        span = range(min(cells), max(cells) + 1) if cells else ()
        bits = [it for it in command.args if it not in rows]
        number = max((free_from.get(it, 0) for it in (*span, *bits)), default=0)
        while number >= len(columns):
            columns.append({})
        columns[number] |= dict.fromkeys(span, _CROSSING) | cells
        free_from |= dict.fromkeys((*span, *bits), number + 1)
    return [column for column in columns if column]


def _render(column: dict[int, str], n_rows: int) -> list[str]:
    width = max(map(len, column.values()))
    return [column.get(row, "").center(width, _WIRE) for row in range(n_rows)]


def _blocks(columns: list[list[str]], width: int) -> Iterator[list[list[str]]]:
    """Cut the columns into blocks that are not wider than a line, where possible."""
    block: list[list[str]] = []
    used = 0
    for column in columns:
        needed = len(column[0]) + 1
        if block and used + needed > width:
            yield block
            block, used = [], 0
        block.append(column)
        used += needed
    yield block
