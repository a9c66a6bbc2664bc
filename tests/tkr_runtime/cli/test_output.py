import json
import re
from pathlib import Path

import pytest
from pydantic import BaseModel

from tkr_nexus_worker.jobs.models import (
    AccountReport,
    Check,
    JobDetails,
    JobEvent,
    JobItemReport,
    JobPayload,
    PayloadProgram,
    WaitProgress,
)
from tkr_runtime.cli.output import new_table, print_json, print_table

FIELD = re.compile(r"`([a-z_]+)`")


class Job(BaseModel):
    name: str
    cost: float | None


def test_json_is_that_of_the_model(capsys):
    print_json(Job(name="Grüße", cost=None))
    assert json.loads(capsys.readouterr().out) == {"name": "Grüße", "cost": None}


def test_json_of_several_models_is_a_list(capsys):
    print_json([Job(name="a", cost=1.5)])
    assert json.loads(capsys.readouterr().out) == [{"name": "a", "cost": 1.5}]
    print_json([])
    assert json.loads(capsys.readouterr().out) == []


def test_a_table_in_a_pipe_is_plain_and_uncut(capsys):
    table = new_table(expand=True)
    table.add_column("name", no_wrap=True)
    table.add_column("number")
    table.add_row("a long name " * 20, "7")
    print_table(table)
    head, row = capsys.readouterr().out.splitlines()
    assert head.split() == ["name", "number"]
    assert row.split() == [*["a", "long", "name"] * 20, "7"]


def test_a_table_at_a_terminal_fits_and_has_lines_and_colours(capsys, monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.delenv("NO_COLOR", raising=False)
    table = new_table()
    table.add_column("name", no_wrap=True)
    table.add_row("[red]long " * 20, style="green")
    print_table(table)
    coloured = capsys.readouterr().out
    assert "\x1b[32m" in coloured
    assert "─" in coloured
    monkeypatch.setenv("NO_COLOR", "1")
    print_table(table)
    row = capsys.readouterr().out.splitlines()[-1]
    assert row.startswith("[red]long")
    assert len(row) == 80


@pytest.mark.parametrize(
    "model",
    [
        JobDetails,
        JobItemReport,
        JobEvent,
        JobPayload,
        PayloadProgram,
        AccountReport,
        Check,
    ],
)
def test_every_field_of_the_json_is_documented(model):
    text = (Path(__file__).parents[3] / "docs" / "command_line.md").read_text()
    section = text[text.index("### JSON") : text.index("## Results")]
    assert set(model.model_fields) <= set(FIELD.findall(section))


def test_the_json_of_watch_is_documented():
    text = (Path(__file__).parents[3] / "docs" / "command_line.md").read_text()
    assert all(f"`{name}`" in text for name in WaitProgress.model_fields)
