"""What ``uv run`` installs for an example: this checkout, with all that it imports."""

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BLOCK = re.compile(r"^# /// script\n((?:#.*\n)+?)# ///$", re.MULTILINE)
SCRIPTS = {
    path: tomllib.loads(block[1].replace("# ", "").replace("#", ""))
    for path in ROOT.glob("examples/*.py")
    if (block := BLOCK.search(path.read_text()))
}
# The package that an example imports, or whose server it starts -> its extra.
EXTRAS = {
    r"import lightworks|tkr_lightworks_worker": "lightworks",
    r"artemis_choice": "artemis-local",
    r"nexus_choice": "local",
    r"matplotlib|plot_": "plots",
}


def test_the_photonic_examples_have_environments_of_their_own():
    assert {"lightworks_polling.py", "both_clouds.py"} <= {p.name for p in SCRIPTS}


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
def test_an_example_asks_for_this_checkout_with_the_extras_that_it_uses(path):
    source = {"path": "..", "editable": True}
    script = SCRIPTS[path]
    assert script["tool"]["uv"]["sources"] == {"tkr-nexus-worker": source}
    (requirement,) = script["dependencies"]
    extras = set(re.fullmatch(r"tkr-nexus-worker\[(.*)\]", requirement)[1].split(","))
    known = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert extras <= known["optional-dependencies"].keys()
    assert script["requires-python"] == known["requires-python"]
    text = path.read_text().split("# ///", 2)[2]
    used = {extra for words, extra in EXTRAS.items() if re.search(words, text)}
    assert used <= extras
