"""The engine that is Lightworks's own emulator, slow and independent of the other."""

import sys
from typing import Any

import numpy as np

from local_artemis.engines import sampling
from local_artemis.engines.requests import Outcome, SampleRequest

# Runs of the emulator before a request is given up.
_RUNS = 50
_MOST_INPUTS = 1_000_000


def sample(request: SampleRequest) -> Outcome:
    """Draw the samples of a request.

    :raises EngineError: If no sample has enough clicks, or there are too many modes.
    """
    sampling.check_modes(request)
    # Lightworks imports the client of the real service if it can, which would write to
    # the home of this user.
    sys.modules.setdefault("lightworks_remote", None)  # type: ignore[arg-type]
    from lightworks import emulator
    from lightworks.sdk.utils.exceptions import SamplerError

    backend = emulator.Backend("slos")
    # It loses no photon by itself; with imperfect detectors it counts those sent.
    noise = request.noise
    loses = noise.efficiency < 1 or noise.dark_counts > 0
    seeds = np.random.SeedSequence(request.seed).generate_state(_RUNS).tolist()
    counts: dict[int, int] = {}
    missing, n_inputs = request.n_samples, request.n_samples
    for seed in seeds:
        size = n_inputs if loses else missing
        try:
            result = backend.run(_task(request, size, int(seed), counts_inputs=loses))
        except SamplerError as error:
            raise sampling.too_few_clicks(request) from error
        found = {_mask(state): number for state, number in result.items()}
        _add(counts, found, missing)
        missing = request.n_samples - sum(counts.values())
        if missing <= 0:
            break
        n_inputs = min(2 * n_inputs, _MOST_INPUTS)
    masks = np.array(list(counts), np.int64)
    return sampling.outcome(request, masks, np.array(list(counts.values()), int))


def _task(request: SampleRequest, size: int, seed: int, *, counts_inputs: bool) -> Any:
    import lightworks as lw
    from lightworks import emulator

    noise, n_modes = request.noise, len(request.unitary)
    return lw.Sampler(
        lw.Unitary(np.array(request.unitary)),
        lw.State([int(mode in request.photons) for mode in range(n_modes)]),
        size,
        min_detection=request.min_detection,
        source=emulator.Source(
            purity=noise.purity,
            brightness=noise.brightness,
            indistinguishability=noise.indistinguishability,
        ),
        detector=emulator.Detector(
            efficiency=noise.efficiency,
            p_dark=noise.dark_counts,
            photon_counting=False,
        ),
        random_seed=seed,
        sampling_mode="input" if counts_inputs else "output",
    )


def _mask(state: Any) -> int:
    return sum(1 << mode for mode, number in enumerate(state) if number)


def _add(counts: dict[int, int], found: dict[int, int], most: int) -> None:
    """Add at most so many of those found, in an order that says nothing of them."""
    if (total := sum(found.values())) > most:
        masks = list(found)
        random = np.random.default_rng(total)
        numbers = random.multivariate_hypergeometric(list(found.values()), most)
        found = dict(zip(masks, numbers.tolist(), strict=True))
    for mask, number in found.items():
        if number:
            counts[mask] = counts.get(mask, 0) + number
