"""Samplers of Lightworks as JSON, which workflows carry and files keep.

A sampler is its circuit (the components in their order, each on modes numbered from 0,
heralded modes included), the input state without the heralded modes, the number of
samples, and what is selected among them::

    {"n_modes": 2,
     "components": [{"kind": "beam_splitter", "mode_1": 0, "mode_2": 1,
                     "reflectivity": 0.5, "convention": "Rx"}],
     "heralds": [],
     "input_state": [1, 1],
     "n_samples": 1000,
     "min_detection": null,
     "post_selection": [{"modes": [0], "photons": [1]}],
     "direct_implementation": false}

A unitary is a component of the kind ``unitary``: a list of rows, and each entry a pair
of its real and its imaginary part. The module needs Lightworks only to convert.
"""

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    PlainSerializer,
    ValidationError,
)

from tkr_lightworks_worker import lightworks
from tkr_lightworks_worker.errors import InvalidInputError

if TYPE_CHECKING:
    from lightworks import Sampler

# As strict as Lightworks, which refuses other matrices.
_UNITARY_WITHIN = 1e-10


def _read_complex(value: Any) -> Any:
    try:
        if isinstance(value, list | tuple) and len(value) == 2:
            return complex(*value)
        return complex(value) if isinstance(value, str) else value
    except (TypeError, OverflowError) as error:
        # Pydantic takes only a ValueError for a fault of the input.
        raise ValueError(str(error)) from error


type Complex = Annotated[
    complex,
    BeforeValidator(_read_complex),
    PlainSerializer(lambda number: [number.real, number.imag], return_type=list[float]),
]
"""A complex number, in JSON the pair of its real and imaginary part."""


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class BeamSplitter(_Value):
    """A beam splitter.

    :param mode_1: Its first mode.
    :param mode_2: Its second mode.
    :param reflectivity: From 0 to 1.
    :param convention: ``Rx`` or ``H``, as Lightworks defines them.
    """

    kind: Literal["beam_splitter"] = "beam_splitter"
    mode_1: int
    mode_2: int
    reflectivity: float
    convention: Literal["Rx", "H"] = "Rx"

    @property
    def modes(self) -> list[int]:
        """The modes on which it acts."""
        return [self.mode_1, self.mode_2]


class PhaseShifter(_Value):
    """A phase shifter.

    :param mode: Its mode.
    :param phi: The phase, in radians.
    """

    kind: Literal["phase_shifter"] = "phase_shifter"
    mode: int
    phi: float

    @property
    def modes(self) -> list[int]:
        """The modes on which it acts."""
        return [self.mode]


class ModeSwaps(_Value):
    """Swaps of modes.

    :param swaps: Pairs of a mode and the mode that it becomes.
    """

    kind: Literal["mode_swaps"] = "mode_swaps"
    swaps: list[tuple[int, int]]

    @property
    def modes(self) -> list[int]:
        """The modes on which it acts."""
        return [mode for pair in self.swaps for mode in pair]


class Barrier(_Value):
    """A barrier, which divides a circuit where its structure is kept.

    :param on: Its modes.
    """

    kind: Literal["barrier"] = "barrier"
    on: list[int]

    @property
    def modes(self) -> list[int]:
        """The modes on which it acts."""
        return self.on


class UnitaryMatrix(_Value):
    """A unitary on neighbouring modes.

    :param mode: Its first mode.
    :param unitary: Its rows.
    :param label: A label for drawings.
    """

    kind: Literal["unitary"] = "unitary"
    mode: int = 0
    unitary: list[list[Complex]]
    label: str = "U"

    @property
    def modes(self) -> list[int]:
        """The modes on which it acts."""
        return list(range(self.mode, self.mode + len(self.unitary)))


type Component = Annotated[
    BeamSplitter | PhaseShifter | ModeSwaps | Barrier | UnitaryMatrix,
    Discriminator("kind"),
]


class Herald(_Value):
    """A mode with a known number of photons at the input, and one at the output.

    :param input_mode: The mode at the input.
    :param output_mode: The mode at the output.
    :param input_photons: How many photons enter there.
    :param output_photons: How many must be detected there.
    """

    input_mode: int
    output_mode: int
    input_photons: int
    output_photons: int


class Rule(_Value):
    """A rule of post-selection.

    :param modes: Modes without the heralded ones, from 0.
    :param photons: The numbers of photons in these modes together that are selected.
    """

    modes: list[int]
    photons: list[int]


class SamplerSpec(_Value):
    """A sampler of Lightworks, as far as Artemis runs it.

    The random seed and the distribution of an emulator are no part of it.

    :param n_modes: The number of modes, heralded ones included.
    :param components: The components of the circuit, in their order.
    :param heralds: The heralded modes.
    :param input_state: The number of photons in each mode that is not heralded.
    :param n_samples: How many samples to take.
    :param min_detection: How many photons must be detected at least, those of heralds
        apart; None for all of the input state.
    :param post_selection: Rules that the samples must meet, which are applied to the
        results.
    :param direct_implementation: Whether the QPU is to keep the structure of the
        circuit instead of running its unitary.
    """

    n_modes: int
    components: list[Component]
    heralds: list[Herald] = Field(default_factory=list)
    input_state: list[int]
    n_samples: int
    min_detection: int | None = None
    post_selection: list[Rule] = Field(default_factory=list)
    direct_implementation: bool = False

    @classmethod
    def of(
        cls, sampler: "Sampler", *, direct_implementation: bool = False
    ) -> "SamplerSpec":
        """Return what a sampler of Lightworks is; parameters get their values.

        :param sampler: The sampler.
        :param direct_implementation: Whether the QPU is to keep the structure of the
            circuit, as ``direct_encoding`` of ``lightworks.remote`` says.
        :raises InvalidInputError: If it has what Artemis cannot run: loss, a source, a
            detector, a function for post-selection, or samples counted at the input.
        """
        lw = lightworks.lightworks()
        if not isinstance(sampler, lw.Sampler):
            raise InvalidInputError(
                f"A {type(sampler).__name__} is not a sampler; give a "
                "lightworks.Sampler, because Artemis runs nothing else."
            )
        try:
            task = sampler._generate_task()  # noqa: SLF001 (held by a contract test)
        # Lightworks has its own exceptions, which have no common base.
        except Exception as error:
            reason = error.__cause__ or error
            raise InvalidInputError(
                f"Lightworks cannot build the sampler: {_sentence(reason)}."
            ) from error
        _refuse_what_artemis_lacks(lw, task)
        circuit = task.circuit
        heralds = circuit.heralds
        selection = task.post_selection
        return cls(
            n_modes=circuit.n_modes,
            components=[_COMPONENTS[name](it) for name, it in circuit._circuit_spec],  # noqa: SLF001
            heralds=[
                Herald(
                    input_mode=mode_in,
                    output_mode=mode_out,
                    input_photons=photons_in,
                    output_photons=photons_out,
                )
                for (mode_in, photons_in), (mode_out, photons_out) in zip(
                    heralds.input.items(), heralds.output.items(), strict=True
                )
            ],
            input_state=list(task.input_state),
            n_samples=task.n_samples,
            min_detection=task.min_detection,
            post_selection=[
                Rule(modes=list(rule.modes), photons=list(rule.n_photons))
                for rule in getattr(selection, "rules", [])
            ],
            direct_implementation=direct_implementation,
        )

    def to_sampler(self) -> "Sampler":
        """Return the sampler of Lightworks, whose payload is equal.

        :raises SetupError: If Lightworks is not installed.
        :raises InvalidInputError: If it describes no sampler.
        """
        check_sampler(self, "The sampler")
        lw = lightworks.lightworks()
        circuit = lw.PhotonicCircuit(self.n_modes)
        for component in self.components:
            _add(lw, circuit, component)
        for it in self.heralds:
            circuit.herald(
                (it.input_mode, it.output_mode), (it.input_photons, it.output_photons)
            )
        selection = None
        if self.post_selection:
            selection = lw.PostSelection(multi_rules=True)
            for rule in self.post_selection:
                selection.add(tuple(rule.modes), tuple(rule.photons))
        sampler: Sampler = lw.Sampler(
            circuit,
            lw.State(list(self.input_state)),
            self.n_samples,
            post_selection=selection,
            min_detection=self.min_detection,
        )
        return sampler

    @property
    def n_photons(self) -> int:
        """The number of photons that enter, those of heralds included."""
        heralded = sum(herald.input_photons for herald in self.heralds)
        return sum(self.input_state) + heralded

    @property
    def detection_filter(self) -> int:
        """The least number of photons to detect, those of heralds included."""
        heralded = sum(herald.input_photons for herald in self.heralds)
        selected = self.min_detection
        return heralded + (sum(self.input_state) if selected is None else selected)


def read_sampler(value: Any, place: str = "sampler") -> SamplerSpec:
    """Read a sampler from JSON.

    :param value: The decoded JSON, or a :class:`SamplerSpec`.
    :param place: Where it was given, for the message.
    :raises InvalidInputError: If it is not one; it names the field.
    """
    try:
        return SamplerSpec.model_validate(value)
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(map(str, first["loc"])) or "value"
        raise InvalidInputError(
            f"The input {place} is not a sampler: {field}: "
            f"{first['msg'].lower().rstrip('.')}; give what "
            "SamplerSpec.of(sampler) returns."
        ) from error


def read_samplers(value: Any) -> list[SamplerSpec]:
    """Read a list of samplers from JSON.

    :param value: The decoded JSON.
    :raises InvalidInputError: If it is not; it names the first that is not a sampler.
    """
    if not isinstance(value, list):
        raise InvalidInputError(
            f"The input samplers is a {type(value).__name__}; give a list of samplers."
        )
    return [read_sampler(it, f"samplers[{index}]") for index, it in enumerate(value)]


def check_sampler(spec: SamplerSpec, name: str) -> None:
    """Check that a sampler is one that some QPU can run.

    :param spec: The sampler.
    :param name: Its name in messages, as in "Sampler 2 of the input samplers".
    :raises InvalidInputError: For the first problem, in one sentence.
    """
    for problem in _problems(spec):
        raise InvalidInputError(f"{name} {problem}.")


def _problems(spec: SamplerSpec) -> "list[str]":
    problems: list[str] = []
    if spec.n_modes < 1:
        return [f"has {spec.n_modes} modes; give at least 1"]
    for index, component in enumerate(spec.components):
        problems += [
            f"has the component {index} ({component.kind}) on mode {mode}, but its "
            f"modes are 0 to {spec.n_modes - 1}"
            for mode in component.modes
            if not 0 <= mode < spec.n_modes
        ]
        problems += [
            f"has the component {index}, which {it}" for it in _flaws(component)
        ]
    return problems + _problems_of_heralds(spec) + _problems_of_state(spec)


def _flaws(component: Component) -> list[str]:
    match component:
        case BeamSplitter() if component.mode_1 == component.mode_2:
            return [f"splits the mode {component.mode_1} with itself; give two modes"]
        case BeamSplitter() if not 0 <= component.reflectivity <= 1:
            return [
                f"has the reflectivity {component.reflectivity}; give one from 0 to 1"
            ]
        case PhaseShifter() if not math.isfinite(component.phi):
            return [f"has the phase {component.phi}; give a finite number of radians"]
        case ModeSwaps():
            before = sorted(mode for mode, _ in component.swaps)
            after = sorted(mode for _, mode in component.swaps)
            if before != after or len(set(before)) < len(before):
                return [
                    "swaps modes, but not among themselves; give each once on each side"
                ]
        case UnitaryMatrix():
            return _flaws_of_matrix(component.unitary)
    return []


def _flaws_of_matrix(rows: list[list[complex]]) -> list[str]:
    import numpy as np

    size = len(rows)
    if not size or any(len(row) != size for row in rows):
        lengths = sorted({len(row) for row in rows})
        return [f"has {size} rows of the lengths {lengths}; give a square matrix"]
    matrix = np.array(rows, dtype=complex)
    distance = float(np.abs(matrix @ matrix.conj().T - np.eye(size)).max())
    # NaN is no distance either.
    if not distance <= _UNITARY_WITHIN:
        return [f"is not unitary (off by {distance:.2g}); give a unitary matrix"]
    return []


def _problems_of_heralds(spec: SamplerSpec) -> list[str]:
    problems = []
    for side in ("input", "output"):
        modes = [getattr(herald, f"{side}_mode") for herald in spec.heralds]
        if len(set(modes)) < len(modes):
            problems.append(f"heralds an {side} mode twice ({modes})")
        problems += [
            f"heralds the {side} mode {mode}, but its modes are 0 to {spec.n_modes - 1}"
            for mode in modes
            if not 0 <= mode < spec.n_modes
        ]
    entering = sum(herald.input_photons for herald in spec.heralds)
    leaving = sum(herald.output_photons for herald in spec.heralds)
    problems += [
        f"heralds {photons} photons in one mode; Artemis takes 0 or 1"
        for herald in spec.heralds
        for photons in (herald.input_photons, herald.output_photons)
        if photons not in {0, 1}
    ]
    if leaving > entering + sum(spec.input_state):
        problems.append(f"heralds {leaving} photons at the output, more than enter")
    return problems


def _problems_of_state(spec: SamplerSpec) -> list[str]:
    problems = []
    free = spec.n_modes - len(spec.heralds)
    if len(spec.input_state) != free:
        heralded = f", {len(spec.heralds)} of them heralded" if spec.heralds else ""
        problems.append(
            f"has an input state of the length {len(spec.input_state)}, but its "
            f"circuit has {spec.n_modes} modes{heralded}; give {free} numbers of "
            "photons"
        )
    if any(photons not in {0, 1} for photons in spec.input_state):
        problems.append(
            f"has the input state {spec.input_state}; Artemis takes 0 or 1 photon in "
            "each mode"
        )
    if sum(spec.input_state) < 1:
        problems.append("has no photon in its input state; give at least one")
    if spec.n_samples < 1:
        problems.append(f"takes {spec.n_samples} samples; give n_samples of at least 1")
    least = spec.min_detection
    if least is not None and not 1 <= least <= sum(spec.input_state):
        problems.append(
            f"has the min_detection {least}; give one from 1 to the "
            f"{sum(spec.input_state)} photons of its input state"
        )
    problems += [
        f"selects photons in mode {mode}, but has {free} modes that are not heralded"
        for rule in spec.post_selection
        for mode in rule.modes
        if not 0 <= mode < free
    ]
    if any(not rule.modes or not rule.photons for rule in spec.post_selection):
        problems.append("has a rule of post-selection without modes or photons")
    problems += [
        f"selects {photons} photons; give numbers from 0"
        for rule in spec.post_selection
        for photons in rule.photons
        if photons < 0
    ]
    return problems


def _refuse_what_artemis_lacks(lw: Any, task: Any) -> None:
    if task.circuit.loss_modes:
        raise InvalidInputError(
            "The circuit of the sampler has loss, which Artemis cannot run; remove it."
        )
    for name in ("source", "detector"):
        if getattr(task, name) is not None:
            raise InvalidInputError(
                f"The sampler has a {name}, which only emulators have; leave it out."
            )
    if task.sampling_mode != "output":
        raise InvalidInputError(
            f"The sampler has the sampling_mode {task.sampling_mode!r}; Artemis counts "
            "samples at the output: give 'output'."
        )
    selection = task.post_selection
    if isinstance(selection, lw.PostSelectionFunction):
        raise InvalidInputError(
            "The sampler selects samples by a function, which Artemis does not take; "
            "give a lightworks.PostSelection."
        )


_COMPONENTS: dict[str, Callable[[dict[str, Any]], Component]] = {
    "BeamSplitter": lambda it: BeamSplitter(**it),
    "PhaseShifter": lambda it: PhaseShifter(**it),
    "ModeSwaps": lambda it: ModeSwaps(swaps=list(it["swaps"].items())),
    "Barrier": lambda it: Barrier(on=it["modes"]),
    "UnitaryMatrix": lambda it: UnitaryMatrix(**it),
}
"""How the compiled components of Lightworks are read, by their names there."""


def _add(lw: Any, circuit: Any, component: Component) -> None:
    match component:
        case BeamSplitter():
            circuit.bs(
                component.mode_1,
                component.mode_2,
                component.reflectivity,
                convention=component.convention,
            )
        case PhaseShifter():
            circuit.ps(component.mode, component.phi)
        case ModeSwaps():
            circuit.mode_swaps(dict(component.swaps))
        case Barrier():
            circuit.barrier(list(component.on))
        case UnitaryMatrix():
            import numpy as np

            matrix = np.array(component.unitary, dtype=complex)
            circuit.add(lw.Unitary(matrix, component.label), component.mode)


def _sentence(error: BaseException) -> str:
    return " ".join(str(error).split()).rstrip(".") or type(error).__name__
