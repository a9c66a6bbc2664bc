"""Circuits with their text, and their batches, one for each process that uploads."""

from collections.abc import Iterable, Sequence
from typing import Any, Self

from pydantic_core import from_json, to_json
from pytket.circuit import Circuit

from tkr_runtime import json_lines

_SMALLEST_BATCH = 8
_MOST_BATCHES = 4


class EncodedCircuits(Sequence[Circuit]):
    """Circuits together with the text that they were read from.

    :param texts: What ``Circuit.to_dict`` gives of each, as JSON.
    """

    def __init__(self, texts: list[bytes]) -> None:
        self.texts = texts
        self._circuits = [Circuit.from_dict(from_json(text)) for text in texts]

    @classmethod
    def read(cls, text: bytes) -> Self:
        """Read a list of circuits.

        :param text: The list as JSON.
        """
        return cls(json_lines.split(text))

    @classmethod
    def of(cls, circuits: Iterable[Circuit]) -> Self:
        """Encode circuits, unless they have their text already.

        :param circuits: The circuits.
        """
        if isinstance(circuits, cls):
            return circuits
        return cls([to_json(circuit.to_dict()) for circuit in circuits])

    def __len__(self) -> int:
        return len(self._circuits)

    def __getitem__(self, index: Any) -> Any:
        return self._circuits[index]

    def batches(self) -> list[bytes]:
        """Divide the circuits into batches of nearly equal size.

        Tierkreis starts a process for each batch, all at once, and its controller takes
        0.2 seconds to start one: there are at most 4.

        :returns: The batches in order, each a JSON list of circuits.
        """
        size = max(_SMALLEST_BATCH, -(-len(self) // _MOST_BATCHES))
        return [
            b"[" + b",".join(self.texts[start : start + size]) + b"]"
            for start in range(0, len(self), size)
        ]
