"""The documents of the embedded Artemis say what the code does."""

import re
from dataclasses import fields
from pathlib import Path

from local_artemis import Fault, Noise, Progress
from local_artemis.cloud import PROGRESS
from local_artemis.qpus.service import read
from local_cloud.admin import scenario
from local_cloud.web.state import ServerState

TEXT = (Path(__file__).parents[2] / "docs" / "local_artemis.md").read_text()


def block(language: str, folder: Path) -> Path:
    """Return a file with the only block of a language."""
    (content,) = re.findall(rf"```{language}\n(.*?)```", TEXT, flags=re.DOTALL)
    path = folder / f"file.{language}"
    path.write_text(content)
    return path


def test_every_rule_in_the_documents_is_one():
    for name, kind in (("Fault", Fault), ("Progress", Progress), ("Noise", Noise)):
        rules = re.findall(rf"\b{name}(?:\.\w+)?\([^)…]*\)", TEXT)
        assert rules
        for rule in rules:
            assert eval(rule, {name: kind})  # noqa: S307


def test_the_files_in_the_documents_are_taken(tmp_path):
    qpus = read(block("json", tmp_path))
    assert [it.noise.is_none for it in qpus] == [True, False]
    state = ServerState(None, None, progress=PROGRESS)
    scenario.load(block("toml", tmp_path), state)
    assert [rule.job for rule in state.progress.rules()] == ["quick*", "*"]
    assert len(state.faults.active()) == 1


def test_every_kind_of_noise_is_documented():
    assert all(f"| `{it.name}` |" in TEXT for it in fields(Noise))
