"""The physics of the engine that is the default, by permanents and by Lightworks."""

import itertools
import math
from collections import defaultdict
from collections.abc import Iterable

import numpy as np
import pytest
from tests.helpers.photonics import random_unitary
from tests.local_artemis.engines.statistics import (
    State,
    assert_drawn_from,
    counts_of,
)

from local_artemis import Noise
from local_artemis.engines import SampleRequest, slos
from local_artemis.engines.dispatch import handle

SPLITTER = np.array([[1, 1], [1, -1]]) / 2**0.5
NONE = Noise()
WEAK = Noise(brightness=0.8, purity=0.9, indistinguishability=0.7)
POOR = Noise(
    brightness=0.7,
    purity=0.85,
    indistinguishability=0.6,
    efficiency=0.8,
    dark_counts=0.03,
)


def permanent(matrix: np.ndarray) -> complex:
    """Return the permanent, by its definition."""
    size = len(matrix)
    return sum(
        math.prod(matrix[row, column] for row, column in enumerate(order))
        for order in itertools.permutations(range(size))
    )


def distribution(unitary: np.ndarray, photons: tuple[int, ...]) -> dict[State, float]:
    """Return the probabilities of numbers of photons, by permanents."""
    n_modes, found = len(unitary), {}
    for modes in itertools.combinations_with_replacement(range(n_modes), len(photons)):
        state = tuple(modes.count(mode) for mode in range(n_modes))
        amplitude = permanent(unitary[np.ix_(modes, photons)])
        weight = math.prod(math.factorial(number) for number in state)
        found[state] = abs(amplitude) ** 2 / weight
    return found


def clicked(numbers: dict[State, float], min_detection: int = 0) -> dict[State, float]:
    """Return the probabilities of what threshold detectors say."""
    found: dict[State, float] = defaultdict(float)
    for state, probability in numbers.items():
        clicks = tuple(min(number, 1) for number in state)
        if sum(clicks) >= min_detection:
            found[clicks] += probability
    return found


def seen(numbers: dict[State, float], noise: Noise) -> dict[State, float]:
    """Return the probabilities of clicks of detectors that are not perfect."""
    found: dict[State, float] = defaultdict(float)
    for state, probability in numbers.items():
        silent = [
            (1 - noise.dark_counts) * (1 - noise.efficiency) ** number
            for number in state
        ]
        for clicks in itertools.product((0, 1), repeat=len(state)):
            chances = (
                1 - it if click else it
                for it, click in zip(silent, clicks, strict=True)
            )
            found[clicks] += probability * math.prod(chances)
    return found


def at_least(numbers: dict[State, float], clicks: int) -> dict[State, float]:
    return {it: p for it, p in numbers.items() if sum(it) >= clicks}


def in_modes(n_modes: int, photons: Iterable[int]) -> list[int]:
    return [int(mode in photons) for mode in range(n_modes)]


@pytest.mark.parametrize("photons", [(0,), (1, 3), (0, 1, 4), (0, 1, 2, 3)])
@pytest.mark.parametrize("seed", range(3))
def test_probabilities_are_those_of_permanents(photons, seed):
    unitary = random_unitary(5, seed)
    masks, probabilities = slos.clicks(unitary, photons)
    expected = clicked(distribution(unitary, photons))
    found = {
        tuple((mask >> mode) & 1 for mode in range(5)): probability
        for mask, probability in zip(
            masks.tolist(), probabilities.tolist(), strict=True
        )
    }
    assert found == pytest.approx(expected, abs=1e-12)


def test_eight_photons_in_twenty_modes_have_a_distribution():
    masks, probabilities = slos.clicks(random_unitary(20), tuple(range(8)))
    assert len(masks) == sum(math.comb(20, clicks) for clicks in range(1, 9))
    assert probabilities.sum() == pytest.approx(1)


@pytest.mark.parametrize("min_detection", [1, 3])
@pytest.mark.parametrize("seed", range(3))
def test_counts_of_random_circuits_agree_with_permanents(min_detection, seed):
    unitary, photons = random_unitary(6, seed), (0, 2, 3)
    request = SampleRequest.of(
        unitary, in_modes(6, photons), 20_000, min_detection, seed=(seed,)
    )
    expected = clicked(distribution(unitary, photons), min_detection)
    assert_drawn_from(counts_of(request), expected)


@pytest.mark.parametrize("same", [0.0, 0.5, 0.9, 1.0])
def test_coincidences_dip_as_hong_ou_and_mandel_saw(same):
    n_samples = 40_000
    noise = Noise(indistinguishability=same)
    request = SampleRequest.of(SPLITTER, [1, 1], n_samples, 1, noise=noise, seed=(3,))
    together = counts_of(request).get((1, 1), 0)
    chance = (1 - same) / 2
    error = (n_samples * chance * (1 - chance)) ** 0.5
    # Five standard deviations: one run of a million or so fails by chance.
    assert abs(together - n_samples * chance) <= 5 * error


@pytest.mark.parametrize("angle", [0.2, 0.6, 1.0])
def test_coincidences_follow_the_reflectivity(angle):
    n_samples = 40_000
    splitter = [
        [np.cos(angle), 1j * np.sin(angle)],
        [1j * np.sin(angle), np.cos(angle)],
    ]
    request = SampleRequest.of(splitter, [1, 1], n_samples, 1, seed=(4,))
    chance = np.cos(2 * angle) ** 2
    error = (n_samples * chance * (1 - chance)) ** 0.5
    together = counts_of(request).get((1, 1), 0)
    assert abs(together - n_samples * chance) <= 5 * error


def of_emulator(lw, unitary, photons, noise: Noise) -> dict[State, float]:
    """Return the probabilities of numbers of photons, by Lightworks's emulator."""
    sampler = lw.Sampler(
        lw.Unitary(unitary),
        lw.State(in_modes(len(unitary), photons)),
        1,
        source=lw.emulator.Source(
            purity=noise.purity,
            brightness=noise.brightness,
            indistinguishability=noise.indistinguishability,
        ),
    )
    lw.emulator.Backend("slos").run(sampler)
    found = sampler.probability_distribution.items()
    return {tuple(state): probability for state, probability in found}


@pytest.mark.parametrize("noise", [Noise(brightness=0.5), WEAK, POOR], ids=str)
@pytest.mark.parametrize("min_detection", [1, 2, 3])
def test_noise_is_that_of_the_emulator(lw, noise, min_detection):
    unitary, photons = random_unitary(4), (0, 1, 3)
    request = SampleRequest.of(
        unitary, in_modes(4, photons), 30_000, min_detection, noise=noise, seed=(5,)
    )
    expected = seen(of_emulator(lw, unitary, photons, noise), noise)
    assert_drawn_from(counts_of(request), at_least(expected, min_detection))


@pytest.mark.parametrize("noise", [Noise(), WEAK, POOR], ids=str)
def test_the_emulator_as_an_engine_draws_the_same(lw, noise):
    unitary, photons = random_unitary(3), (0, 1)
    request = SampleRequest.of(
        unitary,
        in_modes(3, photons),
        3_000,
        1,
        noise=noise,
        engine="lightworks",
        seed=(6,),
    )
    expected = seen(of_emulator(lw, unitary, photons, noise), noise)
    assert_drawn_from(counts_of(request), at_least(expected, 1))


def test_a_seed_repeats_the_samples_and_another_does_not():
    def counts(seed, noise=NONE):
        state = in_modes(6, (0, 1, 2))
        return counts_of(
            SampleRequest.of(random_unitary(6), state, 500, 1, noise=noise, seed=seed)
        )

    assert counts((1,)) == counts((1,)) != counts((2,))
    assert counts((1,), POOR) == counts((1,), POOR) != counts((2,), POOR)
    assert counts(None) != counts(None)


def test_four_noisy_photons_in_twenty_modes_are_sampled():
    request = SampleRequest.of(
        random_unitary(20), in_modes(20, range(4)), 10_000, 4, noise=POOR, seed=(7,)
    )
    counts = counts_of(request)
    assert sum(counts.values()) == 10_000
    assert min(map(sum, counts)) == 4


def test_without_dark_counts_no_light_means_no_samples():
    request = SampleRequest.of(SPLITTER, [1, 1], 10, 1, noise=Noise(brightness=0))
    outcome = handle(request)
    assert (outcome.status, outcome.counts) == ("TimedOut", None)
    assert outcome.notes == "Only 0 of 10 samples had 1 or more clicks in time."


def test_samples_that_are_too_rare_end_in_a_part_of_them():
    noise = Noise(indistinguishability=1 - 1e-5)
    request = SampleRequest.of(SPLITTER, [1, 1], 1_000, 2, noise=noise, seed=(8,))
    outcome = handle(request)
    assert (outcome.status, outcome.counts is None) == ("TimedOut", False)


@pytest.mark.parametrize("engine", ["numpy", "lightworks"])
def test_too_many_modes_are_refused_in_a_sentence(engine):
    request = SampleRequest.of(np.eye(63), in_modes(63, (0,)), 1, 1, engine=engine)
    assert handle(request).notes == (
        "The circuit has 63 modes, and the engine takes at most 62: make it smaller."
    )


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"brightness": 1.5}, "brightness of noise is 0 to 1, and not 1.5"),
        ({"purity": 0.5}, "purity of noise is above 0.5 to 1, and not 0.5"),
        ({"dark_counts": -1}, "dark_counts of noise is 0 to 1, and not -1"),
    ],
)
def test_noise_out_of_range_is_refused_in_a_sentence(values, sentence):
    with pytest.raises(ValueError, match=sentence):
        Noise(**values)
