"""What commands print with --json, and the schemas in docs/schemas."""

import json
import runpy
from pathlib import Path

import click
import pytest
from jsonschema import Draft202012Validator, ValidationError
from tests.helpers.commands import SCHEMAS, validate_json

from tkr_lightworks_worker.cli import cli as tkr_lightworks
from tkr_nexus_worker.cli import cli as tkr_nexus

COMMANDS = {"tkr-nexus": tkr_nexus, "tkr-lightworks": tkr_lightworks}
ROOT = Path(__file__).parents[3]


def commands_with_json(group: click.Group, prefix: str = "") -> set[str]:
    found = set()
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if isinstance(command, click.Group):
            found |= commands_with_json(command, f"{prefix}{name} ")
        elif any("--json" in option.opts for option in command.params):
            found.add(f"{prefix}{name}")
    return found


def test_every_command_with_json_has_the_schema_of_its_model():
    tool = runpy.run_path(str(ROOT / "tools" / "json_schemas.py"))
    printed = tool["PRINTED"]
    assert {name: set(commands) for name, commands in printed.items()} == {
        name: commands_with_json(group) for name, group in COMMANDS.items()
    }
    paths = set()
    for program, commands in printed.items():
        for command in commands:
            path = tool["path_of"](program, command)
            paths.add(path)
            text = tool["schema_of"](program, command)
            assert path.read_text() == text, f"run {tool['COMMAND']}"
            Draft202012Validator.check_schema(json.loads(text))
    assert paths == set(SCHEMAS.glob("*/*.json"))


def test_what_is_not_as_the_schema_says_fails():
    check = {"name": "uv", "outcome": "ok", "finding": "", "remedy": ""}
    validate_json(tkr_nexus, ["doctor"], json.dumps([check]))
    for wrong in ({**check, "outcome": "good"}, {"name": "uv"}):
        with pytest.raises(ValidationError):
            validate_json(tkr_nexus, ["doctor"], json.dumps([wrong]))
