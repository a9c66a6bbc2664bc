"""How often tests of chance are repeated, and the seed of what is random in them."""

import os
import random
from collections.abc import Sequence

import pytest

# The processes of one run inherit it, so that all choose the same.
SEED = int(os.environ.setdefault("TKR_TEST_SEED", str(random.randrange(2**32))))


def seeded(name: str) -> random.Random:
    """Return random numbers that depend on the seed and on the name of a test alone."""
    return random.Random(f"{SEED} {name}")


def soak(value: object) -> object:
    """Give a value of ``parametrize`` that only a soak run takes."""
    values = value if isinstance(value, tuple) else (value,)
    return pytest.param(*values, marks=pytest.mark.soak)


def few_and_all(few: Sequence, others: Sequence) -> list:
    """Give values of ``parametrize``: few on each change, the others in a soak run."""
    return [*few, *map(soak, others)]
