"""The client of Artemis in this process, which keeps out of the home of its user."""

import functools
import os
import tempfile
import warnings
from pathlib import Path
from typing import Any

import pytest

from local_artemis.cloud import settings_folder


@functools.cache
def client() -> Any:
    """Import ``lightworks`` with its client, which takes several seconds.

    The import makes a folder below ``HOME``, warns if that has no settings, and changes
    how warnings look.
    """
    with tempfile.TemporaryDirectory() as home, pytest.MonkeyPatch.context() as patch:
        folder = settings_folder(Path(home))
        folder.mkdir(parents=True)
        (folder / "remote_settings.yaml").write_text("api_url: https://127.0.0.1:9/\n")
        patch.setenv("HOME", home)
        patch.setenv("MPLCONFIGDIR", os.environ.get("MPLCONFIGDIR", home))
        looks = warnings.formatwarning
        import lightworks

        warnings.formatwarning = looks
    return lightworks
