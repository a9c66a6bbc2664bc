"""Divide the circuits of a job into batches, one for each process that uploads."""

from collections.abc import Sequence
from typing import Any

from pydantic_core import to_json
from pytket.circuit import Circuit

_SMALLEST_BATCH = 8
_MOST_BATCHES = 4


class EncodedCircuits(Sequence[Circuit]):
    """Circuits together with the text that they were read from.

    :param encoded: The circuits as ``Circuit.to_dict`` gives them.
    """

    def __init__(self, encoded: list[dict[str, Any]]) -> None:
        self._encoded = encoded
        self._circuits = [Circuit.from_dict(circuit) for circuit in encoded]

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
            to_json(self._encoded[start : start + size])
            for start in range(0, len(self), size)
        ]
