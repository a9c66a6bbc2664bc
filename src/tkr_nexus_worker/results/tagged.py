"""Tagged values: what a HUGR program reports with ``result(tag, value)`` in each shot.

A QIR program records its output in the same way: what the QIR specification calls a
label is a tag here, and arrays and tuples are what their elements are.

Where all shots report the same bits, they are registers: a tag ``c`` is a register, a
tag ``c[2]`` one bit of it, an array of bits fills it, and a tag that is reported
several times has the bits in their order. Otherwise an outcome is the text of all
values, as in ``n=3 x=0.5``; several values of a tag have a comma between them.

A shot that the program ended by ``exit`` or ``panic`` has no outcome; it is named with
its number, its values and the message. Selene reports the message as the last tag.
"""

import re
from collections import defaultdict
from collections.abc import Callable
from functools import cached_property

from hugr.qsystem.result import QsysResult
from pydantic import BaseModel, Field
from pytket.backends.backendresult import BackendResult
from pytket.circuit import Bit
from pytket.utils.outcomearray import OutcomeArray

from tkr_nexus_worker.errors import ResultFormatError

type ShotValue = bool | int | float | list[bool] | list[int] | list[float]
type Shot = list[tuple[str, ShotValue]]
"""The tagged values of one shot, in the order in which the program reported them."""

NO_VALUES = "(no values)"
"""The outcome of a shot in which the program reported nothing."""

_BIT_TAG = re.compile(r"([a-z]\w*)\[(\d+)\]")
_STOPS = ("exit: ", "panic: ")
_CONTAINERS = frozenset({"ARRAY", "TUPLE"})
_BOOLS = {"true": True, "false": False}
# The types of records in the output of QIR, and how their values are read.
_RECORDS: dict[str, Callable[[str], bool | int | float]] = {
    "RESULT": int,
    "BOOL": _BOOLS.__getitem__,
    "INT": int,
    "DOUBLE": float,
}


class ProgramShots(BaseModel):
    """The shots of one program, as a value that a workflow can carry.

    In Python, ``ProgramShots(**output)`` reads an output of a graph.

    :param index: The place of the program, from 0.
    :param name: The name of the program, where it is known.
    :param program_type: ``circuit``, ``hugr`` or ``qir``.
    :param job_id: The id of its job.
    :param shots: For each shot its tagged values (tag, value) in the order in which
        they were reported, tags that were reported several times included. Of a
        circuit, each register is a tag, and its value the list of its bits.
    """

    index: int
    name: str | None = None
    program_type: str
    job_id: str = ""
    shots: list[list[tuple[str, ShotValue]]] = Field(repr=False)

    def __len__(self) -> int:
        return len(self.shots)

    def to_qsys(self) -> QsysResult:
        """Return the shots as a ``QsysResult`` of hugr, as qnexus has them."""
        return QsysResult(self.shots)

    def to_pytket(self) -> BackendResult:
        """Return the shots as registers of bits, without those that were stopped.

        :raises ResultFormatError: If they do not all report the same bits.
        """
        return TaggedShots(self.to_qsys()).backend_result


class TaggedShots:
    """The shots of a HUGR program.

    :param result: The result as qnexus returns it.
    """

    def __init__(self, result: QsysResult) -> None:
        self.shots: list[Shot] = [
            [(tag, value) for tag, value in shot.entries] for shot in result.results
        ]

    @cached_property
    def complete(self) -> list[Shot]:
        """The shots that the program did not stop."""
        return [shot for shot in self.shots if _stop(shot) is None]

    @cached_property
    def stopped(self) -> dict[str, list[int]]:
        """The numbers of the shots that the program stopped, by values and message."""
        stopped: dict[str, list[int]] = defaultdict(list)
        for number, shot in enumerate(self.shots):
            stop = _stop(shot)
            if stop is not None:
                values = f"{_text(shot[:-1])} " if len(shot) > 1 else ""
                stopped[values + stop].append(number)
        return dict(stopped)

    @cached_property
    def outcomes(self) -> list[str]:
        """The text of all values of each complete shot."""
        return [_text(shot) for shot in self.complete]

    @cached_property
    def backend_result(self) -> BackendResult:
        """The complete shots as registers of bits.

        :raises ResultFormatError: If they do not all report the same bits.
        """
        rows: list[str] = []
        bits: list[Bit] = []
        for number, shot in enumerate(self.complete):
            registers = _registers(shot)
            names = [
                Bit(n, i) for n, word in registers.items() for i in range(len(word))
            ]
            if not rows:
                bits = names
            # The order of tags may differ from shot to shot.
            if sorted(names) != sorted(bits):
                raise ResultFormatError(
                    f"shot {number} does not report the same bits as those before it"
                )
            rows.append("".join(registers[bit.reg_name][bit.index[0]] for bit in bits))
        if not bits:
            raise ResultFormatError("no shot reports a bit")
        readouts = [[int(digit) for digit in row] for row in rows]
        return BackendResult(shots=OutcomeArray.from_readouts(readouts), c_bits=bits)


def read_qir_output(text: str) -> QsysResult:
    """Read the output of a QIR program, as its specification defines it.

    :param text: The text, with a record on each line.
    :returns: The shots. A value without a label has that of the array or tuple that it
        is an element of, or else its number in the shot. A shot that ended with another
        exit code than 0 was stopped.
    :raises ResultFormatError: If it is no output of a QIR program.
    """
    shots: list[Shot] = []
    container, left = "", 0
    for number, line in enumerate(text.splitlines(), start=1):
        kind, *fields = line.split("\t", 3)
        try:
            if kind == "START":
                shots.append([])
                left = 0
            elif kind == "OUTPUT" and fields[0] in _CONTAINERS:
                container, left = fields[2] if len(fields) > 2 else "", int(fields[1])
            elif kind == "OUTPUT":
                label = fields[2] if len(fields) > 2 else ""
                within = container if left else ""
                value = _RECORDS[fields[0]](fields[1])
                shots[-1].append((label or within or str(len(shots[-1])), value))
                left = max(0, left - 1)
            elif kind == "END" and int(fields[0]):
                shots[-1].append(("exit: ended early", int(fields[0])))
        except (LookupError, ValueError) as error:
            raise ResultFormatError(
                f"line {number} of the output of a QIR program, {line!r}, is no record "
                "that this version knows"
            ) from error
    if not shots:
        raise ResultFormatError("it is no output of a QIR program: it has no shots")
    return QsysResult(shots)


def shots_of_registers(result: BackendResult) -> list[Shot]:
    """Return the shots of a circuit as tagged values: a tag for each register.

    :param result: The result; where it has counts only, equal shots are together.
    :raises ResultFormatError: If it is a state or a unitary.
    """
    if not result.contains_measured_results:
        raise ResultFormatError("it is a state or unitary, which has no shots")
    bits = sorted(result.c_bits)
    if result.get_result().shots is not None:
        rows = [[int(bit) for bit in row] for row in result.get_shots(cbits=bits)]
    else:
        counts = result.get_counts(cbits=bits)
        rows = [list(map(int, row)) for row, n in counts.items() for _ in range(n)]
    registers: dict[str, list[int]] = defaultdict(list)
    for column, bit in enumerate(bits):
        registers[bit.reg_name].append(column)
    return [
        [
            (name, [row[column] for column in columns])
            for name, columns in registers.items()
        ]
        for row in rows
    ]


def _stop(shot: Shot) -> str | None:
    """Return how the program stopped a shot; None if it did not."""
    if not shot or not shot[-1][0].startswith(_STOPS):
        return None
    message, code = shot[-1]
    return f"{message} ({code})"


def _text(shot: Shot) -> str:
    values: dict[str, list[str]] = defaultdict(list)
    for tag, value in shot:
        values[tag].append(_value_text(value))
    return " ".join(f"{tag}={','.join(v)}" for tag, v in values.items()) or NO_VALUES


def _value_text(value: ShotValue) -> str:
    match value:
        case bool():
            return str(int(value))
        case list():
            return f"[{','.join(map(_value_text, value))}]"
    return str(value)


def _registers(shot: Shot) -> dict[str, str]:
    """Return the bits of each register of a shot.

    :raises ResultFormatError: If a value is not a bit, or a bit has two values.
    """
    whole: dict[str, str] = {}
    single: dict[str, dict[int, str]] = defaultdict(dict)
    for tag, value in shot:
        match = _BIT_TAG.fullmatch(tag)
        if match is None:
            values = value if isinstance(value, list) else [value]
            bits = "".join(_bit(tag, one) for one in values)
            whole[tag] = whole.get(tag, "") + bits
            continue
        name, index = match[1], int(match[2])
        if index in single[name]:
            raise ResultFormatError(f"the bit {tag!r} is reported twice in a shot")
        single[name][index] = _bit(tag, value)
    for name, bits_by_index in single.items():
        if name in whole:
            raise ResultFormatError(
                f"{name!r} is reported as a register and by its bits"
            )
        size = max(bits_by_index) + 1
        # As in hugr.qsystem.result, bits that are not reported are 0.
        whole[name] = "".join(bits_by_index.get(index, "0") for index in range(size))
    return whole


def _bit(tag: str, value: object) -> str:
    if isinstance(value, int) and value in (0, 1):
        return str(int(value))
    raise ResultFormatError(f"the value {value!r} of {tag!r} is not a bit")
