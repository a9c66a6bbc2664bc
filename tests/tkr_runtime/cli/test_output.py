import json
import re
from pathlib import Path

import pytest
from pydantic import BaseModel
from rich.text import Text

from tkr_lightworks_worker.artemis.qpus import QpuDetails
from tkr_lightworks_worker.jobs import models as photonic
from tkr_lightworks_worker.results import SamplingResult
from tkr_lightworks_worker.samplers import SamplerSpec
from tkr_lightworks_worker.validation import JobValidation, SamplerNeeds
from tkr_nexus_worker.jobs.models import (
    JobDetails,
    JobEvent,
    JobItemReport,
    JobPayload,
    PayloadProgram,
    WaitProgress,
)
from tkr_nexus_worker.nexus.models import AccountReport, Check
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


def test_a_long_cell_in_a_pipe_moves_the_rest_of_its_own_row_alone(capsys):
    table = new_table()
    table.add_column("name", no_wrap=True)
    table.add_column("size", justify="right")
    table.add_column("state")
    long = "x" * 41
    table.add_row(Text("日本"), "7", "done")
    table.add_row(long, "7", "done")
    table.add_row("a name", "700", "")
    print_table(table)
    assert capsys.readouterr().out.splitlines() == [
        "name    size  state",
        "日本       7  done",
        f"{long}     7  done",
        "a name   700",
    ]


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
        WaitProgress,
    ],
)
def test_every_field_of_the_json_is_documented(model):
    text = (Path(__file__).parents[3] / "docs" / "command_line.md").read_text()
    section = text[text.index("### JSON") : text.index("## Results")]
    assert set(model.model_fields) <= set(FIELD.findall(section))


@pytest.mark.parametrize(
    "model",
    [
        photonic.Job,
        photonic.JobEvent,
        photonic.JobPayload,
        photonic.WaitProgress,
        QpuDetails,
        JobValidation,
        SamplerNeeds,
        SamplingResult,
    ],
)
def test_every_field_of_the_json_of_photonic_jobs_is_documented(model):
    text = (Path(__file__).parents[3] / "docs" / "command_line.md").read_text()
    section = text[text.index("## Photonic jobs") :]
    assert set(model.model_fields) <= set(FIELD.findall(section))


def test_every_field_of_a_sampler_is_documented():
    text = (Path(__file__).parents[3] / "docs" / "lightworks.md").read_text()
    assert set(SamplerSpec.model_fields) <= set(FIELD.findall(text))
