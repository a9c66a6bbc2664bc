"""The energy of a hydrogen molecule from first principles, in the basis STO-6G.

The integrals are those of A. Szabo and N. S. Ostlund, Modern Quantum Chemistry,
appendix A, for orbitals that are sums of Gaussians.
"""

import math
from itertools import product

import numpy as np

BOHR = 0.529177210903  # in angstrom
# The orbital of hydrogen with the exponent 1.24, as the sum of six Gaussians: W. J.
# Hehre, R. F. Stewart and J. A. Pople, J. Chem. Phys. 51, 2657 (1969).
EXPONENTS = np.array(
    [35.52322122, 6.513143725, 1.822142904, 0.6259552659, 0.2430767471, 0.1001124280]
)
WEIGHTS = np.array(
    [
        0.00916359628,
        0.04936149294,
        0.16853830490,
        0.3705627997,
        0.4164915298,
        0.13033408,
    ]
)


def hydrogen_terms(angstrom: float) -> dict[str, float]:
    """Return the energy of two atoms as an operator on two qubits, in hartree.

    The qubits are those that are left of the Bravyi-Kitaev transformation if both
    orbitals hold no or two electrons: 00 is no electron, 10 two in the lower orbital,
    01 two in the upper, and 11 four.

    :param angstrom: The distance of the nuclei.
    """
    distance = angstrom / BOHR
    overlap, core, repulsion = _integrals(np.array([0.0, distance]))
    signs = np.array([[1, 1], [1, -1]])
    orbitals = signs / np.sqrt(2 * (1 + signs[1] * overlap[0, 1]))
    one = orbitals.T @ core @ orbitals
    two = np.einsum("ijkl,ia,jb,kc,ld->abcd", repulsion, *[orbitals] * 4)
    coulomb, exchange = two[0, 0, 1, 1], two[0, 1, 0, 1]
    empty = 1 / distance
    lower, upper = (2 * one[n, n] + two[n, n, n, n] + empty for n in (0, 1))
    full = lower + upper - empty + 4 * coulomb - 2 * exchange
    return {
        "II": (empty + upper + lower + full) / 4,
        "ZI": (empty + upper - lower - full) / 4,
        "IZ": (empty - upper + lower - full) / 4,
        "ZZ": (empty - upper - lower + full) / 4,
        "XX": exchange / 2,
        "YY": exchange / 2,
    }


def _integrals(places: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return overlaps, energies of one electron, and repulsions of two."""
    factors = WEIGHTS * (2 * EXPONENTS / math.pi) ** 0.75
    a, b = EXPONENTS[:, None], EXPONENTS[None, :]
    both = a + b
    overlap, core = np.zeros((2, 2)), np.zeros((2, 2))
    pairs = {}
    for i, j in product((0, 1), repeat=2):
        reduced, gap = a * b / both, (places[i] - places[j]) ** 2
        weight = np.outer(factors, factors) * np.exp(-reduced * gap)
        centre = (a * places[i] + b * places[j]) / both
        pairs[i, j] = (both.ravel(), centre.ravel(), weight.ravel())
        overlaps = weight * (math.pi / both) ** 1.5
        overlap[i, j] = overlaps.sum()
        core[i, j] = (overlaps * reduced * (3 - 2 * reduced * gap)).sum()
        for nucleus in places:
            attraction = _boys(both * (centre - nucleus) ** 2)
            core[i, j] -= (weight * 2 * math.pi / both * attraction).sum()
    repulsion = np.zeros((2, 2, 2, 2))
    for i, j, k, m in product((0, 1), repeat=4):
        (p, at, u), (q, to, v) = pairs[i, j], pairs[k, m]
        p, at, u = p[:, None], at[:, None], u[:, None]
        each = 2 * math.pi**2.5 / (p * q * np.sqrt(p + q)) * u * v
        repulsion[i, j, k, m] = (each * _boys(p * q / (p + q) * (at - to) ** 2)).sum()
    return overlap, core, repulsion


@np.vectorize
def _boys(x: float) -> float:
    return 0.5 * math.sqrt(math.pi / x) * math.erf(math.sqrt(x)) if x > 1e-12 else 1.0
