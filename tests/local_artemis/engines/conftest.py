"""Lightworks, by which the engines are checked."""

from typing import Any

import pytest
from tests.helpers.lightworks import client


@pytest.fixture(scope="session")
def lw() -> Any:
    return client()
