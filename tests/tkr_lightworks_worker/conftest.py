"""Settings of Lightworks that a test can spoil."""

import shutil
from pathlib import Path

import pytest


@pytest.fixture
def own_settings(artemis, tmp_path, monkeypatch) -> Path:
    """A folder of Lightworks's settings of this test alone; returns the folder."""
    home = tmp_path / "home"
    shutil.copytree(artemis.env["TKR_LIGHTWORKS_HOME"], home)
    monkeypatch.setenv("TKR_LIGHTWORKS_HOME", str(home))
    [tokens] = home.rglob("tokens.json")
    return tokens.parent
