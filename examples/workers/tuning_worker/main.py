"""Tasks that tune the phase of an interferometer until two photons leave apart."""

import math
import sys
from typing import NamedTuple

from tierkreis import Worker
from tierkreis.models import portmapping

from tkr_lightworks_worker.results import SamplingResult
from tkr_lightworks_worker.samplers import BeamSplitter, PhaseShifter, SamplerSpec

worker = Worker("tuning_worker")

_SHIFT = math.pi / 4
_STEP = 0.5
_GOOD_GRADIENT = 0.1
_MOST_ITERATIONS = 8


@portmapping
class Tuning(NamedTuple):
    """The state of the tuning after an iteration.

    :param phase: The next phase, in radians.
    :param gradient: How fast the share of coincidences grew with the phase.
    :param iteration: The number of iterations so far.
    :param should_continue: Whether to go on.
    """

    phase: float
    gradient: float
    iteration: int
    should_continue: bool


@worker.task()
def interferometers(phase: float, n_samples: int) -> list[SamplerSpec]:
    """Build the interferometer at both sides of a phase.

    :param phase: The phase, in radians.
    :param n_samples: The number of samples of each.
    :returns: The samplers, from the lower phase to the higher.
    """
    return [_interferometer(phase + shift, n_samples) for shift in (-_SHIFT, _SHIFT)]


def _interferometer(phase: float, n_samples: int) -> SamplerSpec:
    splitter = BeamSplitter(mode_1=0, mode_2=1, reflectivity=0.5)
    return SamplerSpec(
        n_modes=2,
        components=[splitter, PhaseShifter(mode=0, phi=phase), splitter],
        input_state=[1, 1],
        n_samples=n_samples,
        min_detection=1,
    )


@worker.task()
def tune(phase: float, iteration: int, results: list[SamplingResult]) -> Tuning:
    """Move the phase to where more photons leave apart.

    The share of coincidences is the square of the cosine of the phase, so that its
    slope is the difference of two shares.

    :param phase: The phase, in radians.
    :param iteration: The number of iterations so far.
    :param results: The results at both sides of it.
    :returns: The next phase, and whether to go on.
    """
    lower, higher = (it.counts.get("|1,1>", 0) / it.n_samples for it in results)
    gradient = higher - lower
    is_good = abs(gradient) < _GOOD_GRADIENT or iteration + 1 == _MOST_ITERATIONS
    return Tuning(phase + _STEP * gradient, gradient, iteration + 1, not is_good)


if __name__ == "__main__":
    worker.app(sys.argv)
