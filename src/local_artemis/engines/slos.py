"""Strong linear optical simulation: which detectors click, and how probably.

The photons go into the circuit one after the other. The state of ``k`` photons is a
homogeneous polynomial of degree ``k``, whose variables are the modes; the next photon
multiplies it by a linear one (Heurtel et al., arXiv:2206.10549). Monomials are ordered
by their last mode first, so those that end in one mode stand together, and follow
without that photon from a beginning of the degree below.
"""

import functools
from math import comb

import numpy as np
from numpy.typing import NDArray

type Masks = NDArray[np.int64]
type Reals = NDArray[np.float64]
type Amplitudes = NDArray[np.complex128]
type _Indices = NDArray[np.int32]

MOST_MODES = 62
"""Modes that fit in the bits of a mask."""
_SMALL = 30
"""Those that fit in one of half the size."""


def clicks(unitary: Amplitudes, photons: tuple[int, ...]) -> tuple[Masks, Reals]:
    """Return which detectors may click together, and the probability of that.

    :param unitary: The matrix of the circuit.
    :param photons: The modes into which one photon each goes; photons are perfect.
    :returns: Masks, in which bit ``j`` stands for mode ``j``, each once; probabilities.
    """
    patterns, places, weights = _patterns(len(unitary), len(photons))
    amplitudes = _multiply(unitary, photons)
    chances = amplitudes.real**2
    # In place: the arrays of eight photons in twenty modes are large.
    chances += amplitudes.imag**2
    chances *= weights
    return patterns, np.bincount(places, weights=chances)


# Those of up to eight photons in so many modes.
@functools.lru_cache(maxsize=9)
def _patterns(n_modes: int, degree: int) -> tuple[Masks, _Indices, Reals]:
    """Return the masks of the monomials of a degree, each once.

    :returns: The masks; for each monomial the place of its mask; its weight.
    """
    masks, weights = _monomials(n_modes, degree)
    unique, places = np.unique(masks, return_inverse=True)
    return unique.astype(np.int64), places.astype(np.int32), weights


def _multiply(unitary: Amplitudes, photons: tuple[int, ...]) -> Amplitudes:
    """Return the coefficients of the product of the columns of some modes."""
    n_modes = len(unitary)
    coefficients = np.ones(1, complex)
    with_photon = [np.array([mode], np.int32) for mode in range(n_modes)]
    for degree, column in enumerate(photons, start=1):
        if degree > 1:
            with_photon = _add_photon(with_photon, degree - 1)
        product = np.zeros(comb(n_modes + degree - 1, degree), complex)
        for mode, places in enumerate(with_photon):
            product[places] += unitary[mode, column] * coefficients
        coefficients = product
    return coefficients


def _add_photon(with_photon: list[_Indices], degree: int) -> list[_Indices]:
    """Return for each mode where the monomials of a degree go with a photon there.

    :param with_photon: The same of the degree below.
    """
    n_modes = len(with_photon)
    first = [comb(mode + degree - 1, degree) for mode in range(n_modes + 1)]
    target = [comb(mode + degree, degree + 1) for mode in range(n_modes)]
    below = [comb(mode + degree - 1, degree - 1) for mode in range(n_modes)]
    found = []
    for mode in range(n_modes):
        places = np.empty(first[-1], np.int32)
        before = first[mode + 1]
        places[:before] = np.arange(target[mode], target[mode] + before)
        for last in range(mode + 1, n_modes):
            block = slice(first[last], first[last + 1])
            places[block] = with_photon[mode][: below[last]] + target[last]
        found.append(places)
    return found


def _monomials(n_modes: int, degree: int) -> tuple[NDArray[np.signedinteger], Reals]:
    """Return the modes in each monomial of a degree, as masks, and its weight.

    The weight is the product of the factorials of the numbers of photons: the square of
    the norm that the state of a monomial has.
    """
    small = np.int32 if n_modes <= _SMALL else np.int64
    masks: NDArray[np.signedinteger] = np.zeros(1, small)
    weights, in_last = np.ones(1), np.zeros(1, np.int8)
    before = [0] * (n_modes + 1)
    for k in range(1, degree + 1):
        first = [comb(mode + k - 1, k) for mode in range(n_modes + 1)]
        below = [comb(mode + k - 1, k - 1) for mode in range(n_modes)]
        new_masks = np.empty(first[-1], masks.dtype)
        new_weights = np.empty(first[-1])
        new_in_last = np.ones(first[-1], np.int8)
        for mode in range(n_modes):
            block = slice(first[mode], first[mode + 1])
            new_masks[block] = masks[: below[mode]] | (1 << mode)
            same = slice(before[mode], before[mode + 1])
            new_in_last[block][same] += in_last[same]
            new_weights[block] = weights[: below[mode]] * new_in_last[block]
        masks, weights, in_last, before = new_masks, new_weights, new_in_last, first
    return masks, weights
