"""The web page in a real Chromium."""

import csv
import json
import re
from collections.abc import Iterator

import numpy as np
import pytest
from selenium import webdriver
from tests.helpers.browser import Page, chromium

from local_artemis import Progress


@pytest.fixture(scope="module")
def driver(tmp_path_factory) -> Iterator[webdriver.Chrome]:
    with chromium(tmp_path_factory.mktemp("chromium")) as driver:
        yield driver


def test_jobs_and_their_counts_are_shown(driver, artemis, api):
    artemis.set_progress(Progress.seconds(submitted=1e6), job="<b>waits</b>")
    waiting = api.submit(job_name="<b>waits</b>")
    artemis.progress = Progress.immediate()
    done = api.submit(
        job_name="done",
        n_samples=50,
        circuit=np.array([[1, 1j], [1j, 1]]) / np.sqrt(2),
        direct_implementation=True,
        circuit_spec=[
            ["BeamSplitter", {"mode_1": 0, "mode_2": 1, "reflectivity": 0.5}],
            ["PhaseShifter", {"mode": 0, "phi": 0.25}],
        ],
    )
    page = Page(driver, artemis)
    page.open()
    page.until(lambda: page.row(str(done)).get("Status") == "Completed")
    row = page.row(str(waiting))
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", row.pop("Submitted (UTC)"))
    assert row == {
        "Name": "<b>waits</b>",
        "Id": str(waiting),
        "QPU": "Artemis",
        "Status": "Scheduled",
        "Queue position": "1",
        "Samples": "100",
    }
    page.choose(str(done))
    counts = {
        f"|{state.strip('(), ').replace(' ', '')}⟩": count
        for state, count in api.results(done)["results"].items()
    }
    assert page.counts() == counts
    assert json.loads(page.download("Download JSON"))["results"] == counts
    rows = csv.DictReader(page.download("Download CSV").splitlines())
    assert {row["outcome"]: int(row["count"]) for row in rows} == counts
    drawn = page.texts("#drawing text")
    assert drawn == ["mode 0", "mode 1", "R=0.5", "φ=0.25"]
    assert len(page.texts("#matrix rect")) == 4
    assert page.facts()["Input"] == "|1,1⟩"
    assert page.texts("#log td:last-child")[-1] == "The job has completed."
    page.resize(390)
    assert page.fits()
    page.resize(1200)

    page.driver.get(f"{artemis.url}/#job={waiting}")
    page.until(lambda: page.one("#job-title").text == f"Job {waiting}: <b>waits</b>")
    assert page.one("#job-message").text == "Scheduled Queue position 1."
    page.click("#actions .danger")
    page.until(lambda: page.one("#job-message").text == "Cancelled")
    assert api.status(waiting) == "Cancelled"
    assert page.driver.get_log("browser") == []
