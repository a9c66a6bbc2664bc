"""Samples of imperfect photons and detectors, drawn one photon at a time.

The source is that of ``lightworks.emulator.Source`` (arXiv:2211.15626, page 15): a mode
gets the photon that interferes with those of the other modes, or not, and up to two
photons that interfere with none. Detectors all have the same efficiency, so a photon
that none sees might as well be lost before the circuit.
"""

import functools
from dataclasses import dataclass
from math import comb
from typing import Self

import numpy as np
from numpy.typing import NDArray

from local_artemis.engines import slos
from local_artemis.engines.requests import Noise, SampleRequest

type _Random = np.random.Generator
type _Integers = NDArray[np.int64]

# What a mode may get: whether a photon interferes, and how many others come.
_INTERFERES = np.array([0, 1, 0, 1, 0])
_OTHERS = np.array([0, 0, 1, 1, 2])
_NUMBERS = _INTERFERES + _OTHERS
# Draws at once, and how many more than samples before it is given up.
_AT_ONCE = 100_000
_DRAWS = 1_000_000
_DRAWS_FOR_SAMPLE = 100


def draw(request: SampleRequest, random: _Random) -> _Integers:
    """Return masks of samples; fewer than asked for if few have enough clicks."""
    photons = _Photons.of(request.noise, len(request.photons), len(request.unitary))
    circuit = _Circuit(request)
    need, missing = request.min_detection, request.n_samples
    left = _DRAWS + _DRAWS_FOR_SAMPLE * request.n_samples
    found: list[_Integers] = [np.empty(0, np.int64)]
    if not photons.may_suffice(need):
        left = 0
    while missing > 0 and left > 0:
        size = min(max(2 * missing, 1_000), _AT_ONCE, left)
        left -= size
        kinds, n_dark = photons.draw(random, size, need)
        masks = circuit.run(random, kinds)
        masks |= _dark(random, n_dark, circuit.n_modes)
        good = masks[popcount(masks, circuit.n_modes) >= need][:missing]
        found.append(good)
        missing -= len(good)
    return np.concatenate(found)


def popcount(masks: NDArray[np.integer], n_modes: int) -> NDArray[np.int8]:
    """Return how many of the first modes are in each mask."""
    found = np.zeros(len(masks), np.int8)
    for mode in range(n_modes):
        found += ((masks >> mode) & 1).astype(np.int8)
    return found


@dataclass(frozen=True)
class _Photons:
    """How many photons of which kind arrive.

    :param kinds: Probabilities of what a mode with a photon gets.
    :param dark: Probability of each number of dark counts.
    :param n_photons: Modes with a photon.
    """

    kinds: slos.Reals
    dark: slos.Reals
    n_photons: int

    @classmethod
    def of(cls, noise: Noise, n_photons: int, n_modes: int) -> Self:
        """Return those of some noise."""
        p = noise.dark_counts
        dark = [
            comb(n_modes, k) * p**k * (1 - p) ** (n_modes - k)
            for k in range(n_modes + 1)
        ]
        return cls(_seen(_emitted(noise), noise.efficiency), np.array(dark), n_photons)

    def may_suffice(self, need: int) -> bool:
        """Return whether there can be so many photons and dark counts at all."""
        return bool(self._tails(need)[0][need] > 0)

    def draw(
        self, random: _Random, size: int, need: int
    ) -> tuple[_Integers, _Integers]:
        """Return what each mode with a photon gets, and the numbers of dark counts.

        Only those are drawn whose total reaches ``need``; others cannot click enough.
        """
        tails = self._tails(need)
        needs = np.full(size, need)
        kinds = np.empty((size, self.n_photons), np.int64)
        for photon in range(self.n_photons):
            rest = np.maximum(np.arange(need + 1)[:, None] - _NUMBERS, 0)
            weights = self.kinds * tails[photon + 1][rest]
            kinds[:, photon] = _choose(random, weights, needs)
            needs = np.maximum(needs - _NUMBERS[kinds[:, photon]], 0)
        reaches = np.arange(len(self.dark)) >= np.arange(need + 1)[:, None]
        return kinds, _choose(random, self.dark * reaches, needs)

    def _tails(self, need: int) -> list[slos.Reals]:
        """Return how probably the photons from one on, and dark counts, reach a total.

        :returns: For the photons from each one on, by the total.
        """
        total = np.array([self.dark[least:].sum() for least in range(need + 1)])
        tails = [total]
        for _ in range(self.n_photons):
            rest = np.maximum(np.arange(need + 1)[:, None] - _NUMBERS, 0)
            tails.insert(0, (self.kinds * tails[0][rest]).sum(axis=1))
        return tails


class _Circuit:
    """Where photons go.

    :param request: With the matrix.
    """

    def __init__(self, request: SampleRequest) -> None:
        self._unitary = np.array(request.unitary)
        self.n_modes = len(self._unitary)
        self._photons = request.photons
        chances = np.abs(self._unitary[:, list(request.photons)]) ** 2
        self._alone = np.cumsum(chances.T, axis=1)
        # Of which photons interfere there are few combinations.
        self._together = functools.cache(self._distribution)

    def run(self, random: _Random, kinds: _Integers) -> _Integers:
        """Return the masks of the modes in which photons arrive."""
        masks = np.zeros(len(kinds), np.int64)
        bits = 1 << np.arange(len(self._photons))
        codes = (_INTERFERES[kinds] * bits).sum(axis=1)
        for code in np.unique(codes).tolist():
            rows = np.flatnonzero(codes == code)
            possible, cumulated = self._together(code)
            masks[rows] = possible[_places(random, cumulated, len(rows))]
        for photon, cumulated in enumerate(self._alone):
            others = _OTHERS[kinds[:, photon]]
            for number in (1, 2):
                rows = np.flatnonzero(others >= number)
                masks[rows] |= 1 << _places(random, cumulated, len(rows))
        return masks

    def _distribution(self, code: int) -> tuple[slos.Masks, slos.Reals]:
        chosen = [it for k, it in enumerate(self._photons) if code >> k & 1]
        masks, probabilities = slos.clicks(self._unitary, tuple(chosen))
        return masks, np.cumsum(probabilities)


def _emitted(noise: Noise) -> slos.Reals:
    """Return how probably the source emits each kind for a mode."""
    nu, one = noise.brightness, _single_photon(noise.purity)
    same = noise.indistinguishability**0.5
    two = 1 - one
    single = nu * (one + (1 - nu) * two)
    return np.array(
        [
            1 - nu * (one + two * nu + 2 * (1 - nu) * two),
            same * single,
            (1 - same) * single + nu * (1 - nu) * two,
            nu**2 * same * two,
            nu**2 * (1 - same) * two,
        ]
    )


def _single_photon(purity: float) -> float:
    """Return how probably the source makes no second photon.

    With ``p`` for that of a second one, g2 = 2p / (1 + p)^2.
    """
    g2 = 1 - purity
    if g2 == 0:
        return 1.0
    half = 1 / g2 - 1
    return float(1 - (half - (half**2 - 1) ** 0.5))


def _seen(emitted: slos.Reals, efficiency: float) -> slos.Reals:
    """Return how probably each kind is left of those emitted, when some are lost."""
    lost = 1 - efficiency
    none, same, other, both, two = emitted
    return np.array(
        [
            none + lost * (same + other) + lost**2 * (both + two),
            efficiency * same + efficiency * lost * both,
            efficiency * other + efficiency * lost * (both + 2 * two),
            efficiency**2 * both,
            efficiency**2 * two,
        ]
    )


def _dark(random: _Random, numbers: _Integers, n_modes: int) -> _Integers:
    """Return masks with as many modes each as there are dark counts."""
    masks = np.zeros(len(numbers), np.int64)
    rows = np.flatnonzero(numbers)
    ranks = random.random((len(rows), n_modes)).argsort(axis=1)
    for place in range(int(numbers.max(initial=0))):
        has = numbers[rows] > place
        masks[rows[has]] |= 1 << ranks[has, place]
    return masks


def _choose(random: _Random, weights: slos.Reals, which: _Integers) -> _Integers:
    """Choose columns by the weights of rows.

    :param which: The row that each choice is made by.
    """
    cumulated = np.cumsum(weights, axis=1)
    drawn = random.random(len(which)) * cumulated[which, -1]
    chosen = (drawn[:, None] >= cumulated[which]).sum(axis=1)
    return np.asarray(np.minimum(chosen, weights.shape[1] - 1))


def _places(random: _Random, cumulated: slos.Reals, size: int) -> _Integers:
    """Return places drawn by their probabilities, which are given added up."""
    drawn = random.random(size) * cumulated[-1]
    places = np.searchsorted(cumulated, drawn, side="right")
    return np.asarray(np.minimum(places, len(cumulated) - 1))
