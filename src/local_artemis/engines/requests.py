"""What goes to an engine and what comes back."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, ClassVar, Literal, Self

EngineName = Literal["numpy", "lightworks"]


@dataclass(frozen=True)
class Noise:
    """How imperfect photons and detectors are, as ``lightworks.emulator`` models it.

    :param brightness: Probability that the source emits, 0 to 1.
    :param purity: 1 - g2 of the photons, above 0.5 to 1; what else is emitted is
        distinguishable.
    :param indistinguishability: Of the photons of different modes, 0 to 1.
    :param efficiency: Probability that a detector sees a photon, 0 to 1.
    :param dark_counts: Probability that a detector clicks in a sample without a photon,
        0 to 1; ``p_dark`` in Lightworks.
    :raises ValueError: If a number is out of range.
    """

    # Files with QPUs are checked strictly against these fields.
    __pydantic_config__: ClassVar[Mapping[str, Any]] = {"extra": "forbid"}

    brightness: float = 1.0
    purity: float = 1.0
    indistinguishability: float = 1.0
    efficiency: float = 1.0
    dark_counts: float = 0.0

    def __post_init__(self) -> None:
        for name, value in asdict(self).items():
            low, what = (0.5, "above 0.5") if name == "purity" else (0, "0")
            if not low <= value <= 1 or (name == "purity" and value == low):
                raise ValueError(f"{name} of noise is {what} to 1, and not {value}")

    @property
    def is_none(self) -> bool:
        """Whether photons and detectors are perfect."""
        return self == type(self)()


@dataclass(frozen=True)
class Outcome:
    """How a job ended.

    :param status: The state in which it ended.
    :param notes: Why, if not as wished: a sentence for a person.
    :param counts: JSON text: how often each state was seen, None if none was.
    """

    status: Literal["Completed", "Failed", "TimedOut"]
    notes: str | None = None
    counts: str | None = None


@dataclass(frozen=True)
class SampleRequest:
    """The samples of one job.

    :param unitary: The matrix of the circuit; ``unitary[j][i]`` is the amplitude from
        mode ``i`` to mode ``j``.
    :param photons: The modes into which one photon each goes.
    :param n_samples: Samples to return.
    :param min_detection: Detectors that have to click in a sample.
    :param engine: Which engine computes them.
    :param noise: How imperfect photons and detectors are.
    :param seed: What repeats the random choices; None for other ones every time.
    """

    unitary: tuple[tuple[complex, ...], ...]
    photons: tuple[int, ...]
    n_samples: int
    min_detection: int
    engine: EngineName = "numpy"
    noise: Noise = Noise()
    seed: tuple[int, ...] | None = None

    @classmethod
    def of(
        cls,
        unitary: Any,
        state: Any,
        n_samples: int,
        min_detection: int,
        **others: Any,
    ) -> Self:
        """Return the request for a matrix and an input state, 0 or 1 for each mode."""
        return cls(
            tuple(tuple(complex(entry) for entry in row) for row in unitary),
            tuple(mode for mode, number in enumerate(state) if number),
            n_samples,
            min_detection,
            **others,
        )

    def failed(self, detail: str) -> Outcome:
        """Return the outcome when the engine failed because of ``detail``."""
        return Outcome("Failed", detail)


class EngineError(Exception):
    """Samples cannot be computed; the text says why and what to do."""
