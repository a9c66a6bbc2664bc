"""The engine that needs numpy alone: exact probabilities, and samples drawn from them.

Samples are what detectors give that click or do not: a mode has 1, however many photons
came. Those with fewer clicks than asked for are no samples, so that what is drawn is
drawn from the others.
"""

import json

import numpy as np
from numpy.typing import NDArray

from local_artemis.engines import noisy, slos
from local_artemis.engines.requests import EngineError, Outcome, SampleRequest

# Below this it is an error of rounding.
_IMPOSSIBLE = 1e-12


def sample(request: SampleRequest) -> Outcome:
    """Draw the samples of a request.

    :raises EngineError: If no sample has enough clicks, or there are too many modes.
    """
    check_modes(request)
    n_modes = len(request.unitary)
    random = np.random.default_rng(request.seed)
    if not request.noise.is_none:
        drawn = noisy.draw(request, random)
        return outcome(request, *np.unique(drawn, return_counts=True))
    unitary = np.array(request.unitary)
    masks, probabilities = slos.clicks(unitary, request.photons)
    enough = noisy.popcount(masks, n_modes) >= request.min_detection
    masks, probabilities = masks[enough], probabilities[enough]
    total = probabilities.sum()
    if total < _IMPOSSIBLE:
        raise too_few_clicks(request)
    counts = random.multinomial(request.n_samples, probabilities / total)
    seen = counts > 0
    return outcome(request, masks[seen], counts[seen])


def check_modes(request: SampleRequest) -> None:
    """Check that the modes of a request fit in a mask.

    :raises EngineError: If there are too many.
    """
    n_modes = len(request.unitary)
    if n_modes > slos.MOST_MODES:
        raise EngineError(
            f"The circuit has {n_modes} modes, and the engine takes at most "
            f"{slos.MOST_MODES}: make it smaller."
        )


def outcome(
    request: SampleRequest, masks: slos.Masks, counts: NDArray[np.integer]
) -> Outcome:
    """Return the outcome with the states that were seen and how often.

    It has timed out if there are fewer than asked for.
    """
    n_modes = len(request.unitary)
    states = (masks[:, None] >> np.arange(n_modes)) & 1
    found = {
        str(tuple(state)): count
        for state, count in zip(states.tolist(), counts.tolist(), strict=True)
    }
    n_found = int(counts.sum())
    if n_found == request.n_samples:
        return Outcome("Completed", counts=json.dumps(found))
    notes = (
        f"Only {n_found} of {request.n_samples} samples had {request.min_detection} or "
        "more clicks in time."
    )
    return Outcome("TimedOut", notes, json.dumps(found) if found else None)


def too_few_clicks(request: SampleRequest) -> EngineError:
    """Return the error for a request whose every sample has too few clicks."""
    return EngineError(
        f"No output state has {request.min_detection} or more clicks, "
        "of which photons in the same mode are one: lower min_detection."
    )
