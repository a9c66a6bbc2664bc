"""The page about job operations keeps up with the commands and pictures."""

import importlib
import re
from pathlib import Path

import pytest

from tkr_nexus_worker import tasks
from tkr_nexus_worker.cli import cli
from tkr_nexus_worker.devices import DeviceDetails, ErrorRate
from tkr_nexus_worker.results.counts import CircuitCounts, JobCounts
from tkr_nexus_worker.results.saved import SavedCircuit, SavedResults
from tkr_nexus_worker.validation import CircuitNeeds, JobValidation

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "job_operations.md").read_text()
TABLE = PAGE.split("| --- | --- | --- | --- |\n")[1].split("\n\n")[0]
ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in PAGE.split("| --- | --- | --- | --- |\n")[1]
    .split("\n\n")[0]
    .split("\n")
]


def test_every_picture_is_shown_and_every_one_that_is_shown_exists():
    pages = [page.read_text() for page in DOCS.glob("*.md")]
    shown = set(re.findall(r"\(pictures/([^)]+)\)", "\n".join(pages)))
    assert shown == {path.name for path in (DOCS / "pictures").iterdir()}


def test_every_command_for_jobs_results_and_devices_is_named():
    others = {"resume", "serve"}
    commands = set(cli.list_commands(None)) - others
    assert {one for one in commands if f"{one}" not in PAGE} == set()


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
def test_every_function_exists_and_has_a_task_where_the_page_says_so(row):
    _, functions, has_task, _ = row
    module = None
    for name in re.findall(r"`([a-z_.]+)`", functions):
        module_name, function = name.split(".")
        module = (
            importlib.import_module(f"tkr_nexus_worker.{module_name}")
            if module_name
            else module
        )
        assert callable(getattr(module, function))
        if has_task == "yes" and function != "compare_devices":
            assert hasattr(tasks, function)


@pytest.mark.parametrize(
    "model",
    [
        JobCounts,
        CircuitCounts,
        DeviceDetails,
        ErrorRate,
        JobValidation,
        CircuitNeeds,
    ],
)
def test_every_field_of_the_json_is_documented(model):
    text = (DOCS / "command_line.md").read_text()
    section = text[text.index("## Results") :]
    fields = set(re.findall(r"`([a-z_]+)`", section))
    assert set(model.model_fields) <= fields


def test_the_format_of_saved_results_is_documented():
    section = PAGE[PAGE.index("### Files of results") :]
    fields = {*SavedResults.model_fields, *SavedCircuit.model_fields}
    assert fields <= set(re.findall(r"[a-z_]+", section))
