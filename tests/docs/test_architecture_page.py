"""The picture of the architecture shows the layers that import-linter holds."""

import runpy
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_the_picture_is_that_of_the_contracts():
    made = runpy.run_path(str(ROOT / "tools" / "architecture_picture.py"))
    assert made["PICTURE"].read_text() == made["draw"](), (
        "run `uv run tools/architecture_picture.py`"
    )
