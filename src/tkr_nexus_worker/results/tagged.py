"""Tagged values: what a HUGR program reports with ``result(tag, value)`` in each shot.

Where all shots report the same bits, they are registers: a tag ``c`` is a register, a
tag ``c[2]`` one bit of it, an array of bits fills it, and a tag that is reported
several times has the bits in their order. Otherwise an outcome is the text of all
values, as in ``n=3 x=0.5``; several values of a tag have a comma between them.

A shot that the program ended by ``exit`` or ``panic`` has no outcome; it is named with
its number, its values and the message. Selene reports the message as the last tag.
"""

import re
from collections import defaultdict
from functools import cached_property

from hugr.qsystem.result import QsysResult
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
