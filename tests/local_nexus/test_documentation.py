"""The documents of the embedded Nexus say what the code does."""

import re
from dataclasses import fields
from pathlib import Path
from typing import get_args

from local_cloud.faults.rule import Action
from local_nexus import Fault, LocalNexus

TEXT = (Path(__file__).parents[2] / "docs" / "local_nexus.md").read_text()


def test_every_rule_in_the_documents_is_a_fault():
    rules = re.findall(r'Fault\("\w+"[^)]*\)', TEXT)
    assert rules
    used = {eval(rule, {"Fault": Fault}).action for rule in rules}  # noqa: S307
    assert used == set(get_args(Action))


def test_the_file_in_the_documents_is_one_that_a_server_takes(tmp_path):
    (content,) = re.findall(r"```toml\n(.*?)```", TEXT, flags=re.DOTALL)
    path = tmp_path / "faults.toml"
    path.write_text(content)
    with LocalNexus(faults=path) as nexus:
        assert len(nexus.progress_rules()) == content.count("[[progress]]")
        assert len(nexus.faults()) == content.count("[[faults]]")


def test_the_documents_mention_every_field_of_a_fault():
    mentioned = set(re.findall(r"`(\w+)`|(\w+)=", TEXT))
    names = {name for pair in mentioned for name in pair}
    assert {it.name for it in fields(Fault)} <= names
