"""Tasks that lower an energy, one parameter of a circuit after the other.

Rotosolve (Ostaszewski et al., Quantum 5, 391 (2021)): the energy is a sinusoid of the
angle of each rotation, so three values give its minimum.
"""

import math
import sys
from typing import NamedTuple

from tierkreis import Worker
from tierkreis.models import portmapping

worker = Worker("vqe_worker")

_MOST_ITERATIONS = 12


@portmapping
class Step(NamedTuple):
    """The state of the minimisation after an iteration.

    :param parameters: The next parameters, in half-turns.
    :param iteration: The number of iterations so far.
    :param still: For how many iterations there was nothing to gain.
    :param energy: The energy at the parameters before the step, in hartree.
    :param standard_error: Its standard error.
    :param should_continue: Whether to go on.
    """

    parameters: dict[str, float]
    iteration: int
    still: int
    energy: float
    standard_error: float
    should_continue: bool


@worker.task()
def trials(parameters: dict[str, float], iteration: int) -> list[dict[str, float]]:
    """Return the parameters at which to measure the energy.

    :param parameters: The current parameters, in half-turns.
    :param iteration: The number of iterations so far.
    :returns: The current ones, and those with one angle a quarter-turn more and less.
    """
    name = _turned(parameters, iteration)
    shifted = [{**parameters, name: parameters[name] + by} for by in (0.5, -0.5)]
    return [parameters, *shifted]


@worker.task()
def step(
    parameters: dict[str, float],
    iteration: int,
    still: int,
    values: list[float],
    standard_errors: list[float],
) -> Step:
    """Turn one angle to where the energy is lowest.

    :param parameters: The current parameters, in half-turns.
    :param iteration: The number of iterations so far.
    :param still: For how many iterations there was nothing to gain.
    :param values: The energies at the parameters that ``trials`` returned.
    :param standard_errors: Their standard errors.
    :returns: The next parameters, and whether to go on.
    """
    name = _turned(parameters, iteration)
    energy, more, less = values
    sine, cosine = 2 * energy - more - less, more - less
    angle = parameters[name] - 0.5 - math.atan2(sine, cosine) / math.pi
    lowest = (more + less) / 2 - math.hypot(sine, cosine) / 2
    still = still + 1 if energy - lowest < standard_errors[0] else 0
    return Step(
        parameters={**parameters, name: (angle + 1) % 2 - 1},
        iteration=iteration + 1,
        still=still,
        energy=energy,
        standard_error=standard_errors[0],
        should_continue=still < len(parameters) and iteration + 1 < _MOST_ITERATIONS,
    )


def _turned(parameters: dict[str, float], iteration: int) -> str:
    """Return the name of the angle that an iteration turns."""
    names = sorted(parameters)
    return names[iteration % len(names)]


if __name__ == "__main__":
    worker.app(sys.argv)
